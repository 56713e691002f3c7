"""Backends that are left out of the descriptors for a time: lists that the watchdog and the operator write, and how far they are heeded."""
import json
import math
import re

# Nobody's list of backends is larger; what is larger is rubbish.
LARGEST_LIST = 1_000_000


class Mark:
    """One backend that somebody wants left out."""

    def __init__(self, by, name, why, since):
        self.by, self.name, self.why, self.since = by, name, why, since

    def told(self):
        return {"by": self.by, "name": self.name, "why": self.why, "since": self.since}


def read_list(text, by, now):
    """
    (address -> Mark, None), or ({}, why the list is not heeded). `text` is the file's, None when there is none; `now` in Unix seconds. A list with
    anything wrong in it is ignored as a whole: half of it might be the wrong half.
    """
    if text is None:
        return {}, None
    try:
        if len(text) > LARGEST_LIST:
            raise ValueError("larger than any list")
        told = json.loads(text)
        if not isinstance(told, dict) or told.get("version") != 1 or not isinstance(told.get("backends"), dict):
            raise ValueError("not a list of version 1")
        marks = {}
        for address, its in told["backends"].items():
            if not re.fullmatch(r"[a-z2-7]{56}", address) or not isinstance(its, dict):
                raise ValueError("%.60r is no backend's address, with what is known of it" % address)
            marks[address] = Mark(by, str(its.get("name", "")), str(its.get("why", ""))[:200], number(its, "since"))
        valid, written = told.get("valid"), number(told, "written")
        if valid is not None and abs(now - written) > number(told, "valid"):
            return {}, "the list of the %s is older than the %d s that it holds: not heeded" % (by, valid)
        return marks, None
    except (ValueError, RecursionError) as error:
        return {}, "the list of the %s cannot be read (%s): ignored as a whole" % (by, str(error)[:120])


def number(told, key):
    """A finite number of a list. ValueError when it is none."""
    value = told.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("%s is %.40r and no number of seconds" % (key, value))
    return float(value)


def leave_out(backends, operator, watchdog, floor):
    """
    (address -> Mark of those of a site's backends that are left out, addresses that are spared). The watchdog may be wrong: so many percent stay
    listed whatever it says, the longest silent go first. The operator means it: but nobody takes the last one, a site without a backend is gone.
    """
    least = max(1, math.ceil(len(backends) * floor / 100))
    out, spared = {}, []
    for marks, stay in ((operator, 1), (watchdog, least)):
        for address in sorted((each for each in backends if each in marks and each not in out), key=lambda each: (marks[each].since, each)):
            if len(backends) - len(out) > stay:
                out[address] = marks[address]
            else:
                spared.append(address)
    return out, spared
