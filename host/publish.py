"""Onionbalance's release, then the proof: every site's descriptor holds exactly the planned backends, and a page came through it."""
import datetime
import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from report import Failure, run, said
from accounts import identity
from control import Control, ControlError
from descriptors import bare, fetch, introduction_points
from files import read, remove, write
from health import journal
from proof import judge, parse_status
from purge import cancel_purge, schedule_purge
from release import Release
from socks import FetchError, first_answer, judge_answer
from tree import Tree

ONIONBALANCE = "softmap-onionbalance.service"
USER = "softmap-onionbalance"
CONFIG = "onionbalance/config.yaml"
FETCH_SECONDS = 20
TELL_SECONDS = 5
GONE_SECONDS = 20  # a backend that does not answer in this time has nobody to lose
# What `confirm` reads later: all of a publication that is no key.
PUBLICATION = "publication.json"
PUBLIC = ["host", "frontends", "control", "socks", "statusSocket", "excused", "publishTimeoutSeconds"]
# Onionbalance asks for backends' descriptors every 600 s (hs_v3/params.py); made to start anew it asks at once.
NUDGE_SECONDS = 40

# Run as Onionbalance's own user: its own loader, its own key reading, its own check of "frontend as its own instance".
LOADER = """
import logging, sys
from types import SimpleNamespace
from onionbalance.hs_v3 import onionbalance
logging.getLogger("onionbalance").setLevel(logging.WARNING)
balancer = onionbalance.my_onionbalance
balancer.controller = SimpleNamespace(controller=None)  # instances only keep it: no tor is asked here
balancer.config_path = sys.argv[1]
try:
    balancer.config_data = balancer.load_config_file()
    for service in balancer.initialize_services_from_config_data():
        print("frontend", service.onion_address)
except onionbalance.ConfigError as error:
    sys.exit(str(error))
"""


def check_onionbalance(staging, expected):
    """Onionbalance exits on a reload with a bad file, and one bad service ends them all: its own loader goes first."""
    argv = ["python3", "-I", "-c", LOADER, os.path.join(staging, CONFIG)]
    done = run(argv, check=False, cwd="/", timeout=120, **identity(USER))
    loaded = {bare(line.split()[1]) for line in done.text.splitlines() if line.startswith("frontend ")}
    if done.returncode != 0:
        # It tries PEM first and says so at length.
        text = "\n".join(line for line in done.text.splitlines() if "not in OBv3 format" not in line and "]: Loaded " not in line)
        raise Failure("Onionbalance refuses its new configuration; nothing was switched. Next: mend what it names, in the stack's config or on this host, then run `pulumi up` again. %s" % said(text))
    if loaded != expected:
        names = ", ".join(sorted(expected ^ loaded))
        raise Failure("Onionbalance would publish other addresses than planned (%s); nothing was switched. Next: see that each key belongs to its site." % names)


class PublisherRelease(Release):
    """The release of the publisher, with Onionbalance's own check."""

    def verify_staged(self, staging):
        super().verify_staged(staging)
        check_onionbalance(staging, {bare(each["address"]) for each in self.payload["frontends"]})


class Publication:
    """The proof, for all sites at once."""

    def __init__(self, report, payload, record, reloaded):
        self.report, self.payload, self.reloaded = report, payload, reloaded
        self.sites = [{"domain": each["domain"], "address": bare(each["address"]), "planned": {bare(one["address"]): one["name"] for one in each["backends"]}} for each in payload["frontends"]]
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
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
                stream.settimeout(5)
                stream.connect(self.payload["statusSocket"])
                text = b""
                while True:
                    more = stream.recv(65536)
                    if not more:
                        return parse_status(text.decode("utf-8", "replace"))
                    text += more
        except OSError:
            return {}

    def look(self, control):
        """One round: fetch what is not known yet, and judge every site that is not proved."""
        open_sites = [site for site in self.sites if site["address"] not in self.answers]
        wanted = [site["address"] for site in open_sites]
        for site in open_sites:
            # Backends again whenever something does not fit: their points change, too.
            verdict = self.verdicts.get(site["address"])
            wanted += [backend for backend in site["planned"] if not self.seen.get(backend) or (verdict and not verdict.good)]
        wanted += [backend for backend in self.removed if backend not in self.seen]
        for address, (text, reason) in fetch(control, list(dict.fromkeys(wanted)), FETCH_SECONDS).items():
            self.take(address, text, reason)
        status, now = self.status(), datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        for site in open_sites:
            others = {backend: name for backend, name in {**self.removed, **self.planned}.items() if backend not in site["planned"]}
            self.verdicts[site["address"]] = judge(site["planned"], others, self.listed.get(site["address"]), self.seen, self.reasons, status.get(site["address"], {}), now, self.excused)
        return [site for site in open_sites if self.verdicts[site["address"]].good]

    def take(self, address, text, reason):
        frontend = any(site["address"] == address for site in self.sites)
        try:
            points = introduction_points(text, address) if text is not None else None
        except ValueError:
            points, reason = None, "its descriptor cannot be read"
        self.reasons[address] = reason
        if frontend and points is not None:
            self.listed[address] = points
        elif points:
            self.seen[address] = self.seen.get(address, set()) | points
        elif address in self.removed:
            self.seen.setdefault(address, set())  # it is gone already: not asked again

    def answer(self, site):
        """A page through the frontend. None when it came, or why not."""
        try:
            status, took = first_answer(self.payload["socks"], site["address"], FETCH_SECONDS)
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
        end, pause, pending, nudged = time.monotonic() + self.payload["publishTimeoutSeconds"], 2.0, {}, self.reloaded
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
            if not nudged and self.seconds() > NUDGE_SECONDS:
                nudged = True
                self.report.say("Onionbalance still works with older descriptors: restarting it, it fetches them anew")
                run(["systemctl", "restart", ONIONBALANCE], timeout=120, check=False)
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


def still_there(payload, removed):
    """Those of the backends taken out that still answer at their own address: visitors with an old descriptor may be on them."""
    def answers(backend):
        try:
            first_answer(payload["socks"], backend, GONE_SECONDS)
            return True
        except FetchError:
            return False

    with ThreadPoolExecutor(8) as pool:
        return {backend: name for (backend, name), there in zip(removed.items(), pool.map(answers, removed)) if there}


def wait_grace(report, removed, seconds):
    """Clients hold a descriptor for a while: what left the plan may go only when they had time to ask again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and report.listening:
        left = end - time.monotonic()
        report.say("%s not listed any more; %.0f s of grace until retiring" % (", ".join(sorted(set(removed))), left))
        time.sleep(min(left, 30))
    if not report.listening:
        raise Failure("nobody listens any more, the grace time was not waited out. Next: run `pulumi up` again.")


def let_go(report, payload, removed):
    """The grace time of what is listed no longer. Dead backends have no visitors, and warm ones stay: neither is waited for."""
    warm = {bare(address) for address in payload["warm"]}
    leaving = {backend: name for backend, name in removed.items() if backend not in warm}
    if not leaving:
        return
    there = still_there(payload, leaving)
    dead = sorted({name for backend, name in leaving.items() if backend not in there})
    if dead:
        report.say("%s did not answer within %d s: there is nobody to wait for" % (", ".join(dead), GONE_SECONDS))
    if there:
        wait_grace(report, there.values(), payload["graceSeconds"])


def forget_keys(report, payload):
    """A site that is gone leaves no key behind."""
    folder = payload.get("keysDir")
    if not folder or not os.path.isdir(folder):
        return
    kept = {each["path"] for each in payload["state"]}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith(".key") and path not in kept:
            remove(path)
            report.say("removed the key of %s.onion: no site uses it any more" % name[: -len(".key")])


def read_json(path):
    try:
        return json.loads(read(path) or b"{}")
    except ValueError:
        return {}


def write_json(path, value):
    write(path, json.dumps(value, indent=1, sort_keys=True).encode())


def ready_to_publish(report, payload):
    """The proof of a balancer on standby: its tor finds every planned backend's descriptor. Onionbalance itself has read the config and the keys."""
    backends = {bare(one["address"]): one["name"] for each in payload["frontends"] for one in each["backends"]}
    excused, end, missing = {bare(address) for address in payload["excused"]}, time.monotonic() + payload["publishTimeoutSeconds"], dict(backends)
    while missing:
        try:
            with Control(payload["control"]) as control:
                found = fetch(control, list(missing), FETCH_SECONDS)
        except ControlError as error:
            found = {address: (None, str(error)) for address in missing}
        missing = {address: reason for address, (text, reason) in found.items() if text is None and address not in excused}
        if missing and time.monotonic() > end:
            raise Failure("this balancer's tor does not find the descriptor of %s (%s). Next: see to those backends, then run `pulumi up` again." % (", ".join(sorted(backends[each] for each in missing)), next(iter(missing.values()))))
        if missing:
            time.sleep(2)
    report.say("stands by: %d backends found, %d sites' keys read; it does not publish" % (len(backends), len(payload["frontends"])))


def publish_main(report, payload):
    release = PublisherRelease(report, payload)
    standby = any(each.get("standby") for each in payload["services"])
    cancel_purge(report)
    actions = release.run()
    write_json(os.path.join(release.tree.root, PUBLICATION), {key: payload[key] for key in PUBLIC})
    record_path = os.path.join(release.tree.root, "published.json")
    if standby:
        ready_to_publish(report, payload)
        forget_keys(report, payload)
        # This run may have put keys back that were to go, or had gone: whoever has ever published loses them again.
        if "stop" in actions.values() or os.path.exists(record_path):
            schedule_purge(report, payload["rollbackSeconds"], payload["keysDir"])
        return
    proof = Publication(report, payload, read_json(record_path), any(actions.values()))
    proof.prove()
    forget_keys(report, payload)
    let_go(report, payload, proof.removed)
    # Written last: until then a run that was cut waits for the same backends again.
    write_json(record_path, proof.planned)
    report.say("%d site%s published (%.1f s)" % (len(proof.sites), "" if len(proof.sites) == 1 else "s", proof.seconds()))


def confirm_main(report, payload):
    """The proof once more, after another balancer stopped beside this one: its last upload may have come after ours."""
    known = read_json(os.path.join(Tree("publisher").root, PUBLICATION))
    if not known:
        raise Failure("this balancer has published nothing yet. Next: run `pulumi up` again.")
    Publication(report, known, {}, False).prove()
    report.say("confirmed: what is in the network is this balancer's plan (%.1f s)" % report.seconds())
