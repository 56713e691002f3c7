"""The way back to the release before, on one worker: its files again, verified, switched and proved like any release."""
import base64
import os
import sys
from report import Failure
from files import read, write
from release import Release
from tree import ROLLED_BACK, Tree

ROLE = "worker"


def earlier(tree):
    """The release before the serving one, and what is known of it. A Failure when there is none."""
    now = tree.current()
    rolled = (read(os.path.join(tree.root, ROLLED_BACK)) or b"").decode().strip()
    if rolled:
        # The release before this one would be the one that was left.
        raise Failure("this host was %s; release %s serves. Next: mend the stack's config, then run `pulumi up --refresh`." % (rolled, now))
    found = tree.before(now) if now else None
    if found is None:
        raise Failure("there is no earlier release on this host. Next: change the stack's config and run `pulumi up`.")
    return now, found, tree.description(found)


def payload_of(tree, found, known):
    """The payload that made a release, put together again: texts from its folder, keys from where they are. A Failure when a key has been retired since."""
    contents = tree.contents(found)
    lost = [each["path"] for each in known["state"] if not os.path.exists(each["path"])]
    if lost:
        raise Failure("release %s needs %s, retired since then. Next: change the stack's config instead and run `pulumi up`." % (found, ", ".join(lost)))
    files = [{**each, "text": contents[each["path"]].decode()} for each in known["files"]]
    state = [{**each, "base64": base64.b64encode(read(each["path"])).decode()} for each in known["state"]]
    return {**known, "files": files, "state": state, "packages": [], "pauseSeconds": 0}


def rollback_main(report, payload):
    tree = Tree(ROLE)
    if not os.path.isdir(tree.releases):
        raise Failure("there is no worker on this host. Next: name a worker.")
    now, found, known = earlier(tree)
    report.say("release %s serves, back to %s" % (now, found))
    if "look" in sys.argv[1:]:
        return
    Release(report, {**payload_of(tree, found, known), "stack": payload["stack"]}).run()
    write(os.path.join(tree.root, ROLLED_BACK), ("rolled back by hand from release %s\n" % now).encode())
