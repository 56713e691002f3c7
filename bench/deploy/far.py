"""far.py NAMESPACE BRIDGE ADDRESS/BITS NEAR FAR MILLISECONDS LOSS SEED: a network namespace whose way to the bridge is long and loses packets.

Two TAP devices with this program between them: NEAR in the namespace, with the address, and FAR in the bridge. Every frame waits so many milliseconds, each
way, and of all frames the share LOSS is dropped, by a seeded random. ARP passes at once and whole: it is no part of a link that is longer than this one.
Says "ready"; ends, and takes all of it away, when its stdin does. For kernels without sch_netem.
"""
import collections, fcntl, os, random, select, signal, struct, subprocess, sys, time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
ARP, LONGEST = b"\x08\x06", 65_535
# As many frames as a device takes in itself; more is a link that is full.
QUEUE = 20_000


def tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def quiet_ipv6(name, *prefix):
    subprocess.run([*prefix, "sh", "-c", 'echo 1 >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"', "sh", name], check=False)


def frames(device):
    while True:
        try:
            yield os.read(device, LONGEST)
        except BlockingIOError:
            return


def put(device, frame):
    try:
        os.write(device, frame)
    except (BlockingIOError, OSError):
        pass  # a device that is full drops, as any does


def shuttle(one, other, delay, loss, dice):
    waiting, across = collections.deque(), {one: other, other: one}
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        ready = select.select([one, other, sys.stdin], [], [], pause)[0]
        now = time.monotonic()
        if sys.stdin in ready and not os.read(0, 64):
            return
        for device in (one, other):
            for frame in frames(device) if device in ready else ():
                if frame[12:14] == ARP:
                    put(across[device], frame)
                elif dice.random() >= loss and len(waiting) < QUEUE:
                    waiting.append((now + delay, across[device], frame))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            put(*waiting.popleft()[1:])


def main(namespace, bridge, address, near, far, milliseconds, loss, seed):
    # The end of the benchmark, by whatever signal, is the end of its pipe to here.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    subprocess.run(["ip", "netns", "delete", namespace], stderr=subprocess.DEVNULL, check=False)
    ip("netns", "add", namespace)
    try:
        inside, outside = tap(near), tap(far)
        quiet_ipv6(far)
        ip("link", "set", near, "netns", namespace)
        quiet_ipv6(near, "ip", "netns", "exec", namespace)
        for words in (["addr", "add", address, "dev", near], ["link", "set", near, "up"], ["link", "set", "lo", "up"]):
            ip("-n", namespace, *words)
        ip("link", "set", far, "master", bridge, "up")
        print("ready", flush=True)
        shuttle(inside, outside, int(milliseconds) / 1000, float(loss), random.Random(int(seed)))
    finally:
        subprocess.run(["ip", "netns", "delete", namespace], check=False)


main(*sys.argv[1:])
