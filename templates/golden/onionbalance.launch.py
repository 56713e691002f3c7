"""Onionbalance, as Debian installs it, with the timers of softmap and one introduction point a relay. Its options are Onionbalance's own."""
import random
import sys
from onionbalance.common import intro_point_set
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


def relay_of(point):
    """The relay that an introduction point is on: its RSA identity, which every introduction point has (rend-spec-v3, 2.5.2.2)."""
    return next((specifier.fingerprint for specifier in point.link_specifiers if hasattr(specifier, "fingerprint")), id(point))


def first_points(backends):
    """
    Backend's index -> its first point, as many of them as can be on relays of their own (bipartite matching), then the others: a backend
    without a point would not be listed.
    """
    on, points = {}, {}

    def place(index, tried):
        for point in backends[index]:
            relay = relay_of(point)
            if relay not in tried:
                tried.add(relay)
                if relay not in on or place(on[relay], tried):
                    on[relay], points[index] = index, point
                    return True
        return False

    for index, its in enumerate(backends):
        if not place(index, set()) and its:
            points[index] = its[0]
    return points


def choose(self, count=10, shuffle=True):
    """
    In place of Onionbalance's own choice, which may take two points on one relay. A client finds the key of an introduction point by
    its relay (setup_intro_circ_auth_key in tor's hs_client.c): of two on one relay it only ever tries the first. When that backend has
    gone, it counts the second as untried, for ever, and never asks for a new descriptor.
    """
    points = first_points(self.intro_points)
    chosen = list(points.values())[:count]
    relays, most = {relay_of(point) for point in chosen}, -(-count // max(len(self.intro_points), 1))
    for index, its in enumerate(self.intro_points):
        free = (point for point in its if point is not points.get(index) and relay_of(point) not in relays)
        for point in list(free)[: most - 1]:
            # Its other points may be on one relay, too.
            if len(chosen) < count and relay_of(point) not in relays:
                chosen.append(point)
                relays.add(relay_of(point))
    if shuffle:
        random.shuffle(chosen)
    return chosen


if __name__ == "__main__":
    set_timers()
    intro_point_set.IntroductionPointSet.choose = choose
    # After the timers: whoever takes a copy of them as it is loaded takes ours.
    from onionbalance.manager import main

    sys.exit(main())
