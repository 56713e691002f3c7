"""Descriptors on their way to their directories: which directory has said that it stored its own. Onionbalance never learns it."""
import time

# A directory that hangs is reported by tor after minutes only.
PATIENCE_SECONDS = 60.0
# After a failure, before the next try of the same descriptor.
AGAIN_SECONDS = (5.0, 20.0, 60.0)


class Upload:
    """One directory's descriptor. `state`: pending, stored, refused (the directory has one that is not older) or failed (all tries)."""

    def __init__(self, address, fingerprint, blinded, text):
        self.address, self.fingerprint, self.blinded, self.text, self.bytes = address, fingerprint, blinded, text, len(text)
        self.state, self.reason, self.tries, self.seconds = "pending", "", 0, None
        self.sent = self.due = None

    def settle(self, state, now, reason=""):
        self.state, self.reason, self.due, self.text = state, reason, None, None  # it is not sent again
        self.seconds = None if self.sent is None else now - self.sent


class Uploads:
    """All uploads that somebody waits for. `post(address, fingerprint, text)` hands one to tor."""

    def __init__(self, post, clock=time.monotonic):
        self.post, self.clock, self.waiting = post, clock, []

    def send(self, uploads):
        """Replaces what is under way to the same service's directories under the same blinded key: nobody needs the older one any more."""
        known = {(each.address, each.blinded) for each in uploads}
        self.waiting = [each for each in self.waiting if (each.address, each.blinded) not in known]
        for upload in uploads:
            self.waiting.append(upload)
            self.attempt(upload)

    def attempt(self, upload):
        upload.sent, upload.due, upload.tries = self.clock(), None, upload.tries + 1
        why = self.post(upload.address, upload.fingerprint, upload.text)
        if why:
            self.fail(upload, why)

    def fail(self, upload, why):
        if upload.tries > len(AGAIN_SECONDS):
            upload.settle("failed", self.clock(), why)
            self.waiting.remove(upload)
        else:
            upload.reason, upload.sent = why, None
            upload.due = self.clock() + AGAIN_SECONDS[upload.tries - 1]

    def heard(self, action, address, fingerprint, blinded=None, reason=""):
        """
        An HS_DESC event (control-spec, 4.1.25). UPLOADED names the service and the directory, not the descriptor: where two of one service are under
        way to one directory the older one is meant. FAILED names the blinded key too.
        """
        mine = [each for each in self.waiting if each.sent is not None and (each.address, each.fingerprint) == (address, fingerprint)]
        if action == "FAILED" and blinded is not None:
            mine = [each for each in mine if each.blinded == blinded] or mine
        if not mine:
            return
        upload = min(mine, key=lambda each: each.sent)
        if action == "UPLOADED":
            upload.settle("stored", self.clock())
            self.waiting.remove(upload)
        elif reason == "UPLOAD_REJECTED":
            # Its revision counter is not above the one that the directory has: the same again would be refused again.
            upload.settle("refused", self.clock(), "the directory has a descriptor that is not older")
            self.waiting.remove(upload)
        else:
            self.fail(upload, "tor says %s" % (reason or "FAILED"))

    def tend(self):
        """What is due again is sent again; a directory that says nothing counts as failed."""
        now = self.clock()
        for upload in list(self.waiting):
            if upload.sent is not None and now - upload.sent > PATIENCE_SECONDS:
                self.fail(upload, "no answer in %d s" % PATIENCE_SECONDS)
            elif upload.due is not None and now >= upload.due:
                self.attempt(upload)
