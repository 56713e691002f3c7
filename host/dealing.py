"""
Which introduction points go into which directory's descriptor. Pure: the same question has the same answer.

A point is (key, relay): its authentication key as hex, and the relay that it is on. Two rules hold always. A descriptor has at most
MOST_POINTS points: clients refuse one with more (tor's hs_config.h, HS_CONFIG_V3_MAX_INTRO_POINTS). And never two of its points are on one
relay: a client finds the key of a point by its relay (setup_intro_circ_auth_key in tor's hs_client.c), so of two it only ever tries the
first; when that backend has gone, it counts the second as untried, for ever, and never asks for a new descriptor.
"""
import bisect
import hashlib

MOST_POINTS = 20
POINTS_PER_BACKEND = 2  # N_INTROS_PER_INSTANCE, hs_v3/params.py
# So many backends fit into one descriptor as Onionbalance makes it.
MOST_TOGETHER = MOST_POINTS // POINTS_PER_BACKEND


def rank(seed, *words):
    """An order that nobody prefers: the same for the same seed, another for each other one."""
    return hashlib.sha256("\0".join((seed, *words)).encode()).digest()


class Hand:
    """What one directory gets: for each backend one point, all on different relays."""

    def __init__(self, backends, most, seed=""):
        self.backends, self.most, self.seed, self.points, self.on = backends, most, seed, {}, {}

    def add(self, backend, wanted=None):
        """Lists a backend, with the point of that key when that can be. False when no relay of its is free."""
        if backend in self.points or len(self.points) >= self.most:
            return False
        return self.place(backend, set(), wanted)

    def place(self, backend, tried, wanted=None):
        """Who has a relay moves to another of its own where it can (bipartite matching, one augmenting path)."""
        # A free relay first: nobody moves without need. Each directory has an order of its own: a backend's introductions spread over its points.
        for key, relay in sorted(self.backends[backend], key=lambda point: (point[1] in self.on, point[0] != wanted, rank(self.seed, point[0]))):
            if relay in tried:
                continue
            tried.add(relay)
            if relay not in self.on or self.place(self.on[relay], tried):
                self.on[relay], self.points[backend] = backend, (key, relay)
                return True
        return False

    def drop(self, backend):
        del self.on[self.points.pop(backend)[1]]


def deal(directories, backends, before, seed, most=MOST_POINTS):
    """
    Directory -> backend -> key of its point: a subset of its own for each directory, one point a backend.
    directories: (name, whether clients ask it); backends: name -> its points; before: the last answer, of which as much
    stays as can; seed: what decides between equals. Among the directories that clients ask no backend is in two more than another, unless relays
    that they share forbid it; the same holds for the others.
    """
    hands = {name: kept(Hand(backends, most, seed + name), before.get(name, {})) for name, _ in directories}
    for asked in (True, False):
        group = [hands[name] for name, its in directories if its == asked]
        if group and backends:
            spread(group, sorted(backends, key=lambda each: rank(seed, each)))
    return {name: {backend: key for backend, (key, _) in hand.points.items()} for name, hand in hands.items()}


def kept(hand, its):
    """The hand with what of a directory's last subset still is, at the same points where these still are."""
    still = [backend for backend in its if backend in hand.backends]
    for backend in sorted(still, key=lambda each: its[each] not in {key for key, _ in hand.backends[each]}):
        hand.add(backend, its[backend])
    return hand


def spread(group, order):
    """Brings the backends into as many hands of the group as every other is in."""
    count = {each: sum(each in hand.points for hand in group) for each in order}
    room, turn = sum(hand.most for hand in group), {each: at for at, each in enumerate(order)}
    share = min(len(group), -(-room // len(order)))
    for each in order:
        while count[each] > share:
            max((hand for hand in group if each in hand.points), key=lambda hand: len(hand.points)).drop(each)
            count[each] -= 1
    waiting = [each for each in order if count[each] < share]
    while waiting:
        each = min(waiting, key=lambda one: (count[one], turn[one]))
        # An emptier hand first: none is filled up with a few while others have the rest.
        free = sorted((hand for hand in group if each not in hand.points), key=lambda hand: len(hand.points))
        if any(hand.add(each) for hand in free) or swapped(free, each, count):
            count[each] += 1
        else:
            waiting.remove(each)
        waiting = [one for one in waiting if count[one] < share]


def swapped(hands, wanted, count):
    """Takes the place of a backend that is in two more hands at least. False when there is none whose relay helps."""
    for hand in hands:
        for other in sorted(hand.points, key=lambda each: (-count[each], hand.points[each])):
            if count[other] < count[wanted] + 2:
                break
            key = hand.points[other][0]
            hand.drop(other)
            if hand.add(wanted):
                count[other] -= 1
                return True
            hand.add(other, key)
    return False


def together(backends, most=MOST_POINTS, each_one=POINTS_PER_BACKEND):
    """
    Backend -> keys of its points, for one descriptor that all directories get, as Onionbalance makes it: so many points a backend, each backend one
    at least, where relays allow it. A backend that has no relay of its own is listed all the same: it would be in no descriptor.
    """
    hand = Hand(backends, most)
    for backend in backends:
        hand.add(backend)
    chosen = {backend: [hand.points[backend]] for backend in backends if backend in hand.points}
    for backend, its in backends.items():
        if backend not in chosen and its and len(chosen) < most:
            chosen[backend] = [its[0]]
    relays, total = {relay for points in chosen.values() for _, relay in points}, len(chosen)
    for backend, its in backends.items():
        for point in its:
            if len(chosen.get(backend, ())) in range(1, each_one) and total < most and point[1] not in relays:
                chosen[backend].append(point)
                relays.add(point[1])
                total += 1
    return {backend: [key for key, _ in points] for backend, points in chosen.items()}


def walk(ring, positions, count):
    """
    [(fingerprint, replica from 1)]: so many directories from each replica's position on, around the end, none twice (rend-spec-v3, 2.2.3).
    ring: position of a directory -> its fingerprint; positions: where each replica begins.
    """
    found, order = {}, sorted(ring)
    for replica, position in enumerate(positions, 1):
        start = bisect.bisect_left(order, position)
        fresh = [name for name in dict.fromkeys(ring[place] for place in order[start:] + order[:start]) if name not in found]
        found.update((name, replica) for name in fresh[:count])
    return list(found.items())


def directories_of(ring, positions, store, fetch):
    """[(fingerprint, replica, whether clients ask it)]: who gets a descriptor, and of them those that a client looks for it at."""
    asked = {name for name, _ in walk(ring, positions, fetch)}
    return [(name, replica, name in asked) for name, replica in walk(ring, positions, store)]
