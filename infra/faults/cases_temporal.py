"""Temporal out of reach: cases 8, 9, 10; and 32, schedules."""

import json
import signal
import subprocess
import time

import invariants
import processes
import stack as stacks
from invariants import require
from processes import until
from proxy import Proxy
from scene import PATIENCE, STEPS, settings


def _slowly(trainers, over):
    """Lets trainers work for moments only: else so short a training would end before what the case is about."""
    while any(map(processes.lives, trainers)) and not over():
        for number, seconds in ((signal.SIGSTOP, 1.5), (signal.SIGCONT, 0.01)):
            for trainer in trainers:
                if processes.lives(trainer):
                    processes.signal_to(trainer[0], number)
            time.sleep(seconds)


def case_8(scene):
    """a worker is cut off from Temporal: its trainer stops at the worker's own deadline, and another worker goes on"""
    proxy = scene.through(Proxy(scene.stack.ports["temporal"]))
    worker = scene.worker(temporal=proxy.port)
    scene.start()
    scene.random_step(high=20)
    trainers = scene.trainers()
    scene.fault(lambda: setattr(proxy, "stalled", True))
    _slowly(trainers, lambda: time.time() > scene.fault_at + 60)
    stopped = time.time() - scene.fault_at
    require(not any(map(processes.lives, trainers)), f"a trainer lives {stopped:.0f} s after the cut")
    require(scene.step() < STEPS, "the training was over before the deadline")
    scene.note(f"trainer stopped after {stopped:.1f} s")
    require(worker.poll() is None, "the worker itself ended")
    scene.worker()
    until("the next attempt", lambda: len(invariants.attempts(scene.run)) > scene.attempts_before, 90)
    time.sleep(scene.random.uniform(0, 3))
    proxy.stalled = False  # what the first one has still to say comes now
    scene.finished_well(attempts=2)


def case_9(scene):
    """the Temporal server is killed and started again: the run is not lost, training goes on"""
    scene.worker()
    scene.start()
    scene.random_step()
    server = scene.stack.servers["TEMPORAL"]
    scene.fault(server.kill)
    time.sleep(scene.random.uniform(0, scene.heartbeat / 2))
    scene.stack.restart("TEMPORAL")
    scene.note(f"down for {time.time() - scene.fault_at:.1f} s")
    scene.finished_well(attempts=1)


def case_10(scene):
    """Temporal is down for three heartbeat timeouts: one clean new attempt"""
    scene.worker()
    scene.start()
    scene.random_step(high=20)
    server = scene.stack.servers["TEMPORAL"]
    trainers = scene.trainers()
    scene.fault(server.kill)
    back = scene.fault_at + 3 * scene.heartbeat
    _slowly(trainers, lambda: time.time() > back)
    time.sleep(max(0, back - time.time()))
    scene.stack.restart("TEMPORAL")
    scene.finished_well(attempts=2)


def case_32(scene):
    """a schedule whose times overlap and are missed: one at a time, and no burst when the service is back"""
    scene.worker()
    every = 10

    def schedule(*words):
        command = [stacks.PACER, "schedule", *words]
        log = scene.folder / "schedule.log"
        process = processes.start(command, log, scene.environment())
        require(process.wait(60) == 0, f"schedule {words[0]}: {log.read_text()[-500:]}")

    def started():
        """Begin and end of each reproduction, in order."""
        temporal = scene.stack.servers["TEMPORAL"].command[0]
        address = f"127.0.0.1:{scene.stack.ports['temporal']}"
        query = f"WorkflowType='Reproduce' AND TemporalScheduledById='{scene.name}'"
        command = [temporal, "workflow", "list", "--query", query, "--output", "json", "--address", address]
        said = subprocess.run(command, capture_output=True, timeout=30, check=True).stdout
        found = []
        for one in json.loads(said or "[]"):
            end = one.get("closeTime")
            found.append((stacks.seconds_of(one["startTime"]), stacks.seconds_of(end) if end else None))
        return sorted(found, key=lambda pair: pair[0])

    small = settings(f"file:{scene.text}", train__steps=20)
    schedule("create", scene.name, "--every", f"{every}s", "--catch-up", "10s", "--overlap", "skip", *small)
    try:
        until("a reproduction that is done", lambda: any(end for _, end in started()), PATIENCE, 1)
        server = scene.stack.servers["TEMPORAL"]
        server.kill()
        time.sleep(3 * every + scene.random.uniform(0, every))
        scene.stack.restart("TEMPORAL")
        back = time.time()
        before = len(started())
        until("the next reproduction", lambda: len(started()) > before, PATIENCE, 1)
        time.sleep(2 * every)
    finally:
        schedule("delete", scene.name)
    until("the end of the last one", lambda: all(end for _, end in started()), PATIENCE, 1)
    done = started()
    for (_, end), (begin, _) in zip(done, done[1:]):
        require(begin >= end, "two were at work at once")
    late = [begin for begin, _ in done if begin >= back - 1]
    require(len(late) <= (time.time() - back) / every + 2, f"{len(late)} began in a burst")
    scene.note(f"{len(done)} reproductions, {len(late)} after the outage")
    scene.stop_workers()
    invariants.i2_manifests(scene.folder, scene.stack.bucket(scene.folder))
    invariants.i3_one_writer(scene.run)
    invariants.i4_nothing_left(scene.folder, scene.stack)
