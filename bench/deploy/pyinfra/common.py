"""What both ways to bring files have in common: the users before them, the services after them."""
import json, os

from pyinfra import host
from pyinfra.operations import server, systemd

with open(os.environ["DEPLOY_PLAN"]) as _file:
    PLAN = json.load(_file)


def folder():
    """Where the files of the host at hand are. Never a constant here: a deploy is run once for each host, but what it imports is imported once for all."""
    return host.data.folder


def version():
    return os.path.join(folder(), PLAN["version"])


def users():
    for user in PLAN["users"]:
        server.user(name="user %s" % user["name"], user=user["name"], groups=user["groups"], system=True, home="/nonexistent", shell="/usr/sbin/nologin", ensure_home=False)


def changed(operations):
    return lambda: any(operation.did_change() for operation in operations)


def services(files):
    """`files`: part -> the operations that bring its files. Verified before anything takes them over; who was started has them already."""
    systemd.daemon_reload(name="units", _if=changed(files["base"]))
    for each in PLAN["units"]:
        if each["verify"] and each["part"] in files:
            server.shell(name="verify %s" % each["unit"], commands=["runuser -u %s -- %s" % (each["as"], " ".join(each["verify"]))], _if=changed(files[each["part"]]))
    for each in PLAN["units"]:
        begun = systemd.service(name="run %s" % each["unit"], service=each["unit"], running=True, enabled=True)
        if each["part"] in files:
            again = lambda part=each["part"], begun=begun: changed(files[part])() and not begun.did_change()
            systemd.service(name="reload %s" % each["unit"], service=each["unit"], reloaded=True, _if=again)
