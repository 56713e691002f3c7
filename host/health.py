"""What makes a service healthy, and how long we wait for it."""
import re
import socket
import time
from report import Failure, run
from control import Control, ControlError, bootstrap_state
from told import parse_shown

STEADY_SECONDS = 3.0  # a service that only has to be active must stay so for this long: exits come early

SHOWN_STATE = "Id,ActiveState,SubState,Result,MainPID,NRestarts,InvocationID,ExecMainStatus,ControlGroup"

MOST_RESTARTS = 4  # of one start, by systemd itself, while we wait for the unit to become healthy


def states_of(units):
    """Units as systemd sees them, unit -> its properties: one question for all, because a machine that starts thirty units asks often."""
    shown = parse_shown(run(["systemctl", "show", "-p", SHOWN_STATE, *units], check=False).text) if units else {}
    return {unit: shown.get(unit, {}) for unit in units}


def unit_state(unit):
    return states_of([unit])[unit]


def runs(state):
    return state.get("ActiveState") in ("active", "reloading")


def running_of(units):
    """Those of the units that run."""
    return {unit for unit, state in states_of(units).items() if runs(state)}


def is_running(unit):
    return unit in running_of([unit])


def answer_of(path, timeout=3.0):
    """What nginx answers on its health socket: the body, or "" when nothing does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link_:
        link_.settimeout(timeout)
        try:
            link_.connect(path)
            link_.sendall(b"GET / HTTP/1.0\r\nHost: health\r\n\r\n")
            got = b""
            while len(got) < 65536:
                more = link_.recv(4096)
                if not more:
                    break
                got += more
        except OSError:
            return ""
    return got.partition(b"\r\n\r\n")[2].decode("utf-8", "replace").strip()


class Watch:
    """The wait for one service. Made before the service is touched, asked until it is content or the time is over."""

    def __init__(self, service, marker, action=None):
        self.unit, self.health = service["unit"], service["health"]
        self.marker, self.action = marker, action
        self.control, self.steady, self.uploaded = None, None, False
        self.why, self.hopeless = "not asked yet", False

    def ask(self, state):
        """True when healthy, by the unit's state now. `why` says what is missing otherwise; `hopeless`: systemd gave it up, or starts it again and again."""
        self.hopeless = state.get("ActiveState") == "failed" or int(state.get("NRestarts") or 0) >= MOST_RESTARTS
        if not runs(state):
            self.why = "systemd says %s/%s (%s)" % (state.get("ActiveState"), state.get("SubState"), state.get("Result"))
            self.close()
            return False
        return getattr(self, "ask_" + self.health["kind"])(state)

    def ask_active(self, state):
        # The same process, not a restarted one.
        now = (state.get("InvocationID"), state.get("MainPID"), state.get("NRestarts"))
        if self.steady is None or self.steady[0] != now:
            self.steady = (now, time.monotonic())
        lasted = time.monotonic() - self.steady[1]
        self.why = "active for %.0f s only" % lasted
        # A timer, or a unit that has done its work at its start, has no process that could end.
        return lasted >= (STEADY_SECONDS if self.action and state.get("MainPID", "0") != "0" else 0)

    def ask_nginx(self, _state):
        answer = answer_of(self.health["socket"])
        self.why = "its health socket answers %r instead of release %s: nginx still runs its old configuration" % (answer[:40], self.marker)
        if not answer:
            self.why = "nothing answers on %s" % self.health["socket"]
        return answer == self.marker

    def ask_tor(self, _state):
        try:
            if self.control is None:
                self.control = Control(self.health["control"])
                # Before the first circuit is built, so that no upload is missed.
                self.control.command("SETEVENTS HS_DESC")
            percent, summary = bootstrap_state(self.control.info("status/bootstrap-phase"))
            self.why = "tor is at %d %% (%s)" % (percent, summary)
            if percent < 100:
                return False
            # A reload keeps the introduction points, so nothing is uploaded.
            if self.action not in ("start", "restart") or not self.health.get("uploads"):
                return True
            while not self.uploaded:
                event = self.control.event(0.1)
                if event is None:
                    self.why = "tor runs, but has not uploaded the service's descriptor yet"
                    return False
                self.uploaded = event[0].startswith("HS_DESC UPLOADED ")
            return True
        except ControlError as error:
            self.why = str(error)
            self.close()
            return False

    def close(self):
        if self.control is not None:
            self.control.close()
            self.control = None


# What systemd says of its own restarts: twenty such lines would hide the one that counts.
CHATTER = re.compile(r"(Scheduled restart job|Stopped |Stopping |Starting |Started |Reloading |Reloaded |Failed to start |\S+: Failed with result|\S+: Deactivated|\S+: Consumed )")


def journal(unit, lines=20):
    """The unit's own last lines."""
    text = run(["journalctl", "-u", unit, "-n", str(lines * 4), "--no-pager", "-o", "cat"], check=False).text
    own = [line for line in text.splitlines() if not CHATTER.match(line.removeprefix(unit + ": ").strip()) and not CHATTER.match(line)]
    return "\n".join((own or text.splitlines())[-lines:])


def wait_healthy(report, watches, seconds):
    """Waits until all are healthy. A Failure names the first that is not, after its unit's own last lines were shown."""
    end, told, pause = time.monotonic() + seconds, time.monotonic(), 0.05
    waiting = list(watches)
    try:
        while waiting:
            states = states_of([watch.unit for watch in waiting])
            waiting = [watch for watch in waiting if not watch.ask(states[watch.unit])]
            if not waiting:
                return
            gone = next((watch for watch in waiting if watch.hopeless), None)
            if gone or time.monotonic() > end:
                watch = gone or waiting[0]
                report.say("%s is not healthy: %s. Its last lines:" % (watch.unit, watch.why))
                report.quote(journal(watch.unit))
                raise Failure("%s is not healthy%s: %s." % (watch.unit, "" if gone else " after %d s" % seconds, watch.why))
            if time.monotonic() - told > 5:
                told = time.monotonic()
                report.say("waiting for " + "; ".join("%s (%s)" % (watch.unit, watch.why) for watch in waiting[:4]))
            time.sleep(pause)
            pause = min(pause * 1.5, 0.4)  # a reload takes tenths of a second, a tor's start many
    finally:
        for watch in watches:
            watch.close()
