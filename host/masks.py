"""Units of the distribution that softmap masked: remembered, because they are the machine's again when softmap leaves it."""
import os
from report import run
from files import make_dir, read, remove, write

MASKED = "/etc/softmap/masked"
MASKS = "/etc/systemd/system"


def masked_by_us(path=MASKED):
    return (read(path) or b"").decode().split()


def mask(units, path=MASKED):
    """Masks units; what somebody else had masked stays his."""
    # The link itself: systemd also calls an instance masked when only its template is, and a package may bring the instance's own file.
    ours = [unit for unit in units if os.path.realpath(os.path.join(MASKS, unit)) != "/dev/null"]
    if not ours:
        return
    make_dir(os.path.dirname(path))
    # Written first: a run that is cut between the two must not leave a mask that nobody remembers.
    write(path, "".join(unit + "\n" for unit in sorted({*masked_by_us(path), *ours})).encode())
    run(["systemctl", "mask", *ours])


def put_back(report, path=MASKED):
    """What we masked is unmasked and disabled, and never started: Debian's own tor would dial the public network."""
    units = masked_by_us(path)
    if units:
        run(["systemctl", "unmask", *units], check=False)
        for unit in units:  # one by one: a unit whose package is gone must not keep the others enabled
            run(["systemctl", "disable", unit], check=False)
        running = [unit for unit in units if run(["systemctl", "is-active", unit], check=False).text.strip() in ("active", "activating", "reloading")]
        if running:
            run(["systemctl", "stop", *running], timeout=120, check=False)
        stopped = " (%s ran and was stopped)" % ", ".join(running) if running else ""
        report.say("%s: masked by softmap, now unmasked, disabled and not running%s" % (", ".join(units), stopped))
    remove(path)
