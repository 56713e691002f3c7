"""spent.py LIMIT RESULT OUTPUT COMMAND...: runs a command, LIMIT seconds at most, and says what it cost.

RESULT gets {"code", "seconds", "cpu", "peak"}: its exit code, the seconds until it ended, CPU seconds (user and system) and the highest memory in bytes
of it and all it started, pages that are shared counted once (PSS). OUTPUT gets what it said. Whatever goes on after its end (ssh's masters) is ended
behind the measured time; what it had used until then counts.
"""
import ctypes, json, os, resource, signal, subprocess, sys, threading, time

EVERY = 0.2
PR_SET_CHILD_SUBREAPER = 36


def descendants():
    """Processes below this one, by the table of this moment."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(name))
    found, next_ones = [], [os.getpid()]
    while next_ones:
        mine = children.get(next_ones.pop(), [])
        found += mine
        next_ones += mine
    return found


def pss(process):
    try:
        with open("/proc/%d/smaps_rollup" % process) as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:")), 0)
    except OSError:
        return 0  # it has ended, or is a zombie


class Memory(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.peak, self.over = 0, threading.Event()

    def run(self):
        while not self.over.wait(EVERY):
            self.peak = max(self.peak, sum(map(pss, descendants())))


def end_all():
    """Ends what is left, and reaps it: only what is reaped has its CPU time in ours."""
    while left := descendants():
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, 0):
                pass
        except ChildProcessError:
            return


def main(limit, result, output, *command):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: (end_all(), os._exit(143)))
    memory = Memory()
    with open(output, "wb") as out:
        start = time.monotonic()
        memory.start()
        try:
            code = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT).wait(float(limit))
        except subprocess.TimeoutExpired:
            code = 124
        finally:
            seconds = time.monotonic() - start
            memory.over.set()
            memory.join()
            end_all()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(result, "w") as file:
        json.dump({"code": code, "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak": memory.peak}, file)


main(*sys.argv[1:])
