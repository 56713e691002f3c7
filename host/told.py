"""What daemons and the system say of themselves, and what their units are called: shared by the look of the operator's desk (survey*.py), the metrics (metrics*.py) and the renewal. Needs nothing of ours."""
import datetime
import json
import os
import re
import shutil
import ssl

PLACES = ("/", "/var", "/etc", "/var/log")
WATCHDOG_STATUS = "/run/softmap/watchdog/status.json"


def age_of(told, now):
    """Seconds since a time as Onionbalance prints it, UTC; None for none."""
    try:
        return max(0, int((now - datetime.datetime.strptime(told, "%Y-%m-%d %H:%M:%S")).total_seconds()))
    except (TypeError, ValueError):
        return None


def status_of(text, now):
    """A status file of the publisher's or the watchdog's, with its `age` in seconds; None when it is none."""
    try:
        found = json.loads(text)
        return {**found, "age": max(0.0, now - float(found["written"]))} if found["version"] == 1 else None
    except (ValueError, TypeError, KeyError):
        return None


def latest_two(descriptors):
    """Of what the publisher tells of a site, the two that it goes on publishing, the earlier period first: the round of a period before may still be told of."""
    return sorted(descriptors, key=lambda each: each["period"])[-2:]


def introduction_circuits(text, address):
    """GETINFO circuit-status: how many circuits stand that keep an introduction point of the service (control-spec, 4.1.1)."""
    lines = [line.split() for line in (text or "").splitlines()]
    facts = ((words, dict(word.split("=", 1) for word in words if "=" in word)) for words in lines)
    wanted = {"PURPOSE": "HS_SERVICE_INTRO", "HS_STATE": "HSSI_ESTABLISHED", "REND_QUERY": address}
    return sum(words[1:2] == ["BUILT"] and all(its.get(key) == value for key, value in wanted.items()) for words, its in facts)


def parse_shown(text):
    """`systemctl show` of several units: Id -> its properties."""
    blocks = (dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n"))
    return {block["Id"]: block for block in blocks if "Id" in block}


def project_of(unit):
    """news of softmap-tor@news-1-3fa9.service; None of what is no backend's tor."""
    found = re.match(r"softmap-tor@(.+)-\d+-[0-9a-f]+\.service\Z", unit)
    return found and found.group(1)


def file_systems():
    """(place, its room) of each file system once, by the first of the places that is on it."""
    seen = set()
    for place in PLACES:
        try:
            device, usage = os.stat(place).st_dev, shutil.disk_usage(place)
        except OSError:
            continue
        if device not in seen:
            seen.add(device)
            yield place, usage


def certificate_end(path):
    """When the first certificate of a file ends, Unix seconds. OSError, ValueError, KeyError or ssl.SSLError when there is none to read."""
    # Python's own tests read certificates with it, and there is no other way without a further package.
    return ssl.cert_time_to_seconds(ssl._ssl._test_decode_cert(path)["notAfter"])
