"""
An installation of Onionspray or EOTK on this machine, as it runs: its processes, what they publish and answer for, and what starts them.
Nothing here changes anything. A process is theirs when its program is a tor, an nginx or Onionbalance and its configuration lies below their folder.
"""
import base64
import glob
import hashlib
import os
import pwd
import re
import shutil
from files import read
from descriptors import bare
from proof import parse_status
from publication import status_text

# Name, folder of projects, what ends the name of a project's folder, folder of the balancer.
TOOLS = (("Onionspray", "projects", "", "onionbalance"), ("EOTK", "projects.d", ".d", "onionbalance.d"))
USUAL_HOMES = ("/home/*/onionspray", "/home/*/eotk", "/opt/onionspray", "/opt/eotk", "/srv/onionspray", "/srv/eotk", "~root/onionspray", "~root/eotk")
CONFIG_OPTIONS = {"tor": ("-f",), "nginx": ("-c",), "onionbalance": ("-c", "--config")}
PID_FILES = {"tor": "tor.pid", "nginx": "nginx.pid", "onionbalance": "ob.pid"}
MASTER = "nginx: master process "
# What of a process's environment it needs to be started again.
KEPT_ENVIRONMENT = re.compile(r"^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_ALL|PYTHONPATH|VIRTUAL_ENV|LD_LIBRARY_PATH|(ONIONBALANCE|ONIONSPRAY|EOTK)_.*)$")
ONION = re.compile(r"(?<![a-z2-7])[a-z2-7]{56}(?![a-z2-7])")
BACKEND_FOLDER = re.compile(r"^hs-\d+(\.d)?$")


def tool_of(home):
    """(name, folder of projects, what ends a project's folder, folder of the balancer), or None when there is no installation."""
    return next((tool for tool in TOOLS if os.path.isdir(os.path.join(home, tool[1]))), None)


def inside(path, home):
    return path.startswith(home.rstrip("/") + "/")


def started_at(folder):
    """When a process started, in the kernel's ticks: with its number it is that process and no later one. None when it is gone."""
    text = (read(folder + "/stat") or b"").decode("utf-8", "replace")
    words = text.rpartition(")")[2].split()
    return words[19] if len(words) > 19 else None


def kind_of(exe, words):
    """(tor, nginx or onionbalance, its words) of a command line; (None, words) of anything else."""
    name = os.path.basename(exe.replace(" (deleted)", ""))
    if name == "tor":
        return "tor", words
    if name in ("nginx", "openresty"):
        # It writes its own title over its words.
        return ("nginx", words[0][len(MASTER):].split()) if words[0].startswith(MASTER) else (None, words)
    if any(os.path.basename(word) == "onionbalance" for word in words[:3]):
        return "onionbalance", words
    return None, words


def after_option(words, options):
    """The value that follows one of these options, also as `--option=value`."""
    for place, word in enumerate(words):
        if word in options and place + 1 < len(words):
            return words[place + 1]
        if any(word.startswith(option + "=") for option in options if option.startswith("--")):
            return word.partition("=")[2]
    return None


def holds_below(folder, place, socket):
    """Whether a process has a file below a place open, or listens on this socket."""
    rows = (line.split() for line in (read(os.path.dirname(folder) + "/net/unix") or b"").decode("utf-8", "replace").splitlines())
    inodes = {"socket:[%s]" % row[6] for row in rows if len(row) == 8 and row[7] == socket}
    for path in glob.glob(folder + "/fd/*"):
        try:
            target = os.readlink(path)
        except OSError:
            continue
        if target in inodes or inside(target, place):
            return True
    return False


def restored(folder, home, uid):
    """
    (program, words) of an Onionbalance that has written its name over its words and environment, as Debian's does: the words with which their
    tool starts it. None when it is not that of this installation: their pid file names it, or it has their log open or their status socket.
    """
    tool = tool_of(home)
    place = os.path.join(home, tool[3]) if tool else ""
    config = os.path.join(place, "config.yaml")
    if not tool or not os.path.exists(config) or os.stat(place).st_uid != uid:
        return None
    named = (read(os.path.join(place, "ob.pid")) or b"").decode("utf-8", "replace").strip() == os.path.basename(folder)
    if not named and not holds_below(folder, place, status_socket_of(config)):
        return None
    control = torrc_facts((read(os.path.join(place, "tor.conf")) or b"").decode("utf-8", "replace"))[1] or os.path.join(place, "tor-control.sock")
    own = [path for opt in ("opt", "opt.d") for path in glob.glob("%s/%s/bin/onionbalance" % (home, opt)) + sorted(glob.glob("%s/%s/*/bin/onionbalance" % (home, opt)))]
    program = next(iter(own), None) or shutil.which("onionbalance", path="/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin") or "/usr/bin/onionbalance"
    return program, [program, "-s", control, "-c", config]


def program_at(folder, home):
    """The process of theirs in a folder of /proc, with all that starts it again; None when it is not theirs."""
    words = [word.decode("utf-8", "replace") for word in (read(folder + "/cmdline") or b"").split(b"\0") if word]
    try:
        exe, cwd, owner = os.readlink(folder + "/exe"), os.readlink(folder + "/cwd"), os.stat(folder)
    except OSError:
        return None
    kind, words = kind_of(exe, words) if words else (None, words)
    if kind == "onionbalance" and words == ["onionbalance"]:
        exe, words = restored(folder, home, owner.st_uid) or (exe, words)
    named = after_option(words, CONFIG_OPTIONS[kind]) if kind else None
    start = started_at(folder)
    if named is None or start is None:
        return None
    config = os.path.realpath(os.path.join(cwd, named))
    if not inside(config, home):
        return None
    pairs = [pair.decode("utf-8", "replace").partition("=") for pair in (read(folder + "/environ") or b"").split(b"\0")]
    return {
        "kind": kind,
        "pid": int(os.path.basename(folder)),
        "start": start,
        "config": config,
        "exe": exe.replace(" (deleted)", ""),
        "words": words,
        "cwd": cwd,
        "uid": owner.st_uid,
        "gid": owner.st_gid,
        "environment": {name: value for name, _, value in pairs if KEPT_ENVIRONMENT.match(name)},
    }


def programs_below(home, proc="/proc"):
    """Every process of theirs. tor and nginx that fork while they start are there once: the parent is gone."""
    found = [program_at(folder, home) for folder in glob.glob(proc + "/[0-9]*")]
    return sorted((each for each in found if each), key=lambda each: (each["config"], each["pid"]))


def strangers(home, proc="/proc"):
    """Processes of their user that are an Onionbalance, and nobody can tell whose: one that is overlooked would go on publishing backends that are off."""
    known, owner, found = {each["pid"] for each in programs_below(home, proc)}, os.stat(home).st_uid, []
    for folder in glob.glob(proc + "/[0-9]*"):
        words = [word.decode("utf-8", "replace") for word in (read(folder + "/cmdline") or b"").split(b"\0") if word]
        try:
            theirs = os.stat(folder).st_uid == owner and bool(words) and kind_of(os.readlink(folder + "/exe"), words)[0] == "onionbalance"
        except OSError:
            continue
        if theirs and int(os.path.basename(folder)) not in known:
            found.append(int(os.path.basename(folder)))
    return sorted(found)


def pid_file_of(program):
    """(path, "right", "stale" or "missing"): whether their own pid file names this process."""
    path = os.path.join(os.path.dirname(program["config"]), PID_FILES[program["kind"]])
    text = (read(path) or b"").decode("utf-8", "replace").strip()
    return path, "right" if text == str(program["pid"]) else "stale" if text else "missing"


def place_of(config, home, tool):
    """(project or None, name of the daemon) of a configuration."""
    words = os.path.relpath(config, home).split("/")
    ending = tool[2]
    if words[0] != tool[1] or len(words) < 3:
        return None, "balancer"
    project = words[1][: -len(ending)] if ending and words[1].endswith(ending) else words[1]
    return project, words[2] if len(words) > 3 else project


def torrc_facts(text):
    """(folders of onion services with whether a balancer publishes for them, control socket or None) of a tor.conf."""
    services, control = [], None
    for line in text.splitlines():
        key, _, value = line.strip().partition(" ")
        key, value = key.lower(), value.strip().strip('"')
        if key == "hiddenservicedir":
            services.append((value, BACKEND_FOLDER.match(os.path.basename(value.rstrip("/"))) is not None))
        elif key == "hiddenserviceonionbalanceinstance" and services and value == "1":
            services[-1] = (services[-1][0], True)
        elif key == "controlsocket" or (key == "controlport" and value.startswith("unix:")):
            control = value.split()[0].replace("unix:", "", 1).strip('"')
    return services, control


def address_of_public(data):
    """The address of tor's public key file: rend-spec-v3, 6."""
    key = data[32:64]
    check = hashlib.sha3_256(b".onion checksum" + key + b"\x03").digest()[:2]
    return base64.b32encode(key + check + b"\x03").decode().lower()


def frontends_in(config):
    """Addresses that an Onionbalance configuration publishes, by the names of its key files; None for a key that cannot be told."""
    text, found = (read(config) or b"").decode("utf-8", "replace"), []
    for value in re.findall(r"^\s*(?:-\s*)?key:\s*(\S+)", text, re.M):
        path = os.path.join(os.path.dirname(config), value.strip("\"'"))
        name = ONION.search(os.path.basename(path))
        public = read(path.replace("v3sec", "v3pub").replace("secret", "public")) if not name else None
        found.append(name.group(0) if name else address_of_public(public) if public and len(public) == 64 else None)
    return found


def status_socket_of(config, program=None):
    """Where their Onionbalance says how it is."""
    named = re.search(r"^status-socket-location:\s*(\S+)", (read(config) or b"").decode("utf-8", "replace"), re.M)
    set_so = program["environment"].get("ONIONBALANCE_STATUS_SOCKET_LOCATION") if program else None
    return set_so or (named.group(1).strip("\"'") if named else os.path.join(os.path.dirname(config), "ob-status.sock"))


def homes_on(given=None):
    """Folders of installations: the one that is named, or those in the usual places and those that a process runs from."""
    if given:
        return [os.path.realpath(given)] if tool_of(os.path.realpath(given)) else []
    places = {os.path.realpath(path) for pattern in USUAL_HOMES for path in glob.glob(os.path.expanduser(pattern))}
    for program in programs_below("/"):
        for _, projects, _, balancer in TOOLS:
            # The last such folder: the installation itself may lie below another one of that name.
            head, found, _ = max((program["config"].rpartition("/%s/" % each) for each in (projects, balancer)), key=lambda parts: len(parts[0]))
            places |= {head} if found else set()
    return sorted(path for path in places if tool_of(path))


def configs_of(home, tool):
    """(kind, path) of every configuration that is laid out, whether it runs or not."""
    projects = "%s/%s/*" % (home, tool[1])
    laid = [("nginx", "nginx.conf"), ("tor", "tor.conf"), ("tor", "*/tor.conf")]
    found = [(kind, os.path.realpath(path)) for kind, name in laid for path in glob.glob("%s/%s" % (projects, name))]
    balancer = os.path.join(home, tool[3])
    found += [(kind, os.path.realpath(os.path.join(balancer, name))) for kind, name in (("tor", "tor.conf"), ("onionbalance", "config.yaml")) if os.path.exists(os.path.join(balancer, name))]
    return sorted(found, key=lambda pair: pair[1])


def hostname_in(folder):
    found = ONION.search((read(os.path.join(folder, "hostname")) or b"").decode("utf-8", "replace"))
    return found.group(0) if found else None


def installation(home, programs=None):
    """All that is known of one: plain data, without what starts its processes."""
    tool, running = tool_of(home), programs_below(home) if programs is None else programs
    by_config = {each["config"]: each for each in running}
    daemons, frontends, backends = [], [], []
    configs = dict([(path, kind) for kind, path in configs_of(home, tool)] + [(each["config"], each["kind"]) for each in running])
    for config, kind in sorted(configs.items()):
        program = by_config.get(config)
        project, name = place_of(config, home, tool)
        path, pid_file = pid_file_of(program) if program else (None, "stale" if read(os.path.join(os.path.dirname(config), PID_FILES[kind])) else "missing")
        daemons.append({"kind": kind, "project": project, "name": name, "config": config, "pid": program["pid"] if program else None, "pidFile": pid_file})
        if kind == "onionbalance":
            told = parse_status(status_text(status_socket_of(config, program))) if program else {}
            known = list(told) or frontends_in(config)
            frontends += [{"address": each and each + ".onion", "project": None, "by": "onionbalance", "runs": program is not None} for each in known]
        if kind == "tor" and project is not None:
            for folder, balanced in torrc_facts((read(config) or b"").decode("utf-8", "replace"))[0]:
                address = hostname_in(os.path.join(os.path.dirname(config), folder))
                row = {"address": address and bare(address) + ".onion", "project": project, "runs": program is not None}
                (backends if balanced else frontends).append({**row, "name": name} if balanced else {**row, "by": "tor"})
    owner = os.stat(home).st_uid
    user = next((each.pw_name for each in pwd.getpwall() if each.pw_uid == owner), str(owner))
    return {"home": home, "tool": tool[0], "user": user, "daemons": daemons, "frontends": frontends, "backends": backends}
