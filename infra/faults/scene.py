"""What a case works with: a folder of its own, workers, one small run, a fault, and what came of it."""

import json
import os
import random
import signal
import time
import urllib.error

import invariants
import processes
import stack as stacks
from invariants import require
from processes import until

STEPS = 120
CHECKPOINT_EVERY = 10

# a worker that is not heard of for this long is taken for dead: shorter than the product's minute, so that many seeds fit
HEARTBEAT = 10

PATIENCE = 120  # for anything that should come by itself; the machine may be busy with other things


def text(seed=1):
    """A text of some thousand made-up words, the same for a seed everywhere."""
    dice = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(dice.choice(letters) for _ in range(dice.randint(2, 8))) for _ in range(400)]
    return "".join(" ".join(dice.choice(words) for _ in range(12)) + ".\n" for _ in range(900))


def settings(url, **more):
    """A model of two layers on url's text: some seconds of training on one core."""
    all = {
        "dataset.url": url,
        "dataset.sha256": "''",
        "model.layers": 2,
        "train.steps": STEPS,
        "model.width": 64,
        "train.batchTokens": 768,
        "train.microBatch": 12,
        "train.threads": 1,  # part of what fixes the bits, so not the machine's
        "schedule.warmupSteps": 5,
        "evaluation.everySteps": 20,
        "evaluation.tokens": 768,
        "sample.everySteps": 0,
        "sample.count": 1,
        "sample.tokens": 10,
        "checkpoint.everySteps": CHECKPOINT_EVERY,
        "expectation.validationLoss": 99,
    }
    all.update({name.replace("__", "."): value for name, value in more.items()})
    return [word for name, value in all.items() for word in ("--set", f"{name}={value}")]


class Scene:
    """reference_of(ranks, ending, text, overrides) gives the losses of a run without faults that is the same otherwise."""

    def __init__(self, stack, name, seed, reference_of, heartbeat=HEARTBEAT):
        self.stack, self.name, self.seed = stack, name, seed
        self.reference_of, self.ranks = reference_of, 1
        self.ending, self.overrides = "FINISHED", {}  # what the run comes to by itself, and its settings beyond the usual ones
        self.random = random.Random(seed)
        self.folder = stack.folder / name
        self.folder.mkdir()
        self.home = self.folder  # runs and cache of the host whose run is looked at
        self.lost = None  # the run's folder on a host that is gone
        self.text = self.folder / "text.txt"
        self.text_of_run = text()
        self.text.write_text(self.text_of_run)
        self.more = {"PACER_HEARTBEAT_TIMEOUT": str(heartbeat)}
        self.heartbeat = heartbeat
        self.workers, self.proxies = [], []
        self.client = None
        self.fault_at = None
        self.attempts_before = 0
        self.damaged = set()
        self.measured = None
        self.notes = []

    def note(self, text):
        self.notes.append(text)

    # ---- what is to be run

    def like(self, ranks=1, ending="FINISHED", words=None, **overrides):
        """Says what the case's run is like, and has it made without a fault: before there is a worker, which could take that one up."""
        self.ranks, self.ending = ranks, ending
        self.overrides = {"train__ranks": ranks, **overrides}
        if words:
            self.text_of_run = words
            self.text.write_text(words)
        self.reference()

    def reference(self):
        return self.reference_of(self.ranks, self.ending, self.text_of_run, self.overrides)

    # ---- what is started

    def environment(self, more=None, **ports):
        return self.stack.environment(self.folder, more={**self.more, **(more or {})}, **ports)

    def worker(self, more=None, prefix=(), roles=None, **ports):
        log = self.folder / f"worker-{len(self.workers)}.log"
        command = [*prefix, stacks.PACER, "worker"] + (["--roles", roles] if roles else [])
        worker = processes.start(command, log, self.environment(more, **ports))
        self.workers.append(worker)
        until(f"the worker of {log}", lambda: "runs in " in log.read_text() or worker.poll() is not None, PATIENCE)
        require(worker.poll() is None, f"the worker did not start: {log.read_text()[-500:]}")
        return worker

    def host(self, name, more=None):
        """A worker of a host with a name and a home of its own; gives worker and home."""
        home = self.folder / "hosts" / name
        home.mkdir(parents=True)
        called = ["unshare", "--uts", "sh", "-c", 'echo "$0" >/proc/sys/kernel/hostname && exec "$@"', f"{self.name}-{name}"]
        return self.worker(more=more, prefix=called, home=home), home

    def log(self, worker):
        return (self.folder / f"worker-{self.workers.index(worker)}.log").read_text()

    def start(self, *, url=None, prefix=(), more=None, **overrides):
        """`pacer run` of the small spec; it follows the run and is sent Ctrl-C where a case cancels."""
        command = [*prefix, stacks.PACER, "run", "quickstart", *settings(url or f"file:{self.text}", **{**self.overrides, **overrides})]
        self.client = processes.start(command, self.folder / "client.log", self.environment(more))
        return self.client

    def resume(self, run=None):
        """`pacer resume` of the run, or of that id where the run is not on the host that is looked at."""
        command = [stacks.PACER, "resume", run or self.run.name]
        self.client = processes.start(command, self.folder / "client.log", self.environment())
        until("the run's going on", lambda: self.status() not in ("STOPPED", "FAILED") or self.client.poll() is not None, PATIENCE)

    def through(self, proxy):
        self.proxies.append(proxy)
        return proxy

    # ---- what is seen

    @property
    def run(self):
        found = list((self.home / "runs").glob("*/run.json"))
        return found[0].parent if found else None

    def record(self):
        return json.loads((self.run / "run.json").read_text())

    def stage(self, name):
        """The stage's record; None before it began."""
        if not self.run:
            return None
        return next((s for s in self.record()["stages"] if s["stage"].upper() == name), None)

    def steps(self):
        before = invariants.events(self.lost) if self.lost else []
        return invariants.first(before + invariants.events(self.run), "step") if self.run else {}

    def step(self):
        return max(self.steps(), default=0)

    def trainers(self):
        """(pid, start) of the processes of the last attempt."""
        found = invariants.attempts(self.run)
        return [(p["pid"], p["start"]) for p in found[-1]["processes"]] if found else []

    def await_step(self, step, seconds=PATIENCE):
        until(f"step {step} of {self.name}", lambda: self.step() >= step or self.over(), seconds, 0.01)
        require(self.step() >= step, f"the run ended before step {step}: {self.client_words()}")

    def over(self):
        return self.client.poll() is not None and (not self.run or self.record()["status"].upper() != "RUNNING")

    def client_words(self):
        return " | ".join((self.folder / "client.log").read_text().strip().splitlines()[-6:])[-700:]

    def status(self):
        return self.record()["status"].upper() if self.run else None

    def random_step(self, low=3, high=STEPS - 15):
        """Waits for a moment of the training that the seed has drawn."""
        step, pause = self.random.randint(low, high), self.random.uniform(0, 0.1)
        self.await_step(step)
        time.sleep(pause)
        self.note(f"step {step}")
        return step

    # ---- the fault, and what comes of it

    def fault(self, act=None):
        """Does act, and takes the time of it as the fault's."""
        self.attempts_before = len(invariants.attempts(self.run)) if self.run else 0
        self.fault_at = time.time()
        if act:
            act()

    def to_next_step(self):
        """Seconds from the fault to the next step: the first of a new attempt where there is one. None where none was due."""
        if self.fault_at is None or not self.run:
            return None
        late = [e for e in invariants.events(self.run) if stacks.seconds_of(e["time"]) > self.fault_at]
        if len(invariants.attempts(self.run)) > self.attempts_before:
            begun = next((i for i, e in enumerate(late) if e["event"] == "started"), None)
            late = [] if begun is None else late[begun:]
        times = [stacks.seconds_of(e["time"]) for e in late if e["event"] == "step"]
        return times[0] - self.fault_at if times else None

    def to_new_ground(self):
        """The longest wait, from the fault on, for a step that there was not before: what the fault has cost."""
        if self.fault_at is None:
            return None
        times = [stacks.seconds_of(e["time"]) for _, e in sorted(self.steps().items())]
        late = [time for time in times if time > self.fault_at]
        return max((b - a for a, b in zip([self.fault_at, *late], late)), default=None)

    def measure(self):
        """Keeps both times, as far as they can be told."""
        if not self.measured:
            try:
                self.measured = {"next_step": self.to_next_step(), "new_ground": self.to_new_ground()}
            except (OSError, ValueError):
                self.measured = {"next_step": None, "new_ground": None}
        return self.measured

    def await_finish(self, seconds=240, status=None):
        status = status or self.ending
        until(
            f"the end of {self.name}",
            lambda: self.status() in ("FINISHED", "FAILED", "STOPPED") or (self.over() and not self.run),
            seconds,
            0.1,
        )
        require(self.status() == status, f"the run is {self.status()}: {self.client_words()}")

    def await_tracked(self):
        """Until the run is in MLflow with its end."""

        def sent():
            try:
                return json.loads((self.run / "tracking.json").read_text()).get("ending")
            except (OSError, ValueError):
                return None

        until(f"{self.name} in MLflow", sent, PATIENCE, 0.2)

    def finished_well(self, attempts=None):
        """Waits for the end, and checks all invariants."""
        self.await_finish()
        self.await_tracked()
        if attempts is not None:
            count = len(invariants.attempts(self.run))
            require(count == attempts, f"there were {count} attempts at training, not {attempts}")
        self.check()

    def check(self, whole=True, tracked=True):
        if self.run:
            invariants.i1_losses(self.run, self.reference(), whole)
            invariants.i3_one_writer(self.run)
        self.stop_workers()
        invariants.i2_manifests(self.home, self.stack.bucket(self.folder), self.damaged)
        invariants.i4_nothing_left(self.home, self.stack)
        if tracked:
            points = invariants.i5_series(self.run, self.stack.ports["mlflow"], self.lost)
            require(points > 0, "I5: nothing is in MLflow")
            self.one_mlflow_run()

    def one_mlflow_run(self):
        """A run that was made twice is a duplicate of all its points."""
        port = self.stack.ports["mlflow"]
        try:
            experiment = stacks.call(port, "/api/2.0/mlflow/experiments/get-by-name?experiment_name=pacer")
        except urllib.error.HTTPError as e:
            raise invariants.Break(f"I5: no experiment in MLflow ({e})") from e
        found = stacks.call(
            port,
            "/api/2.0/mlflow/runs/search",
            {
                "experiment_ids": [experiment["experiment"]["experiment_id"]],
                "filter": f"attributes.run_name = '{self.run.name}'",
            },
        ).get("runs", [])
        require(len(found) == 1, f"I5: {len(found)} MLflow runs for one run")

    def stop_workers(self):
        for worker in self.workers:
            processes.end(worker, 100)

    def close(self):
        """Ends all that a case has started, also what it has stopped."""
        for worker in self.workers:
            for pid, _ in processes.descendants(worker.pid):
                processes.signal_to(pid, signal.SIGCONT)
            processes.end(worker)
        if self.client:
            processes.end(self.client)
        for run in [*self.folder.glob("runs/*"), *self.folder.glob("hosts/*/runs/*")]:
            try:
                found = invariants.attempts(run)
            except (OSError, ValueError):
                found = []
            for attempt in found:
                for process in attempt["processes"]:
                    processes.kill((process["pid"], process["start"]))
        for proxy in self.proxies:
            proxy.close()
        self.end_workflow()
        self.stack.mend()

    def end_workflow(self):
        """Else the next case's worker, which has the same queues, would take up a run whose folder it does not know."""
        if not processes.lives(self.stack.servers["TEMPORAL"].identity):
            self.stack.restart("TEMPORAL")
        self.terminate("--query", "ExecutionStatus='Running'", "--yes", "--reason", "the case is over")

    def terminate(self, *words):
        temporal = self.stack.servers["TEMPORAL"].command[0]
        address = f"127.0.0.1:{self.stack.ports['temporal']}"
        command = [temporal, "workflow", "terminate", *words, "--address", address]
        return processes.start(command, self.folder / "terminate.log", dict(os.environ)).wait(30)
