"""When which backend is probed: each at its own time within the interval, and only so many at once. Pure: it knows no clock."""
import math

MOST_AT_ONCE = 24
# Of these, for backends that are marked: they mostly hang until the time-out, and the others must not wait for them.
MOST_MARKED = 12
# Of these, for marked and suspected ones together: somebody must be asked who may answer, else nobody can be judged.
MOST_DOUBTED = 22
JITTER = 0.1  # part of an interval, to both sides
# A probe's own time is left out when it is nearer than this part of an interval.
NEAREST = 0.25


class Pace:
    """`draw()` gives a number from 0 to 1."""

    def __init__(self, every, draw):
        self.every, self.draw = every, draw
        self.slots, self.due, self.running, self.ended = {}, {}, {}, {}

    def spread(self, addresses, every, now):
        """Gives each its time, evenly over an interval from now on. Whoever is to be tried sooner, stays so."""
        self.every, before = every, self.due
        self.slots = {address: now + every * place / len(addresses) for place, address in enumerate(sorted(addresses))}
        self.due = {address: min(self.jittered(address), before.get(address, math.inf)) for address in self.slots}
        self.running = {address: since for address, since in self.running.items() if address in self.slots}
        self.ended = {address: self.ended.get(address, -math.inf) for address in self.slots}

    def jittered(self, address):
        return self.slots[address] + self.every * JITTER * (2 * self.draw() - 1)

    def next(self, now, suspected, marked):
        """The backend to probe now, or None. Suspected ones come first, marked ones last."""
        if len(self.running) >= MOST_AT_ONCE:
            return None
        doubted = {address for address in self.running if address in suspected or address in marked}
        room = {"marked": len(doubted & marked.keys()) < MOST_MARKED and len(doubted) < MOST_DOUBTED, "suspected": len(doubted) < MOST_DOUBTED}
        able = []
        for address, due in self.due.items():
            kind = "marked" if address in marked else "suspected" if address in suspected else "other"
            if due <= now and address not in self.running and room.get(kind, True):
                able.append((("suspected", "other", "marked").index(kind), due, address))
        return min(able)[2] if able else None

    def began(self, address, now):
        self.running[address] = now

    def finished(self, address, now):
        if self.running.pop(address, None) is None:
            return
        self.ended[address] = now
        while self.slots[address] - now < NEAREST * self.every:
            self.slots[address] += self.every
        self.due[address] = self.jittered(address)

    def hurry(self, addresses, now):
        """These are to be probed at once."""
        for address in addresses:
            if address in self.due and address not in self.running:
                self.due[address] = min(self.due[address], now)

    def call_witness(self, since, now, doubted):
        """Sees that somebody who is not doubted is asked, unless that was done `since` then: whoever was asked longest ago, now."""
        able = [address for address in self.slots if address not in doubted]
        if any(self.running.get(address, -math.inf) >= since for address in able):
            return
        able = [address for address in able if address not in self.running]
        if able:
            self.hurry([min(able, key=lambda address: (self.ended[address], address))], now)

    def rest(self, now, most):
        """Seconds until the next one is due, at most so many. Whoever waits for room does not count: it comes when another has finished."""
        return min([most, *(due - now for address, due in self.due.items() if due > now and address not in self.running)])
