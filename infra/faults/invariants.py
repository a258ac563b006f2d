"""The five invariants of the matrix, checked on what lies on disks and in servers after a case."""

import hashlib
import json
import re
import urllib.parse

import processes
import stack as stacks

TEMPORARY = re.compile(r"(\..+\.[0-9a-f-]{36}\.tmp|.+\.part|\..+\.partial)")


class Break(Exception):
    """An invariant, or a promise, that does not hold."""


def require(holds, what):
    if not holds:
        raise Break(what)


def events(run):
    """Events in the order of the file; an unfinished last line is none."""
    found = []
    file = run / "events.jsonl"
    if not file.exists():
        return found
    for line in file.read_bytes().split(b"\n")[:-1]:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue  # as pacer passes over it
    return found


def first(found, kind):
    """By step, the first event of a kind: that one counts."""
    by_step = {}
    for event in found:
        if event["event"] == kind:
            by_step.setdefault(event["step"], event)
    return by_step


def losses(run):
    """Losses of steps and validations, and steps without update; Python reads and compares the numbers' bits."""
    found = events(run)
    return {
        kind: {step: _decision(event) for step, event in first(found, kind).items()}
        for kind in ("step", "validated", "skipped")
    }


def _decision(event):
    """A step that was taken without update is known by what was seen and by why; a number that is none is written as a word."""
    return event["loss"] if event["event"] != "skipped" else (event["loss"], event["gradientNorm"], event["reason"])


def i1_losses(run, reference, whole=True):
    for kind, expected in reference.items():
        seen = losses(run)[kind]
        for step, loss in seen.items():
            require(loss == expected.get(step), f"I1: {kind} {step} has loss {loss!r}, not {expected.get(step)!r}")
        require(not whole or seen.keys() == expected.keys(), f"I1: {kind}: steps are missing")
    # a step that was taken again has the same loss, too
    for event in events(run):
        if event["event"] in ("step", "skipped"):
            step, kind = event["step"], event["event"]
            require(_decision(event) == reference[kind].get(step), f"I1: step {step} taken again differs")


def digest(file):
    with open(file, "rb") as bytes:
        return hashlib.file_digest(bytes, "sha256").hexdigest()


def i2_manifests(folder, bucket, damaged=()):
    """Every file that a manifest names, here and in the store, has the bytes that the manifest says.

    damaged: inodes of files that a case has damaged after they were verified. A dataset's own copy is proven, and mended, when
    a dataset is asked for the next time, so such a file may lie there; nowhere else.
    """
    checked = 0
    for manifest in list(folder.glob("cache/*/*/manifest.json")) + list(
        folder.glob("runs/*/checkpoints/step-*/manifest.json")
    ):
        if ".damaged" in str(manifest):
            continue
        unproven = damaged if manifest.parent.parent.name == "datasets" else ()
        checked += _files(manifest, manifest.parent, unproven=unproven)
    for manifest in bucket.glob("datasets/*.json"):
        checked += _files(manifest, bucket / "shards", by_digest=True)
    for manifest in bucket.glob("checkpoints/*/*/manifest.json"):
        checked += _files(manifest, manifest.parent)
    return checked


def _files(manifest, folder, by_digest=False, unproven=()):
    named = json.loads(manifest.read_text())
    files = named.get("shards") or named.get("files")
    require(files, f"I2: {manifest} names no files")
    for file in files:
        path = folder / (file["sha256"] + ".bin" if by_digest else file["name"])
        require(path.exists(), f"I2: {manifest} names {path.name}, which is not there")
        if path.stat().st_ino in unproven:
            continue
        require(path.stat().st_size == file["bytes"], f"I2: {path} has another size than {manifest} says")
        require(digest(path) == file["sha256"], f"I2: {path} has other bytes than {manifest} says")
    return len(files)


def attempts(run):
    file = run / "attempts.json"
    return json.loads(file.read_text())["attempts"] if file.exists() else []


def i3_one_writer(run):
    epochs = [attempt["epoch"] for attempt in attempts(run)]
    require(all(a < b for a, b in zip(epochs, epochs[1:])), f"I3: epochs {epochs} do not increase")
    # from each start on, steps follow one another: what an earlier writer added later would break the row
    expected = None
    for event in events(run):
        if event["event"] == "started":
            expected = event["step"] + 1
        elif event["event"] in ("step", "skipped"):
            require(event["step"] == expected, f"I3: step {event['step']} follows where {expected} should")
            expected += 1


def i4_nothing_left(folder, stack, alive=()):
    """No process of an attempt, no temporary file, no open upload. alive: processes that may live, (pid, start)."""
    for run in folder.glob("runs/*"):
        for attempt in attempts(run):
            for process in attempt["processes"]:
                identity = (process["pid"], process["start"])
                require(
                    identity in alive or not processes.lives(identity),
                    f"I4: trainer {identity[0]} of epoch {attempt['epoch']} still lives",
                )
    for file in folder.rglob("*"):
        require(not TEMPORARY.fullmatch(file.name), f"I4: {file} is left over")
    require(not stack.multipart(), f"I4: open multipart uploads: {stack.multipart()[:3]}")


VALUES = {
    "train/loss": ("step", "loss"),
    "train/gradient_norm": ("step", "gradientNorm"),
    "train/learning_rate": ("step", "learningRate"),
    "validation/loss": ("validated", "loss"),
}


def i5_series(run, port, lost=None):
    """MLflow has each point once, with the value and the time of the event that counts.

    lost: the run's folder on a host that is gone. What that one told after the last checkpoint in the store is told again; which of the
    two counts depends on whether it had come to MLflow.
    """
    cursor = json.loads((run / "tracking.json").read_text())
    found = events(run)
    gone = events(lost) if lost else []
    count = 0
    for key, (kind, field) in VALUES.items():
        query = urllib.parse.urlencode({"run_id": cursor["run"], "metric_key": key, "max_results": 20000})
        history = stacks.call(port, "/api/2.0/mlflow/metrics/get-history?" + query).get("metrics", [])
        sent = [(int(point.get("step", 0)), point["value"], int(point["timestamp"])) for point in history]
        here, there = _points(found, kind, field), _points(gone, kind, field)
        expected = [there[step] if there.get(step) in sent else here[step] for step in sorted(here)]
        steps = [step for step, _, _ in sent]
        require(len(steps) == len(set(steps)), f"I5: {key} has a step twice in MLflow")
        require(sorted(sent) == expected, f"I5: {key} in MLflow is not what events.jsonl says" + _differ(sent, expected))
        count += len(sent)
    # the same run twice would be a duplicate as well
    return count


def _points(found, kind, field):
    """By step, what MLflow is to have of it."""
    return {
        step: (step, event[field], stacks.millis_of(event["time"])) for step, event in first(found, kind).items()
    }


def _differ(sent, expected):
    only = sorted(set(sent) ^ set(expected))[:2]
    return f" ({len(sent)} points for {len(expected)}; such as {only})"
