"""Numbers that are none, and numbers far above those before: cases 25, 26. The spec itself makes them; nothing is injected."""

import os
import random
import signal
import string

import invariants
from invariants import require
from processes import until
from scene import PATIENCE, text

# more kinds of characters than the text has else: even who knows them all is surer of the text
OTHER = string.ascii_uppercase + string.digits + string.punctuation


def case_25(scene):
    """losses and gradients are NaN or infinite: no update comes of them, the policy ends the run, and a kill changes neither"""
    policy = scene.random.choice(["skip", "skip", "stop"])
    # decay of weights by a rate above 1 turns and grows them with each step, until the gradient is infinite, and then NaN
    rate = scene.random.choice([1.5, 2, 4])
    scene.note(f"{policy}, rate {rate}")
    scene.like(
        ending="FAILED",
        optimizer__learningRate=rate,
        optimizer__weightDecay=10,
        train__nonFinite=policy,
        train__maxSkippedInARow=15,
        checkpoint__everySteps=5,
    )
    worker = scene.worker()
    scene.start()
    if policy == "skip":
        seen = scene.random.randint(1, 12)
        until(f"{seen} steps without update", lambda: len(_skipped(scene)) >= seen or scene.over(), PATIENCE, 0.01)
        require(not scene.over(), f"the run ended before it was killed: {scene.client_words()}")
        victim = scene.trainers()[0]
        scene.note(f"killed after {max(_skipped(scene))}")
        scene.fault(lambda: os.kill(victim[0], signal.SIGKILL))
    scene.finished_well(attempts=2 if policy == "skip" else 1)
    reason = scene.record()["failure"]
    require("is not finite at step" in reason and "train." in reason, f"the run does not say why it failed: {reason}")
    require("without update" in scene.log(worker), "nobody was told of steps without update")
    if policy == "skip":
        require(_same_weights(scene), "no two checkpoints with nothing but such steps between them were kept")


def case_26(scene):
    """a loss far above those before comes right after a resume: the same decision as without it"""
    # passages of another kind: read one after the other, a batch that holds one of them stands out in each round through the text
    dice = random.Random(26)
    lines = text().splitlines(keepends=True)
    for at in (550, 200):
        lines[at:at] = ["".join(dice.choice(OTHER) for _ in range(60)) + "\n" for _ in range(10)]
    scene.like(words="".join(lines), train__steps=230, train__loader="sequential", train__outlierLoss=2.5)
    # the guard judges from its 128th step on
    spikes = sorted(scene.reference()["skipped"])
    require(spikes, "the reference has no outlier")
    spike = scene.random.choice(spikes)
    begin = (spike - 1) // 10 * 10
    scene.note(f"spike at {spike} of {spikes}")
    scene.worker()
    scene.start()
    manifest = f"checkpoints/step-{begin:06}/manifest.json"
    until(f"the checkpoint of step {begin}", lambda: scene.run and (scene.run / manifest).exists(), PATIENCE, 0.001)
    victim = scene.trainers()[0]
    scene.fault(lambda: os.kill(victim[0], signal.SIGKILL))
    scene.finished_well(attempts=2)
    begun = [e["step"] for e in invariants.events(scene.run) if e["event"] == "started"]
    scene.note(f"on from step {begun[1]}")
    require(begun[1] == begin, f"it went on from step {begun[1]}, not from {begin}")


def _skipped(scene):
    return invariants.first(invariants.events(scene.run), "skipped") if scene.run else {}


def _same_weights(scene):
    """Whether there are checkpoints with nothing but steps without update between them; they must have the same weights."""
    skipped = _skipped(scene)
    kept = sorted((scene.run / "checkpoints").glob("step-??????/model.safetensors"))
    pairs = 0
    for before, after in zip(kept, kept[1:]):
        a, b = (int(file.parent.name[5:]) for file in (before, after))
        if all(step in skipped for step in range(a + 1, b + 1)):
            pairs += 1
            require(invariants.digest(before) == invariants.digest(after), f"an update was applied between steps {a} and {b}")
    return pairs
