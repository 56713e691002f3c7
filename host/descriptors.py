"""Descriptors as the network has them: fetched through the balancer's tor, decrypted with stem (rend-spec-v3, 2.5)."""
import time

ROUNDS = 3  # of the six directories that have a descriptor, how many are asked for it before it counts as not there


def bare(address):
    """An onion address without its .onion."""
    return address[: -len(".onion")] if address.endswith(".onion") else address


def parse_event(lines):
    """
    What an HS_DESC or HS_DESC_CONTENT event says (control-spec 4.1.25 and 4.1.28): (address, descriptor text or None, reason or None,
    directory's fingerprint). None for every other event.
    """
    head, _, body = lines[0].partition("\n")
    words = head.split()
    if words[:1] == ["HS_DESC_CONTENT"] and len(words) >= 4 and len(body) > 10:  # directories answer an empty content for "not found"
        return words[1], body, None, named(words[3])
    if words[:2] == ["HS_DESC", "FAILED"] and len(words) >= 3:
        reason = next((word[len("REASON="):] for word in words if word.startswith("REASON=")), "FAILED")
        return words[2], None, reason, named(words[4] if len(words) > 4 else "")
    return None


def named(directory):
    """The fingerprint of `$FINGERPRINT~nickname`."""
    return directory.lstrip("$").partition("~")[0].partition("=")[0]


def fetch_from(control, wanted, seconds):
    """
    Asks for descriptors, each (address, fingerprint of the directory that is asked, or None for any of them): that -> (text, None) or (None, why).
    Tor's own cache is never the answer: HSFETCH always asks, and a NEWNYM before lets it ask a directory that it asked lately.
    """
    control.command("SETEVENTS HS_DESC HS_DESC_CONTENT")
    control.events.clear()
    control.command("SIGNAL NEWNYM")
    return asked_for(control, wanted, seconds)


def asked_for(control, wanted, seconds):
    """As `fetch_from`, by a tor that tells of descriptors already, and asks nobody a second time whom it has asked lately."""
    found, keys = {}, set(wanted)
    for address, directory in wanted:
        code, lines = control.command("HSFETCH " + address + (" SERVER=" + directory if directory else ""))
        if code != 250:
            found[address, directory] = (None, " ".join(lines))
    end = time.monotonic() + seconds
    while len(found) < len(keys):
        event = control.event(max(end - time.monotonic(), 0))
        if event is None:
            break
        told = parse_event(event)
        if told is None:
            continue
        address, text, reason, directory = told
        key = next((each for each in ((address, directory), (address, None)) if each in keys), None)
        if key is not None and text is not None:
            found[key] = (text, None)
        elif key is not None:
            found.setdefault(key, (None, reason))
    return {key: found.get(key, (None, "no directory answered in %d s" % seconds)) for key in wanted}


def fetch(control, addresses, seconds):
    """Asks one directory for each descriptor: address -> (text, None) or (None, why)."""
    return {address: its for (address, _), its in fetch_from(control, [(each, None) for each in addresses], seconds).items()}


def fetch_patiently(control, addresses, seconds):
    """As `fetch`, and who was not found is asked for again: each time another directory answers, and one of them may not have it."""
    found, end = {}, time.monotonic() + seconds
    for _ in range(ROUNDS):
        waiting = [each for each in addresses if found.get(each, (None, None))[0] is None]
        left = end - time.monotonic()
        if not waiting or left <= 0:
            break
        found.update(fetch(control, waiting, left))
    return found


def introduction_points(text, address):
    """The introduction points' authentication keys of a descriptor, as hex. ValueError when it cannot be read."""
    from stem.descriptor.hidden_service import HiddenServiceDescriptorV3

    inner = HiddenServiceDescriptorV3.from_str(text).decrypt(address)
    return {point.auth_key_cert.key.hex() for point in inner.introduction_points}
