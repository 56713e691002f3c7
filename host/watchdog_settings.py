"""What the watchdog is told: its part of publisher.yaml, and the backends of Onionbalance's config.yaml."""
import collections
import re

# Seconds for which its list holds, at least: so it lapses when the watchdog dies.
LEAST_VALID = 60
ROUNDS_VALID = 6
LIMITS = {"every": 3600, "timeout": 600, "failures": 100}

Pacing = collections.namedtuple("Pacing", "every timeout failures valid")


def yaml_of(text):
    """`text` is the file's, None when it cannot be read."""
    import yaml

    if text is None:
        raise ValueError("it is not there, or cannot be read")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError("not YAML: %s" % " ".join(str(error).split()))


def pacing_of(text):
    """The watchdog's part of publisher.yaml. ValueError that names key and value."""
    told = yaml_of(text)
    told = told.get("watchdog") if isinstance(told, dict) else None
    if not isinstance(told, dict):
        raise ValueError("watchdog is %.60r and not a group of settings" % (told,))
    for key, most in LIMITS.items():
        value, whole = told.get(key), key == "failures"
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not 0 < value <= most:
            raise ValueError("watchdog.%s is %.60r and not a %s above 0 and up to %d" % (key, value, "whole number" if whole else "number of seconds", most))
    every = float(told["every"])
    return Pacing(every, float(told["timeout"]), told["failures"], max(LEAST_VALID, ROUNDS_VALID * every))


def backends_of(text):
    """address without .onion -> name, of every site's backends in config.yaml. ValueError that names key and value."""
    told = yaml_of(text)
    services = told.get("services") if isinstance(told, dict) else None
    if not isinstance(services, list):
        raise ValueError("services is %.60r and not a list of sites" % (services,))
    names = {}
    for place, service in enumerate(services):
        instances = service.get("instances") if isinstance(service, dict) else None
        if not isinstance(instances, list):
            raise ValueError("services[%d].instances is %.60r and not a list of backends" % (place, instances))
        for each in instances:
            address = str(each.get("address")) if isinstance(each, dict) else str(each)
            if not re.fullmatch(r"[a-z2-7]{56}(\.onion)?", address):
                raise ValueError("services[%d].instances has the address %.80r, which is no onion address" % (place, address))
            address = address[:56]
            names[address] = str(each.get("name") or names.get(address) or address[:16])
    return names
