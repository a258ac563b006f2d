"""Hosts that are gone for good: case 36."""

import processes
from invariants import attempts, events, i1_losses, require
from processes import until
from scene import PATIENCE


def case_36(scene):
    """a host is killed for good and its disk is gone: another one goes on from the newest checkpoint in the store"""
    hosts = {home: worker for worker, home in map(scene.host, ["a", "b"])}
    scene.start()
    scene.home = until("a host that takes the run", lambda: next((h for h in hosts if _runs(h)), None), PATIENCE, 0.01)
    other = next(home for home in hosts if home != scene.home)
    run = scene.run.name
    scene.random_step(low=20)
    until("a checkpoint in the store", lambda: _stored(scene, run), 10, 0.01)
    trainers = scene.trainers()
    scene.fault(lambda: processes.end(hosts[scene.home]))  # by SIGKILL, with all below it
    until("the end of its trainer", lambda: not any(map(processes.lives, trainers)), 10)
    scene.lost = scene.home.rename(scene.home.with_name("gone")) / "runs" / run
    scene.text.unlink()  # the dataset, too, is in the store alone
    i1_losses(scene.lost, scene.reference_of(1), whole=False)
    scene.home = other
    # as docs/operations.md says of a host that does not come back
    why = ("--reason", "its host is gone")
    for which in (["--workflow-id", run], ["--query", f"WorkflowId STARTS_WITH '{run}-tracking-'", "--yes"]):
        require(scene.terminate(*which, *why) == 0, f"its workflow could not be terminated: {which}")
    stored = _stored(scene, run)
    require(stored, "the store has none of the checkpoints that it had")
    newest = max(stored)
    scene.note(f"on from step {newest}")
    scene.resume(run)
    scene.finished_well(attempts=1)
    begun = [e["step"] for e in events(scene.run) if e["event"] == "started"]
    require(begun[-1] == newest, f"it went on from step {begun[-1]}, and the store had step {newest}")
    before, after = ([a["epoch"] for a in attempts(folder)] for folder in (scene.lost, scene.run))
    require(max(before) < min(after), f"I3: epochs {before} on the host that is gone, {after} on the other one")


def _runs(home):
    return list(home.glob("runs/*/run.json"))


def _stored(scene, run):
    """Steps of the run's checkpoints in the store."""
    found = scene.stack.bucket(scene.folder).glob(f"checkpoints/{run}/step-*/manifest.json")
    return [int(manifest.parent.name[5:]) for manifest in found]
