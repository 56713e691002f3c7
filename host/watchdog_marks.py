"""
Which backends are marked as silent: judged from probes alone. Pure: it knows no clock and no file. A mark needs failures in a row, and somebody else who
answers between them and after the last: when everybody fails it is the probe, also when that lasts for some seconds only.
"""
ANSWERS, SILENT, UNKNOWN = "answers", "silent", "unknown"
STALL_SECONDS = 5  # between two turns of the loop: then the machine or this program stood still, and time-outs mean nothing


class Seen:
    """
    One backend. Times are of the clock of the events. `began`: the probe that is under way, and `counts`: whether its failure would; `first` and
    `latest`: when the first and the last of the probes began whose failures count now.
    """

    def __init__(self, name, now):
        self.name, self.state, self.since = name, UNKNOWN, now
        self.last = self.seconds = None
        self.failures = self.probes = 0
        self.why = ""
        self.began = self.first = self.latest = None
        self.counts = True

    def becomes(self, state, now):
        if self.state != state:
            self.state, self.since = state, now

    def told_why(self, now):
        """For people: what is held against it, or how its last probe failed."""
        if not self.failures:
            return self.why
        return "no answer for %d s (%d %s): %s" % (now - self.first, self.failures, "probe" if self.failures == 1 else "probes", self.why)


class Marks:
    """
    The judge. `broken` says why nothing is held against anybody at present, "" when the probe can be trusted: that takes an answer to a probe that
    began after the last doubt. `log` takes a line for each change.
    """

    def __init__(self, settings, now, log):
        self.settings, self.log = settings, log
        self.backends = {}
        self.broken, self.doubted = "no backend has answered yet", now
        self.turned = now
        # The last answer of anybody, and when the youngest probe that was answered began.
        self.answered = self.witness = None

    def set_backends(self, names, now):
        """address -> name of those that are to be watched from now on. What is known of those that stay, stays."""
        self.backends = {address: self.backends.get(address) or Seen(name, now) for address, name in names.items()}
        for address, name in names.items():
            self.backends[address].name = name

    def marked(self):
        return {address: each for address, each in self.backends.items() if each.state == SILENT}

    def suspected(self):
        """Those that have failed and are not marked."""
        return {address for address, each in self.backends.items() if each.failures and each.state != SILENT}

    def to_try_again(self):
        """Those that must fail more often before they are marked, and whose next failure would say something."""
        return {address for address in self.suspected() if self.wants_another(self.backends[address])}

    def wants_another(self, each):
        return 0 < each.failures < self.settings.failures and self.witnessed(each)

    def tick(self, now):
        """Every second."""
        quiet, patience = now - (self.doubted if self.answered is None else self.answered), self.patience()
        if now - self.turned > STALL_SECONDS:
            self.doubt("the machine or the watchdog stood still for %d s" % (now - self.turned), now)
        elif not self.broken and quiet > patience:
            self.doubt("no backend has answered for %d s: either all are dead, or the prober's tor reaches nobody" % patience, now)
        self.turned = now
        if quiet > self.settings.valid and self.marked():
            self.log("no backend has answered for %d s: the %d marks are dropped, every backend is listed again" % (quiet, len(self.marked())))
            for each in self.marked().values():
                each.failures, each.first = 0, None
                each.becomes(UNKNOWN, now)

    def patience(self):
        """Seconds without any answer after which it is not the backends that are doubted."""
        return 2 * max(self.settings.every, self.settings.timeout)

    def doubt(self, why, now):
        """The probe is not to be trusted: what was held against unmarked backends is forgotten, and so is what is under way."""
        if why != self.broken:
            self.log("not judging: %s" % why)
        self.broken, self.doubted = why, now
        for address in self.suspected():
            self.backends[address].failures = 0

    def began(self, address, now):
        each = self.backends[address]
        # Where nobody is known to have been reached since its last failure, another one says nothing new.
        each.began, each.counts = now, not each.failures or self.witnessed(each)

    def probe_ok(self, address, now, seconds):
        each = self.backends.get(address)
        if each is None or each.began is None:
            return
        began, each.began = each.began, None
        if each.state == SILENT:
            self.log("%s: answers again after %d s, within %.1f s: not left out any more" % (each.name, now - each.first, seconds))
        each.probes, each.last, each.seconds, each.failures, each.why = each.probes + 1, now, seconds, 0, ""
        each.becomes(ANSWERS, now)
        self.answered, self.witness = now, max(began, self.witness or began)
        if self.broken and began >= self.doubted:
            self.log("judging: backends answer")
            self.broken = ""
        for one in self.backends.values():
            self.judge(one, now)

    def probe_failed(self, address, now, why):
        """Whether the backend should be probed again at once."""
        each = self.backends.get(address)
        if each is None or each.began is None:
            return False
        began, each.began, each.probes, each.why = each.began, None, each.probes + 1, why
        if each.state != SILENT:
            each.becomes(UNKNOWN, now)
        if self.broken or began < self.doubted:
            return False
        if each.state == SILENT:
            each.failures += 1
            return False
        if not each.counts:
            return self.wants_another(each)
        each.first, each.latest, each.failures = each.first if each.failures else began, began, each.failures + 1
        self.judge(each, now)
        return self.wants_another(each)

    def witnessed(self, each):
        """Whether somebody has answered to a probe that began after this one's last failing one did."""
        return self.witness is not None and self.witness >= each.latest

    def judge(self, each, now):
        if each.state == SILENT or self.broken or each.failures < self.settings.failures or not self.witnessed(each):
            return
        each.becomes(SILENT, now)
        self.log("%s: left out: %s" % (each.name, each.told_why(now)))

    def leave_out(self, now):
        """The marks for the list: address -> (name, why, when its silence began)."""
        return {address: (each.name, each.told_why(now), each.first) for address, each in self.marked().items()}
