"""What is left of a training's time when something dies each minute: measured, not computed."""

import os
import signal
import time

import invariants
import stack as stacks
from invariants import require

PERIOD = 60


def _trainer(scene, worker):
    os.kill(scene.random.choice(scene.trainers())[0], signal.SIGKILL)
    return worker


def _worker(scene, worker):
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    return scene.worker()  # as whatever supervises it would start it again


def _restarted_worker(scene, worker):
    os.kill(worker.pid, signal.SIGTERM)
    worker.wait(100)
    return scene.worker()


def _temporal(scene, worker):
    scene.stack.servers["TEMPORAL"].kill()
    scene.stack.restart("TEMPORAL")
    return worker


FAULTS = {
    "trainer killed": _trainer,
    "worker killed, started again": _worker,
    "worker restarted in order": _restarted_worker,
    "Temporal killed, started again": _temporal,
}


def measure(scene, minutes):
    """Trains for so many minutes with a fault drawn each minute; the part of the time that went into steps that count."""
    worker = scene.worker()
    scene.start(train__steps=2_000_000, checkpoint__everySteps=500, evaluation__everySteps=0)
    scene.await_step(100)
    begun = time.time()
    drawn = []
    for minute in range(minutes):
        time.sleep(max(0, begun + minute * PERIOD + scene.random.uniform(5, PERIOD - 5) - time.time()))
        name = scene.random.choice(sorted(FAULTS))
        drawn.append(name)
        worker = FAULTS[name](scene, worker)
    time.sleep(max(0, begun + minutes * PERIOD - time.time()))
    ended = time.time()
    scene.client.send_signal(signal.SIGINT)
    scene.client.wait(120)
    steps = invariants.first(invariants.events(scene.run), "step")
    counted = [e for e in steps.values() if begun <= stacks.seconds_of(e["time"]) <= ended]
    require(counted, "no step was taken")
    invariants.i3_one_writer(scene.run)
    useful = sum(e["millis"] for e in counted) / 1000
    return {
        "minutes": minutes,
        "seed": scene.seed,
        "heartbeat": scene.heartbeat,
        "faults": {name: drawn.count(name) for name in FAULTS if name in drawn},
        "attempts": len(invariants.attempts(scene.run)),
        "steps": len(counted),
        "goodput": round(useful / (ended - begun), 3),
        "ended": ended,
    }
