"""Versions of workers."""

import json
import subprocess

from .servers import HOME, check, until


def versions(stack, workflow):
    """Build ids of the workers that decided in it, in order."""
    done = [e.get("workflowTaskCompletedEventAttributes") for e in stack.temporal("workflow", "show", "-w", workflow)["events"]]
    return [d["deploymentVersion"]["buildId"] for d in done if d]


def a_pinned_run_ends_on_its_version(stack):
    stack.up_with(PACER_PAYLOAD_KEYS="", PACER_DEPLOYMENT="pacer", PACER_BUILD_ID="a")
    stack.pacer("promote")
    stack.start("pinned", {"preset": "quickstart", "overrides": {"train.steps": 20000}})
    until("it trains", lambda: stack.step("pinned") > 0)
    stack.temporal("workflow", "update-options", "--workflow-id", "pinned", "--versioning-override-behavior", "pinned",
                   "--versioning-override-deployment-name", "pacer", "--versioning-override-build-id", "a")
    stack.environment["PACER_BUILD_ID"] = "b"
    worker = subprocess.Popen([HOME / "pacer", "worker", "--roles", "control"], env=stack.environment, stdout=subprocess.DEVNULL)
    try:
        stack.pacer("promote")
        stack.update("pinned", "pause")
        run = json.loads(stack.pacer("run", "--new", "--set", "train.steps=20", "-o", "json"))["run"]["id"]
        check(set(versions(stack, run)) == {"b"}, "a new run is decided on by the version that is current")
        stack.update("pinned", "resume")
        stack.update("pinned", "stopEarly")
        until("the run came to its end", lambda: stack.status("pinned") == "COMPLETED")
        check(set(versions(stack, "pinned")) == {"a"}, "one that is pinned ends on the version that it began on")
    finally:
        worker.terminate()
        worker.wait(60)
