"""What a worker's proxies answer, and which certificates they show, for the operator's desk."""
import glob
import hashlib
import os
import ssl
import time
from health import answer_of, journal
from proving import sites_of, status_on
from release import old_markers
from told import certificate_end
from tree import Tree

SITE_SECONDS = 20
ERROR_LINES = 60


def reason_of(unit, names):
    """The last thing that a site's proxy had to say of its upstream, the site by any of its names; None when it said nothing."""
    for line in reversed(journal(unit, ERROR_LINES).splitlines()):
        if any(name in line for name in names) and ("[error]" in line or "[crit]" in line or "[warn]" in line):
            text = line.split("] ", 1)[-1]
            return " ".join(text.split(", client:")[0].split())[:300]
    return None


def site_seen(project, site):
    start = time.monotonic()
    status = status_on(project, site["address"], SITE_SECONDS)
    took = time.monotonic() - start
    failed = status is None or status >= 500
    return {"domain": site["domain"], "status": status, "seconds": round(took, 2), "error": reason_of(project["unit"], (site["domain"], site["address"].removesuffix(".onion"))) if failed else None}


def proxy_seen(project, ask):
    """A project's nginx; those of its sites are asked for that `ask` names, through its own socket and up to their origins."""
    tree, unit = Tree("worker"), project["unit"]
    wanted = next((service["health"]["socket"] for service in (tree.plan() or {}).get("services", []) if service["unit"] == unit), "")
    answer = answer_of(wanted) if wanted else ""
    return {
        "project": project["project"],
        "unit": unit,
        "answers": answer != "" and answer == old_markers(tree, tree.current()).get(wanted),
        "sites": [site_seen(project, site) for site in sites_of(project) if site["domain"] in ask],
    }


def ends(path):
    """(fingerprint, seconds until its end) of the first certificate in a file. ValueError when there is none."""
    with open(path, encoding="ascii", errors="replace") as handle:
        text = handle.read()
    first = text[text.index("-----BEGIN CERTIFICATE-----"): text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----")]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest(), int(certificate_end(path) - time.time())


def certificates(projects):
    """The onions' certificates of the release that serves."""
    root, found = Tree("worker").current_link, []
    for project in projects:
        for site in sites_of(project):
            for path in glob.glob(os.path.join(root, "nginx", glob.escape(project["project"]), glob.escape(site["domain"]) + ".crt")):
                fingerprint, left = ends(path)
                found.append({"project": project["project"], "domain": site["domain"], "fingerprint": fingerprint, "left": left})
    return found
