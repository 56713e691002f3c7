"""Debian packages, and nothing started by them: a tor that starts by itself dials the public network."""
import os
from report import Failure, last_lines, run

# What the distribution would start on install. Masked before it exists, so that it never runs, not even once.
AUTOSTART = {
    "tor": ["tor.service", "tor@default.service"],
    "nginx": ["nginx.service"],
    "onionbalance": ["onionbalance.service"],
}
APT = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20"]
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l", "APT_LISTCHANGES_FRONTEND": "none"}


def parse_installed(text):
    """Package names that dpkg-query calls installed, from lines of "ii name"."""
    return {words[1].split(":")[0] for words in (line.split() for line in text.splitlines()) if len(words) == 2 and words[0] == "ii"}


def missing(packages):
    shown = run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n", *packages], check=False).text
    return [name for name in packages if name not in parse_installed(shown)]


def units_to_mask(packages):
    """The distribution's units that installing these packages would start."""
    families = {family for name in packages for family in AUTOSTART if name == family or name.startswith(family + "-") or name.startswith("lib%s-mod" % family)}
    return [unit for family in sorted(families) for unit in AUTOSTART[family]]


def apt(argv, why, timeout):
    done = run([*APT, *argv], timeout=timeout, check=False, env=QUIET)
    if done.returncode != 0:
        errors = [line for line in last_lines(done.text, 60) if line.startswith(("E:", "W:", "Err:"))] or last_lines(done.text, 8)
        raise Failure("%s apt-get said:\n%s" % (why, "\n".join("    | " + line for line in errors[-8:])))


def install(report, packages):
    """Installs what is missing and only that. Everything is downloaded before anything is changed."""
    if not packages:
        return
    # An install that was cut in the middle is finished first, or apt refuses everything.
    if run(["dpkg", "--audit"], check=False).text.strip():
        report.say("finishing an interrupted package installation")
        run(["dpkg", "--force-confold", "--configure", "-a"], timeout=600, env=QUIET)
    absent = missing(packages)
    if not absent:
        return
    start = report.seconds()
    names = ", ".join(absent)
    report.say("installing %s" % names)
    down = "cannot install %s: the package mirror does not answer as it should. Nothing was changed. Next: see to the host's apt sources and network, then run `pulumi up` again." % names
    apt(["-o", "APT::Update::Error-Mode=any", "update"], down, 300)
    apt(["--no-install-recommends", "--download-only", "install", *absent], down, 900)
    units = [unit for unit in units_to_mask(absent) if not os.path.exists("/lib/systemd/system/" + unit)]
    if units:
        run(["systemctl", "mask", *units])
    apt(
        ["--no-install-recommends", "--no-download", "-o", "Dpkg::Options::=--force-confold", "install", *absent],
        "installing %s failed on the way. Next: mend what it names on the host, then run `pulumi up` again." % names,
        900,
    )
    report.say("installed %s (%.1f s)" % (names, report.seconds() - start))
