"""Debian packages, and nothing started by them: a tor that starts by itself dials the public network."""
import os
import re
import time
from report import Failure, last_lines, run, said
from masks import mask

# What the distribution would start on install. Masked before it exists, so that it never runs, not even once.
AUTOSTART = {
    "tor": ["tor.service", "tor@default.service"],
    "nginx": ["nginx.service"],
    "onionbalance": ["onionbalance.service"],
}
APT = ["apt-get", "-q", "-y", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20"]
# apt's own DPkg::Lock::Timeout knows dpkg's lock alone, not those of the lists and the archives: apt-daily holds them for minutes.
LOCKED = re.compile(r"Could not get lock|Unable to lock|was locked by another process")
HOLDER = re.compile(r"held by process (\d+ \([^)]*\))|another process with pid (\d+)")
PATIENCE = 300
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l", "APT_LISTCHANGES_FRONTEND": "none"}


def parse_installed(text):
    """Package names that dpkg-query calls installed, from lines of "ii name"."""
    return {words[1].split(":")[0] for words in (line.split() for line in text.splitlines()) if len(words) == 2 and words[0] == "ii"}


def missing(packages):
    shown = run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n", *packages], check=False).text
    return [name for name in packages if name not in parse_installed(shown)]


def units_to_mask(packages, there=lambda _: False):
    """The distribution's units that installing these packages would start. One that is there and whose package stays as it is was started, or not, by somebody else."""
    families = {family for name in packages for family in AUTOSTART if name == family or name.startswith(family + "-") or name.startswith("lib%s-mod" % family)}
    return [unit for family in sorted(families) for unit in AUTOSTART[family] if family in packages or not there(unit)]


def when_free(report, argv, timeout, pause=3):
    """Runs a package tool; as long as another one has its lock, again and again."""
    end, told = time.monotonic() + PATIENCE, False
    while True:
        done = run(argv, timeout=timeout, check=False, env=QUIET)
        if done.returncode == 0 or not LOCKED.search(done.text):
            return done
        found = HOLDER.search(done.text)
        holder = "another package tool" + (", process %s," % (found.group(1) or found.group(2)) if found else "")
        if time.monotonic() > end:
            raise Failure(
                "%s still holds apt's lock after %d s. Next: wait until it ends (apt-daily and unattended-upgrades end by themselves), "
                "or end it, then run `pulumi up` again." % (holder, PATIENCE)
            )
        if not told:
            report.say("waiting for %s to let go of apt's lock" % holder.rstrip(","))
            told = True
        time.sleep(pause)


def apt(report, argv, why, timeout):
    done = when_free(report, [*APT, *argv], timeout)
    if done.returncode != 0:
        errors = [line for line in last_lines(done.text, 60) if line.startswith(("E:", "W:", "Err:"))] or last_lines(done.text, 8)
        raise Failure("%s apt-get said:\n%s" % (why, "\n".join("    | " + line for line in errors[-8:])))


def install(report, packages):
    """Installs what is missing and only that. Everything is downloaded before anything is changed."""
    absent = missing(packages) if packages else []
    if not absent:
        return
    # An install that was cut in the middle is finished first, or apt refuses everything. What it has not finished counts as missing.
    if run(["dpkg", "--audit"], check=False).text.strip():
        report.say("finishing an interrupted package installation")
        done = when_free(report, ["dpkg", "--force-confold", "--configure", "-a"], 600)
        if done.returncode != 0:
            raise Failure("an interrupted package installation cannot be finished. Next: mend it on the host (dpkg --configure -a), then run `pulumi up` again. %s" % said(done.text))
        absent = missing(packages)
        if not absent:
            return
    start = report.seconds()
    names = ", ".join(absent)
    report.say("installing %s" % names)
    down = "cannot install %s: the package mirror does not answer as it should. Nothing was changed. Next: see to the host's apt sources and network, then run `pulumi up` again." % names
    apt(report, ["-o", "APT::Update::Error-Mode=any", "update"], down, 300)
    apt(report, ["--no-install-recommends", "--download-only", "install", *absent], down, 900)
    mask(units_to_mask(absent, lambda unit: os.path.exists("/lib/systemd/system/" + unit)))
    apt(
        report,
        ["--no-install-recommends", "--no-download", "-o", "Dpkg::Options::=--force-confold", "install", *absent],
        "installing %s failed on the way. Next: mend what it names on the host, then run `pulumi up` again." % names,
        900,
    )
    report.say("installed %s (%.1f s)" % (names, report.seconds() - start))
