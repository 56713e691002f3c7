"""Onionbalance, as Debian installs it, with the timers of softmap. Its options are Onionbalance's own."""
import sys
from onionbalance.hs_v3 import params

# Seconds. Onionbalance has them as constants and no option for them; it reads them when it starts and when it is reloaded.
TIMERS = {
    # Its own are 600, 300 and 45: a planned change would take up to 15 minutes. gobalance, which does the same work in Go,
    # fetches and publishes every 20 to 30 s. A fetch is one circuit a backend, so it is not done more often than needed.
    "FETCH_DESCRIPTOR_FREQUENCY": 120,
    # A check alone sends nothing: a descriptor is uploaded when introduction points or directories changed, or when it is an hour old.
    "PUBLISH_DESCRIPTOR_CHECK_FREQUENCY": 30,
    # Between the first fetch and the first publication: what comes later than this is in the next check's.
    "INITIAL_CALLBACK_DELAY": 15,
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
