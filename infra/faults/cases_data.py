"""Data that comes half, or is not what it was: cases 1, 2, 19, 20, 21."""

import hashlib
import os
import signal

import invariants
import processes
from invariants import require
from processes import until
from proxy import Proxy
from scene import STEPS, text


def case_1(scene):
    """a worker is killed during a download: another goes on or begins anew, to the same bytes"""
    body = text().encode()
    bucket = scene.stack.bucket(scene.folder)
    bucket.mkdir(parents=True)
    (bucket / "text.txt").write_bytes(body)
    proxy = scene.through(Proxy(scene.stack.ports["s3"]))
    proxy.rate = 20_000
    first = scene.worker(s3=proxy.port)
    url = f"s3://pacer/{scene.folder.name}/text.txt"
    scene.start(url=url, dataset__sha256=hashlib.sha256(body).hexdigest())
    downloads = scene.folder / "cache" / "downloads"
    at = scene.random.randint(1, len(body) - 1000)

    def so_far():
        return sum(file.stat().st_size for file in downloads.glob("*.part")) if downloads.exists() else 0

    until(f"byte {at} of the download", lambda: so_far() >= at or scene.stage("STAGE"), 90, 0.01)
    require(not scene.stage("STAGE"), "the download was over before the kill")
    scene.note(f"{so_far()} of {len(body)} bytes")
    scene.fault(lambda: os.kill(first.pid, signal.SIGKILL))
    first.wait()
    scene.worker()
    scene.finished_well(attempts=1)
    require(scene.stage("DATASET")["result"]["rawSha256"] == hashlib.sha256(body).hexdigest(), "other bytes")


def case_2(scene):
    """killed at an fsync while shards are made: only what is unfinished is made again"""
    nth = scene.random.randint(1, 6)
    # strace's counts are each thread's
    inject = f"inject=fsync,fdatasync:signal=KILL:when={nth}"
    first = scene.worker(prefix=["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", inject])
    scene.start()
    until("the kill", lambda: first.poll() is not None or scene.stage("TRAIN"), 120)
    late = first.poll() is None
    scene.note(f"fsync {nth}" + (", too late: killed as training began" if late else ""))
    manifests = list(scene.folder.glob("cache/datasets/*/manifest.json"))
    before = [file.stat().st_mtime_ns for file in manifests]
    scene.fault(lambda: processes.end(first))
    scene.worker()
    scene.finished_well()
    require(before == [file.stat().st_mtime_ns for file in manifests], "a finished dataset was made again")


def _damage(scene, file, how):
    size = file.stat().st_size
    scene.damaged.add(file.stat().st_ino)
    if how == "cut":
        at = scene.random.choice([0, 1023, 1024, 1025, size // 2, size - 2, size - 1])
        os.truncate(file, at)
        scene.note(f"{file.name[:12]} cut at {at} of {size}")
    else:
        at, bit = scene.random.randrange(size), scene.random.randrange(8)
        with open(file, "r+b") as there:
            there.seek(at)
            old = there.read(1)[0]
            there.seek(at)
            there.write(bytes([old ^ (1 << bit)]))
        scene.note(f"{file.name[:24]} bit {bit} of byte {at} of {size}")


def _between_attempts(scene, damage):
    """Lets a trainer reach a random step, and has damage done before the next attempt looks."""
    scene.random_step(low=12)
    trainer = scene.trainers()[0][0]
    os.kill(trainer, signal.SIGSTOP)
    damage()
    scene.fault(lambda: os.kill(trainer, signal.SIGKILL))


def _shard(scene, how):
    worker = scene.worker()
    scene.start()

    def damage():
        # a link has the bytes of what it leads to
        staged = {file.resolve() for file in scene.folder.glob("cache/staged/*.bin")}
        _damage(scene, scene.random.choice(sorted(staged)), how)

    _between_attempts(scene, damage)
    scene.finished_well(attempts=2)
    require("damaged" in scene.log(worker), "nobody was told of the damage")


def case_19(scene):
    """a shard is truncated between two attempts: it is found before a step is taken, said, and mended"""
    _shard(scene, "cut")


def case_20(scene):
    """a bit of a cached shard flips between two attempts: it is found, said, and fetched again"""
    _shard(scene, "flip")


def case_21(scene):
    """a bit of the newest checkpoint flips: it is set aside and said, another one is used"""
    worker = scene.worker()
    scene.start()

    def damage():
        newest = sorted((scene.run / "checkpoints").glob("step-??????/manifest.json"))[-1].parent
        file = scene.random.choice(sorted(path for path in newest.iterdir() if path.is_file()))
        scene.note(newest.name)
        _damage(scene, file, "flip")

    _between_attempts(scene, damage)
    scene.finished_well(attempts=2)
    require("damaged" in scene.log(worker) or "set aside" in scene.log(worker), "nobody was told of the damage")
    begun = [e["step"] for e in invariants.events(scene.run) if e["event"] == "started"]
    require(begun[1] < STEPS, "it did not go on from a checkpoint")
