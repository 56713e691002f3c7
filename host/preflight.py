"""Whether a machine can be used at all: looked at once, before anything on any machine of the stack changes. It changes nothing."""
import glob
import os
import pwd
import shutil
import sys
import time
from report import Failure, run
from files import read
from machine import asked_time, check_room, check_system, clock_problem
from retire import BASE, ROLES, STATE, UNITS, USERS
from store import PROGRAMS

MACHINES = ("x86_64", "aarch64")
# Where systemd looks for units, the first one wins: systemd.unit(5).
UNIT_DIRS = (UNITS, "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
SYSTEM_IDS = 1000  # accounts below are the system's: login.defs(5), SYS_UID_MAX
# Who listens beyond loopback and loses nothing: clients, whose answers the firewall lets in. A name has 15 letters here (proc(5), comm).
ALLOWED = {"systemd-resolve", "systemd-network", "systemd-timesyn", "dhclient", "dhcpcd", "chronyd", "ntpd", "ntpsec", "NetworkManager"}
SSH = {"sshd", "ssh.socket", "sshd.socket"}
DHCP_PORTS = {68, 546}
# Files of /proc/net with the state of a socket that waits: TCP_LISTEN, and for UDP TCP_CLOSE (net/tcp_states.h).
TABLES = (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07"))


def machine_problem(machine):
    return [] if machine in MACHINES else ["it is an %s machine; softmap is for amd64 and arm64. Next: give it another machine" % machine]


def foreign_user(name, home, uid):
    odd = "its home is %s" % home if home != "/nonexistent" else "its number is %d" % uid if uid >= SYSTEM_IDS else None
    return ["the user %s is there and was not made by softmap (%s). Next: rename or remove that user" % (name, odd)] if odd else []


def foreign_users():
    return [problem for user in pwd.getpwall() if user.pw_name in USERS for problem in foreign_user(user.pw_name, user.pw_dir, user.pw_uid)]


def entries(path):
    """What is in a folder; the folder itself, under the name ".", when it is none."""
    if not os.path.lexists(path):
        return []
    return os.listdir(path) if os.path.isdir(path) and not os.path.islink(path) else ["."]


def deployed(base=BASE):
    """The roles that were released here, by this stack or another one: the first that a release makes is this folder."""
    return {role for role in ROLES if os.path.isdir(os.path.join(base, role, "releases"))}


def foreign_files(roles, base=BASE, state=STATE):
    own = {os.path.basename(PROGRAMS)} | {os.path.basename(path) for role in roles for path in ROLES[role]["own"] if path.startswith(STATE + "/")}
    odd = [os.path.join(base, name) for name in sorted(entries(base)) if name not in {"masked", *roles} and not name.endswith(".softmap-new")]
    odd += [os.path.join(state, name) for name in sorted(entries(state)) if name not in own]
    return ["%s was not made by softmap. Next: move it away" % os.path.normpath(path) for path in odd]


def foreign_units(paths, roles):
    """Units with our names: ours are in one folder, and their role is released. What others add to a unit (`.d`) or hang on it (`.wants`) is theirs to do."""
    ours = {os.path.join(UNITS, unit) for role in roles for unit in ROLES[role]["units"]}
    odd = [path for path in sorted(paths) if path not in ours and not os.path.isdir(path) and not path.endswith(".softmap-new")]
    return ["the unit %s was not made by softmap. Next: rename or remove it" % path for path in odd]


def has_table():
    nft = shutil.which("nft", path="/usr/sbin:/sbin")
    return nft is not None and run([nft, "list", "table", "inet", "softmap"], check=False).returncode == 0


def foreign_table(roles, there):
    if "base" in roles or not there:
        return []
    return ["nftables has a table inet softmap that was not made by softmap. Next: rename or remove it (nft delete table inet softmap)"]


def parse_listening(text, state):
    """(port, inode) of the sockets in a file of /proc/net that wait for others beyond loopback; proc(5), "/proc/net/tcp"."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 10 or words[3] != state:
            continue
        address, _, port = words[1].partition(":")
        # Words in the order of this machine's bytes: 127.0.0.0/8 ends in 7F, ::1 in 01000000; a mapped one ends in its IPv4 address.
        loopback = address.endswith("7F") if len(address) == 8 or address.startswith("0000000000000000FFFF0000") else address == "0" * 24 + "01000000"
        if not loopback:
            found.append((int(port, 16), words[9]))
    return found


def holders(proc="/proc"):
    """The names of the programs that have each socket, by its inode."""
    found = {}
    for path in glob.glob(proc + "/[0-9]*/fd/*"):
        try:
            target = os.readlink(path)
        except OSError:
            continue
        if target.startswith("socket:["):
            name = (read(path.split("/fd/")[0] + "/comm") or b"").decode("utf-8", "replace").strip()
            found.setdefault(target[len("socket:["):-1], set()).add(name)
    return found


def client_ports(text):
    """The ports that the kernel gives to who asks for none: a UDP socket there is a client's, and is answered through any firewall that knows flows."""
    first, last = (int(word) for word in text.split())
    return range(first, last + 1)


def listening():
    """(protocol, port, names of its programs) of all that waits beyond loopback."""
    by_inode = holders()
    clients = client_ports((read("/proc/sys/net/ipv4/ip_local_port_range") or b"32768 60999").decode())
    for table, state in TABLES:
        kind = table.rstrip("6")
        for port, inode in parse_listening((read("/proc/net/" + table) or b"").decode(), state):
            if kind == "tcp" or (port not in clients and port not in DHCP_PORTS):
                yield kind, port, by_inode.get(inode) or {"the kernel" if inode == "0" else "an unknown program"}


def socket_unit(port, shown=None):
    """The unit for whose service systemd itself listens, by `systemctl list-sockets`."""
    if shown is None:
        shown = run(["systemctl", "list-sockets", "--no-legend", "--plain"], check=False).text
    rows = (line.split() for line in shown.splitlines())
    return next((row[1] for row in rows if len(row) > 1 and row[0].endswith(":%d" % port)), "systemd")


def ssh_ports(sshd="/usr/sbin/sshd"):
    """Where sshd is told to listen: what the firewall lets in, by the same question (templates/base-firewall-load.ejs)."""
    text = run([sshd, "-T"], check=False).text if os.path.exists(sshd) else ""
    return {int(line.split()[1].rpartition(":")[2]) for line in text.splitlines() if line.startswith("listenaddress ")} or {22}


def port_problems(sockets, open_ports, ways_in, unit=socket_unit):
    """What a firewall would cut off without anybody having said so; an sshd too, where it listens elsewhere than its configuration says."""
    found = {}
    for kind, port, names in sockets:
        if kind == "tcp" and port in open_ports:
            continue
        named = {unit(port) if name == "systemd" else name for name in names}
        allowed = ALLOWED | SSH if port in ways_in else ALLOWED
        if not named & allowed:
            found[(port, kind)] = ", ".join(sorted(named))
    way = {"tcp": "name the port in openPorts, stop the program, or set firewall: false", "udp": "stop the program, or set firewall: false"}
    return ["%s listens on %s port %d, which the firewall would shut. Next: %s" % (found[each], each[1], each[0], way[each[1]]) for each in sorted(found)]


def preflight_main(report, payload):
    """Raises one Failure with everything that is wrong."""
    system = (read("/etc/os-release") or b"").decode("utf-8", "replace")
    apt = shutil.which("apt-get", path="/usr/bin:/bin") is not None
    roles, table = deployed(), has_table()
    units = [path for folder in UNIT_DIRS for path in glob.glob(folder + "/softmap-*")]
    stands = "base" in roles and table  # then what it shuts is shut already
    problems = [
        *check_system(system, apt, os.path.isdir("/run/systemd/system"), payload["roles"]),
        *machine_problem(os.uname().machine),
        *clock_problem(time.time(), asked_time(sys.argv[1:])),
        *check_room(),
        *foreign_users(),
        *foreign_files(roles),
        *foreign_units(units, roles),
        *foreign_table(roles, table),
        *(port_problems(listening(), payload["openPorts"], ssh_ports()) if payload["firewall"] and not stands else []),
    ]
    if problems:
        rows = " %s." % problems[0] if len(problems) == 1 else "".join("\n  - %s." % problem for problem in problems)
        raise Failure("this host cannot be used, and nothing was changed:" + rows)
    report.say("can be used (%.1f s)" % report.seconds())
