"""What is on a host against what was released there: the drift that a refresh reports and the next `up` mends. It changes nothing."""
import grp
import hashlib
import json
import os
import pwd
import stat
import sys
import time
from files import read
from health import running_of
from machine import asked_time, clock_problem
from purge import PURGED
from retire import instances, owner_of
from services import Applied, enabled_of, stands
from tree import ROLLED_BACK, UNITS, Tree, release_id


def changed_files(found, contents):
    """Findings on the files of a release: their hash is its name."""
    if release_id(contents) == found:
        return []
    return ["the files of release %s were changed by hand" % found]


def unit_files(contents):
    for path, data in sorted(contents.items()):
        if path.startswith("units/") and read(os.path.join(UNITS, os.path.basename(path))) != data:
            yield "%s was changed by hand" % os.path.join(UNITS, os.path.basename(path))


def name_of(lookup, number):
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


def state_files(applied):
    """Findings on files outside the release: keys and what is beside them."""
    for path, (digest, owner, group, mode) in sorted(applied.state.items()):
        data = read(path)
        if data is None:
            if not (path.endswith(".key") and os.path.exists(PURGED)):
                yield "%s is missing" % path
            continue
        now = os.stat(path, follow_symlinks=False)
        if hashlib.sha256(data).hexdigest() != digest:
            yield "%s was changed by hand" % path
        elif (name_of(pwd.getpwuid, now.st_uid), name_of(grp.getgrgid, now.st_gid), "%04o" % stat.S_IMODE(now.st_mode)) != (owner, group, mode):
            yield "owner or mode of %s was changed by hand" % path


def unplanned(role, applied):
    """Units of the role that run although the last release knows nothing of them: the retire step never came to them."""
    for unit in sorted(running_of([unit for unit in instances(role) if unit not in applied.services])):
        yield "%s runs, and is not planned any more" % unit


def unit_states(applied, running):
    enabled = enabled_of([unit for unit, wanted in applied.services.items() if wanted])
    for unit, wanted in sorted(applied.services.items()):
        if wanted and unit not in running:
            yield "%s does not run" % unit
        elif wanted and unit not in enabled:
            yield "%s is not started at boot" % unit
        elif not wanted and unit in running:
            yield "%s runs, but should stand by" % unit


def undone(tree, applied, running):
    """Units that are active, and what they did is not there any more."""
    for service in (tree.plan() or {}).get("services", []):
        unit = service["unit"]
        if applied.services.get(unit) and unit in running and not stands(service):
            yield "what %s had set up is gone" % unit


def drift_of(role):
    """Everything of a role that is not as it was released."""
    tree = Tree(role)
    applied = Applied(os.path.join(tree.root, "applied.json"))
    found = tree.current()
    if applied.release is None:
        return ["no release of the %s is proved here" % role]
    if found is None:
        return ["no release of the %s serves here" % role]
    contents = tree.contents(found)
    running = running_of(applied.services)
    rolled = (read(os.path.join(tree.root, ROLLED_BACK)) or b"").decode().strip()
    return [
        *([rolled] if rolled else []),
        *(["release %s serves, and %s was proved" % (found, applied.release)] if found != applied.release else []),
        *changed_files(found, contents),
        *unit_files(contents),
        *state_files(applied),
        *unit_states(applied, running),
        *undone(tree, applied, running),
        *(unplanned(role, applied) if role == "worker" else []),
    ]


def probe_main(report, payload):
    """Prints one JSON line: {"drift": [findings]}."""
    findings = clock_problem(time.time(), asked_time(sys.argv[1:]))
    for role in payload["roles"]:
        if owner_of(role) in (None, payload["owner"]):
            findings += drift_of(role)
    report.raw(json.dumps({"drift": findings}))
