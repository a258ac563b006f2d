"""Processes that die, freeze or are told to end: cases 5, 6, 7, 27, 33, 34, 3, 4."""

import os
import signal
import time

import invariants
import processes
from invariants import require
from processes import until
from scene import STEPS


def case_5(scene):
    """a trainer rank is killed: a new attempt goes on from the checkpoint"""
    scene.like(ranks=scene.random.choice([1, 2]))
    scene.worker()
    scene.start()
    scene.random_step()
    victim = scene.random.choice(scene.trainers())
    scene.note(f"{scene.ranks} ranks")
    scene.fault(lambda: os.kill(victim[0], signal.SIGKILL))
    scene.finished_well(attempts=2)


def case_6(scene):
    """a worker is killed while its trainer lives: the trainer is gone before the next attempt writes"""
    worker = scene.worker()
    scene.start()
    scene.random_step()
    trainers = scene.trainers()
    scene.fault(lambda: os.kill(worker.pid, signal.SIGKILL))
    worker.wait()
    until("the end of the orphan", lambda: not any(map(processes.lives, trainers)), 10)
    gone = time.time()
    written = len(invariants.events(scene.run))
    time.sleep(scene.random.uniform(0, 1))
    require(len(invariants.events(scene.run)) == written, "an orphan wrote after its end")
    scene.note(f"orphan gone after {gone - scene.fault_at:.2f} s")
    scene.worker()
    scene.finished_well(attempts=2)


def case_7(scene):
    """a worker and its trainer are frozen past the heartbeat timeout and thawed: the zombie writes nothing"""
    zombie = scene.worker()
    scene.start()
    scene.random_step(high=STEPS // 2)
    # where the worker alone is frozen its trainer works on, and the next attempt has to end it first
    frozen = [zombie.pid] + [pid for pid, _ in scene.trainers() if scene.random.random() < 0.8]
    scene.note(f"{len(frozen)} processes frozen")
    scene.fault(lambda: [os.kill(pid, signal.SIGSTOP) for pid in frozen])
    scene.worker()
    before = scene.attempts_before
    until("the next attempt", lambda: len(invariants.attempts(scene.run)) > before, 90)
    time.sleep(scene.random.uniform(0, 4))
    for pid in frozen:
        processes.signal_to(pid, signal.SIGCONT)
    scene.finished_well(attempts=2)


def case_27(scene):
    """one of two ranks hangs: the watchdog of steps kills both, and a new attempt goes on from the checkpoint"""
    patience = 45  # a first step of two ranks, on a machine that is busy with other things, must fit in
    scene.like(ranks=2)
    scene.more["PACER_STALL_TIMEOUT"] = str(patience)
    scene.worker()
    scene.start()
    scene.random_step()
    trainers = scene.trainers()
    rank = scene.random.randrange(2)
    scene.note(f"rank {rank}")
    scene.fault(lambda: os.kill(trainers[rank][0], signal.SIGSTOP))
    until("the end of both ranks", lambda: not any(map(processes.lives, trainers)), patience + 30)
    took = time.time() - scene.fault_at
    scene.note(f"killed after {took:.1f} s")
    require(took >= patience - 2, f"killed after {took:.1f} s, which is less than the watchdog's patience")
    scene.finished_well(attempts=2)
    failure = invariants.attempts(scene.run)[0].get("failure") or ""
    require("nothing heard of it" in failure, f"the failure does not say why: {failure}")


def case_33(scene):
    """cancelled while it stages, trains or writes a checkpoint: it stops, the checkpoint is kept, resume goes on"""
    scene.worker()
    scene.start()
    moment = scene.random.choice(["stages", "training", "checkpoint"])
    if moment == "stages":
        until("the run's folder", lambda: scene.run, 60, 0.01)
        time.sleep(scene.random.uniform(0, 2.5))
    elif moment == "training":
        scene.random_step()
    else:
        step = scene.random.randrange(10, STEPS - 20, 10)
        scene.await_step(step)
        scene.note(f"step {step}")
    scene.note(moment)
    step = scene.step()
    begun = time.monotonic()
    scene.client.send_signal(signal.SIGINT)
    scene.client.wait(90)
    took = time.monotonic() - begun
    scene.note(f"stopped in {took:.1f} s")
    require(scene.client.returncode == 3, f"exit code {scene.client.returncode}: {scene.client_words()}")
    require(scene.status() == "STOPPED", f"the run is {scene.status()}")
    require(took < scene.heartbeat + 60, f"it took {took:.0f} s to stop")
    require(not any(map(processes.lives, scene.trainers())), "a trainer lives on")
    kept = sorted((scene.run / "checkpoints").glob("step-??????/manifest.json"))
    require(step == 0 or kept, "no checkpoint was kept")
    if kept:
        newest = int(kept[-1].parent.name[5:])
        require(newest >= step, f"step {step} was done, and the newest checkpoint is of step {newest}")
    scene.fault()
    scene.resume()
    scene.finished_well()


def case_34(scene):
    """a worker is told to end while another takes over: no stage is done twice"""
    first = scene.worker()
    scene.start()
    scene.random_step(high=STEPS // 2)
    trainer = scene.trainers()[0][0]
    os.kill(trainer, signal.SIGSTOP)  # else it may be done before the other worker is up
    try:
        scene.worker()
    finally:
        processes.signal_to(trainer, signal.SIGCONT)
    scene.fault(lambda: os.kill(first.pid, signal.SIGTERM))
    first.wait(100)
    require(first.returncode == 0, f"the worker ended with {first.returncode}: {scene.log(first)[-500:]}")
    scene.finished_well(attempts=2)
    # it wrote a checkpoint, so no step is taken twice
    steps = [e["step"] for e in invariants.events(scene.run) if e["event"] == "step"]
    require(len(steps) == len(set(steps)), "steps were taken twice")
    for name in ("DATASET", "STAGE", "EVALUATE"):
        require(scene.stage(name)["attempts"] == 1, f"{name} was done {scene.stage(name)['attempts']} times")


def case_3(scene):
    """killed at any write, fsync or rename of a checkpoint: the one before loads, at most one interval is lost"""
    scene.worker()
    scene.start()
    scene.random_step(low=12, high=STEPS - 30)
    trainer = scene.trainers()[0]
    call = scene.random.choice(["fsync", "fdatasync", "write", "pwrite64", "rename", "renameat2"])
    nth = scene.random.randint(1, 12) if "write" in call else scene.random.randint(1, 4)
    tracer = processes.start(
        ["strace", "-f", "-p", trainer[0], "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={nth}"],
        scene.folder / "strace.err",
        dict(os.environ),
    )
    until("the kill", lambda: not processes.lives(trainer) or scene.step() > STEPS - 12, 90, 0.01)
    reached = not processes.lives(trainer)
    scene.note(f"{call} {nth}" + ("" if reached else ", which never came: killed between"))
    step = scene.step()
    scene.fault(lambda: processes.kill(trainer))
    processes.end(tracer)
    scene.finished_well(attempts=2)
    begun = [e["step"] for e in invariants.events(scene.run) if e["event"] == "started"]
    require(begun[1] >= (step - 1) // 10 * 10 - 10, f"it went on from step {begun[1]} though step {step} was done")


def case_4(scene):
    """killed between a dataset's manifest and the activity's end: the retry finds it, nothing is made again"""
    first = scene.worker()
    scene.start()
    made = until("the dataset's manifest", lambda: list(scene.folder.glob("cache/datasets/*/manifest.json")), 60, 0)
    os.kill(first.pid, signal.SIGSTOP)
    before = made[0].stat().st_mtime_ns
    done = scene.stage("DATASET")
    scene.note("before the end of the stage" if not done or done["status"].upper() == "RUNNING" else "after it")
    scene.fault(lambda: os.kill(first.pid, signal.SIGKILL))
    first.wait()
    scene.worker()
    scene.finished_well(attempts=1)
    require(made[0].stat().st_mtime_ns == before, "the dataset was made again")
    require(scene.stage("DATASET")["reused"] or done, "the dataset's stage does not know that it was done")
