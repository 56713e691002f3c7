"""Whether this host has what a manifest of collect.py says: files with owner, mode and content, users, and units that run and are enabled. The
manifest is on stdin; a line for everything that is missing, nothing when nothing is. With "reloaded", a file: an nginx must have processes that are newer than it."""
import grp, hashlib, json, os, pwd, stat, subprocess, sys, time

# Who starts a unit without waiting for it is done a moment before it is.
PATIENCE = 30


def wrong(entry):
    try:
        now = os.stat(entry["path"])
        own = (pwd.getpwuid(now.st_uid).pw_name, grp.getgrgid(now.st_gid).gr_name, format(stat.S_IMODE(now.st_mode), "04o"))
        if own != (entry["owner"], entry["group"], entry["mode"]):
            return "is %s, %s, %s" % own
        if entry["kind"] == "file":
            with open(entry["path"], "rb") as file:
                return "has another content" if hashlib.sha256(file.read()).hexdigest() != entry["sha256"] else None
    except OSError as error:
        return error.strerror


def word(*argv):
    return subprocess.run(["systemctl", *argv], capture_output=True, text=True).stdout.strip()


manifest = json.load(sys.stdin)
for entry in manifest["entries"]:
    if problem := wrong(entry):
        print(entry["path"], problem)
for user in manifest["users"]:
    for group in (user["name"], *user["groups"]):
        try:
            if group != user["name"] and user["name"] not in grp.getgrnam(group).gr_mem or not pwd.getpwnam(user["name"]):
                print(user["name"], "is not in", group)
        except KeyError:
            print(user["name"], "or", group, "is not there")
end = time.monotonic() + PATIENCE
for each in manifest["units"]:
    while (state := word("is-active", each["unit"])) != "active" and time.monotonic() < end:
        time.sleep(0.2)
    if (state, word("is-enabled", each["unit"])) != ("active", "enabled"):
        print(each["unit"], "is", state, word("is-enabled", each["unit"]))


def started(process):
    """Unix time, to a hundredth."""
    with open("/proc/%d/stat" % process) as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/stat") as file:
        boot = next(int(line.split()[1]) for line in file if line.startswith("btime "))
    return boot + ticks / os.sysconf("SC_CLK_TCK")


def newest_below(parent):
    told = subprocess.run(["pgrep", "-P", parent], capture_output=True, text=True).stdout
    return max((started(int(process)) for process in told.split()), default=0)


if manifest.get("reloaded"):
    # btime is a whole second; the files' own times are whatever their archive says, that of their inode is the kernel's.
    since = os.stat(manifest["reloaded"]).st_ctime - 1.5
    masters = [word("show", "-P", "MainPID", each["unit"]) for each in manifest["units"] if each["part"] == "nginx"]
    end = time.monotonic() + PATIENCE
    for master in masters:
        while newest_below(master) < since and time.monotonic() < end:
            time.sleep(0.2)
        if newest_below(master) < since:
            print("the nginx %s still runs on what it had before %s" % (master, manifest["reloaded"]))
