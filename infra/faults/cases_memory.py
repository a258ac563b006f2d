"""Memory that runs out on a host: case 29."""

import subprocess
import threading
import time
from pathlib import Path

import invariants
import processes
from invariants import require
from processes import until

CGROUP = Path("/sys/fs/cgroup/memory")  # version 1, where a process may be moved without its memory


def case_29(scene):
    """memory runs out: the run ends with the reason after few attempts, keeps its checkpoint, and goes on when there is memory"""
    ways = [_address_space, _cgroup] if (CGROUP / "memory.limit_in_bytes").exists() else [_address_space]
    way = scene.random.choice(ways)
    scene.like(train__steps=400)  # long enough that the trainer will ask for more
    worker = scene.worker()
    scene.start()
    step = scene.random_step(low=12, high=24)  # later it has all that it needs, and is not hurt
    way(scene)
    require(worker.poll() is None, "the worker itself ended")
    kept = sorted((scene.run / "checkpoints").glob("step-??????/manifest.json"))
    require(kept, "no checkpoint was kept")
    require(int(kept[-1].parent.name[5:]) > step - 20, f"step {step} was done, and the newest checkpoint is {kept[-1].parent.name}")
    scene.resume()
    scene.finished_well()


def _address_space(scene):
    """The trainer gets no more addresses than it has (ulimit -v): a thread, a buffer, whatever it asks for next is refused."""
    scene.note("address space")
    pid = scene.trainers()[0][0]
    size = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmSize"))
    scene.fault(lambda: subprocess.run(["prlimit", "--pid", str(pid), f"--as={int(size.split()[1]) * 1024}"], check=True))
    scene.await_finish(status="FAILED")
    attempts = invariants.attempts(scene.run)
    require(len(attempts) == 1, f"it was tried {len(attempts)} times, though no attempt can have more memory")
    _say_why(scene, "out of memory")


def _cgroup(scene):
    """Trainers of this run may have but some MB more: the kernel kills each."""
    scene.note("cgroup")
    group = CGROUP / f"pacer-{scene.name}"
    group.mkdir()
    over = threading.Event()

    def confine():
        while not over.is_set():
            for pid, _ in scene.trainers():
                try:
                    (group / "cgroup.procs").write_text(str(pid))
                except OSError:
                    continue  # it has just ended
            time.sleep(0.05)

    watcher = threading.Thread(target=confine, daemon=True)
    try:
        (group / "memory.limit_in_bytes").write_text("4M")
        scene.fault(watcher.start)
        scene.await_finish(status="FAILED")
    finally:
        over.set()
        watcher.join()
        trainers = scene.trainers()
        until("the end of the trainers", lambda: not any(map(processes.lives, trainers)), 20)
        until("the end of the cgroup", lambda: _removed(group), 20)
    attempts = invariants.attempts(scene.run)
    scene.note(f"{len(attempts)} attempts")
    require(len(attempts) <= 12, f"it was tried {len(attempts)} times")
    _say_why(scene, "signal 9")


def _removed(group):
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def _say_why(scene, why):
    reason = scene.record()["failure"]
    require(why in reason and "memory" in reason, f"the run does not say why it failed: {reason}")
    failures = [a.get("failure") or "" for a in invariants.attempts(scene.run)]
    require(all("memory" in failure for failure in failures), f"attempts do not say why they failed: {failures}")
