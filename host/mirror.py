"""What the machine serves by, for the operator's desk: the files of the serving releases and the journal of softmap's units. Never a key: cli/mirror.ts."""
import base64
import json
import os
import re
import stat
import subprocess
from report import Failure
from tree import BASE, Tree

ROLES = ("base", "balancer", "publisher", "worker")
MOST_FILES = 5000
MOST_BYTES = 32_000_000
PIECE = 48_000
# What a private key looks like in PEM, in tor's file and on tor's control port, in age; tor's as base64 begins with the tag's.
KEY = re.compile(rb"PRIVATE KEY-----|== ed25519v1-secret|PT0gZWQyNTUxOXYxLXNlY3JldDog|ED25519-V3:|AGE-SECRET-KEY-")


def holds_key(data):
    return KEY.search(data) is not None


def serving(base=BASE):
    """Each file of the serving releases: its name for the mirror, `<role>/<path>`, and where it is. A link is not followed."""
    for role in ROLES:
        tree = Tree(role, base)
        found = tree.current()
        if found is None:
            continue
        root = tree.path(found)
        for folder, _, names in sorted(os.walk(root)):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if stat.S_ISREG(os.lstat(path).st_mode):
                    yield role + "/" + os.path.relpath(path, root), path


def released(report, base=BASE, most_files=MOST_FILES, most_bytes=MOST_BYTES):
    """Says every file; returns the names of those that hold a key."""
    refused, files, size = [], 0, 0
    for name, path in serving(base):
        with open(path, "rb") as handle:
            data = handle.read(most_bytes + 1)
        files, size = files + 1, size + len(data)
        if files > most_files or size > most_bytes:
            raise Failure("its releases have more than %d files or %d bytes, which none of ours has. Next: look at %s." % (most_files, most_bytes, base))
        if holds_key(data) or holds_key(name.encode("utf-8", "surrogateescape")):
            refused.append(name)
        else:
            report.raw(json.dumps({"file": name, "base64": base64.b64encode(data).decode()}))
    return refused


def newest(stream, most):
    """Lines of a stream that begins with the newest, oldest first, as many as fit; whether some did not; and how many were left out for a key."""
    lines, size, keys = [], 0, 0
    for line in stream:
        if holds_key(line):
            keys += 1
            continue
        size += len(line)
        if size > most:
            return lines[::-1], True, keys
        lines.append(line)
    return lines[::-1], False, keys


def journal(hours, most):
    argv = ["journalctl", "--no-pager", "-q", "-r", "-o", "short-iso", "--since", "-%dh" % hours, "-u", "softmap-*"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}) as shown:
        try:
            return newest(shown.stdout, most)
        finally:
            shown.kill()


def mirror_main(report, payload):
    """
    A line of JSON a file, {"file", "base64"}; the journal in pieces, {"journal"}, base64; at the end {"cut", "refused"}: whether older lines are
    missing, and what was kept back.
    """
    refused = released(report)
    lines, cut, keys = journal(payload["hours"], payload["bytes"])
    text = b"".join(lines)
    for at in range(0, len(text), PIECE):
        report.raw(json.dumps({"journal": base64.b64encode(text[at : at + PIECE]).decode()}))
    refused += ["%d lines of the journal" % keys] if keys else []
    report.raw(json.dumps({"cut": cut, "refused": refused}))
