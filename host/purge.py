"""A balancer that stopped publishing keeps its keys for as long as one edit may move back to it; then a timer on the machine removes them."""
import os
import time
from report import run
from files import remove, write
from tree import UNITS

TIMER, SERVICE = "softmap-purge.timer", "softmap-purge.service"
PURGED = "/etc/softmap/publisher/purged"


def purge_units(at, folder):
    """The two units' texts. A calendar time, and Persistent: a machine that was off at that moment does it when it is back."""
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
    timer = "[Unit]\nDescription=The site keys of a softmap balancer that stopped publishing go\n\n[Timer]\nOnCalendar=%s\nPersistent=yes\nAccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n" % when
    # find, not rm with a pattern: a key's path is never in a shell's hands. *.key*: a killed run leaves a half written one (files.py, write).
    service = "[Unit]\nDescription=Removes the site keys of a softmap balancer that stopped publishing\n\n[Service]\nType=oneshot\nExecStart=/usr/bin/find %s -type f -name *.key* -delete\nExecStart=/usr/bin/touch %s\n" % (folder, PURGED)
    return timer, service


def schedule_purge(report, seconds, folder):
    at = time.time() + seconds
    for name, text in zip((TIMER, SERVICE), purge_units(at, folder)):
        write(os.path.join(UNITS, name), text.encode())
    run(["systemctl", "daemon-reload"])
    if seconds == 0:
        run(["systemctl", "start", SERVICE])
        report.say("its site keys are removed: rollbackWindow is 0")
        return
    run(["systemctl", "enable", "--now", TIMER])
    report.say("its site keys stay until %s: until then one edit of `publishing` moves back to it" % time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at)))


def cancel_purge(report):
    """It publishes again, or anew."""
    if not os.path.exists(os.path.join(UNITS, TIMER)):
        return
    run(["systemctl", "disable", "--now", TIMER], check=False)
    for path in (os.path.join(UNITS, TIMER), os.path.join(UNITS, SERVICE), PURGED):
        remove(path)
    run(["systemctl", "daemon-reload"])
