"""What a tor says of itself on its control socket (control-spec, 3.9), for the operator's desk."""
import os
import re
from control import Control, ControlError, bootstrap_state
from files import read
from told import introduction_circuits

ONION_DIR = "/var/lib/softmap/tor/%s/onion"
TORRC = "/etc/softmap/worker/current/tor/%s/torrc"


def parse_guards(text):
    """GETINFO entry-guards: a line a guard, its name and its state. None when tor has not chosen any."""
    states = [line.split()[1] for line in (text or "").splitlines() if len(line.split()) > 1]
    return {"up": states.count("up"), "all": len(states)} if states else None


def masters(text):
    """The frontends that a tor may answer for, in its ob_config (tor's hs_ob.c)."""
    return re.findall(r"^MasterOnionAddress\s+(\S+)", text, re.M)


def planned_points(torrc):
    """How many introduction points a torrc asks for, or None."""
    found = re.search(r"^HiddenServiceNumIntroductionPoints\s+(\d+)", torrc, re.M)
    return int(found.group(1)) if found else None


def backend_of(unit, projects):
    """The backend of a unit in the plan that serves: its name and address, or None."""
    return next((each for project in projects for each in project["backends"] if each["unit"] == unit), None)


def tor_seen(service, projects):
    unit, backend = service["unit"], backend_of(service["unit"], projects)
    seen = {"unit": unit, "error": None, "version": None, "bootstrapped": None, "summary": None, "circuits": None, "guards": None, "backend": None}
    circuits = ""
    try:
        with Control(service["health"]["control"]) as control:
            percent, summary = bootstrap_state(control.info("status/bootstrap-phase"))
            seen.update(
                version=(control.info("version") or "").split(" ")[0] or None,
                bootstrapped=percent,
                summary=summary,
                circuits=control.info("status/circuit-established") == "1",
                guards=parse_guards(control.info("entry-guards")),
            )
            circuits = control.info("circuit-status") if backend else ""
    except ControlError as error:
        seen["error"] = str(error)
    if backend:
        address = backend["address"].removesuffix(".onion")
        daemon = unit.split("@", 1)[1].removesuffix(".service")
        ob_config = read(os.path.join(ONION_DIR % daemon, "ob_config")) or b""
        seen["backend"] = {
            "name": backend["name"],
            "address": address + ".onion",
            "introductionPoints": introduction_circuits(circuits, address),
            "plannedPoints": planned_points((read(TORRC % daemon) or b"").decode("utf-8", "replace")),
            "obConfig": masters(ob_config.decode("utf-8", "replace")),
        }
    return seen
