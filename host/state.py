"""Files outside the release tree (keys, ob_config, units): replaced whole, remembered, and put back when the release fails."""
import base64
import glob
import hashlib
import os
import stat
from files import ids, make_dir, read, remove, write

# Another certificate is another file (plan/names.ts), so that every release finds the key that belongs to its own.
CERTIFICATE_KEYS = "/var/lib/softmap/nginx/*/tls/*"


class Replaced:
    """What this run wrote over, newest last."""

    def __init__(self):
        self.before = []

    def put(self, path, data, uid=0, gid=0, mode=0o644):
        """Writes a file unless it is as it should be. True when it was not."""
        old = read(path)
        meta = None
        if old is not None:
            now = os.stat(path, follow_symlinks=False)
            meta = (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode))
        if old == data and meta == (uid, gid, mode):
            return False
        self.before.append((path, old, meta))
        write(path, data, uid, gid, mode)
        return True

    def undo(self):
        """Everything as it was. Returns the paths."""
        paths = []
        while self.before:
            path, old, meta = self.before.pop()
            if old is None:
                remove(path)
            else:
                write(path, old, *meta)
            paths.append(path)
        return paths


def wanted_state(payload):
    """Every file of the payload that lives outside the release: path -> (bytes, owner, group, mode)."""
    wanted = {each["path"]: (base64.b64decode(each["base64"]), each["owner"], each["group"], each["mode"]) for each in payload["state"]}
    for each in payload["files"]:
        place = each.get("install")
        if place:
            wanted[place["path"]] = (each["text"].encode(), place["owner"], place["group"], place["mode"])
    return wanted


def install_state(replaced, wanted, only_new=False):
    """Puts the files in place; with only_new just those that are not there yet, which cannot disturb anything that runs."""
    changed = []
    for path in sorted(wanted):
        data, owner, group, mode = wanted[path]
        if only_new and os.path.lexists(path):
            continue
        if not os.path.isdir(os.path.dirname(path)):
            make_dir(os.path.dirname(path))
        if replaced.put(path, data, *ids(owner, group), int(mode, 8)):
            changed.append(path)
    return changed


def recorded(wanted):
    """What the drift probe compares later: path -> [hash, owner, group, mode]. A hash of a key is no key: 64 random bytes are behind it."""
    return {path: [hashlib.sha256(data).hexdigest(), owner, group, mode] for path, (data, owner, group, mode) in wanted.items()}


def forget_certificate_keys(report, tree):
    """Keys of certificates that no release on this host names any more go; those of earlier releases stay for a rollback."""
    releases = os.listdir(tree.releases)
    planned = {each["path"] for known in (tree.plan(), *map(tree.description, releases)) for each in (known or {}).get("state", [])}
    # Also by the texts: a release carries the files of a site that is about to leave, and its plan does not have them.
    texts = b"\n".join(text for found in releases for text in tree.contents(found).values())
    for path in sorted(glob.glob(CERTIFICATE_KEYS)):
        if path not in planned and path.encode() not in texts:
            remove(path)
            report.say("removed %s: no release here has its certificate any more" % path)
