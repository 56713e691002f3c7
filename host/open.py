"""A site asked for through Tor, as a reader's client would: by this balancer's tor, from a fresh descriptor on. For the operator's desk."""
import json
import time
from report import Failure
from control import Control, ControlError
from descriptors import fetch_patiently
from files import read
from socks import FetchError, site_answer

OPEN_SECONDS = 60
PUBLISHED = "/etc/softmap/publisher/publication.json"


def open_main(report, payload):
    """Prints one JSON line: {"status", "descriptor", "seconds", "error"}."""
    known = json.loads(read(PUBLISHED) or b"{}")
    wanted = payload["address"].removesuffix(".onion")
    site = next((each for each in known.get("frontends", []) if each["address"].removesuffix(".onion") == wanted), None)
    if site is None:
        raise Failure("this balancer has published nothing under %s. Next: run `pulumi up`." % payload["address"])
    start, status, error, descriptor = time.monotonic(), None, None, None
    try:
        with Control(known["control"]) as control:
            # Else it may go by a descriptor that it has had for an hour.
            text, reason = fetch_patiently(control, [wanted], OPEN_SECONDS)[wanted]
        descriptor = round(time.monotonic() - start, 2)
        if text is None:
            error = "no descriptor: %s" % reason
        else:
            status, _ = site_answer(known["socks"], site["address"], OPEN_SECONDS, site)
    except (ControlError, FetchError) as failure:
        error = str(failure)
    report.raw(json.dumps({"status": status, "descriptor": descriptor, "seconds": round(time.monotonic() - start, 2), "error": error}))
