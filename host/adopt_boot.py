"""What starts an installation of Onionspray or EOTK by itself: units, init scripts, cron, logrotate. Put off and on again, never deleted."""
import glob
import os
import re
import stat
from report import run
from files import read, write

# Before a line of a table that is put off; the line itself stays behind it.
OFF = "#softmap-adopt: "
# cron and logrotate leave a file alone that is named so: cron(8), run-parts(8), logrotate's taboo list.
OFF_NAME = ".disabled"
SYSTEM_UNITS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
CRON_TABLES = ("/etc/crontab", "/etc/cron.d/*", "/var/spool/cron/crontabs/*")
SCRIPTS = ("/etc/cron.hourly/*", "/etc/cron.daily/*", "/etc/cron.weekly/*", "/etc/cron.monthly/*", "/etc/logrotate.d/*")


def text_at(path):
    return (read(path) or b"").decode("utf-8", "replace") if os.path.isfile(path) else ""


def names_below(text, words):
    """Whether a text has one of these paths, whole: /opt/eotk is not in /opt/eotk2."""
    return any(re.search(re.escape(word) + r"(?![\w.-])", text) for word in words)


def scripts_of(home, root=""):
    """Init scripts that are theirs: links to a file of theirs, or scripts that name their folder."""
    return [path for path in sorted(glob.glob(root + "/etc/init.d/*")) if os.path.realpath(path).startswith(home + "/") or names_below(text_at(path), [home])]


def table_lines(text, words):
    """(at boot, by the clock): whether lines of a cron table that are not comments start something of theirs."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#") and names_below(line, words)]
    return any(line.lstrip().startswith("@reboot") for line in lines), any(not line.lstrip().startswith("@reboot") for line in lines)


def unit_enabled(unit):
    return run(["systemctl", "is-enabled", unit], check=False).text.strip() == "enabled"


def init_enabled(name, root=""):
    return bool(glob.glob("%s/etc/rc[2-5].d/S[0-9][0-9]%s" % (root, name)))


def boot_entries(home, root=""):
    """
    Every entry: kind (unit, init, table, script), path, `when` ("boot" or "clock") and whether it is on. What the clock starts goes first:
    their logrotate starts Onionbalance anew.
    """
    init = scripts_of(home, root)
    words = [home, *init, *("/etc/init.d/" + os.path.basename(path) for path in init)]
    found = [{"kind": "init", "path": path, "when": "boot", "on": init_enabled(os.path.basename(path), root)} for path in init]
    for folder in SYSTEM_UNITS:
        for path in sorted(glob.glob("%s%s/*.service" % (root, folder)) + glob.glob("%s%s/*.timer" % (root, folder))):
            service = path[: -len(".timer")] + ".service" if path.endswith(".timer") else path
            if not os.path.islink(path) and names_below(text_at(path) + text_at(service), words):
                found.append({"kind": "unit", "path": path, "when": "clock" if path.endswith(".timer") else "boot", "on": unit_enabled(os.path.basename(path))})
    for pattern in CRON_TABLES:
        for path in sorted(glob.glob(root + pattern)):
            for when, there in zip(("boot", "clock"), table_lines(text_at(path), words)):
                found += [{"kind": "table", "path": path, "when": when, "on": True}] if there else []
    for pattern in SCRIPTS:
        for path in sorted(glob.glob(root + pattern)):
            if names_below(text_at(path), words) or os.path.realpath(path).startswith(home + "/"):
                found.append({"kind": "script", "path": path, "when": "clock", "on": not path.endswith(OFF_NAME)})
    return found


def rewritten(path, change):
    """Writes a file anew with the owner and mode that it has."""
    now = os.lstat(path)
    write(path, change(read(path).decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"), now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode))


def lines_off(text, words, boot):
    """A cron table in which the lines that start theirs, at boot or by the clock, are comments."""
    goes = lambda line: not line.lstrip().startswith("#") and names_below(line, words) and line.lstrip().startswith("@reboot") == boot
    return "".join(OFF + line if goes(line) else line for line in text.splitlines(True))


def lines_on(text):
    return "".join(line[len(OFF):] if line.startswith(OFF) else line for line in text.splitlines(True))


def put_off(report, home, when):
    """Puts off what starts theirs at boot or by the clock. Returns what was on, to be put on again."""
    done, words = [], None
    for entry in boot_entries(home):
        if entry["when"] != when or not entry["on"]:
            continue
        kind, path = entry["kind"], entry["path"]
        if kind == "unit":
            run(["systemctl", "disable", os.path.basename(path)])
            if when == "clock":
                run(["systemctl", "stop", os.path.basename(path)])
        elif kind == "init":
            run(["update-rc.d", os.path.basename(path), "disable"])
        elif kind == "table":
            init = scripts_of(home)
            words = [home, *init]
            rewritten(path, lambda text: lines_off(text, words, when == "boot"))
        else:
            os.rename(path, path + OFF_NAME)
        done.append(entry)
        report.say("put off %s, which starts theirs %s" % (path, "at boot" if when == "boot" else "by the clock"))
    return done


def put_on(report, entries):
    """What was put off is on again."""
    for entry in entries:
        kind, path = entry["kind"], entry["path"]
        if kind == "unit":
            run(["systemctl", "enable", *(["--now"] if entry["when"] == "clock" else []), os.path.basename(path)])
        elif kind == "init":
            run(["update-rc.d", os.path.basename(path), "enable"])
        elif kind == "table":
            rewritten(path, lines_on)
        elif os.path.exists(path + OFF_NAME):
            os.rename(path + OFF_NAME, path)
        report.say("put on %s" % path)
