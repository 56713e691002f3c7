"""The hosts of the plan; see peers.ts."""
import json, os

with open(os.environ["DEPLOY_PLAN"]) as _file:
    _plan = json.load(_file)

hosts = [
    (
        _host["name"],
        {
            "ssh_hostname": _host["address"],
            "ssh_user": _host["user"],
            "ssh_key": _plan["key"],
            "ssh_known_hosts_file": _plan["knownHosts"],
            "ssh_strict_host_key_checking": "yes",
            "folder": _host["folder"],
            "_sudo": True,
        },
    )
    for _host in _plan["hosts"]
]
