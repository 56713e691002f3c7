"""
Where our layer touches Onionbalance (Debian's onionbalance, hs_v3) and stem. Everything that it relies on and that is not an interface is named here,
and looked at before anything starts: a version that nobody has read is refused, because half of a layer would publish half of a site.
"""
import base64
import hashlib
import inspect
import sys
import time
from publisher_settings import refuse

KNOWN = ("0.2.2", "0.2.4")
# Module, path to the function, its signature in every known version.
SIGNATURES = (
    ("onionbalance.hs_v3.service", "OnionbalanceService.__init__", "(self, service_config_data, config_path)"),
    ("onionbalance.hs_v3.service", "OnionbalanceService._get_identity_pubkey_bytes", "(self)"),
    ("onionbalance.hs_v3.instance", "InstanceV3.__init__", "(self, onion_address)"),
    ("onionbalance.hs_v3.instance", "InstanceV3.register_descriptor", "(self, descriptor_text, onion_address)"),
    ("onionbalance.hs_v3.descriptor", "OBDescriptor.__init__", "(self, onion_address, identity_priv_key, blinding_param, intro_points, is_first_desc)"),
    ("onionbalance.hs_v3.descriptor", "OBDescriptor._get_revision_counter", "(self, identity_priv_key, is_first_desc)"),
    ("onionbalance.hs_v3.descriptor", "ReceivedDescriptor.__init__", "(self, desc_text, onion_address)"),
    ("onionbalance.hs_v3.hashring", "get_srv_and_time_period", "(is_first_descriptor)"),
    ("onionbalance.hs_v3.hashring", "_get_hash_ring_for_descriptor", "(is_first_descriptor)"),
    ("onionbalance.hs_v3.hashring", "_get_hidden_service_index", "(blinded_pubkey, replica_num, is_first_descriptor)"),
    ("onionbalance.hs_v3.consensus", "Consensus.get_blinding_param", "(self, identity_pubkey, time_period_number)"),
    ("onionbalance.hs_v3.consensus", "Consensus.get_time_period_num", "(self, valid_after=None)"),
    ("onionbalance.hs_v3.consensus", "Consensus.refresh", "(self)"),
    ("onionbalance.hs_v3.onionbalance", "Onionbalance.handle_new_desc_event", "(self, desc_event)"),
    ("onionbalance.hs_v3.onionbalance", "Onionbalance.handle_new_status_event", "(self, status_event)"),
    ("onionbalance.hs_v3.onionbalance", "Onionbalance.handle_new_desc_content_event", "(self, desc_content_event)"),
    ("onionbalance.hs_v3.onionbalance", "Onionbalance.load_config_file", "(self)"),
    ("onionbalance.hs_v3.manager", "init_scheduler", "(my_onionbalance)"),
    ("onionbalance.common.scheduler", "run_forever", "(check_interval=1)"),
    ("onionbalance.common.descriptor", "upload_descriptor", "(controller, signed_descriptor, hsdirs=None, v3_onion_address=None)"),
    ("stem.descriptor.hidden_service", "_encrypt_layer", "(plaintext, constant, revision_counter, subcredential, blinded_key)"),
    ("stem.descriptor.hidden_service", "_blinded_pubkey", "(identity_key, blinding_nonce)"),
    ("stem.descriptor.hidden_service", "OuterLayer._encrypt", "(self, revision_counter, subcredential, blinded_key)"),
)
# rend-spec-v3, 2.5.1.1: the plaintext of the outer layer is padded to a multiple of this.
PADDED_TO = 10_000


def found_at(module, path):
    __import__(module)
    found = sys.modules[module]
    for name in path.split("."):
        found = getattr(found, name)
    return found


def mismatches():
    """What of this Onionbalance is not as in the known versions, in words."""
    wrong = []
    for module, path, signature in SIGNATURES:
        try:
            its = str(inspect.signature(found_at(module, path)))
            found = "" if its == signature else "%s.%s is %s and not %s" % (module, path, its, signature)
        except ImportError as error:
            found = str(error)  # "No module named ...", the same for all that need it
        except AttributeError:
            found = "there is no %s.%s" % (module, path)
        if found and found not in wrong:
            wrong.append(found)
    return wrong


def must_be_known():
    """Ends the program when this Onionbalance is not one whose every touched function was read. Returns its version."""
    try:
        import onionbalance
    except ImportError as error:
        refuse("There is no Onionbalance on this host (%s); not started. Next: install Debian's own onionbalance." % error)
    version = getattr(onionbalance, "__version__", "of no version")
    why = "" if version in KNOWN else "the version is unknown"
    why = why or "; ".join(mismatches())
    if why:
        refuse("Onionbalance %s on this host cannot be used: %s; not started. Known: %s. Next: install Debian's own onionbalance in one of these versions." % (version, why, ", ".join(KNOWN)))
    return version


def install(publisher):
    """Puts our layer in place. Onionbalance goes on to read its config, keys and consensus, to keep its instances and to make and sign descriptors."""
    import stem.descriptor.hidden_service as hidden_service
    from onionbalance.common import scheduler
    from onionbalance.hs_v3 import descriptor, instance, manager, onionbalance

    hidden_service.OuterLayer._encrypt = padded_encrypt(hidden_service._encrypt_layer)
    stamp_received(descriptor.ReceivedDescriptor, lambda: publisher.timers["tooOld"])
    keep_newest(instance.InstanceV3)
    manager.init_scheduler = lambda _: None
    scheduler.run_forever = publisher.run
    ours = onionbalance.Onionbalance
    stock_event, stock_content = ours.handle_new_desc_event, ours.handle_new_desc_content_event

    def heard(self, event):
        with publisher.lock:
            publisher.heard(event)
        stock_event(self, event)

    def received(self, event):
        with publisher.lock:
            stock_content(self, event)

    def status(_, event):
        if event.action == "CONSENSUS_ARRIVED":
            publisher.new_consensus()

    ours.handle_new_desc_event, ours.handle_new_desc_content_event, ours.handle_new_status_event = heard, received, status


def padded_encrypt(encrypt_layer):
    """stem pads by the length modulo 10,000: other services' descriptors have other lengths, and some of Onionbalance's are larger than directories take."""

    def encrypt(self, revision_counter, subcredential, blinded_key):
        content = self.get_bytes()
        content += b"\0" * (-len(content) % PADDED_TO)
        return encrypt_layer(content, b"hsdir-superencrypted-data", revision_counter, subcredential, blinded_key)

    return encrypt


def stamp_received(received, too_old):
    """A descriptor's age by a clock that does not jump: Onionbalance would take every backend for dead."""
    made = received.__init__

    def init(self, desc_text, onion_address):
        made(self, desc_text, onion_address)
        self.came = time.monotonic()

    received.__init__ = init
    received.is_old = lambda self: time.monotonic() - self.came > too_old()


def keep_newest(instance):
    """A directory may still have an older descriptor of a backend: as tor does, the one with the higher counter of the same period stays."""
    registered = instance.register_descriptor

    def register(self, descriptor_text, onion_address):
        before, modified = self.descriptor, self.intro_set_modified_timestamp
        registered(self, descriptor_text, onion_address)
        now = self.descriptor
        if before is not None and now is not before and now.get_blinded_key() == before.get_blinded_key() and counter(now) < counter(before):
            before.came = now.came  # its backend has been heard of all the same
            self.descriptor, self.intro_set_modified_timestamp = before, modified

    instance.register_descriptor = register


def counter(received):
    return received.v3_desc.revision_counter


def make_descriptor(service, blinding, points, is_first, revision):
    """One of Onionbalance's own descriptors, with the counter of its round: a client drops a lower one than it has, whichever directory it asks."""
    from onionbalance.hs_v3 import descriptor

    class RoundDescriptor(descriptor.OBDescriptor):
        def _get_revision_counter(self, identity_priv_key, is_first_desc):
            return revision

    return RoundDescriptor(service.onion_address, service.identity_priv_key, blinding, points, is_first)


def revision_of(service, seconds):
    """
    The counter of a descriptor so many seconds after the start of its period's shared random value, as OBDescriptor._get_revision_counter has it
    (rend-spec-v3, F.2), in one piece instead of word by word: other balancers with the same key count the same.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    raw = serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    key = hashlib.sha3_256(b"rev-counter-generation" + service.identity_priv_key.private_bytes(*raw)).digest()
    stream = Cipher(algorithms.AES(key), modes.CTR(b"\0" * 16)).encryptor().update(bytes(2 * seconds))
    return sum_of_words(stream)


def sum_of_words(stream):
    """Each two bytes, the lower one first, and one for each."""
    return sum(stream[0::2]) + 256 * sum(stream[1::2]) + len(stream) // 2


def unpadded(key):
    """base64 as control events have a blinded key."""
    return base64.b64encode(key).decode().rstrip("=")
