"""What a publisher does for its sites: who is listed, what each directory gets, how the uploads go, and what it tells of that."""
import datetime
import random
import time
from dealing import MOST_POINTS, directories_of
from leaving import leave_out, read_list
from publisher_settings import STATUS, write_status
from rounds import Round, due, hands_for
from seams import make_descriptor, revision_of, unpadded
from uploads import Upload, Uploads

STATUS_SECONDS = 10.0
DEFAULT_RING = {"hsdir_n_replicas": 2, "hsdir_spread_store": 4, "hsdir_spread_fetch": 3}  # param-spec
# Reasons of a fetch that failed: no upload of ours (control-spec, 4.1.25).
OF_FETCHES = ("NOT_FOUND", "QUERY_REJECTED", "QUERY_NO_HSDIR", "QUERY_RATE_LIMITED", "BAD_DESC")


def say(text):
    print(text, flush=True)


def fingerprint_of_relay(point):
    """The relay that an introduction point is on: its RSA identity, which every introduction point has (rend-spec-v3, 2.5.2.2)."""
    return next((each.fingerprint for each in point.link_specifiers if hasattr(each, "fingerprint")), str(id(point)))


def bare_address(service):
    """A site's address without its .onion, as our files have it."""
    return service.onion_address.replace(".onion", "")


def points_in(received):
    """A backend's points as (key, relay, stem's point). Kept with the descriptor: this is asked every second."""
    if not hasattr(received, "points"):
        usable = [point for point in received.get_intro_points() if not point.legacy_key_raw]
        received.points = [(point.auth_key_cert.key.hex(), fingerprint_of_relay(point), point) for point in usable]
    return received.points


class Publishing:
    """`balance` is Onionbalance's own object: its services, its consensus, its controller."""

    balance = None

    def __init__(self, version, settings, lists):
        self.version, self.settings, self.lists = version, settings, lists
        self.problems = {}
        self.uploads = Uploads(self.post)
        self.rounds = {}  # address -> period -> Round
        self.latest = {}  # (address, period) -> the last counter's seconds
        self.left = {}  # address -> (address of a backend -> Mark, those spared)
        # Of one consensus: (period, whether of the first descriptor) -> its ring, the same for all sites and long to make; and of each site on it.
        self.rings, self.places = {}, {}
        self.status_at, self.status_told = 0.0, None

    @property
    def timers(self):
        return self.settings.timers

    def problem(self, what, text):
        """Told once in the log, and in the status until it is over."""
        if text is None:
            self.problems.pop(what, None)
        elif self.problems.get(what) != text:
            self.problems[what] = text
            say(text)

    # Who is listed

    def marks(self):
        """(operator's, watchdog's), as far as they are heeded."""
        found = {}
        for by, file in self.lists.items():
            if by == "watchdog" and self.settings.floor is None:
                found[by] = {}
                continue
            file.changed()
            marks, why = read_list(file.text, by, time.time())
            found[by] = marks
            self.problem(by, why or file.problem)
        return found["operator"], found["watchdog"]

    def points_of(self, service):
        """Backend -> its points as (key, relay, stem's point), of those that have a descriptor that counts."""
        return {each.onion_address: points_in(each.descriptor) for each in service.instances if each.descriptor and not each.descriptor.is_old() and points_in(each.descriptor)}

    # Publishing

    def look(self, service, marks, now, checking, settled):
        """One site: publishes each of its two descriptors for which there is a reason."""
        from onionbalance.hs_v3 import hashring

        address = bare_address(service)
        operator, watchdog = marks
        left, spared = leave_out([each.onion_address for each in service.instances], operator, watchdog, self.settings.floor or 0)
        self.left[address] = left, spared
        points = {backend: its for backend, its in self.points_of(service).items() if backend not in left}
        listed = {backend: [(key, relay) for key, relay, _ in its] for backend, its in points.items()}
        for first in (True, False):
            _, period = hashring.get_srv_and_time_period(first)
            directories = self.directories(service, address, first, period)
            if not directories:
                continue
            why = due(self.last(address, period), directories, listed, self.timers, now, checking, settled)
            if why:
                known = {key: point for its in points.values() for key, _, point in its}
                self.publish(service, address, first, period, directories, listed, known, why, now)

    def last(self, address, period):
        return self.rounds.get(address, {}).get(period)

    def refresh(self):
        """Reads the consensus that tor has now."""
        self.balance.consensus.refresh()
        self.rings.clear()
        self.places.clear()

    def directories(self, service, address, first, period):
        """[(fingerprint, replica, whether clients ask it)] of a site's descriptor; None without a consensus whose relays are known."""
        from onionbalance.hs_v3 import hashring
        from stem.descriptor import hidden_service

        consensus = self.balance.consensus
        key = address, period, first
        if key not in self.places and consensus.nodes:
            ring = dict(DEFAULT_RING, **{name: value for name, value in consensus.consensus.params.items() if name in DEFAULT_RING})
            identity = service._get_identity_pubkey_bytes()
            blinded = hidden_service._blinded_pubkey(identity, consensus.get_blinding_param(identity, period))
            if (period, first) not in self.rings:
                self.rings[period, first] = {place: node.get_hex_fingerprint() for place, node in hashring._get_hash_ring_for_descriptor(first).items()}
            positions = [hashring._get_hidden_service_index(blinded, replica, first) for replica in range(1, ring["hsdir_n_replicas"] + 1)]
            self.places[key] = directories_of(self.rings[period, first], positions, ring["hsdir_spread_store"], ring["hsdir_spread_fetch"])
        return self.places.get(key)

    def publish(self, service, address, first, period, directories, listed, known, why, now):
        which, last = "first" if first else "second", self.last(address, period)
        # The same on every balancer for so long: what one publishes beside another is dealt alike.
        seed, most = "%s %d %d" % (address, period, time.time() // self.timers["lifetime"]), MOST_POINTS
        anew = last is not None and now >= last.expires
        blinding = self.balance.consensus.get_blinding_param(service._get_identity_pubkey_bytes(), period)
        revision = self.revision(service, address, first, period)
        while True:
            hands = hands_for(self.settings.mode, directories, listed, None if anew else last, seed, most)
            made = self.descriptors(service, first, blinding, revision, hands, known)
            if made is not None:
                break
            most -= 1  # too large for a directory, with as many points
            if most < 1:
                raise ValueError("a descriptor with a single introduction point is too large")
        one = made[directories[0][0]][0]
        blinded = unpadded(one.get_blinded_key())
        uploads = {name: Upload(address, name, blinded, made[name][1]) for name, _, _ in directories}
        self.rounds.setdefault(address, {})[period] = Round(which, period, why, directories, listed, hands, uploads, now, time.time(), self.timers["lifetime"])
        self.uploads.send(list(uploads.values()))
        stamp = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        one.set_last_publish_attempt_ts(stamp)
        setattr(service, which + "_descriptor", one)  # its own status socket tells of it
        points = max(sum(map(len, hand.values())) for hand in hands.values())
        say("%s.onion: published the %s descriptor (period %d) with %s, %d points each, to %d directories: %s" % (address, which, period, "%d backend%s" % (len(listed), "" if len(listed) == 1 else "s"), points, len(directories), why))

    def descriptors(self, service, first, blinding, revision, hands, known):
        """Directory -> its descriptor and that as text; the same set is the same descriptor. None when one is larger than a directory takes."""
        from onionbalance.hs_v3 import descriptor

        made, by_points = {}, {}
        for name, hand in hands.items():
            keys = tuple(sorted(key for its in hand.values() for key in its))
            if keys not in by_points:
                points = [known[key] for key in keys]
                random.shuffle(points)  # their order tells nothing
                try:
                    one = make_descriptor(service, blinding, points, first, revision)
                except descriptor.BadDescriptor:
                    return None
                by_points[keys] = one, str(one.v3_desc)
            made[name] = by_points[keys]
        return made

    def revision(self, service, address, first, period):
        """Never one that was used before, whatever the clock says."""
        consensus = self.balance.consensus
        start = consensus.get_start_time_of_previous_srv_run() if first else consensus.get_start_time_of_current_srv_run()
        seconds = max(int(time.time()) - int(start) + 1, self.latest.get((address, period), 0) + 1, 1)
        self.latest[address, period] = seconds
        return revision_of(service, seconds)

    def post(self, address, fingerprint, text):
        """Hands one descriptor to tor for one directory. Why not, or None."""
        import stem
        from onionbalance.common import descriptor

        try:
            descriptor.upload_descriptor(self.balance.controller.controller, text, hsdirs=[fingerprint], v3_onion_address=address)
        except stem.SocketClosed:
            return "the balancer's tor has gone"
        except stem.ControllerError as error:
            return str(error)
        return None

    def heard(self, event):
        """An HS_DESC event; those of descriptors that somebody fetches are about no upload of ours."""
        if event.action in ("UPLOADED", "FAILED") and event.reason not in OF_FETCHES:
            blinded = event.descriptor_id if event.action == "FAILED" else None
            self.uploads.heard(event.action, event.address, event.directory_fingerprint, blinded, event.reason or "")

    # Telling

    def tell(self, now):
        sites, rounds = {}, {}
        live = self.balance.consensus.is_live() and self.balance.consensus.nodes
        readers = self.balance.consensus.get_time_period_num() if live else None
        for service in self.balance.services:
            address = bare_address(service)
            left, spared = self.left.get(address, ({}, []))
            mine = {period: its for period, its in sorted(self.rounds.get(address, {}).items()) if readers is None or abs(period - readers) <= 1}
            rounds[address] = mine
            sites[address] = {
                "backends": len(service.instances), "listed": len(self.points_of(service).keys() - left.keys()), "spared": spared,
                "leftOut": {backend: mark.told() for backend, mark in left.items()},
                "descriptors": [its.told(period == readers) for period, its in mine.items()],
            }
        self.rounds = rounds
        self.latest = {key: seconds for key, seconds in self.latest.items() if key[1] in rounds.get(key[0], ())}
        told = {"version": 1, "mode": self.settings.mode, "onionbalance": self.version, "problems": sorted(self.problems.values()), "sites": sites}
        if told != self.status_told or now - self.status_at >= STATUS_SECONDS:
            write_status(STATUS, {**told, "written": time.time()})
            self.status_told, self.status_at = told, now
