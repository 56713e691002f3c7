"""Onionbalance's release, then the proof (publication.py) and the grace of what left (grace.py)."""
import json
import os
import time
from report import Failure, run, said
from accounts import identity
from control import Control, ControlError
from descriptors import bare, fetch
from files import read, remove, write
from grace import let_go
from publication import FETCH_SECONDS, ONIONBALANCE, Publication
from purge import cancel_purge, schedule_purge
from release import Release
from tree import Tree

USER = "softmap-onionbalance"
PROGRAM = "onionbalance/publisher.py"
CONFIG = "onionbalance/config.yaml"
SETTINGS = "onionbalance/publisher.yaml"
# What `confirm` reads later: all of a publication that is no key.
PUBLICATION = "publication.json"
PUBLIC = ["host", "frontends", "control", "socks", "statusSocket", "publisherStatus", "excused", "publishTimeoutSeconds"]

def check_onionbalance(staging, expected):
    """One bad service ends them all, and so does an Onionbalance that our layer does not know: the publisher looks at it all first, as its own user."""
    argv = ["python3", "-I", "-B", os.path.join(staging, PROGRAM), "--check", "-c", os.path.join(staging, CONFIG), "-p", os.path.join(staging, SETTINGS)]
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
    standby = any(each.get("standby") for each in payload["services"] if each["unit"] == ONIONBALANCE)
    cancel_purge(report)
    actions = release.run()
    write_json(os.path.join(release.tree.root, PUBLICATION), {key: payload[key] for key in PUBLIC})
    record_path = os.path.join(release.tree.root, "published.json")
    if standby:
        ready_to_publish(report, payload)
        forget_keys(report, payload)
        # This run may have put keys back that were to go, or had gone: whoever has ever published loses them again.
        if actions.get(ONIONBALANCE) == "stop" or os.path.exists(record_path):
            schedule_purge(report, payload["rollbackSeconds"], payload["keysDir"])
        return
    proof = Publication(report, payload, read_json(record_path), bool(actions.get(ONIONBALANCE)))
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
