"""A private Tor network in one container: authorities, relays and one client, all on the container's address.

tor_network.py ADDRESS RELAYS. Writes FOLDER/common.conf (what every other tor of the lab needs) and FOLDER/ready when the network is whole and the
client on ADDRESS:9050 is up. Ends, with the reason, when any tor ends: the network is thrown away and made anew, never mended. One whose folder has a file "may-end"
may end (a fault of a test's); one that is stopped has not ended.
Given /media/lab/keys.tar it takes all keys from there, so that the DirAuthority lines stay the same.
"""
import concurrent.futures, glob, os, re, signal, subprocess, sys, tarfile, time

ADDRESS, FOLDER, SEED = sys.argv[1], "/var/lib/lab-tor", "/media/lab"
AUTHORITIES, RELAYS = [f"a{i}" for i in range(3)], [f"r{i}" for i in range(int(sys.argv[2]))]
ORPORT = {name: 5100 + i for i, name in enumerate(AUTHORITIES + RELAYS)}
DIRPORT = {name: 7100 + i for i, name in enumerate(AUTHORITIES)}
# The first votes lie on a grid of so many seconds and are cast 4 s (the two delays) before its next line (dirauth/voting_schedule.c). Who
# misses the first consensus waits 20 s for the second: the more nodes there are and the busier the machine, the more time they get between start
# and vote. It is never in the 4 s themselves: an authority that starts there votes at once and alone.
NEEDED = (1.2 + 0.1 * len(AUTHORITIES + RELAYS)) * (1 if os.getloadavg()[0] < os.cpu_count() else 2)
INTERVAL, LEAD = next((grid for grid in ((5, 2.5), (10, 6), (15, 11), (20, 16)) if grid[1] > NEEDED), (30, 26))
TOR = ["tor", "--defaults-torrc", "/nonexistent", "--ignore-missing-torrc"]


def say(text):
    print(time.strftime("%T"), text, flush=True)


def read(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def keys(name):
    """Makes the keys of a node when it has none; returns its fingerprint and an authority's DirAuthority line."""
    home = f"{FOLDER}/{name}"
    folder = f"{home}/keys"
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chmod(home, 0o700)
    certificate = f"{folder}/authority_certificate"
    if name in AUTHORITIES and not os.path.exists(certificate):
        subprocess.run(
            ["tor-gencert", "--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a", f"{ADDRESS}:{DIRPORT[name]}"]
            + ["-i", f"{folder}/authority_identity_key", "-s", f"{folder}/authority_signing_key", "-c", certificate],
            input=b"x\n", check=True, capture_output=True)
    fingerprint = subprocess.run(
        TOR + ["--quiet", "-f", "/nonexistent", "--DataDirectory", home, "--ORPort", f"{ADDRESS}:{ORPORT[name]}"]
        + ["--Nickname", name, "--Address", ADDRESS, "--SocksPort", "0", "--ExitRelay", "0", "--DisableNetwork", "1", "--list-fingerprint"],
        check=True, capture_output=True, text=True).stdout
    relay = re.search(rf"^{name} (.+)$", fingerprint, re.M).group(1).replace(" ", "")
    if name in RELAYS:
        return relay, None
    v3 = re.search(r"^fingerprint (\S+)$", read(certificate), re.M).group(1)
    return relay, f"DirAuthority {name} orport={ORPORT[name]} v3ident={v3} {ADDRESS}:{DIRPORT[name]} {relay}"


def torrc(name, common):
    lines = [common, f"DataDirectory {FOLDER}/{name}", f"Log notice file {FOLDER}/{name}/notice.log", "SafeLogging 0", "ShutdownWaitLength 0",
             f"ControlSocket {FOLDER}/{name}/control", "CookieAuthentication 1"]
    if name == "client":
        # The first consensus has too few stable relays for layer 2 guards: with them the client found no path until the second or third, 40 s
        # later. And a first circuit that gets lost is tried again after 15 s, not after a minute
        return "\n".join(lines + [f"SocksPort {ADDRESS}:9050", "LearnCircuitBuildTimeout 0", "CircuitBuildTimeout 15", "VanguardsLiteEnabled 0", ""])
    # Address: tor refuses to guess in private ranges. AssumeReachable: else the self-test takes half a minute
    lines += [f"Nickname {name}", f"Address {ADDRESS}", f"ORPort {ADDRESS}:{ORPORT[name]} IPv4Only", "SocksPort 0", "AssumeReachable 1",
              "ExitRelay 0", "ExitPolicy reject *:*"]
    if name in AUTHORITIES:
        # V3AuthVotingInterval must be 20: Onionbalance's --is-testnet has it built in (onionbalance/hs_v3/params.py)
        lines += ["AuthoritativeDirectory 1", "V3AuthoritativeDirectory 1", "ContactInfo auth@lab.invalid", f"DirPort {ADDRESS}:{DIRPORT[name]}",
                  f"TestingV3AuthInitialVotingInterval {INTERVAL}", "TestingV3AuthInitialVoteDelay 2", "TestingV3AuthInitialDistDelay 2",
                  "V3AuthVotingInterval 20", "V3AuthVoteDelay 4", "V3AuthDistDelay 4", "V3AuthNIntervalsValid 3",
                  "TestingDirAuthVoteGuard *", "TestingDirAuthVoteHSDir *", "TestingMinFastFlagThreshold 0", f"V3BandwidthsFile {FOLDER}/bandwidths"]
    return "\n".join(lines + [""])


def listed(name):
    return len(re.findall(r"^s .*\bHSDir\b", read(f"{FOLDER}/{name}/cached-microdesc-consensus"), re.M))


def whole(name, count):
    """True when that node knows all nodes as directories of onion services and has every microdescriptor."""
    home = f"{FOLDER}/{name}"
    known = set(re.findall(r"^id ed25519 (\S+)", read(f"{home}/cached-microdescs") + read(f"{home}/cached-microdescs.new"), re.M))
    return listed(name) >= count and len(known) >= count


children = {}


def start(name):
    log = open(f"{FOLDER}/{name}/stdout.log", "ab")
    children[subprocess.Popen(TOR + ["-f", f"{FOLDER}/{name}/torrc", "--hush", "--RunAsDaemon", "0"], stdout=log, stderr=log).pid] = name


def stop(code, *_):
    for pid in list(children):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os._exit(code)


def reap(flags):
    """Ends everything when a tor has ended."""
    try:
        pid, _ = os.waitpid(-1, flags)
    except ChildProcessError:
        return
    if pid in children:
        name = children.pop(pid)
        if os.path.exists(f"{FOLDER}/{name}/may-end"):
            return say(f"the tor {name} ended, as it may")
        tail = (read(f"{FOLDER}/{name}/notice.log") + read(f"{FOLDER}/{name}/stdout.log")).splitlines()[-5:]
        say(f"the tor {name} ended:\n  " + "\n  ".join(tail))
        stop(1)


def hurry(nodes):
    """Once the authorities have a consensus with every node, tells those who lack it to ask now: after a few answers of "not yet" tor waits ever
    longer, and SIGHUP resets that (do_hup in app/main/main.c)."""
    if time.monotonic() < hurry.next or not all(listed(name) >= len(nodes) for name in AUTHORITIES):
        return
    hurry.next = time.monotonic() + 2
    for pid, name in children.items():
        if not whole(name, len(nodes)):
            os.kill(pid, signal.SIGHUP)


hurry.next = 0


def wait_until(what, condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        reap(os.WNOHANG)
        if time.monotonic() > end:
            say(f"{what} not after {seconds} s")
            stop(1)
        time.sleep(0.1)
    say(what)


def main():
    signal.signal(signal.SIGTERM, lambda *_: stop(0))
    os.makedirs(FOLDER, mode=0o755, exist_ok=True)
    if os.path.exists(f"{SEED}/keys.tar"):
        with tarfile.open(f"{SEED}/keys.tar") as tar:
            tar.extractall(FOLDER)
    if not os.path.exists(f"{FOLDER}/common.conf"):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            made = list(pool.map(keys, AUTHORITIES + RELAYS))
        write(f"{FOLDER}/nodes", "".join(f"node_id=${fingerprint} bw=1000 nick={name}\n" for name, (fingerprint, _) in zip(AUTHORITIES + RELAYS, made)))
        lines = ["TestingTorNetwork 1", "PathsNeededToBuildCircuits 0.67"] + [line for _, line in made if line]
        write(f"{FOLDER}/common.conf", "\n".join(lines) + "\n")
    # Else a node counts for nothing until it has measured itself, those who were first get all circuits, and many a client's fail until the second
    # or third consensus.
    write(f"{FOLDER}/bandwidths", f"{time.time():.0f}\n" + read(f"{FOLDER}/nodes"))
    common = read(f"{FOLDER}/common.conf").rstrip()
    # only keys and their lines are kept for the next time: nothing that a later network could take for current
    with tarfile.open(f"{FOLDER}/keys.tar", "w") as tar:
        for path in sorted(glob.glob(f"{FOLDER}/[ar]*/keys")) + [f"{FOLDER}/common.conf", f"{FOLDER}/nodes"]:
            tar.add(path, os.path.relpath(path, FOLDER))
    for name in AUTHORITIES + RELAYS + ["client"]:
        os.makedirs(f"{FOLDER}/{name}", mode=0o700, exist_ok=True)
        os.chmod(f"{FOLDER}/{name}", 0o700)  # unpacked folders have the umask's mode
        write(f"{FOLDER}/{name}/torrc", torrc(name, common))
    say("keys and settings made")
    # Started LEAD seconds before a vote, all nodes are in it. This is no wait for a condition: the clock is the condition.
    time.sleep((INTERVAL - 4 - LEAD - time.time()) % INTERVAL)
    say(f"starting the nodes (votes every {INTERVAL} s, load {os.getloadavg()[0]})")
    for name in AUTHORITIES + RELAYS:
        start(name)
    nodes = AUTHORITIES + RELAYS
    wait_until("every node knows every node", lambda: hurry(nodes) or all(whole(name, len(nodes)) for name in nodes), 120)
    start("client")
    wait_until("the client is ready", lambda: "Bootstrapped 100%" in read(f"{FOLDER}/client/notice.log"), 120)
    write(f"{FOLDER}/ready", "")
    while True:
        reap(0)


main()
