"""Puts softmap's modules on this machine, where its steps look for them by the hash of what is in them."""
import hashlib
import os
import zlib
from report import Failure
from files import make_dir, read, remove, write

PROGRAMS = "/var/lib/softmap/programs"
MOST_PACKS = 3  # a machine that leaves during an upgrade, or an `up` that failed in the middle, asks for the one of before


def store_main(report, payload, folder=PROGRAMS):
    raw = payload["pack"]
    name = hashlib.sha256(zlib.decompress(raw)).hexdigest()[:16]
    make_dir(folder, mode=0o700)
    path = os.path.join(folder, name)
    if read(path) != raw:
        write(path, raw, mode=0o600)
        if read(path) != raw:
            raise Failure("%s is not what was written. Next: see to the host's disk, then run `pulumi up` again." % path)
    os.utime(path)  # the newest one is the one in use
    for old in sorted((os.path.join(folder, each) for each in os.listdir(folder)), key=os.path.getmtime, reverse=True)[MOST_PACKS:]:
        remove(old)
