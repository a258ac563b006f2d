"""MLflow and S3 that are away, slow, or lose answers: cases 11 to 17."""

import os
import signal
import statistics
import time

import processes
from faketime import Clock
from invariants import require
from proxy import Proxy
from scene import STEPS


# what the tracker waits longest between two tries; it doubles from a second on
LONGEST_PAUSE = 30


def case_11(scene):
    """MLflow is down for an hour: steps are as quick as before and after, and it gets everything once when it is back"""
    steps = 2400
    scene.like(train__steps=steps, checkpoint__everySteps=400, evaluation__everySteps=400)
    clock = Clock(scene.folder / "clock")
    scene.worker(more=clock.environment)
    scene.start()
    server = scene.stack.servers["MLFLOW"]

    # up, down, up: other load of the machine that grows or shrinks falls on both sides of the outage
    first = scene.random.randint(500, 700)
    scene.await_step(first)
    server.kill()
    down_from = scene.step()
    scene.await_step(down_from + 600)
    down_to = scene.step()
    trainer = scene.trainers()[0][0]
    os.kill(trainer, signal.SIGSTOP)  # a server's start takes longer than all of its steps
    try:
        scene.stack.restart("MLFLOW")
    finally:
        processes.signal_to(trainer, signal.SIGCONT)
    up_from = scene.step()
    scene.await_step(up_from + 400)
    up_to = scene.step()
    millis = {s: e["millis"] for s, e in scene.steps().items()}
    down = statistics.median(millis[s] for s in range(down_from + 1, down_to))
    up = statistics.median([millis[s] for s in range(200, first)] + [millis[s] for s in range(up_from + 1, up_to)])
    scene.note(f"step {down:.2f} ms without MLflow, {up:.2f} ms with it")
    # a training that waited for it would take seconds a step
    require(down < 1.5 * up, f"steps took {down:.2f} ms without MLflow, {up:.2f} ms with it")

    # The hour. After its first minute nothing is new: the pauses between two tries are as long as they get. So two of the longest are
    # waited for, and the clock is put ahead by the rest.
    scene.fault(server.kill)
    down_since = time.monotonic()
    scene.await_finish()
    pauses = sum(min(2**n, LONGEST_PAUSE) for n in range(5)) + 2 * LONGEST_PAUSE
    time.sleep(max(0, pauses + scene.random.uniform(0, LONGEST_PAUSE) - (time.monotonic() - down_since)))
    waited = time.monotonic() - down_since
    clock.jump(3600 - waited)
    scene.note(f"down for {waited:.0f} s, and by the clock an hour")
    scene.stack.restart("MLFLOW")
    scene.finished_well(attempts=1)


def case_12(scene):
    """MLflow takes what it is sent and the answer is lost: no point and no run is there twice"""
    proxy = scene.through(Proxy(scene.stack.ports["mlflow"]))
    what = scene.random.choice([b"log-batch", b"runs/create", b"POST"])
    proxy.only, proxy.drop = what, scene.random.randint(1, 4)
    wanted = proxy.drop
    scene.worker(mlflow=proxy.port)
    scene.start()
    scene.await_finish()
    scene.await_tracked()
    require(proxy.happened > 0, "no answer was dropped")
    scene.note(f"{proxy.happened} of {wanted} answers to {what.decode()} lost")
    scene.finished_well(attempts=1)


def case_13(scene):
    """MLflow is killed while it takes a batch, twice: what it has converges"""
    scene.worker()
    scene.start()
    server = scene.stack.servers["MLFLOW"]
    scene.random_step(high=STEPS // 2)
    for _ in range(2):
        # the first time while it trains, then while what was told meanwhile is sent
        time.sleep(scene.random.uniform(0, 1.5))
        server.kill()
        scene.stack.restart("MLFLOW")
    scene.finished_well(attempts=1)


def case_14(scene):
    """S3 answers with a burst of 500 and 503: it is asked again, and the run never stops"""
    proxy = scene.through(Proxy(scene.stack.ports["s3"]))
    scene.worker(s3=proxy.port)
    scene.start()
    if scene.random.random() < 0.7:
        scene.random_step()
    proxy.refuse_with = scene.random.choice([500, 503])
    count = proxy.refuse = scene.random.randint(3, 25)
    scene.fault()
    scene.finished_well(attempts=1)
    scene.note(f"{proxy.happened} of {count} answers were {proxy.refuse_with}")
    _stored(scene)


def case_15(scene):
    """S3 at 1 KB/s: heartbeats live, cancelling works, and the run is gone on with"""
    proxy = scene.through(Proxy(scene.stack.ports["s3"]))
    worker = scene.worker(s3=proxy.port)
    scene.start()
    scene.random_step()
    scene.fault(lambda: setattr(proxy, "rate", 1000))
    time.sleep(scene.heartbeat + scene.random.uniform(2, 6))
    require(scene.stage("TRAIN")["attempts"] == 1, "the stage was begun again")
    begun = time.monotonic()
    scene.client.send_signal(signal.SIGINT)
    scene.client.wait(120)
    scene.note(f"stopped in {time.monotonic() - begun:.1f} s")
    require(scene.status() in ("STOPPED", "FINISHED"), f"the run is {scene.status()}: {scene.client_words()}")
    proxy.rate = None
    require(worker.poll() is None, "the worker ended")
    if scene.status() == "STOPPED":
        scene.resume()
    scene.finished_well()
    _stored(scene)


def case_16(scene):
    """uploads are cut in the middle: nothing half is visible, and the run is whole in the end"""
    proxy = scene.through(Proxy(scene.stack.ports["s3"]))
    scene.worker(s3=proxy.port)
    scene.start()
    proxy.cut_after = scene.random.randint(500, 300_000)
    count = proxy.cuts = scene.random.randint(1, 5)
    scene.finished_well(attempts=1)
    scene.note(f"{proxy.happened} of {count} connections cut after {proxy.cut_after} bytes")
    _stored(scene)


def case_17(scene):
    """S3 stores what it is sent and the answer is lost: trying again is a success"""
    proxy = scene.through(Proxy(scene.stack.ports["s3"]))
    proxy.only = b"PUT "
    proxy.drop = scene.random.randint(1, 6)
    count = proxy.drop
    scene.worker(s3=proxy.port)
    scene.start()
    scene.finished_well(attempts=1)
    require(proxy.happened > 0, "no answer was dropped")
    scene.note(f"{proxy.happened} of {count} answers lost")
    _stored(scene)


def _stored(scene):
    """The last checkpoint is in the store; that its bytes are right was checked with all manifests."""
    manifest = scene.stack.bucket(scene.folder) / "checkpoints" / scene.run.name / f"step-{STEPS:06}" / "manifest.json"
    require(manifest.exists(), "the last checkpoint is not in the store")
