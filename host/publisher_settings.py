"""The publisher's settings, and what of them is read again while it runs."""
import json
import os
import sys

TIMERS = ("fetch", "publishCheck", "firstPublish", "republish", "lifetime", "tooOld")
WATCHDOG_LIST = "/run/softmap/watchdog/leave-out.json"
OPERATOR_LIST = "/var/lib/softmap/leave-out/operator.json"
STATUS = "/run/softmap/onionbalance/publisher.json"


def refuse(text):
    """Ends the program with one line for people."""
    print(text, file=sys.stderr, flush=True)
    raise SystemExit(1)


class Settings:
    """publisher.yaml. `floor`: percent of a site's backends that stay listed whatever the watchdog says; None where there is no watchdog."""

    def __init__(self, path):
        import yaml

        self.path = path
        try:
            with open(path) as handle:
                told = yaml.safe_load(handle)
            self.mode, self.testnet = told["mode"], told["testnet"]
            self.timers = {name: float(told["timers"][name]) for name in TIMERS}
            self.floor = float(told["watchdog"]["floor"]) if told.get("watchdog") else None
            if self.mode not in ("onionbalance", "distinct") or not isinstance(self.testnet, bool) or min(self.timers.values()) < 0:
                raise ValueError("mode %r, testnet %r, timers %r" % (self.mode, self.testnet, self.timers))
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            refuse("The publisher's settings %s cannot be used: %s %s; not started. Next: run `pulumi up`, which writes them." % (path, type(error).__name__, error))


class Watched:
    """A file that others replace: `changed` is true once for each new content."""

    def __init__(self, path):
        self.path, self.stamp, self.text, self.problem = path, "never", None, None

    def changed(self):
        """Looks at the file's identity each time, and reads it when that is another."""
        try:
            found = os.stat(self.path)
            stamp = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp == self.stamp:
                return False
            with open(self.path, encoding="utf-8", errors="replace") as handle:
                text, self.problem = handle.read(), None
        except OSError as error:
            stamp, text = "absent %s" % error.errno, None
            self.problem = None if isinstance(error, FileNotFoundError) else "%s: %s" % (self.path, error.strerror)
        before, self.stamp, self.text = self.text, stamp, text
        return before != text


def write_status(path, told):
    """Whole or not at all."""
    staged = path + ".new"
    handle = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(handle, "w") as file:
        json.dump(told, file, sort_keys=True)
    os.rename(staged, path)
