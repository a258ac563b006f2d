"""The product's own local stack in a folder and on ports of its own; servers that can be killed and started again."""

import calendar
import json
import os
import signal
import socket
import time
import urllib.request
from pathlib import Path

import processes

HOME = Path(__file__).resolve().parents[2]
PACER = HOME / "pacer"
PORTS = ["temporal", "temporal-ui", "temporal-metrics", "mlflow", "s3", "prometheus", "grafana", "metrics"]
BUCKET = "pacer"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Server:
    """One of the stack's servers. Its command and environment are read from the running process, so they are the product's."""

    def __init__(self, name, identity, port, health):
        self.name, self.identity, self.port, self.health = name, identity, port, health
        proc = Path(f"/proc/{identity[0]}")
        self.command = proc.joinpath("cmdline").read_bytes().rstrip(b"\0").decode().split("\0")
        pairs = proc.joinpath("environ").read_bytes().rstrip(b"\0").decode().split("\0")
        self.environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        self.folder = os.readlink(proc / "cwd")
        self.process = None  # once it is ours

    def kill(self):
        below = processes.descendants(self.identity[0])
        processes.signal_to(self.identity[0], signal.SIGKILL)
        for one in below:
            processes.kill(one)
        if self.process:
            self.process.wait()
        processes.until(f"the end of {self.name}", lambda: not processes.lives(self.identity), 20)

    def start(self, log):
        self.process = processes.start(self.command, log, self.environment, self.folder)
        self.identity = (self.process.pid, processes.start_of(self.process.pid))
        processes.until(f"{self.name} to answer", self.answers, 90)

    def answers(self):
        try:
            with urllib.request.urlopen(self.health, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


class Stack:
    def __init__(self, folder, tools):
        self.folder = Path(folder)
        self.logs = self.folder / "harness"
        self.logs.mkdir(parents=True)
        self.place = self.folder / "stack"
        self.base = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PACER_", "TEMPORAL_", "MLFLOW_", "AWS_")) and name != "JAVA_HOME"
        }
        self.base.update(
            PACER_STACK=str(self.place),
            PACER_STACK_TOOLS=str(tools),
            PACER_NO_BUILD="1",
            PACER_RUNS=str(self.folder / "unused-runs"),
            PACER_CACHE=str(self.folder / "unused-cache"),
            NO_COLOR="1",
        )
        self.ports = dict(zip(PORTS, free_ports(len(PORTS))))
        self.servers = {}

    def up(self):
        command = [PACER, "up", "--local"]
        for name, port in self.ports.items():
            command += ["--port", f"{name}={port}"]
        log = self.logs / "up.log"
        process = processes.start(command, log, self.base)
        if process.wait(300) != 0:
            raise RuntimeError("pacer up: " + log.read_text()[-2000:])
        state = self.state()
        self.key, self.secret = state["s3Key"], state["s3Secret"]
        health = {
            "TEMPORAL": f"http://127.0.0.1:{self.ports['temporal-ui']}/",
            "MLFLOW": f"http://127.0.0.1:{self.ports['mlflow']}/health",
            "S3": f"http://127.0.0.1:{self.ports['s3']}/health",
        }
        for running in state["running"]:
            name, identity = running["server"].upper().replace("-", "_"), (running["process"]["pid"], running["process"]["start"])
            if name in health:
                self.servers[name] = Server(name, identity, self.ports[name.lower()], health[name])
            else:
                # cases have workers of their own, with folders, proxies and ends of their own; nobody looks at Prometheus
                processes.signal_to(identity[0], signal.SIGTERM)
                processes.until(f"the end of {name}", lambda one=identity: not processes.lives(one), 120)

    def state(self):
        return json.loads((self.place / "stack.json").read_text())

    def environment(self, folder, temporal=None, mlflow=None, s3=None, more=None, home=None):
        """Of a worker or a client whose runs are in folder, or in home; ports in place of the stack's lead through proxies."""
        all = dict(self.base)
        home = home or folder
        all.update(
            PACER_RUNS=str(home / "runs"),
            PACER_CACHE=str(home / "cache"),
            TEMPORAL_ADDRESS=f"127.0.0.1:{temporal or self.ports['temporal']}",
            MLFLOW_TRACKING_URI=f"http://127.0.0.1:{mlflow or self.ports['mlflow']}",
            PACER_STORE=f"s3://{BUCKET}/{folder.name}",
            AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{s3 or self.ports['s3']}",
            AWS_REGION="us-east-1",
            AWS_ACCESS_KEY_ID=self.key,
            AWS_SECRET_ACCESS_KEY=self.secret,
            PACER_ALLOW_PRIVATE_URLS="true",
        )
        all.update(more or {})
        return all

    def bucket(self, folder):
        """Where the S3 server keeps what a case has stored."""
        return self.place / "s3" / BUCKET / folder.name

    def multipart(self):
        """Open multipart uploads, as the S3 server keeps them."""
        root = self.place / "s3" / BUCKET / ".sgwtmp" / "multipart"
        return [path for path in root.rglob("*") if path.is_file()] if root.exists() else []

    def restart(self, name):
        self.servers[name].start(self.logs / f"{name.lower()}.log")

    def mend(self):
        """All servers up again, whatever a case has left."""
        for server in self.servers.values():
            processes.signal_to(server.identity[0], signal.SIGCONT)
            if not processes.lives(server.identity):
                self.restart(server.name)

    def down(self):
        for server in self.servers.values():
            server.kill()
        # what an interrupted up has left: its processes are listed before they are ready
        try:
            listed = self.state()["running"]
        except (OSError, ValueError):
            return
        for running in listed:
            processes.kill((running["process"]["pid"], running["process"]["start"]))


def call(port, path, body=None):
    """JSON of an HTTP server of this machine."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def millis_of(time_text):
    """Whole milliseconds since 1970 of such an instant: as Java takes them, without those that a float rounds up."""
    main, _, fraction = time_text.rstrip("Z").partition(".")
    return 1000 * calendar.timegm(time.strptime(main, "%Y-%m-%dT%H:%M:%S")) + int((fraction + "000")[:3])


def seconds_of(time_text):
    """Seconds since 1970 of an instant as Java writes it; nanoseconds are more than Python reads."""
    main, _, fraction = time_text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(main, "%Y-%m-%dT%H:%M:%S")) + float("0." + (fraction or "0"))
