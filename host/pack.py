"""How a step finds its code: in the pack of softmap's modules that was put on this machine before. The state has a step's payload alone."""
import base64
import json
import sys
import zlib


def unpacked(text, sample=""):
    """A payload as it travels: JSON, deflated with what such payloads are like, base64."""
    return json.loads(zlib.decompressobj(zdict=sample.encode()).decompress(base64.b64decode(text)))


def with_texts(payload, pack):
    """The payload with the text of each file that it only names: what is the same on every machine comes with the pack."""
    for each in payload.get("files") or []:
        name = each.pop("packed", None)
        if name is not None:
            each["text"] = "".join(part["text"] if "text" in part else pack["modules"][part["module"]] for part in pack["files"][name])
    return payload


def run_step(pack, step, payload):
    """One step of the pack, in a namespace of its own. Ends the process when the step fails."""
    code = "\n\n".join(pack["modules"][name] for name in pack["steps"][step])
    here = {"__name__": "softmap"}
    exec(compile(code, "<softmap>", "exec"), here)
    here["guarded"](step, payload["host"], lambda report: here[step + "_main"](report, with_texts(payload, pack)))


def arrive(pack, raw, text):
    """What brings the pack: the machine is looked at first, unless only the pack is wanted (the word `put`), and changed by nobody when it cannot be used."""
    payload = unpacked(text)
    if "put" not in sys.argv[1:]:
        run_step(pack, "preflight", payload)
    run_step(pack, "store", {"host": payload["host"], "pack": raw})
