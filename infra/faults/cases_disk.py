"""Disks that are full or fail, and clocks that jump: cases 22, 23, 24."""

import errno
import os
import subprocess
import time

import invariants
import processes
from faketime import Clock
from invariants import require
from processes import until


def case_22(scene):
    """the disk is full: the error says so, what was there stays, and it goes on when there is room"""
    runs = scene.folder / "runs"
    runs.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "pacer-faults", str(runs)]).returncode:
        raise invariants.Break("a tmpfs cannot be mounted here; run it where that is permitted")
    try:
        worker = scene.worker()
        scene.start()
        scene.random_step(low=12)
        filler = runs / "filler"
        left = scene.random.choice([0, 4096, 100_000])

        def fill():
            room = os.statvfs(runs)
            with open(filler, "ab") as out:
                try:
                    os.posix_fallocate(out.fileno(), out.tell(), max(1, room.f_bavail * room.f_frsize - left))
                except OSError as e:
                    if e.errno != errno.ENOSPC:  # the run writes meanwhile: it is full, which is what was wanted
                        raise

        scene.fault(fill)
        scene.note(f"{left} bytes left")
        # none of this may be said of a run that has just ended
        def is_told():
            if "No space left" in scene.log(worker):
                return True
            fill()  # a checkpoint that was written meanwhile, and lets the oldest go, makes room for the next
            return scene.over()

        until("a failure", is_told, 90)
        require("No space left" in scene.log(worker), "nobody was told that the disk is full")
        kept = sorted((scene.run / "checkpoints").glob("step-??????/manifest.json"))
        require(kept, "the checkpoints are gone")
        time.sleep(scene.random.uniform(0, 2))
        filler.unlink()
        scene.finished_well()
    finally:
        scene.stop_workers()
        scene.measure()  # while the events are there
        subprocess.run(["umount", "-l", str(runs)], check=False)


def case_23(scene):
    """an fsync fails in a trainer: no checkpoint is declared on its strength, the next attempt writes a sound one"""
    scene.worker()
    scene.start()
    scene.random_step()
    trainer = scene.trainers()[0]
    nth = scene.random.randint(1, 3)
    log = scene.folder / "strace.log"
    inject = f"inject=fsync,fdatasync:error=EIO:when={nth}+"
    command = ["strace", "-f", "-p", trainer[0], "-o", log, "-e", inject]
    tracer = processes.start(command, scene.folder / "strace.err", dict(os.environ))
    scene.fault()
    until("the end of the trainer", lambda: not processes.lives(trainer), 90)
    processes.end(tracer)
    lines = log.read_text().splitlines()
    failed = [line for line in lines if "EIO" in line and "INJECTED" in line]
    scene.note(f"fsync {nth} on, {len(failed)} failed")
    require(failed, "the trainer ended before an fsync failed")
    scene.finished_well(attempts=2)
    failure = invariants.attempts(scene.run)[0].get("failure") or ""
    require("nput/output error" in failure, f"the failure does not say why: {failure}")


def case_24(scene):
    """the clock jumps by an hour, ahead or back: leases, order and losses are as ever"""
    clock = Clock(scene.folder / "clock")
    scene.worker(more=clock.environment)
    scene.start()
    scene.random_step()
    jump = scene.random.choice([3600, -3600])
    clock.jump(jump)
    scene.note(f"{jump:+} s")
    scene.finished_well(attempts=1)
    times = [e["time"] for e in invariants.events(scene.run)]
    require(max(times) > min(times), "the clock stood still")
