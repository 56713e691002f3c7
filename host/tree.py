"""A role's releases: content-addressed directories, and the link that says which one counts."""
import hashlib
import json
import os
import re
from report import Failure
from files import link, make_dir, read, remove, remove_tree, sync_dir, write, write_tree
from machine import nginx_facts
from watched import watched

BASE = "/etc/softmap"
UNITS = "/etc/systemd/system"
FACTS = "host.conf"
OWNER = "owner"
ROLLED_BACK = "rolled-back"  # what a rollback by hand says of itself; the next release removes it
ID = re.compile(r"[0-9a-f]{12}\Z")


def release_id(contents):
    """A name that says what is inside: the same files are the same release, on whichever host and day."""
    digest = hashlib.sha256()
    for path in sorted(contents):
        for part in (path.encode(), contents[path]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]


def marker_of(service, contents, facts):
    """The release of one nginx: its own files and the host's facts, so that a change elsewhere does not reload it."""
    own = {path: contents[path] for path in watched(service, contents) if os.path.basename(path) != FACTS}
    return release_id({**own, FACTS: facts.encode()})


def host_conf(facts, markers):
    """
    What only the host knows, for nginx's http{}: the resolvers, and what each nginx answers on its health socket. That answer is the
    only proof of a reload: `nginx -t` passes where a reload fails, and the old configuration then runs on with a line in the log.
    """
    # By regular expression: exact names would need a larger map_hash_bucket_size, which is for nginx.conf to set.
    rows = ["    \"~^unix:%s$\" \"%s\";\n" % (re.escape(path), markers[path]) for path in sorted(markers)]
    return facts + "map $server_addr $softmap_release {\n    default \"\";\n" + "".join(rows) + "}\n"


def carried(before, files):
    """
    What a release takes over from the one before: a release only ever adds or changes. Daemons, sites and projects that leave the plan are still
    published when it is made, so their files stay, for a reboot or a reload in between, until the retire step drops them.
    """
    own = {each["path"] for each in files}
    return {path: data for path, data in before.items() if path not in own and not path.startswith("units/") and path != "nginx/" + FACTS}


def contents_of(files, services, facts=nginx_facts, more=None):
    """
    What a release holds, path by path; its id; and the marker of each nginx by its health socket. nginx/host.conf is the host's own part;
    `more` is what is carried over, path -> bytes.
    """
    contents = dict(more or {})
    for each in files:
        path = each["path"]
        if os.path.isabs(path) or ".." in path.split("/") or os.path.normpath(path) != path:
            raise Failure("a release cannot hold the path %r." % path)
        contents[path] = each["text"].encode()
    markers = {}
    proxies = [each for each in services if each["health"]["kind"] == "nginx"]
    # Also where a project's nginx only leaves: its configuration includes this file.
    if proxies or any(path.startswith("nginx/") for path in contents):
        mine = facts()
        markers = {each["health"]["socket"]: marker_of(each, contents, mine) for each in proxies}
        contents["nginx/" + FACTS] = host_conf(mine, markers).encode()
    return contents, release_id(contents), markers


def paths_of(known):
    """The files of a description's payload."""
    return {each["path"] for each in (known or {}).get("files", [])}


class Tree:
    """The releases of one role on this host."""

    def __init__(self, role, base=BASE):
        self.root = os.path.join(base, role)
        self.releases = os.path.join(self.root, "releases")
        self.about = os.path.join(self.root, "about")
        self.plan_path = os.path.join(self.root, "plan.json")
        self.current_link = os.path.join(self.root, "current")

    def prepare(self):
        """The directories, without what a killed run left half written."""
        make_dir(self.releases)
        make_dir(self.about)
        for name in os.listdir(self.releases):
            if not ID.match(name):
                remove_tree(os.path.join(self.releases, name))
        for name in os.listdir(self.root):
            if name.endswith(".softmap-new"):
                remove(os.path.join(self.root, name))

    def path(self, found):
        return os.path.join(self.releases, found)

    def current(self):
        """The id that the link names, or None."""
        try:
            name = os.path.basename(os.readlink(self.current_link))
        except OSError:
            return None
        return name if ID.match(name) and os.path.isdir(self.path(name)) else None

    def contents(self, found):
        """What is on disk of a release: path -> bytes."""
        root = self.path(found)
        paths = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]
        return {os.path.relpath(path, root): read(path) for path in paths}

    def stage(self, found, contents):
        """Writes the release beside the others, under a name that nothing uses. Returns its path."""
        staging = self.path(found) + ".staging"
        remove_tree(staging)
        write_tree(staging, contents)
        return staging

    def adopt(self, found):
        """Gives a staged and verified release its name."""
        if os.path.isdir(self.path(found)):  # somebody changed files in it
            os.rename(self.path(found), self.path(found) + ".changed")
        os.rename(self.path(found) + ".staging", self.path(found))
        sync_dir(self.releases)
        remove_tree(self.path(found) + ".changed")

    def switch(self, found):
        """Points `current` at a release, or takes it away with None."""
        if found is None:
            remove(self.current_link)
        else:
            link("releases/" + found, self.current_link)

    def discard_staging(self, found):
        remove_tree(self.path(found) + ".staging")

    def discard(self, found):
        remove_tree(self.path(found))

    def prune(self, keep):
        """Removes the oldest releases beyond so many. Never the current one."""
        now = self.current()
        others = sorted((name for name in os.listdir(self.releases) if name != now), key=lambda name: os.stat(self.path(name)).st_mtime, reverse=True)
        for name in others[max(keep - 1, 0):]:
            remove_tree(self.path(name))
        for name in os.listdir(self.about):
            if not os.path.isdir(self.path(name.removesuffix(".json"))):
                remove(os.path.join(self.about, name))

    def before(self, found):
        """The release that was live before this one, or None."""
        others = [name for name in os.listdir(self.releases) if ID.match(name) and name != found and self.description(name)]
        return max(others, key=lambda name: os.stat(self.path(name)).st_mtime, default=None)

    def describe(self, found, known):
        """
        Keeps what is to be known of a release beside its files, and as the plan that is served now. A plan that only leaves files out is the same
        release until they are retired: that one stays described by the plan that has them, as the way back to it.
        """
        data = json.dumps(known, sort_keys=True).encode()
        write(self.plan_path, data, mode=0o600)
        if paths_of(self.description(found)) <= paths_of(known):
            write(os.path.join(self.about, found + ".json"), data, mode=0o600)

    def plan(self):
        """What the last `describe` said, or None."""
        data = read(self.plan_path)
        return json.loads(data) if data else None

    def description(self, found):
        data = read(os.path.join(self.about, found + ".json"))
        return json.loads(data) if data else None

    def own(self, owner):
        """Says whose role this is: only the same owner's retirement may take it away (retire.py)."""
        path = os.path.join(self.root, OWNER)
        text = (owner + "\n").encode()
        if read(path) != text:
            write(path, text)

    def touch(self, found):
        """The time of the last use, which `prune` goes by."""
        os.utime(self.path(found))
