"""As few tasks as there can be: an archive for each part, brought and unpacked when it is another one."""
import os, sys

from pyinfra.operations import files, server

sys.path.insert(0, os.path.dirname(__file__))
import common

PLACE = "/var/lib/deploy"

common.users()
files.directory(name="archives", path=PLACE, user="root", group="root", mode="700")
_brought = {}
for _part in ("base", "tor", "nginx"):
    _tar = "%s/%s.tar" % (PLACE, _part)
    _put = files.put(name=_part, src=os.path.join(common.version(), _part + ".tar"), dest=_tar, user="root", group="root", mode="600", create_remote_dir=False, add_deploy_dir=False)
    server.shell(name="unpack %s" % _part, commands=["tar -xpf %s -C /" % _tar], _if=_put.did_change)
    _brought[_part] = [_put]
common.services(_brought)
