"""What is left of a training's time when something dies each minute: measured, not computed.

Useful is each new step, once, at the time that a step takes undisturbed: the median over the later half of the longest stretch that no fault
and no start of an attempt interrupts. So what steps take longer than that, as those after a start do until their kernels are compiled, is
lost, and so are steps taken again, checkpoints and waits.
"""

import itertools
import os
import signal
import statistics
import time

import invariants
import processes
import stack as stacks
from invariants import require
from processes import until
from scene import PATIENCE

PERIOD = 60
WARM = 2000  # steps before it is measured: what a training costs to begin is no fault's doing
RECOVERY = 20  # seconds a fault may cost beside the heartbeat timeout, and still be counted whole
FLOWING = 2  # seconds within which a training that goes on takes a step, a checkpoint between two included


def _trainer(scene, worker):
    # the fault before may have left none
    found = until("a live trainer", lambda: list(filter(processes.lives, scene.trainers())), scene.heartbeat + PATIENCE)
    victim = scene.random.choice(found)
    scene.fault(lambda: processes.kill(victim))
    return worker


def _worker(scene, worker):
    scene.fault(worker.kill)
    worker.wait()
    return scene.worker()  # as whatever supervises it would start it again


def _restarted_worker(scene, worker):
    scene.fault(worker.terminate)
    worker.wait(100)
    return scene.worker()


def _temporal(scene, worker):
    scene.fault(scene.stack.servers["TEMPORAL"].kill)
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
    planned = moments(scene, minutes)
    worker = scene.worker()
    scene.start(train__steps=2_000_000, checkpoint__everySteps=500, evaluation__everySteps=0)
    scene.await_step(WARM)
    begun = time.time()
    faults = []
    for second in planned:
        time.sleep(max(0, begun + second - time.time()))
        name = scene.random.choice(sorted(FAULTS))
        worker = FAULTS[name](scene, worker)
        faults.append((name, scene.fault_at))
    time.sleep(max(0, begun + minutes * PERIOD - time.time()))
    until("new ground in the end", lambda: _flows(scene), scene.heartbeat + PATIENCE, 1)
    ended = time.time()
    scene.client.send_signal(signal.SIGINT)
    scene.client.wait(120)
    invariants.i3_one_writer(scene.run)
    attempts = len(invariants.attempts(scene.run))
    return {
        "minutes": minutes,
        "seed": scene.seed,
        "heartbeat": scene.heartbeat,
        "attempts": attempts,
        **computed(invariants.events(scene.run), faults, begun, ended),
        "load": round(os.getloadavg()[1], 2),  # of five minutes, the training's own included
        "ended": ended,
    }


def moments(scene, minutes):
    """Seconds of the faults, one each minute, the last ones early enough to be recovered from before the end."""
    latest = minutes * PERIOD - scene.heartbeat - RECOVERY
    found = []
    for minute in range(minutes):
        low, high = minute * PERIOD + 5, min((minute + 1) * PERIOD - 5, latest)
        if low < high:
            found.append(scene.random.uniform(low, high))
    require(found, f"{minutes} minutes are too few for a fault and {scene.heartbeat + RECOVERY} s to recover from it: measure longer")
    return found


def _flows(scene):
    now = time.time()
    steps = scene.steps()
    return stacks.seconds_of(steps[max(steps)]["time"]) > now - FLOWING


def computed(events, faults, begun, ended):
    """Goodput and what it is made of. faults: (name, when)."""
    new = [(stacks.seconds_of(e["time"]), e["millis"]) for _, e in sorted(invariants.first(events, "step").items())]
    counted = [(at, millis) for at, millis in new if begun <= at <= ended]
    require(counted, "no step was taken")
    whens = [when for _, when in faults]
    length, usual = undisturbed(events, [begun, *whens, ended])
    return {
        "seconds": round(ended - begun, 3),
        "steps": len(counted),
        "usualMillis": round(usual, 4),
        "usualStretch": round(length, 1),
        "goodput": round(len(counted) * usual / 1000 / (ended - begun), 4),
        "byOwnTimes": round(sum(millis for _, millis in counted) / 1000 / (ended - begun), 4),
        "faults": [
            {"fault": name, "second": round(when - begun, 1), "toNewGround": round(_cost(new, when, end), 2)}
            for (name, when), end in zip(faults, [*whens[1:], ended])
        ],
    }


def undisturbed(events, cuts):
    """Seconds of the longest stretch between two cuts in which one attempt takes steps, and the median of its later half in ms."""
    steps = [(stacks.seconds_of(e["time"]), e["millis"]) for e in events if e["event"] == "step"]
    starts = [stacks.seconds_of(e["time"]) for e in events if e["event"] == "started"]
    edges = sorted([*cuts, *(start for start in starts if min(cuts) < start < max(cuts))])
    stretches = [[step for step in steps if a < step[0] <= b] for a, b in itertools.pairwise(edges)]
    longest = max(filter(None, stretches), key=lambda stretch: stretch[-1][0] - stretch[0][0])
    (first, _), (last, _) = longest[0], longest[-1]
    return last - first, statistics.median(millis for at, millis in longest if at >= (first + last) / 2)


def _cost(new, when, end):
    """The longest wait for a step that there was not before, of those that began from the fault on and before the end."""
    times = [when, *(at for at, _ in new if at > when)]
    return max((b - a for a, b in itertools.pairwise(times) if a < end), default=0.0)
