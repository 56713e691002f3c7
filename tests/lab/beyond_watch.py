"""
What each directory has of a site, again and again, and what the site's backends have published of themselves, through a tor of its own. Which
directories the site's descriptor belongs to is computed here from the consensus (rend-spec-v3, 2.2.3): nobody who publishes is asked.

beyond_watch.py SETTINGS, JSON: {"torrc": [LINE], "site": ADDRESS, "backends": {NAME: ADDRESS}, "pause": seconds, "backendsEach": how many a round}.
Prints a line of JSON for each round and for each backend's descriptor; ends with its stdin.
"""
import base64
import hashlib
import json
import re
import struct
import sys
import tempfile
import time
from descriptors import asked_for, bare, introduction_points
from own_tor import bootstrapped, listening, start_tor

ANSWER_SECONDS = 4
# Of the lab's network (TestingTorNetwork, V3AuthVotingInterval 20): a run of the shared random value's protocol is 24 votes, a period as long, and
# begins in its middle (shared_random_state.c, hs_common.c).
RUN = 24 * 20
REPLICAS, ASKED, STORED = 2, 3, 4
BASE = b"(15112221349535400772501151409588531511454012693041857206046113283949847762202, 46316835694926478169428394003475163141307993866256225615783033603165251855960)"


def eight(number):
    return struct.pack("!Q", number)


def digest(*parts):
    return hashlib.sha3_256(b"".join(parts)).digest()


def plain64(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


def read(path):
    try:
        with open(path, errors="replace") as handle:
            return handle.read()
    except FileNotFoundError:
        return ""


class Consensus:
    """The consensus that our tor has: directories with their ed25519 identities, shared random values, and the time that counts for clients."""

    def __init__(self, folder):
        text = read(folder + "/data/cached-microdesc-consensus")
        keys = {}
        for body in re.split(r"(?m)^(?=onion-key$)", read(folder + "/data/cached-microdescs") + read(folder + "/data/cached-microdescs.new"))[1:]:
            body = re.sub(r"(?m)^@last-listed .*\n?", "", body)
            found = re.search(r"^id ed25519 (\S+)$", body, re.M)
            if found:
                keys[hashlib.sha256(body.encode()).digest()] = plain64(found.group(1))
        self.names, self.identities = {}, {}
        for router in re.split(r"(?m)^(?=r )", text)[1:]:
            words, micro, flags = router.split(), re.search(r"^m (\S+)$", router, re.M), re.search(r"^s (.*)$", router, re.M)
            if not flags or "HSDir" not in flags.group(1).split():
                continue
            fingerprint = plain64(words[2]).hex().upper()
            self.names[fingerprint] = words[1]
            identity = keys.get(plain64(micro.group(1))) if micro else None
            if identity:
                self.identities[fingerprint] = identity
        valid = re.search(r"^valid-after (.+)$", text, re.M)
        self.at = int(time.mktime(time.strptime(valid.group(1), "%Y-%m-%d %H:%M:%S")) - time.timezone) if valid else 0
        self.random = {which: plain64(found.group(1)) if (found := re.search(r"^shared-rand-%s-value \d+ (\S+)" % which, text, re.M)) else None
                       for which in ("current", "previous")}

    def whole(self):
        return bool(self.identities) and len(self.identities) == len(self.names)

    def period(self):
        return (self.at - RUN // 2) // RUN

    def value(self):
        """The shared random value that clients go by: the current one from the middle of its run on, when the period begins, else the one before."""
        which = "current" if self.at % RUN >= RUN // 2 else "previous"
        # hs_get_srv: where there is none yet, everybody makes one of the period's number
        return self.random[which] or digest(b"shared-random-disaster", eight(RUN // 60), eight(self.period()))


def blinded(address, period):
    from stem.descriptor.hidden_service import _blinded_pubkey

    identity = base64.b32decode(bare(address).upper())[:32]
    nonce = digest(b"Derive temporary signing key\0", identity, BASE, b"key-blind", eight(period), eight(RUN // 60))
    return _blinded_pubkey(identity, nonce)


def responsible(consensus, key, spread):
    """Fingerprints of the directories of both replicas; one that is there already is passed over."""
    period, value, found = consensus.period(), consensus.value(), []
    ring = sorted((digest(b"node-idx", identity, value, eight(period), eight(RUN // 60)), fingerprint)
                  for fingerprint, identity in consensus.identities.items())
    for replica in range(1, REPLICAS + 1):
        start = digest(b"store-at-idx", key, eight(replica), eight(RUN // 60), eight(period))
        order = [each for index, each in ring if index >= start] + [each for index, each in ring if index < start]
        found += [each for each in order if each not in found][:spread]
    return found


def contents(text, address):
    """Size, revision, length of the padded plaintext, and introduction points (key to relay) of a descriptor."""
    from stem.descriptor.hidden_service import HiddenServiceDescriptorV3

    outer = HiddenServiceDescriptorV3.from_str(text)
    blob = base64.b64decode("".join(line for line in outer.superencrypted.splitlines() if not line.startswith("-----")))
    points = {}
    for point in outer.decrypt(address).introduction_points:
        relay = next((each.fingerprint for each in point.link_specifiers if hasattr(each, "fingerprint")), "?")
        points[point.auth_key_cert.key.hex()] = relay if isinstance(relay, str) else relay.hex().upper()
    # a salt of 16 bytes before, a MAC of 32 behind
    return {"bytes": len(text), "revision": outer.revision_counter, "plain": len(blob) - 16 - 32, "points": points}


def ask(control, site, directories, backends):
    """Asks all at once. Directory to its answer, (text, None) or (None, why), and backend's address to its descriptor's text."""
    control.events.clear()
    found = asked_for(control, [*((site, each) for each in directories), *((each, None) for each in backends)], ANSWER_SECONDS)
    own = {each: found[each, None][0] for each in backends if found[each, None][0] is not None}
    return {each: found[site, each] for each in directories}, own


def look(control, settings, consensus, key, backends):
    """One round."""
    site, began = bare(settings["site"]), time.time()
    stored, asked = responsible(consensus, key, STORED), responsible(consensus, key, ASKED)
    directories = stored + [each for each in asked if each not in stored]
    answers, own = ask(control, site, directories, [bare(settings["backends"][name]) for name in backends])
    told = []
    for each in directories:
        text, reason = answers[each]
        line = {"relay": consensus.names[each], "fingerprint": each, "asked": each in asked, "state": "ok"}
        try:
            line.update(contents(text, site) if text is not None else {"state": reason})
        except ValueError as error:
            line["state"] = "cannot be read: %s" % error
        told.append(line)
    for name in backends:
        text = own.get(bare(settings["backends"][name]))
        if text is not None:
            try:
                print(json.dumps({"backend": name, "at": began, "points": sorted(introduction_points(text, bare(settings["backends"][name])))}))
            except ValueError:
                pass  # of a descriptor that is just being replaced
    print(json.dumps({"at": began, "ended": time.time(), "period": consensus.period(), "directories": told}), flush=True)


def watch(control, folder, settings):
    control.command("SETEVENTS HS_DESC HS_DESC_CONTENT")
    names, turn, seen, key = list(settings["backends"]), 0, None, None
    while listening(settings["pause"]):
        consensus = Consensus(folder)
        if not consensus.whole():
            continue
        if consensus.period() != seen:
            seen, key = consensus.period(), blinded(settings["site"], consensus.period())
        backends = [names[(turn + n) % len(names)] for n in range(min(settings["backendsEach"], len(names)))]
        turn += len(backends)
        look(control, settings, consensus, key, backends)


def main(settings):
    with tempfile.TemporaryDirectory(prefix="softmap-watch-") as folder:
        tor = start_tor(folder, settings["torrc"])
        try:
            with bootstrapped(folder) as control:
                watch(control, folder, settings)
        finally:
            tor.kill()
            tor.wait()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
