"""Payloads that Temporal stores encrypted."""

import json

from .servers import check, payloads, text, until


def payloads_are_encrypted_and_keys_change(stack):
    plain, secret = "anybody may read this", "nobody is to read this"  # several times, as a page of the database may end in one
    stack.start("readable", {"preset": "quikstart", "note": 5 * plain})
    keys = stack.folder / "keys"
    stack.pacer("codec", "--new-key", str(keys))
    stack.up_with(PACER_PAYLOAD_KEYS=str(keys))
    codec = ("--codec-endpoint", stack.url("codec"))
    stack.start("unreadable", {"preset": "quickstart", "overrides": {"train.steps": 200}, "note": 5 * secret}, *codec)
    until("it has trained some steps", lambda: stack.step("unreadable", *codec) > 0)
    stack.pacer("codec", "--new-key", str(keys))
    old, new = keys.read_text().splitlines()
    keys.write_text(f"{new}\n{old}\n")
    stack.up_with()
    until("the run came to its end", lambda: stack.status("unreadable") == "COMPLETED")

    history = stack.temporal("workflow", "show", "-w", "unreadable")
    told = json.dumps([history, stack.temporal("workflow", "describe", "-w", "unreadable")])
    found = list(payloads(json.loads(told)))
    check(secret not in told + "".join(text(p.get("data", "")) for p in found), "Temporal: the history holds no plain text of the input")
    ids = [text(p["metadata"]["encryption-key-id"]) for p in payloads(history) if "encryption-key-id" in p["metadata"]]
    check((ids[0], ids[-1]) == (old.split()[0], new.split()[0]), "a run begun with one key ends with the next one")
    stored = b"".join(f.read_bytes() for f in (stack.folder / "stack").rglob("temporal.db*"))
    check(plain.encode() in stored and secret.encode() not in stored, "Temporal: its database neither, where another run's can be read")

    settings = stack.get("temporal-ui", "/api/v1/settings")
    check(settings["Codec"]["Endpoint"] == stack.url("codec"), "Temporal's UI is told of the codec")
    page = stack.get("temporal-ui", "/api/v1/namespaces/default/workflows/unreadable/history")
    asked = [p for p in payloads(page) if "encryption-key-id" in p["metadata"]]
    answer = stack.post("codec", "/decode", {"payloads": asked}, Origin=stack.url("temporal-ui"))
    check(secret in "".join(text(p["data"]) for p in answer["payloads"]), "the codec decodes for it what either key has encrypted")
