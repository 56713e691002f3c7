"""What the publisher and the watchdog tell of themselves in their status files, for Prometheus. Backends by their names, directories by how many."""
from metrics_sources import bare
from told import latest_two, status_of

WATCHDOG = "softmap-watchdog.service"
STATES = ("stored", "pending", "refused", "failed")
ANSWERS = {"answers": 1, "silent": 0}
# A watchdog writes at every round.
ROUNDS_MISSED, LEAST_SILENCE = 6, 60


def names_in(known):
    """address of a backend -> its name, of all sites of a publication."""
    return {bare(each["address"]): each["name"] for site in known.get("frontends", []) for each in site["backends"]}


def descriptors_seen(page, known, text, now):
    """`known` is the last publication on this balancer, `text` the publisher's status file."""
    told = status_of(text, now)
    if told is None:
        return
    page.add("softmap_publisher_info", 1, mode=told["mode"], onionbalance=told["onionbalance"])
    page.add("softmap_publisher_status_age_seconds", told["age"])
    page.add("softmap_publisher_problems", len(told["problems"]))
    names, left = names_in(known), {}
    for site in known.get("frontends", []):
        its, domain = told["sites"].get(bare(site["address"])), site["domain"]
        if its is None:
            continue
        page.add("softmap_site_backends_listed", its["listed"], site=domain)
        for by in ("operator", "watchdog"):
            page.add("softmap_site_backends_left_out", sum(mark["by"] == by for mark in its["leftOut"].values()), site=domain, by=by)
        page.add("softmap_site_backends_spared", len(its["spared"]), site=domain)
        left.update((address, mark["by"]) for address, mark in its["leftOut"].items())
        current = latest_two(its["descriptors"])
        for which, each in zip(("first", "second") if len(current) == 2 else (current[0]["which"],) if current else (), current):
            descriptor_seen(page, each, now, {"site": domain, "descriptor": which})
    # Once for each backend, however many sites it is in.
    for address, name in names.items():
        page.add("softmap_backend_left_out", address in left, backend=name, by=left.get(address, ""))


def descriptor_seen(page, each, now, labels):
    for asked in (True, False):
        states = [row["state"] for row in each["directories"] if row["asked"] == asked]
        for state in STATES:
            page.add("softmap_descriptor_directories", states.count(state), **labels, asked="yes" if asked else "no", state=state)
    stored = [each["at"] + (row["seconds"] or 0) for row in each["directories"] if row["state"] == "stored"]
    page.add("softmap_descriptor_stored_age_seconds", max(0, now - max(stored)) if stored else None, **labels)


def watchdog_seen(page, known, text, now):
    """`text` is its status file. One that tells nothing, or nothing lately, does not watch."""
    told, names = status_of(text, now), names_in(known)
    silent = told is None or told["age"] > max(LEAST_SILENCE, ROUNDS_MISSED * told["every"])
    page.add("softmap_watchdog_broken", silent or told["broken"] != "")
    if told is None:
        return
    page.add("softmap_watchdog_status_age_seconds", told["age"])
    for address, its in told["backends"].items() if not silent else ():
        if address in names:
            page.add("softmap_backend_answers", ANSWERS.get(its["state"]), backend=names[address])
            page.add("softmap_backend_probe_seconds", its["seconds"], backend=names[address])
