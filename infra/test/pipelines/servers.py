"""The services of `pacer up` in a folder and at ports of their own, and what every case asks of them."""

import base64
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

HOME = pathlib.Path(__file__).resolve().parents[3]
PORTS = ["temporal", "temporal-ui", "temporal-metrics", "mlflow", "s3", "prometheus", "grafana", "metrics", "codec"]


def free_ports(count):
    """Numbers of ports that nobody has at the moment; all held until the last is found, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class Stack:
    def __init__(self, folder, tools):
        self.folder = folder
        self.ports = dict(zip(PORTS, free_ports(len(PORTS))))
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("TEMPORAL_", "MLFLOW_", "AWS_", "PACER_"))}
        self.environment |= {
            "PACER_STACK": str(folder / "stack"),
            "PACER_STACK_TOOLS": str(tools),
            "PACER_RUNS": str(folder / "runs"),
            "PACER_CACHE": str(folder / "cache"),
        }
        self.tools = tools
        self.temporal_program = str(tools / "temporal")

    def url(self, port):
        return f"http://127.0.0.1:{self.ports[port]}"

    def done(self, *arguments, code=0, limit=400, more=None):
        """A pacer command, with more in its environment; one that ends with another code is an error."""
        done = subprocess.run(
            [str(HOME / "pacer"), *arguments], env=self.environment | (more or {}), capture_output=True, text=True, timeout=limit)
        if done.returncode != code:
            raise AssertionError(f"pacer {' '.join(arguments)}: exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}")
        return done

    def pacer(self, *arguments, code=0, limit=400):
        return self.done(*arguments, code=code, limit=limit).stdout

    def errors(self, *arguments, code):
        return self.done(*arguments, code=code).stderr

    def up(self):
        ports = [word for name in PORTS for word in ("--port", f"{name}={self.ports[name]}")]
        return json.loads(self.pacer("up", "--local", *ports, "-o", "json"))

    def up_with(self, **settings):
        """Ends the stack, and has it up again with these settings of the environment."""
        self.pacer("down")
        self.environment |= settings
        self.up()

    def temporal(self, *arguments, fails=False):
        done = subprocess.run(
            [self.temporal_program, *arguments, "--address", f"127.0.0.1:{self.ports['temporal']}", "-o", "json"],
            capture_output=True, text=True, timeout=120)
        if (done.returncode != 0) != fails:
            raise AssertionError(f"temporal {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr if fails else json.loads(done.stdout or "null")

    def get(self, port, path):
        with urllib.request.urlopen(self.url(port) + path, timeout=30) as answer:
            return json.load(answer)

    def text(self, port, path):
        with urllib.request.urlopen(self.url(port) + path, timeout=30) as answer:
            return answer.read()

    def post(self, port, path, body, **headers):
        request = urllib.request.Request(self.url(port) + path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def start(self, workflow, body, *more):
        self.temporal("workflow", "start", "--type", "TrainPipeline", "--task-queue", "control", "--workflow-id", workflow,
                      "--input", body if isinstance(body, str) else json.dumps(body), *more)

    def status(self, workflow):
        return self.temporal("workflow", "describe", "-w", workflow)["workflowExecutionInfo"]["status"].removeprefix("WORKFLOW_EXECUTION_STATUS_")

    def query(self, workflow, name, *more):
        return self.temporal("workflow", "query", "-w", workflow, "--name", name, *more)["queryResult"][0]

    def step(self, workflow, *more):
        return (self.query(workflow, "progress", *more).get("now") or {}).get("step") or 0

    def update(self, workflow, name, *value, fails=False):
        words = ["--input", json.dumps(value[0])] if value else []
        return self.temporal("workflow", "update", "execute", "-w", workflow, "--name", name, *words, fails=fails)


def until(what, condition, seconds=240):
    """Waits until condition() is true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {what}")


def check(holds, what):
    if not holds:
        raise AssertionError(what)
    print(f"  ✓ {what}", flush=True)


def payloads(answer):
    """Those in what the service tells."""
    if isinstance(answer, dict):
        if "encoding" in (answer.get("metadata") or {}):
            yield answer
        answer = list(answer.values())
    for inner in answer if isinstance(answer, list) else []:
        yield from payloads(inner)


def text(encoded):
    return base64.b64decode(encoded).decode(errors="replace")
