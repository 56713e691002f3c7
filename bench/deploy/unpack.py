"""unpack.py FOLDER: two tars of collect.py, before.tar and after.tar in FOLDER, become what the other tools deploy:

  manifest.json, changed.json          the entries of each, with owner, mode and hash
  first/tree, changed/tree             the files as they lie on the host, for rsync and for tasks that copy files
  first/PART.tar, changed/PART.tar     the same with owners and modes, one a part (base, nginx, tor), for tasks that unpack archives
  first/activate.sh, ...               what follows rsync: users, owners, and the services that take over what is in $changed

Between the two there must be one changed line in one file. softmap's own mark in nginx/host.conf, by which it proves a reload, is not counted and stays the first.
"""
import difflib, io, json, os, shlex, shutil, sys, tarfile

MARK = "/nginx/host.conf"
# The same everywhere and always: an archive's hash is its content's.
TIMES = {"first": 1_700_000_000, "changed": 1_700_000_100}


def opened(path):
    with tarfile.open(path) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    manifest = json.loads(files.pop("manifest.json"))
    return manifest, {name[len("tree"):]: data for name, data in files.items()}


def archive(path, entries, contents, time):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as out:
        for entry in entries:
            info = tarfile.TarInfo(entry["path"][1:])
            info.mode, info.uname, info.gname, info.mtime = int(entry["mode"], 8), entry["owner"], entry["group"], time(entry["path"])
            # Numbers that nobody has: the names count.
            info.uid = info.gid = 0 if entry["owner"] == "root" else 64_999
            if entry["kind"] == "dir":
                info.type = tarfile.DIRTYPE
                out.addfile(info)
            else:
                info.size = len(contents[entry["path"]])
                out.addfile(info, io.BytesIO(contents[entry["path"]]))
    os.chmod(path, 0o600)


def tree(folder, entries, contents, time):
    os.umask(0o022)
    for entry in entries:
        path = folder + entry["path"]
        if entry["kind"] == "dir":
            os.makedirs(path, exist_ok=True)
            os.chmod(path, int(entry["mode"], 8))
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(contents[entry["path"]])
        os.chmod(path, int(entry["mode"], 8))
        os.utime(path, (time(entry["path"]),) * 2)


def activation(manifest):
    """For the shell on the host; $changed has the paths, without the first slash, that were brought."""
    lines = []
    for user in manifest["users"]:
        name, groups = user["name"], "".join(" -G " + group for group in [",".join(user["groups"])] if group)
        lines.append("id -u %s >/dev/null 2>&1 || useradd --system --user-group%s -d /nonexistent -M -s /usr/sbin/nologin %s" % (name, groups, name))
    for owner, group in sorted({(each["owner"], each["group"]) for each in manifest["entries"]} - {("root", "root")}):
        paths = (each["path"] for each in manifest["entries"] if (each["owner"], each["group"]) == (owner, group))
        lines.append("chown %s:%s %s" % (owner, group, " ".join(map(shlex.quote, paths))))
    lines.append("parts=''")
    for part in ("base", "tor", "nginx"):
        paths = [each["path"][1:] for each in manifest["entries"] if each["part"] == part and each["kind"] == "file"]
        lines.append("printf '%%s\\n' \"$changed\" | grep -qxF -e %s && parts=\"$parts %s\"" % (" -e ".join(map(shlex.quote, paths)), part))
    lines.append('case "$parts" in *base*) systemctl daemon-reload ;; esac')
    for each in manifest["units"]:
        if each["verify"]:
            lines.append('case "$parts" in *%s*) runuser -u %s -- %s ;; esac' % (each["part"], each["as"], shlex.join(each["verify"])))
    lines.append("running=''")
    for each in manifest["units"]:
        lines.append('case "$parts" in *%s*) systemctl -q is-active %s && running="$running %s" ;; esac' % (each["part"], each["unit"], each["unit"]))
    # They serve as soon as they run: who ran before takes the new files over, the others begin with them.
    lines.append("systemctl -q enable --now " + " ".join(each["unit"] for each in manifest["units"]))
    lines.append('[ -z "$running" ] || systemctl reload $running')
    # The last word of a list that says no is no failure.
    return "\n".join(line + " || :" if line.startswith(("printf", "case")) and "&& " in line else line for line in lines) + "\n"


def the_change(before, after):
    if set(before) != set(after):
        sys.exit("the change adds or removes files: %s" % sorted(set(before) ^ set(after)))
    changed = [path for path in before if before[path] != after[path] and not path.endswith(MARK)]
    lines = [line for path in changed for line in difflib.ndiff(before[path].decode().splitlines(), after[path].decode().splitlines()) if line[:1] in "+-"]
    if len(changed) != 1 or sorted(line[0] for line in lines) != ["+", "-"]:
        sys.exit("not one changed line in one file: %s\n%s" % (changed, "\n".join(lines)))
    return changed[0]


def main(folder):
    manifest, before = opened(folder + "/before.tar")
    after_manifest, after = opened(folder + "/after.tar")
    changed = the_change(before, after)
    hashes = {entry["path"]: entry.get("sha256") for entry in after_manifest["entries"]}
    later = [{**entry, "sha256": hashes[entry["path"]]} if entry["path"] == changed else entry for entry in manifest["entries"]]
    for name, entries, contents in (("first", manifest["entries"], before), ("changed", later, {**before, changed: after[changed]})):
        time = lambda path: TIMES["changed" if name == "changed" and path == changed else "first"]
        shutil.rmtree("%s/%s" % (folder, name), ignore_errors=True)
        os.makedirs("%s/%s" % (folder, name), mode=0o700)
        tree("%s/%s/tree" % (folder, name), entries, contents, time)
        with open("%s/%s/activate.sh" % (folder, name), "w") as file:
            file.write(activation(manifest))
        for part in ("base", "nginx", "tor"):
            archive("%s/%s/%s.tar" % (folder, name, part), [entry for entry in entries if entry["part"] == part], contents, time)
    for name, entries in (("manifest.json", manifest["entries"]), ("changed.json", later)):
        with open("%s/%s" % (folder, name), "w") as file:
            json.dump({**manifest, "entries": entries, "changed": changed}, file)


main(sys.argv[1])
