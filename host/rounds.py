"""When a site's descriptor is published anew, and with what: what is known of each publication (a round), and the reasons for the next. Pure."""
import random
from dealing import MOST_POINTS, MOST_TOGETHER, deal, together

# Backends that fall silent one after another in a few seconds leave in few publications.
BETWEEN_SECONDS = 5.0
# A directory that refuses has a descriptor of another balancer, or of a clock that was ahead of ours.
REFUSED_SECONDS = 60.0
# Balancers must not march in step: this part of an interval is added by chance, or taken from a lifetime.
JITTER = 0.1


def jittered(seconds):
    """A little more than so many seconds: never less, because tor holds a NEWNYM back that comes within ten seconds of another."""
    return seconds * (1 + random.uniform(0, JITTER))


class Round:
    """
    One publication of one descriptor: which backends there were to list, which points each directory got, and how its uploads went. Where several
    backends share their relays, not all that were offered are in a hand.
    """

    def __init__(self, which, period, why, directories, offered, hands, uploads, now, wall, lifetime):
        self.which, self.period, self.why, self.at, self.wall = which, period, why, now, wall
        self.directories, self.offered, self.hands, self.uploads = directories, set(offered), hands, uploads
        self.expires = now + lifetime * (1 - random.uniform(0, JITTER))

    def backends(self):
        return {backend for hand in self.hands.values() for backend in hand}

    def missing(self):
        """How many directories have not taken theirs, and will not be asked again."""
        return sum(each.state in ("refused", "failed") for each in self.uploads.values())

    def told(self, readers):
        """For the status file."""
        rows = []
        for fingerprint, replica, asked in self.directories:
            upload, hand = self.uploads[fingerprint], self.hands[fingerprint]
            rows.append({
                "fingerprint": fingerprint, "replica": replica, "asked": asked, "state": upload.state, "reason": upload.reason, "tries": upload.tries,
                "seconds": None if upload.seconds is None else round(upload.seconds, 1), "bytes": upload.bytes, "backends": sorted(hand),
            })
        points = sum(len(keys) for hand in self.hands.values() for keys in hand.values())
        return {"which": self.which, "period": self.period, "readers": readers, "at": self.wall, "why": self.why, "points": points, "directories": rows}


def due(last, directories, points, timers, now, checking, settled):
    """
    Why a descriptor is to be published now, or None. last: its last Round, or None; directories: those that it belongs to; points: backend -> its
    points, of those that are to be listed; checking: whether this is a publish check (who falls out is taken out at once, all else waits for one);
    settled: whether everybody has been heard of that the config names, or waited for long enough.
    """
    if not points:
        return None  # nobody is better off with an empty descriptor than with the last one
    if last is None:
        return "it was not published before" if settled else None
    listed = last.backends()
    gone, come = listed - set(points), set(points) - last.offered
    if gone and now - last.at >= BETWEEN_SECONDS:
        return "%d of %d backends left" % (len(gone), len(listed))
    if not checking:
        return None
    if [name for name, _, _ in directories] != [name for name, _, _ in last.directories]:
        return "it belongs to other directories"
    if come and settled:
        return "%d more backend%s" % (len(come), "" if len(come) == 1 else "s")
    if last.missing() and now - last.at >= min(timers["republish"], REFUSED_SECONDS):
        return "%d of %d directories did not take it" % (last.missing(), len(last.directories))
    if now >= last.expires:
        return "it is %d s old" % (now - last.at)
    return stale_points(last, points, timers["republish"], now)


def stale_points(last, points, republish, now):
    """Points that a backend has given up: an introduction there fails, and the client tries another. Urgent when it was a backend's last one."""
    alive = {backend: {key for key, _ in its} for backend, its in points.items()}
    stale = {(backend, key) for hand in last.hands.values() for backend, keys in hand.items() for key in keys if key not in alive.get(backend, ())}
    if not stale:
        return None
    reached = {backend for hand in last.hands.values() for backend, keys in hand.items() if any((backend, key) not in stale for key in keys)}
    if now - last.at >= republish or {backend for backend, _ in stale} - reached:
        return "%d introduction points have changed" % len(stale)
    return None


def hands_for(mode, directories, points, last, seed, most=MOST_POINTS):
    """
    Directory -> backend -> keys of its points. Up to ten backends one set for all directories, as Onionbalance has it; above, in the mode
    `distinct`, a subset for each. A site that is published because of its age is dealt anew (`last` is None), so that balancers with different pasts
    come to deal alike; the seed has the time in it, so that over time no backend is in more descriptors than another.
    """
    if mode == "distinct" and len(points) > MOST_TOGETHER:
        before = {} if last is None else {name: {backend: keys[0] for backend, keys in hand.items()} for name, hand in last.hands.items()}
        dealt = deal([(name, asked) for name, _, asked in directories], points, before, seed, most)
        return {name: {backend: [key] for backend, key in hand.items()} for name, hand in dealt.items()}
    mixed = list(points)
    random.shuffle(mixed)
    one = together({backend: points[backend] for backend in mixed}, most)
    return {name: one for name, _, _ in directories}
