"""Hosts that are drained as a GPU of them has failed, or gone for good: cases 28, 36."""

import os
import time
import urllib.request

import invariants
import processes
from invariants import attempts, events, i1_losses, require
from processes import until
from scene import PATIENCE
from stack import free_ports

# as NVIDIA's driver writes them; those of the first list are applications' doing
HARMLESS = [
    "13, pid=4321, name=java, Graphics Exception: ESR 0x505648=0x9",
    "31, pid=4321, name=java, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted @ 0x7f4b_a0000000",
    "43, pid=4321, name=java, Ch 00000010",
    "45, pid=4321, name=java, Ch 00000011",
    "63, pid=4321, name=java, Row Remapper: New row marked for remapping, reset gpu to activate.",
    "94, pid=4321, name=java, Contained: SM (0x1). RST: No, D-RST: No",
]
FATAL = {
    79: "79, pid=4321, name=java, GPU has fallen off the bus.",
    48: "48, pid=4321, name=java, An uncorrectable double bit error (DBE) has been detected on GPU in the framebuffer at partition 7.",
    74: "74, pid=4321, name=java, NVLink: fatal error detected on link 6(0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)",
    95: "95, pid=4321, name=java, Uncontained: FBHUB. RST: Yes, D-RST: No",
    119: "119, pid=4321, name=java, Timeout after 6s of waiting for RPC response from GPU0 GSP! Expected function 76 (GSP_RM_CONTROL)",
    154: "154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)",
}


def case_28(scene):
    """a GPU of a host fails (Xid): its training is killed, nothing is tried again there, and another host goes on"""
    hosts, ports = {}, dict(zip("ab", free_ports(2)))
    for name, port in ports.items():
        log = scene.folder / f"kernel-{name}.log"
        if scene.random.random() < 0.5:
            log.touch()
        else:
            os.mkfifo(log)
        worker, home = scene.host(name, {"PACER_KERNEL_LOG": str(log), "PACER_METRICS": f"127.0.0.1:{port}"})
        hosts[home] = (worker, log, port)
    scene.start()
    scene.home = until("a host that takes the run", lambda: next((h for h in hosts if _runs(h)), None), PATIENCE, 0.01)
    sick, well = scene.home, next(home for home in hosts if home != scene.home)
    worker, log, port = hosts[sick]
    run = scene.run.name
    _tell(log, scene.random.sample(HARMLESS, 3))
    scene.random_step(low=20)
    until("a checkpoint in the store", lambda: _stored(scene, run), 10, 0.01)
    trainers = scene.trainers()
    code = scene.random.choice(sorted(FATAL))
    scene.note(f"Xid {code} by {'FIFO' if log.is_fifo() else 'file'}")
    # at work until now, whatever applications did
    require(any(map(processes.lives, trainers)), f"the training ended before: {scene.client_words()}")
    scene.fault(lambda: _tell(log, [FATAL[code], FATAL[79]]))
    until("the end of its trainer", lambda: not any(map(processes.lives, trainers)), 20, 0.01)
    scene.note(f"killed after {_since(scene):.1f} s")
    scene.await_finish(status="FAILED")
    reason = scene.record()["failure"]
    require(f"is drained, Xid {code} of GPU PCI:0000:3b:00" in reason and "resume" in reason, f"it does not say why: {reason}")
    require("is drained" in scene.log(worker), "the host's worker does not say that it is drained")
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    for sample in ("pacer_host_drained 1.0", f'pacer_gpu_xid_errors_total{{drain="true",xid="{code}"}} '):
        require(any(line.startswith(sample) and not line.endswith(" 0.0") for line in metrics.splitlines()), f"no {sample} in /metrics")
    failures = [a.get("failure") or "" for a in attempts(scene.run)]
    require(len(failures) == 1 and f"Xid {code}" in failures[0], f"attempts on the drained host: {failures}")
    i1_losses(scene.run, scene.reference(), whole=False)
    # the record says so a moment before the report does
    until("the end of its report", lambda: not list(scene.run.glob(".*.tmp")), 10, 0.05)
    invariants.i4_nothing_left(sick, scene.stack)
    scene.lost, scene.home = scene.run, well
    newest = max(_stored(scene, run))
    scene.note(f"on from step {newest}")
    scene.resume(run)
    until("the other host's taking it", lambda: scene.status() in ("RUNNING", "FINISHED"), PATIENCE, 0.05)
    scene.finished_well(attempts=1)
    begun = [e["step"] for e in events(scene.run) if e["event"] == "started"]
    require(begun[-1] == newest, f"it went on from step {begun[-1]}, and the store had step {newest}")
    before, after = ([a["epoch"] for a in attempts(folder)] for folder in (scene.lost, scene.run))
    require(worker.returncode == 0, f"the drained worker did not end in order: {worker.returncode}")
    require(max(before) < min(after), f"I3: epochs {before} on the drained host, {after} on the other one")


def _since(scene):
    return time.time() - scene.fault_at


def _tell(log, errors):
    """Appends lines to the kernel's log, between others."""
    with open(log, "a") as out:
        for number, error in enumerate(errors):
            out.write(f"6,{1000 + number},51409{number:02},-;usb 1-1: new device\n")
            out.write(f"4,{2000 + number},51410{number:02},-;NVRM: Xid (PCI:0000:3b:00): {error}\n")


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
    i1_losses(scene.lost, scene.reference(), whole=False)
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
