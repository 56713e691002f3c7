"""File by file, as pyinfra's manual has it: folders by files.sync, single files by files.put."""
import json, os, sys

from pyinfra.operations import files

sys.path.insert(0, os.path.dirname(__file__))
import common

SYNCED = {"base": "/etc/softmap/base/current", "nginx": "/etc/softmap/worker/current/nginx", "tor": "/etc/softmap/worker/current/tor"}

with open(os.path.join(common.folder(), "manifest.json")) as _file:
    _entries = json.load(_file)["entries"]

common.users()
_brought = {part: [] for part in SYNCED}
_tree = os.path.join(common.version(), "tree")
for _entry in _entries:
    _path, _own = _entry["path"], {"user": _entry["owner"], "group": _entry["group"], "mode": _entry["mode"]}
    if any(_path.startswith(folder + "/") or _path == folder for folder in SYNCED.values()):
        continue
    if _entry["kind"] == "dir":
        files.directory(name=_path, path=_path, **_own)
    else:
        _brought[_entry["part"]].append(files.put(name=_path, src=_tree + _path, dest=_path, add_deploy_dir=False, **_own))
for _part, _folder in SYNCED.items():
    _brought[_part].append(files.sync(name=_folder, src=_tree + _folder, dest=_folder, user="root", group="root", mode="644", dir_mode="755", add_deploy_dir=False))
common.services(_brought)
