"""Processes that want the same thing at the same moment: case 18."""

import os
import shutil
import tempfile
from pathlib import Path

import invariants
import processes
import stack as stacks
from invariants import require

ROUNDS = 1000
PROGRAM = stacks.HOME / "infra" / "faults" / "SameKey.java"


def case_18(scene):
    """two processes want one new dataset at the same moment, 1,000 times here and 1,000 in the store: one makes it, the other adopts it"""
    # in memory, where a sync takes no time: it is the processes' race, not the disk's
    scene.java = _java(scene)
    place = Path(tempfile.mkdtemp(prefix="pacer-faults-", dir="/dev/shm"))
    try:
        bucket = scene.stack.bucket(scene.folder)
        _race(scene, place / "cache", {})
        require(invariants.i2_manifests(place / "cache", bucket) >= 2 * ROUNDS, "I2: too few files of the cache were checked")
        _race(scene, place / "store", scene.environment())
        require(len(list(bucket.glob("datasets/*.json"))) == ROUNDS, "not each dataset of the second part is in the store")
        for who in "01":
            checked = invariants.i2_manifests(place / "store" / who, bucket)
            require(checked >= 2 * ROUNDS, f"I2: {checked} files of a cache and the store were checked, which is too few")
        invariants.i4_nothing_left(place, scene.stack)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _race(scene, folder, environment):
    """Two JVMs that stay alive and meet before each round; of what they have in common there is a folder, or the store alone."""
    where = folder.name
    folder.mkdir()
    java, classes = scene.java
    command = [java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"]
    command += ["--sun-misc-unsafe-memory-access=allow", "-cp", classes, PROGRAM, folder, where, ROUNDS, scene.seed]
    begun = [
        processes.start([*command, who], folder / f"said-{who}", {**scene.stack.base, **environment}) for who in (0, 1)
    ]
    for who, process in enumerate(begun):
        require(process.wait(500) == 0, f"{where}: process {who}: {(folder / f'said-{who}').read_text()[-700:]}")
    said = [[line.split() for line in (folder / f"said-{who}").read_text().splitlines() if line[:4] in ("made", "took")] for who in (0, 1)]
    require(len(said[0]) == len(said[1]) == ROUNDS, f"{where}: {len(said[0])} and {len(said[1])} of {ROUNDS} rounds")
    won = [0, 0]
    for number, (a, b) in enumerate(zip(*said)):
        require(a[1:] == b[1:], f"{where}, round {number}: {a} and {b} differ")
        if where == "cache":
            require({a[0], b[0]} == {"made", "took"}, f"{where}, round {number}: {a[0]} and {b[0]}")
        won[0 if a[0] == "made" else 1] += 1
    require(len({line[1] for line in said[0]}) == ROUNDS, f"{where}: keys were the same in two rounds")
    scene.note(f"{where}: {won[0]} to {won[1]}")
    if where == "store":
        sent = [[line for line in (folder / f"said-{who}").read_text().splitlines() if line in ("sent", "adopted")] for who in (0, 1)]
        require(all("sent" in pair for pair in zip(*sent)), f"{where}: an object that nobody stored")
        scene.note(f"objects: {sum(a != b for a, b in zip(*sent))} of {len(sent[0])} stored by one alone")


def _java(scene):
    """The Java and the class path of the product, as it runs."""
    worker = scene.worker()
    java = os.readlink(f"/proc/{worker.pid}/exe")
    arguments = Path(f"/proc/{worker.pid}/cmdline").read_text().split("\0")
    scene.stop_workers()
    file = next(word[1:] for word in arguments if word.startswith("@"))
    words = Path(file).read_text().split()
    return java, words[words.index("-cp") + 1].strip('"')
