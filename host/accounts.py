"""The users that the services run as, and the directories that are theirs."""
import grp
import pwd
from report import run
from files import ids, make_dir


def has(lookup, name):
    try:
        lookup(name)
        return True
    except KeyError:
        return False


def make_users(report, users):
    """Each user with a group of its own name, no home and no shell; then the groups that it is in besides."""
    for user in users:
        if not has(grp.getgrnam, user["name"]):
            run(["groupadd", "--system", user["name"]])
        if not has(pwd.getpwnam, user["name"]):
            run(["useradd", "--system", "--gid", user["name"], "--home-dir", "/nonexistent", "--no-create-home", "--shell", "/usr/sbin/nologin", user["name"]])
            report.say("made the user %s" % user["name"])
    for user in users:
        for group in user["groups"]:
            if not has(grp.getgrnam, group):
                run(["groupadd", "--system", group])
            if user["name"] not in grp.getgrnam(group).gr_mem:
                run(["usermod", "-a", "-G", group, user["name"]])


def make_dirs(dirs):
    """The state directories, parents before children."""
    for wanted in sorted(dirs, key=lambda each: each["path"]):
        make_dir(wanted["path"], *ids(wanted["owner"], wanted["group"]), int(wanted["mode"], 8))


def identity(user):
    """What subprocess needs to be a user: not root, and in the groups that the user is in."""
    entry = pwd.getpwnam(user)
    groups = [group.gr_gid for group in grp.getgrall() if user in group.gr_mem]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}
