"""What a deployment has put on this host, as one tar on stdout: run on a host that softmap deployed, by root.

What is deployed is told by the records of the roles below /etc/softmap (applied.json, plan.json: host/services.py, host/tree.py); the bytes are the disk's.
`current` becomes a plain folder: who has no releases has no links. The records themselves stay behind. manifest.json comes first; with --manifest it
is all there is, as plain text.
"""
import glob, grp, hashlib, io, json, os, pwd, stat, sys, tarfile

ETC, UNITS = "/etc/softmap", "/etc/systemd/system"


def load(path):
    with open(path) as file:
        return json.load(file)


def below(folder):
    """Folders and files, parents first."""
    for at, folders, names in os.walk(folder):
        folders.sort()
        yield at
        yield from (os.path.join(at, name) for name in sorted(names))


def parents(path):
    while (path := os.path.dirname(path)) not in ("/", "/etc", "/var", "/var/lib"):
        yield path


def owned(path):
    now = os.stat(path)
    kind = "dir" if stat.S_ISDIR(now.st_mode) else "file"
    return {"path": path, "kind": kind, "owner": pwd.getpwuid(now.st_uid).pw_name, "group": grp.getgrgid(now.st_gid).gr_name, "mode": format(stat.S_IMODE(now.st_mode), "04o")}


def part_of(path):
    """Who has to take a file over: files of one part travel together, and are verified and reloaded together."""
    if path.startswith(ETC + "/worker/current/nginx") or path.startswith("/var/lib/softmap/nginx"):
        return "nginx"
    return "tor" if path.startswith((ETC + "/worker", "/var/lib/softmap")) else "base"


def collected():
    paths, users, units = set(), {}, []
    for role in sorted(os.path.basename(os.path.dirname(link)) for link in glob.glob(ETC + "/*/current")):
        applied, plan = load("%s/%s/applied.json" % (ETC, role)), load("%s/%s/plan.json" % (ETC, role))
        paths.update(below("%s/%s/current/" % (ETC, role)))
        paths.update(applied["state"])
        paths.update(each["path"] for each in plan["dirs"])
        for user in plan["users"]:
            users[user["name"]] = sorted({*users.get(user["name"], []), *user["groups"]})
        for service in plan["services"]:
            if not service.get("standby"):
                argv = [word.replace("{release}", "%s/%s/current" % (ETC, role)) for word in service.get("verify", [])]
                part = "none" if not service["reloadOn"] else argv[0] if argv[:1] in (["nginx"], ["tor"]) else "base"
                units.append({"unit": service["unit"], "part": part, "verify": argv, "as": service.get("verifyAs", "root")})
    paths.update(path for path in glob.glob(UNITS + "/softmap-*") if not os.path.isdir(path))
    # The units are at their place already; a second copy below `current` serves nobody who has no releases.
    paths = {path.rstrip("/") for path in paths if "/current/units" not in path}
    folders = {folder for path in paths for folder in parents(path) if folder.startswith((ETC, "/var/lib/softmap"))}
    entries = [{**owned(path), "part": part_of(path)} for path in sorted(paths | folders)]
    for entry in entries:
        if entry["kind"] == "file":
            with open(entry["path"], "rb") as file:
                entry["sha256"] = hashlib.sha256(file.read()).hexdigest()
    # A group must be there before somebody is put into it.
    order = sorted(users, key=lambda name: (len(users[name]), name))
    return {"users": [{"name": name, "groups": users[name]} for name in order], "units": units, "entries": entries}


def main():
    manifest = collected()
    if "--manifest" in sys.argv:
        return print(json.dumps(manifest))
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.GNU_FORMAT) as out:
        text = json.dumps(manifest).encode()
        head = tarfile.TarInfo("manifest.json")
        head.size = len(text)
        out.addfile(head, io.BytesIO(text))
        for entry in manifest["entries"]:
            if entry["kind"] == "file":
                out.add(entry["path"], "tree" + entry["path"])


main()
