"""The proof of a publication: every site's descriptor holds exactly the planned backends, and a page came through it."""
import datetime
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from report import Failure, run
from control import Control, ControlError
from descriptors import bare, fetch_from, introduction_points
from files import read
from health import journal
from proof import judge, parse_status
from socks import FetchError, first_answer, judge_answer, site_answer

ONIONBALANCE = "softmap-onionbalance.service"
FETCH_SECONDS = 20
TELL_SECONDS = 5
# The publisher asks for backends' descriptors every two minutes; reloaded it asks at once.
NUDGE_SECONDS = 20


def status_text(path):
    """What Onionbalance says on its status socket, or "" when it does not: it is connected to and read, and nothing is asked."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
            stream.settimeout(5)
            stream.connect(path)
            text = b""
            while True:
                more = stream.recv(65536)
                if not more:
                    return text.decode("utf-8", "replace")
                text += more
    except OSError:
        return ""


NOTHING_TOLD = [None], {}, set()


def directories_told(path):
    """
    What the publisher says of each site: address -> (fingerprints of the directories that clients ask, where these have different descriptors; else
    [None], because any one will do; backend -> why it is left out; those of them that the operator wants left out). Of one that says nothing {}.
    """
    try:
        sites = json.loads(read(path) or b"{}").get("sites", {})
        return {address: (asked_apart(site["descriptors"]), *left_out_of(site["leftOut"])) for address, site in sites.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def left_out_of(marks):
    whys = {backend: "left out by the %s: %s" % (mark["by"], mark["why"]) for backend, mark in marks.items()}
    return whys, {backend for backend, mark in marks.items() if mark["by"] == "operator"}


def asked_apart(descriptors):
    rows = [row for each in descriptors if each["readers"] for row in each["directories"] if row["asked"]]
    return [row["fingerprint"] for row in rows] if len({tuple(row["backends"]) for row in rows}) > 1 else [None]


class Publication:
    """The proof, for all sites at once."""

    def __init__(self, report, payload, record, reloaded):
        self.report, self.payload, self.reloaded = report, payload, reloaded
        self.sites = [{**each, "address": bare(each["address"]), "planned": {bare(one["address"]): one["name"] for one in each["backends"]}} for each in payload["frontends"]]
        planned = {backend: name for site in self.sites for backend, name in site["planned"].items()}
        # What an earlier publication listed and this one does not.
        self.removed = {backend: name for backend, name in record.items() if backend not in planned}
        self.planned = planned
        self.excused = {bare(address) for address in payload.get("excused", [])}
        self.seen, self.reasons, self.listed, self.verdicts, self.answers = {}, {}, {}, {}, {}
        self.start, self.told = time.monotonic(), 0.0

    def seconds(self):
        return time.monotonic() - self.start

    def status(self):
        return parse_status(status_text(self.payload["statusSocket"]))

    def look(self, control):
        """One round: fetch what is not known yet, and judge every site that is not proved."""
        open_sites = [site for site in self.sites if site["address"] not in self.answers]
        told = directories_told(self.payload.get("publisherStatus", ""))
        fronts = [(site["address"], each) for site in open_sites for each in told.get(site["address"], NOTHING_TOLD)[0]]
        wanted = []
        for site in open_sites:
            # Backends again whenever something does not fit: their points change, too.
            verdict = self.verdicts.get(site["address"])
            wanted += [backend for backend in site["planned"] if not self.seen.get(backend) or (verdict and not verdict.good)]
        wanted += [backend for backend in self.removed if backend not in self.seen]
        for site in open_sites:
            self.listed.pop(site["address"], None)
        for (address, _), (text, reason) in fetch_from(control, [*fronts, *((each, None) for each in dict.fromkeys(wanted))], FETCH_SECONDS).items():
            self.take(address, text, reason)
        status, now = self.status(), datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        for site in open_sites:
            others = {backend: name for backend, name in {**self.removed, **self.planned}.items() if backend not in site["planned"]}
            _, left, drained = told.get(site["address"], NOTHING_TOLD)
            self.verdicts[site["address"]] = judge(site["planned"], others, self.listed.get(site["address"]), self.seen, {**self.reasons, **left}, status.get(site["address"], {}), now, self.excused | drained, left)
        return [site for site in open_sites if self.verdicts[site["address"]].good]

    def take(self, address, text, reason):
        frontend = any(site["address"] == address for site in self.sites)
        try:
            points = introduction_points(text, address) if text is not None else None
        except ValueError:
            points, reason = None, "its descriptor cannot be read"
        self.reasons[address] = reason
        if frontend and points is not None:
            self.listed[address] = self.listed.get(address, set()) | points  # of all its directories
        elif points:
            self.seen[address] = self.seen.get(address, set()) | points
        elif address in self.removed:
            self.seen.setdefault(address, set())  # it is gone already: not asked again

    def answer(self, site):
        """A page through the frontend. None when it came, or why not."""
        try:
            status, took = site_answer(self.payload["socks"], site["address"], FETCH_SECONDS, site)
        except FetchError as error:
            return str(error)
        good, text = judge_answer(status)
        if not good:
            return text
        verdict, total = self.verdicts[site["address"]], len(site["planned"])
        self.answers[site["address"]] = {"seconds": self.seconds(), "took": took}
        without = "" if len(verdict.present) == total else " (not waited for: %s)" % ", ".join(sorted(verdict.missing))
        self.report.say("%s %s.onion published with %d of %d backends%s after %.1f s, first answer %s in %.1f s" % (site["domain"], site["address"], len(verdict.present), total, without, self.seconds(), text, took))
        return None

    def tell(self, pending):
        if time.monotonic() - self.told < TELL_SECONDS:
            return
        self.told = time.monotonic()
        for site in self.sites:
            if site["address"] in self.answers:
                continue
            verdict = self.verdicts.get(site["address"])
            text = verdict.text(len(site["planned"])) if verdict else "asking the network"
            if site["address"] in pending:
                text += ", no page yet: %s" % pending[site["address"]]
            self.report.say("%3.0f s: %s: %s" % (self.seconds(), site["domain"], text))

    def prove(self):
        """Looks until every site is proved. A Failure with what is missing when the time is over."""
        end, pause, pending, nudge = time.monotonic() + self.payload["publishTimeoutSeconds"], 2.0, {}, NUDGE_SECONDS * (2 if self.reloaded else 1)
        self.told = time.monotonic()
        while len(self.answers) < len(self.sites):
            try:
                with Control(self.payload["control"]) as control:
                    ready = self.look(control)
                    if ready:
                        control.command("SIGNAL NEWNYM")  # a client keeps an old descriptor otherwise
                with ThreadPoolExecutor(8) as pool:
                    whys = list(pool.map(self.answer, ready))
                pending = {site["address"]: why for site, why in zip(ready, whys) if why}
            except ControlError as error:
                pending = {site["address"]: "the balancer's tor: %s" % error for site in self.sites}
            if len(self.answers) == len(self.sites):
                break
            if not self.report.listening:
                raise Failure("nobody listens any more, the proof was not finished. Onionbalance goes on. Next: run `pulumi up` again.")
            if time.monotonic() > end:
                self.give_up(pending)
            if self.seconds() > nudge:
                nudge = self.seconds() + NUDGE_SECONDS
                run(["systemctl", "reload", ONIONBALANCE], timeout=120, check=False)
            self.tell(pending)
            time.sleep(min(pause, max(end - time.monotonic(), 0.1)))
            pause = min(pause * 1.2, 15.0)

    def give_up(self, pending):
        """Everything known about what is missing, then the Failure."""
        broken = []
        for site in self.sites:
            if site["address"] in self.answers:
                continue
            verdict = self.verdicts.get(site["address"])
            broken.append(site["domain"])
            self.report.say("%s %s.onion: %s" % (site["domain"], site["address"], verdict.text(len(site["planned"])) if verdict else "its descriptor was never looked at"))
            if site["address"] in pending:
                self.report.say("%s: no page through it: %s" % (site["domain"], pending[site["address"]]))
        absent = {name for verdict in self.verdicts.values() for name in verdict.missing}
        backends = [(name, backend) for backend, name in sorted(self.planned.items(), key=lambda pair: pair[1]) if name in absent]
        with ThreadPoolExecutor(8) as pool:
            for (name, backend), text in zip(backends, pool.map(lambda pair: self.own_answer(pair[1]), backends)):
                self.report.say("backend %s at its own address %s.onion %s" % (name, backend, text))
        self.report.say("Onionbalance's last lines:")
        self.report.quote(journal(ONIONBALANCE))
        raise Failure(
            "%s not published as planned within %d s. Onionbalance goes on trying with the new configuration; backends that left the plan are still up. "
            "Next: see to the backends named above, then run `pulumi up` again." % (", ".join(broken), self.payload["publishTimeoutSeconds"])
        )

    def own_answer(self, backend):
        try:
            status, took = first_answer(self.payload["socks"], backend, FETCH_SECONDS)
            return "answers (%d in %.1f s): it runs, Onionbalance has yet to list it" % (status, took)  # 421 is right: it is nobody's Host
        except FetchError as error:
            return "does not answer: %s. Next: look at its unit on that worker" % error
