"""What every step says, and how it fails: short lines with seconds, never a payload."""
import os
import signal
import subprocess
import sys
import time


class Failure(Exception):
    """A failure with a message for people: what is wrong, and the next step."""


class Report:
    """Prints one line a fact. Goes on silently when nobody listens any more: a broken pipe must not leave a half release."""

    def __init__(self, what, host, clock=time.monotonic):
        self.what, self.host, self.clock = what, host, clock
        self.started = clock()
        self.listening = True

    def seconds(self):
        return self.clock() - self.started

    def say(self, line):
        self._print("%s: %s" % (self.host, line))

    def raw(self, line):
        """A line for a program that reads it."""
        self._print(line)

    def quote(self, text, most=20):
        """The last lines of another tool's output, indented."""
        for line in last_lines(text, most):
            self._print("    | " + line)

    def _print(self, line):
        try:
            print(line, flush=True)
        except OSError:
            self.listening = False
            # Python flushes once more at exit: give it something that takes it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def last_lines(text, most=20):
    """The last lines that say something, cut to 400 characters each: the command provider stumbles over 64 KiB lines."""
    return [line.rstrip()[:400] for line in text.splitlines() if line.strip()][-most:]


def run(argv, timeout=60, check=True, env=None, **options):
    """Runs a command, stdin closed, both outputs together. A Failure with its own last lines when it does not end well."""
    # A fixed language, and nothing of the environment of whoever logged in.
    clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/", **(env or {})}
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean, timeout=timeout, **options
        )
    except subprocess.TimeoutExpired as late:
        out = (late.stdout or b"").decode("utf-8", "replace")
        raise Failure("%s did not end within %d s. %s" % (argv[0], timeout, said(out)))
    except FileNotFoundError:
        raise Failure("%s is not there. Next: see that its package is installed and in this step's list." % argv[0])
    done.text = done.stdout.decode("utf-8", "replace")
    if check and done.returncode != 0:
        raise Failure("%s ended with %d. %s" % (" ".join(argv[:3]), done.returncode, said(done.text)))
    return done


def said(text, most=8):
    lines = last_lines(text, most)
    return "It said:\n" + "\n".join("    | " + line for line in lines) if lines else "It said nothing."


def stop_on(number, _frame):
    raise Failure("stopped by signal %s. Next: run `pulumi up` again, it goes on from here." % signal.Signals(number).name)


def where(error):
    """The place of an error in our own text, without any value: values may be keys."""
    places, tb = [], error.__traceback__
    while tb:
        places.append("%s:%d" % (tb.tb_frame.f_code.co_name, tb.tb_lineno))
        tb = tb.tb_next
    return " > ".join(places[-4:])


def guarded(what, host, work):
    """Runs work(report) and ends the process: 0, or 1 with one message and never a traceback."""
    for name in ("stdout", "stderr"):
        getattr(sys, name).reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the connection may go; the release must not stop in the middle
    signal.signal(signal.SIGTERM, stop_on)
    signal.signal(signal.SIGINT, stop_on)
    report = Report(what, host)
    message = None
    try:
        work(report)
    except Failure as failure:
        message = str(failure)
    except OSError as error:
        place = " (%s)" % error.filename if isinstance(error.filename, str) else ""
        message = "%s%s. Next: see to the host's disk and rights, then run `pulumi up` again. [%s]" % (error.strerror or type(error).__name__, place, where(error))
    except BaseException as error:  # a KeyError's text may hold a value of the payload: name the kind and place only
        message = "a bug in softmap's own step: %s at %s. Next: report it with this line." % (type(error).__name__, where(error))
    if message is not None:
        try:
            print("softmap %s on %s failed: %s" % (what, host, message), file=sys.stderr, flush=True)
        except OSError:
            pass
        sys.exit(1)
