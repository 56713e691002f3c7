"""What is listed no longer keeps its visitors for a while: who has to be waited for, and how long."""
import time
from concurrent.futures import ThreadPoolExecutor
from report import Failure
from descriptors import bare
from socks import FetchError, first_answer

GONE_SECONDS = 20  # a backend that does not answer in this time has nobody to lose


def still_there(payload, removed):
    """Those of the backends taken out that still answer at their own address: visitors with an old descriptor may be on them."""
    end = time.monotonic() + GONE_SECONDS

    def answers(backend):
        while time.monotonic() < end:
            try:
                first_answer(payload["socks"], backend, max(end - time.monotonic(), 1))
                return True
            except FetchError:
                time.sleep(0.5)  # one that is alive may fail once, and would lose its visitors
        return False

    with ThreadPoolExecutor(8) as pool:
        return {backend: name for (backend, name), there in zip(removed.items(), pool.map(answers, removed)) if there}


def wait_grace(report, removed, seconds):
    """Clients hold a descriptor for a while: what left the plan may go only when they had time to ask again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and report.listening:
        left = end - time.monotonic()
        report.say("%s not listed any more; %.0f s of grace until retiring" % (", ".join(sorted(set(removed))), left))
        time.sleep(min(left, 30))
    if not report.listening:
        raise Failure("nobody listens any more, the grace time was not waited out. Next: run `pulumi up` again.")


def let_go(report, payload, removed):
    """The grace time of what is listed no longer. Dead backends have no visitors, and warm ones stay: neither is waited for."""
    warm = {bare(address) for address in payload["warm"]}
    leaving = {backend: name for backend, name in removed.items() if backend not in warm}
    if not leaving:
        return
    there = still_there(payload, leaving)
    dead = sorted({name for backend, name in leaving.items() if backend not in there})
    if dead:
        report.say("%s did not answer within %d s: there is nobody to wait for" % (", ".join(dead), GONE_SECONDS))
    if there:
        wait_grace(report, there.values(), payload["graceSeconds"])
