"""Onionbalance, as Debian installs it, with the timers of softmap. Its options are Onionbalance's own."""
import sys
from onionbalance.hs_v3 import params

# Seconds. Onionbalance has them as constants and no option for them; it reads them when it starts and when it is reloaded.
TIMERS = {
    # --is-testnet has intervals of its own, and they stay. What it leaves as it is: the wait between the first fetch and the
    # first publication, 45 s. Descriptors of a test network come within 2 s, and from 20 s of age on they count as those of a
    # dead backend: at 8 s the publications fall between two fetches.
    "INITIAL_CALLBACK_DELAY": 8,
}


def set_timers():
    absent = sorted(name for name in TIMERS if not hasattr(params, name))
    if absent:
        sys.exit(
            "Onionbalance on this host: %s has no %s, so a change would be published too late; not started. "
            "Next: install Debian's own onionbalance, 0.2.2 or 0.2.4." % (params.__file__, ", ".join(absent))
        )
    for name, seconds in TIMERS.items():
        setattr(params, name, seconds)


if __name__ == "__main__":
    set_timers()
    # After the timers: whoever takes a copy of them as it is loaded takes ours.
    from onionbalance.manager import main

    sys.exit(main())
