"""Reproductions that Temporal starts by itself."""

import json
from datetime import datetime

from .servers import check, until


def alias(stack, name):
    """The version of the model that has it."""
    return stack.get("mlflow", f"/api/2.0/mlflow/registered-models/alias?name=quickstart&alias={name}")["model_version"]


def described(stack, workflow):
    return stack.temporal("workflow", "describe", "-w", workflow)


def begun_by(stack, schedule):
    """Reproductions of a schedule, in order, once their time and their model are where they should be."""
    found = stack.temporal("workflow", "list", "--query", f"WorkflowType='Reproduce' AND TemporalScheduledById='{schedule}'") or []
    return sorted(found, key=lambda w: w["startTime"])


def a_schedule_reproduces(stack):
    stack.pacer("schedule", "create", "nightly", "--every", "20s", "--set", "train.steps=20", "--set", "expectation.validationLoss=10")

    def twice():
        done = stack.temporal("workflow", "list", "--query", "WorkflowType='Reproduce' AND ExecutionStatus='Completed'")
        return len(done) >= 2 and done
    done = until("two reproductions", twice)
    known = "/api/v1/query?query=pacer_schedule_last_result_timestamp_seconds%7Bschedule%3D%22nightly%22%7D"
    until("Prometheus knows when the last was", lambda: stack.get("prometheus", known)["data"]["result"])
    check(True, "Prometheus: the schedule's last result, by which PacerNightlyOverdue goes")
    stack.pacer("schedule", "pause", "nightly")
    results = [json.dumps(described(stack, w["execution"]["workflowId"])) for w in done]
    check(any("the same to the last bit" in r for r in results), "the schedule fired twice, with the same bits")
    listed = stack.pacer("schedule")
    check("paused" in listed and "reproduces" in listed, "pacer schedule lists it as paused, and what it does")
    check("✓ nightly-" in listed and "the same to the last bit" in " ".join(listed.split()), "and what the last ones came to")
    until("none is at work", lambda: all(w["status"].endswith("COMPLETED") for w in begun_by(stack, "nightly")))
    stack.pacer("schedule", "delete", "nightly")
    check("no schedules" in stack.pacer("schedule"), "and it is deleted")

    last = begun_by(stack, "nightly")[-1]["execution"]["workflowId"]
    run = text_of(stack, last)["run"]
    version = until("the champion is the last night's", lambda: (found := alias(stack, "champion")) and tag(found, "pacer.run") == run and found)
    check(version["name"] == "quickstart", f"MLflow: the champion is version {version['version']}, of {last}")


def text_of(stack, reproduction):
    """What a reproduction came to."""
    return stack.temporal("workflow", "result", "-w", reproduction)["result"]


def tag(version, key):
    return next((t["value"] for t in version.get("tags", []) if t["key"] == key), None)


def a_schedule_misses_what_is_expected(stack):
    """By hand and by backfill, as its own time is once a week."""
    before = None
    try:
        before = alias(stack, "champion")["version"]
    except OSError:
        pass  # no reproduction has passed
    stack.pacer("schedule", "create", "strict", "--cron", "0 3 * * 0", "--zone", "Asia/Tokyo", "--jitter", "90s", "--catch-up", "3h",
                "--overlap", "buffer_one", "--set", "train.steps=20", "--set", "expectation.validationLoss=0.1")
    told = stack.temporal("schedule", "describe", "--schedule-id", "strict")["schedule"]
    check(told["spec"]["timezoneName"] == "Asia/Tokyo" and told["spec"]["jitter"] == "90s", "--zone and --jitter are the schedule's")
    check(told["policies"]["catchupWindow"] == "10800s" and told["policies"]["overlapPolicy"].endswith("BUFFER_ONE"),
          "--catch-up and --overlap as well")
    stack.pacer("schedule", "trigger", "strict")
    first = until("what was triggered failed", lambda: (found := begun_by(stack, "strict")) and found[0]["status"].endswith("FAILED") and found[0])
    failure = json.dumps(stack.temporal("workflow", "show", "-w", first["execution"]["workflowId"])["events"][-1])
    check('"type": "Missed"' in failure and "expected at most 0.1000" in failure, "schedule trigger: a reproduction, which fails as Missed")
    missed = until("it is found", lambda: stack.temporal(
        "workflow", "list", "--query", "PacerVerdict='missed' AND WorkflowType='TrainPipeline'"))
    check(len(missed) == 1, "Temporal: search attributes find what missed")
    # Sundays at three in Tokyo: the 7th and the 14th at 18:00 here; in UTC it would be one Sunday, and another one in most other zones
    stack.pacer("schedule", "backfill", "strict", "--from", "2026-11-07T17:00:00Z", "--to", "2026-11-14T19:00:00Z")
    filled = until("both were made up for", lambda: (found := begun_by(stack, "strict")) and len(found) == 3
                   and all(w["status"].endswith("FAILED") for w in found) and found[1:])
    times = [w["execution"]["workflowId"] for w in filled]
    check([t[len("strict-"):][:13] for t in times] == ["2026-11-07T18", "2026-11-14T18"], f"schedule backfill: {' and '.join(times)}")
    ends = [datetime.fromisoformat(w["closeTime"][:19]) for w in filled]
    starts = [datetime.fromisoformat(w["startTime"][:19]) for w in filled]
    check(starts[1] >= ends[0], "one after the other")
    stack.pacer("schedule", "delete", "strict")
    until("everything is in MLflow", lambda: not stack.temporal("workflow", "list", "--query", "WorkflowType='TrackRun' AND ExecutionStatus='Running'"))
    if before is not None:
        check(alias(stack, "champion")["version"] == before, "MLflow: what missed is no champion")
