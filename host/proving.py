"""The proof of a release on its own worker: every site, fetched through the worker's own backend addresses over Tor, before anything lists them."""
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from report import Failure
from socks import FetchError, WrongAnswer, answer_on, secured, site_answer

ANSWER_SECONDS = 25
# A new backend is fetchable 4 to 9 s after it has uploaded on a test network, and within a minute or two on the public one.
PROOF_SECONDS = 180
# An origin may stumble once; one that fails for this long after a change, and did not before it, fails because of the change.
ORIGIN_SECONDS = 30
AT_ONCE = 6


def sites_of(project):
    """A project's sites: address, domain, fingerprint where there is a certificate. A plan of an older version (rollback.py) has addresses, and domains apart."""
    domains = dict(zip(project["sites"], project["domains"])) if "domains" in project else {}
    return [{"address": each, "domain": domains.get(each, each)} if isinstance(each, str) else each for each in project["sites"]]


def opened(path, seconds):
    """A stream to a unix socket."""
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.settimeout(seconds)
    try:
        stream.connect(path)
    except OSError:
        stream.close()
        raise
    return stream


def opened_to_site(project, host, seconds):
    """A stream to one of nginx's own sockets, by TLS where the site has a certificate, whichever."""
    if "tlsSocket" in project:
        try:
            return secured(opened(project["tlsSocket"], seconds), host)
        except (OSError, FetchError):
            pass  # it has none, or no nginx is there
    return opened(project["socket"], seconds)


def status_on(project, host, seconds=10):
    """What nginx answers for a site on its own sockets: the status, or None when none came."""
    try:
        with opened_to_site(project, host, seconds) as stream:
            return answer_on(stream, host)
    except (OSError, FetchError):
        return None


def statuses(projects):
    """(project, site's address) -> status, straight from nginx: what visitors get before the change."""
    pairs = [(each, site) for each in projects for site in sites_of(each)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda pair: status_on(pair[0], pair[1]["address"]), pairs)
        return {(each["project"], site["address"]): status for (each, site), status in zip(pairs, found)}


class Question:
    """One site of one backend, asked until the answer is good."""

    def __init__(self, project, backend, site, before):
        self.backend, self.site, self.before = backend, site, before.get((project["project"], site["address"]))
        self.name = site["domain"]
        self.status, self.why, self.broken_since = None, "not asked", None

    def ask(self):
        """True when the answer is good; `why` says what is wrong otherwise."""
        try:
            self.status, _ = site_answer(self.backend["socks"], self.backend["address"], ANSWER_SECONDS, self.site)
            self.why = fault_of(self.status, self.before)
        except WrongAnswer as error:
            self.status, self.why = None, str(error)
        except FetchError as error:
            self.status, self.why, self.broken_since = None, "no answer: %s" % error, None
            return False
        if self.why and self.broken_since is None:
            self.broken_since = time.monotonic()
        return self.why is None


def fault_of(status, before):
    """
    What is wrong with an answer, or None. 421: nginx does not know the site. A 5xx comes from the origin or its way: it counts when the site
    answered before this change, for then the change broke it; an origin that was down already stops no release. A 421 before was no answer of
    the site: it is new.
    """
    if status == 421:
        return "421: the proxy does not know this site"
    if status >= 500 and before not in (None, 421) and before < 500:
        return "%d, and before this release it was %d" % (status, before)
    return None


def to_prove(projects, actions, before):
    """What a change asks to be proved: each backend that it touched, with all sites; and where only nginx took something over, one backend with all sites."""
    found = []
    for each in projects:
        touched = [backend for backend in each["backends"] if actions.get(backend["unit"])]
        if not touched and actions.get(each["unit"]):
            touched = each["backends"][:1]
        found += [Question(each, backend, site, before) for backend in touched for site in sites_of(each)]
    return found


def prove(report, questions):
    """Asks until every answer is good. A Failure names the questions that have none."""
    start, waiting = time.monotonic(), questions
    while waiting:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            good = list(pool.map(Question.ask, waiting))
        waiting = [each for each, done in zip(waiting, good) if not done]
        now = time.monotonic()
        if any(each.broken_since is not None and now - each.broken_since > ORIGIN_SECONDS for each in waiting) or (waiting and now - start > PROOF_SECONDS):
            for each in waiting:
                report.say("%s through backend %s at %s: %s" % (each.name, each.backend["name"], each.backend["address"], each.why))
            first = next((each for each in waiting if each.broken_since is not None), waiting[0])
            raise Failure("%s does not answer as it should through this host's own backend %s (%s)." % (first.name, first.backend["name"], first.why))
        if waiting and not report.listening:
            raise Failure("nobody listens any more, the proof was not finished. Next: run `pulumi up` again.")
        if waiting:
            time.sleep(0.5)
    for site, status in sorted({(each.name, each.status) for each in questions if each.status >= 500}):
        report.say("%s answers %d: the proxy works, the origin behind it does not" % (site, status))
    if questions:
        sites, backends = len({each.site["address"] for each in questions}), len({each.backend["unit"] for each in questions})
        plural = lambda number, word: "%d %s%s" % (number, word, "" if number == 1 else "s")
        report.say("%s answered through Tor at the own address of %s (%.1f s)" % (plural(sites, "site"), plural(backends, "backend"), time.monotonic() - start))
