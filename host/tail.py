"""The journal of softmap's own units, for the operator's desk: the last lines, and with `follow` what comes, until nobody listens."""
import select
import subprocess
import time

# A line that says nothing: it proves that somebody listens. The desk drops it.
BEAT = ""
BEAT_SECONDS = 10


def units_of(projects):
    """Patterns for journalctl: everything of softmap, or the projects' proxies and tors."""
    if not projects:
        return ["softmap-*"]
    return [pattern for each in projects for pattern in ("softmap-nginx@%s.service" % each, "softmap-tor@%s-*.service" % each)]


def tail_main(report, payload):
    argv = ["journalctl", "--no-pager", "-o", "short-iso", "-n", str(payload["lines"])]
    argv += [word for pattern in units_of(payload["projects"]) for word in ("-u", pattern)]
    argv += ["-f"] if payload["follow"] else []
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}) as shown:
        try:
            rest, beat = b"", time.monotonic()
            while report.listening:
                ready, _, _ = select.select([shown.stdout], [], [], BEAT_SECONDS)
                data = shown.stdout.read1(65536) if ready else None
                if data == b"":
                    break
                *lines, rest = (rest + (data or b"")).split(b"\n")
                for line in lines:
                    report.raw(line.decode("utf-8", "replace")[:4000])
                if data is None or time.monotonic() - beat > BEAT_SECONDS:
                    beat = time.monotonic()
                    report.raw(BEAT)
        finally:
            shown.terminate()
