"""
The take-over of an Onionspray or EOTK installation: a look, its publisher quiet, ours proved, its backends off, and the way back. Each action may be
run again: it goes on from what it finds. What it stops it first writes down, with all that starts it again.
"""
import datetime
import json
import os
import select
import signal
import subprocess
import time
from report import Failure, run
from adopt_boot import boot_entries, put_off, put_on
from adopt_found import homes_on, installation, pid_file_of, place_of, programs_below, started_at, strangers, tool_of, torrc_facts
from control import Control, ControlError
from drain import QUIET_SECONDS
from files import make_dir, read, remove, write
from health import is_running
from machine import check_room, lock, unlock
from preflight import deployed, foreign_files, foreign_table, foreign_units, foreign_users, has_table, listening, port_problems, ssh_ports
from publication import ONIONBALANCE, Publication, status_text
from publish import PUBLICATION, read_json, write_json
from tree import Tree

# Beside what softmap releases, which refuses folders that it does not know: it outlives a `destroy`.
KEPT = "/var/lib/softmap-adopt"
ADOPT_LOCK_SECONDS = 60
END_SECONDS = 30
APPEAR_SECONDS = 60
# Onionbalance uploads at once when something has changed, else hourly; on a test network every 20 s.
OWN_UPLOAD_SECONDS = 40
LEAST_MEMORY_MB = 300


def record_file():
    return os.path.join(KEPT, "record.json")


def proved_file():
    """On our balancer: when it was proved last that it publishes alone. From then on nobody gets a descriptor of theirs."""
    return os.path.join(KEPT, "proved.json")


def records():
    return read_json(record_file())


def keep(home, record):
    make_dir(KEPT, mode=0o700)
    known = records()
    known[home] = record
    write_json(record_file(), known)
    os.chmod(record_file(), 0o600)


def forget(home):
    known = records()
    known.pop(home, None)
    write_json(record_file(), known)


def memory_mb(text):
    found = next((line.split()[1] for line in text.splitlines() if line.startswith("MemAvailable:")), "0")
    return int(found) // 1024


def collisions():
    """What a first `pulumi up` would refuse on this machine, or what there would be too little of. Nothing of theirs is in the way by itself."""
    roles, table = deployed(), has_table()
    stands = "base" in roles and table
    free = memory_mb((read("/proc/meminfo") or b"").decode())
    short = ["%d MB of memory are free, and both run at the same time. Next: give the machine more, or put ours on others" % free] if free < LEAST_MEMORY_MB and not roles else []
    ports = [] if stands else port_problems(listening(), [], ssh_ports())
    return [*foreign_users(), *foreign_files(roles), *foreign_table(roles, table), *ports, *check_room(), *short]


def seen(home):
    """An installation with what starts it, and how far it has been taken over."""
    kept = records().get(home, {})
    taken = {key: kept.get(key) for key in ("publisherOff", "backendsOff")}
    return {**installation(home), "boot": boot_entries(home), "taken": taken}


def adopt_look(report, payload):
    homes = [seen(home) for home in homes_on(payload["home"] or None)]
    report.raw(json.dumps({"installations": homes, "collisions": collisions(), "proved": read_json(proved_file()).get("at")}))


def end(program, number, seconds):
    """Sends a signal to exactly this process, never to a later one with its number, and waits. True when it is gone."""
    try:
        handle = os.pidfd_open(program["pid"])
    except ProcessLookupError:
        return True
    try:
        if started_at("/proc/%d" % program["pid"]) != program["start"]:
            return True
        signal.pidfd_send_signal(handle, number)
        return bool(select.select([handle], [], [], seconds)[0])
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)


def end_well(report, program, number, home):
    """Ends a process and takes its pid file away: their own start refuses where one is left."""
    path, state = pid_file_of(program)
    if not end(program, number, END_SECONDS) and not end(program, signal.SIGTERM, END_SECONDS):
        raise Failure("%s (process %d, %s) does not end. Next: look at it on this host, then run this again." % (program["kind"], program["pid"], program["config"]))
    if state == "right":
        remove(path)
    report.say("stopped %s" % words_for(program, home))


def words_for(program, home):
    project, name = place_of(program["config"], home, tool_of(home))
    what = {"onionbalance": "Onionbalance", "tor": "tor", "nginx": "nginx"}[program["kind"]]
    if project is None:
        return "their %s of the balancer" % what if what == "tor" else "their %s" % what
    return "their %s of %s" % (what, project if what == "nginx" or name == project else "%s %s" % (project, name))


def facts_of(program):
    return torrc_facts((read(program["config"]) or b"").decode("utf-8", "replace"))


def publishes_itself(program):
    """A hardmap's tor holds site keys: it is publisher and backend in one."""
    return program["kind"] == "tor" and any(not balanced for _, balanced in facts_of(program)[0])


def set_publishing(program, on):
    """A tor goes on answering at its introduction points, and tells no directory of new ones: tor(1), PublishHidServDescriptors."""
    control = facts_of(program)[1]
    try:
        if control is None:
            raise ControlError("it has no control socket")
        with Control(control) as connection:
            code, lines = connection.command("SETCONF PublishHidServDescriptors=%d" % on)
            if code != 250:
                raise ControlError(" ".join(lines))
    except ControlError as error:
        raise Failure("the tor of %s cannot be told to %s publishing: %s. Next: see to its control socket, then run this again." % (program["config"], "begin" if on else "stop", error))


def noted(record, programs):
    """What is needed to start these again; what was written down first stays."""
    known = record.setdefault("programs", {})
    for program in programs:
        known[program["config"]] = {**program, "pidFile": pid_file_of(program)}
    return record


def refuse_strangers(home):
    odd = strangers(home)
    if odd:
        raise Failure("an Onionbalance of their user runs (process %s) that has no configuration below %s to be seen. Next: see what it publishes; end it with their own command if it is theirs, then run this again." % (", ".join(str(each) for each in odd), home))


def quiet(report, home):
    """Their publisher off, and what would start it again by the clock; their backends go on."""
    refuse_strangers(home)
    record, programs = records().get(home, {}), programs_below(home)
    publishers = [each for each in programs if each["kind"] == "onionbalance"]
    hard = [each for each in programs if publishes_itself(each)]
    keep(home, noted(record, programs))
    record["entries"] = record.get("entries", []) + put_off(report, home, "clock")
    keep(home, record)
    for program in publishers:
        end_well(report, program, signal.SIGTERM, home)
    for program in hard:
        set_publishing(program, False)
        report.say("%s publishes no longer, and goes on answering" % words_for(program, home))
    if publishers or hard:
        record["publisherOff"] = int(time.time())
    record.setdefault("publisherOff", int(time.time()))
    record["hard"] = sorted({*record.get("hard", []), *(each["config"] for each in hard)})
    keep(home, record)


def open_streams(text, home):
    """Of `ss -xnH state established`: visitors' streams at the sockets of their nginx."""
    rows = (line.split() for line in text.splitlines())
    at = (words[-4] for words in rows if len(words) >= 7)
    return sum(1 for path in at if path.startswith(home + "/") and os.path.basename(path).startswith("port-"))


def refuse_visitors(program):
    """Closes the introduction circuits of one of their tors, as drain.py does with ours. Returns how many visitors are on their way in."""
    control = facts_of(program)[1]
    try:
        with Control(control or "", timeout=2.0) as connection:
            circuits = (connection.info("circuit-status") or "").splitlines()
            for circuit in circuits:
                if " PURPOSE=HS_SERVICE_INTRO" in circuit:
                    connection.command("CLOSECIRCUIT " + circuit.split()[0])
            return sum(1 for circuit in circuits if " HS_STATE=HSSR_CONNECTING" in circuit)
    except (ControlError, OSError):
        return 0


def drain_theirs(report, home, tors, seconds):
    """Nobody new is let in; whoever is connected is waited for."""
    limit, told, quiet_since = time.monotonic() + seconds, -60.0, None
    while time.monotonic() < limit:
        coming = sum([refuse_visitors(each) for each in tors])
        count, now = open_streams(run(["ss", "-xnH", "state", "established"], check=False).text, home), time.monotonic()
        quiet_since = (quiet_since or now) if count + coming == 0 else None
        if quiet_since is not None and now - quiet_since >= QUIET_SECONDS:
            return
        if count and now - told > 10:
            told = now
            report.say("%d connection%s still open on theirs; waiting %.0f s at most" % (count, "" if count == 1 else "s", limit - now))
        time.sleep(0.25)


def backends_off(report, home, drain_seconds):
    """Their backends drained and off, and what starts them at boot."""
    refuse_strangers(home)
    programs = programs_below(home)
    if any(each["kind"] == "onionbalance" for each in programs):
        raise Failure("their Onionbalance runs on this host: its backends stay. Next: npx softmap adopt take")
    record = records().get(home, {})
    loud = [each["config"] for each in programs if publishes_itself(each) and each["config"] not in record.get("hard", [])]
    if loud:
        raise Failure("the tor of %s still publishes sites: it stays. Next: npx softmap adopt take" % loud[0])
    keep(home, noted(record, programs))
    # A reboot from here on does not bring half of theirs back.
    record["entries"] = record.get("entries", []) + put_off(report, home, "clock") + put_off(report, home, "boot")
    keep(home, record)
    tors = [each for each in programs if each["kind"] == "tor"]
    serving = [each for each in tors if place_of(each["config"], home, tool_of(home))[0] is not None]
    if serving:
        drain_theirs(report, home, serving, drain_seconds)
    for program in tors:
        end_well(report, program, signal.SIGTERM, home)
    for program in programs:
        if program["kind"] == "nginx":
            end_well(report, program, signal.SIGQUIT, home)
    record["backendsOff"] = int(time.time())
    keep(home, record)
    report.say("all of theirs below %s is off; nothing of it was deleted" % home)


def start_again(report, home, spec):
    """Starts a process as it was started: the same words, user, folder and environment, in a scope of its own that outlives this login."""
    argv = ["systemd-run", "--scope", "--quiet", "--collect", "--uid=%d" % spec["uid"], "--gid=%d" % spec["gid"], "--", spec["exe"], *spec["words"][1:]]
    log = os.open(os.path.join(KEPT, "started.log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    clean = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, **spec["environment"]}
    try:
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=spec["cwd"], env=clean, start_new_session=True)
    finally:
        os.close(log)
    limit, first = time.monotonic() + APPEAR_SECONDS, {}
    while time.monotonic() < limit:
        found = next((each for each in programs_below(home) if each["config"] == spec["config"]), None)
        if found and settled(found, time.monotonic() - first.setdefault(found["pid"], time.monotonic())):
            path, state = spec["pidFile"]
            if spec["kind"] == "onionbalance" and state == "right":
                write(path, b"%d\n" % found["pid"], spec["uid"], spec["gid"])  # their script writes it, not the program
            report.say("started %s" % words_for(found, home))
            return found
        time.sleep(0.2)
    report.quote((read(os.path.join(KEPT, "started.log")) or b"").decode("utf-8", "replace"))
    raise Failure("%s does not start again. Next: start it with their own command, then run this again." % words_for(spec, home))


def settled(program, seconds):
    """It listens; one that has no control socket has stayed for two seconds: whoever has only just begun may still give up."""
    control = facts_of(program)[1] if program["kind"] == "tor" else None
    if control is None:
        return seconds > 2
    try:
        with Control(control, timeout=2.0) as connection:
            return connection.info("process/pid") == str(program["pid"])
    except (ControlError, OSError):
        return False


def back(report, home):
    """Everything of theirs that was taken off runs again: nginx, tors, Onionbalance, then what starts them."""
    record = records().get(home)
    if not record:
        report.say("nothing of %s was taken over" % home)
        return
    lost = [config for config in sorted(record.get("programs", {})) if not os.path.exists(config)]
    if lost:
        raise Failure("%s is not there any more: theirs cannot be started again. Next: bring it back from a backup, or stay with ours." % lost[0])
    here = {each["config"] for each in programs_below(home)}
    order = {"nginx": 0, "tor": 1, "onionbalance": 2}
    for spec in sorted(record["programs"].values(), key=lambda each: (order[each["kind"]], each["config"])):
        if spec["config"] not in here:
            start_again(report, home, spec)
    for program in programs_below(home):
        if program["config"] in record.get("hard", []):
            set_publishing(program, True)
    put_on(report, record.get("entries", []))
    forget(home)
    report.say("theirs below %s runs as before" % home)


def tried_since(text, since, addresses):
    """Whether Onionbalance has tried to upload both descriptors of each of these sites since then; its times are UTC in whole seconds."""
    try:
        services = {each["onionAddress"].split(".")[0]: each for each in json.loads(text)["services"]}
        tries = [services[each.split(".")[0]].get(key) for each in addresses for key in ("publishAttemptFirstDescriptor", "publishAttemptSecondDescriptor")]
        return all(each is not None and datetime.datetime.strptime(each, "%Y-%m-%d %H:%M:%S") > since for each in tries)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def prove_ours(report):
    """
    After theirs has stopped: their last upload may have come after ours, to some directories or to all. So ours uploads once more, and proves
    what is in the network then.
    """
    known = read_json(os.path.join(Tree("publisher").root, PUBLICATION))
    if not known or not is_running(ONIONBALANCE):
        raise Failure("this balancer does not publish. Next: npx pulumi up --refresh, then run this again.")
    addresses = [each["address"] for each in known["frontends"]]
    since = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    limits = [(OWN_UPLOAD_SECONDS, True), (known["publishTimeoutSeconds"], False)]
    for seconds, nudge in limits:
        limit = time.monotonic() + seconds
        while not tried_since(status_text(known["statusSocket"]), since, addresses) and time.monotonic() < limit:
            time.sleep(0.5)
        if tried_since(status_text(known["statusSocket"]), since, addresses):
            break
        if not nudge:
            raise Failure("Onionbalance has uploaded nothing for %d s. Next: npx softmap logs, and npx softmap doctor" % seconds)
        report.say("Onionbalance has had nothing to upload for %d s: restarting it, it uploads everything anew" % seconds)
        run(["systemctl", "restart", ONIONBALANCE], timeout=120, check=False)
    report.say("ours has uploaded every site since theirs is quiet")
    Publication(report, known, {}, True).prove()
    make_dir(KEPT, mode=0o700)
    write_json(proved_file(), {"at": int(time.time())})


def adopt_main(report, payload):
    action = payload["action"]
    if action == "look":
        return adopt_look(report, payload)
    held = lock(report, "a take-over of another installation", ADOPT_LOCK_SECONDS, payload["stack"])
    try:
        if action == "prove":
            return prove_ours(report)
        homes = homes_on(payload["home"] or None)
        if not homes:
            raise Failure("there is no Onionspray and no EOTK on this host%s." % (" at " + payload["home"] if payload["home"] else ""))
        for home in homes:
            if action == "quiet":
                quiet(report, home)
            elif action == "off":
                backends_off(report, home, payload["drainSeconds"])
            else:
                back(report, home)
    finally:
        unlock(held)
