"""Secrets: planted wherever a worker may be given one, through runs that go well and runs that do not, and then looked for everywhere."""

import base64
import contextlib
import http.server
import itertools
import json
import os
import pathlib
import secrets
import select
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import urllib.parse

from .processes import running
from .servers import HOME, check, payloads, text, until

sys.path.insert(0, str(HOME / "infra" / "faults"))
from proxy import Proxy  # noqa: E402

OWN = {"stack/stack.json", "keys"}  # whose business it is to hold them


def planted():
    """A value that is nowhere by chance."""
    return "planted-" + secrets.token_hex(12)


def forms(secret, user):
    """How it may be written."""
    yield secret.encode()
    yield urllib.parse.quote(secret, safe="").encode()
    for whole in (secret, f"{user}:{secret}"):
        yield base64.b64encode(whole.encode()).rstrip(b"=")[:-1]  # what follows may change the last character


def files(stack):
    """Every file of the stack, of runs and of the cache, with its attributes: databases, logs, run folders, objects of S3 and of MLflow."""
    for folder, folders, names in os.walk(stack.folder):
        here = pathlib.Path(folder)
        folders[:] = [f for f in folders if (here / f).relative_to(stack.folder).as_posix() not in ("tools", "cache/native")]
        for name in names:
            file = here / name
            place = file.relative_to(stack.folder).as_posix()
            if place in OWN or not stat.S_ISREG(file.lstat().st_mode):
                continue
            with contextlib.suppress(FileNotFoundError):  # a server may be done with it
                with file.open("rb") as content:
                    yield place, content.read(1 << 20 if file.suffix in (".safetensors", ".bin") else -1)  # numbers after that
                for attribute in os.listxattr(file):
                    yield f"{place}, {attribute}", os.getxattr(file, attribute)


def told_by_temporal(stack):
    """What its UI is told of every workflow: histories, memos, search attributes, and the data of all payloads."""
    api = "/api/v1/namespaces/default/workflows"

    def pages(path):
        token = ""
        while True:
            page = stack.get("temporal-ui", f"{path}?nextPageToken={urllib.parse.quote(token)}")
            yield page
            token = page.get("nextPageToken") or ""
            if not token:
                return

    for page in pages(api):
        for one in page["executions"]:
            workflow = urllib.parse.quote(one["execution"]["workflowId"], safe="")
            described = stack.get("temporal-ui", f"{api}/{workflow}?execution.runId={one['execution']['runId']}")
            answers = [one, described, *pages(f"{api}/{workflow}/history")]
            said = "\n".join([json.dumps(a) for a in answers] + [text(p.get("data", "")) for p in payloads(answers)])
            yield f"temporal: {one['execution']['workflowId']}", said.encode()


def told_by_mlflow(stack):
    found = stack.post("mlflow", "/api/2.0/mlflow/experiments/search", {"max_results": 1000})
    ids = [e["experiment_id"] for e in found["experiments"]]
    yield "mlflow: runs", json.dumps(stack.post("mlflow", "/api/2.0/mlflow/runs/search", {"experiment_ids": ids})).encode()
    yield "mlflow: models", json.dumps(stack.get("mlflow", "/api/2.0/mlflow/model-versions/search")).encode()


def search(places, values):
    """Where each of values is, by its name; and all places that were looked at."""
    wanted = [(name, form) for name, (user, value) in values.items() for form in set(forms(value, user))]
    found, looked = {name: set() for name in values}, set()
    for place, content in places:
        looked.add(place)
        for name, form in wanted:
            if form in content:
                found[name].add(place)
    return found, looked


class CommandLines(threading.Thread):
    """Reads those of all processes time and again."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = set()
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.2):
            for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(file.read_bytes())


class DeafWebhook(http.server.BaseHTTPRequestHandler):
    """Takes nothing."""
    asked = []

    def do_POST(self):
        DeafWebhook.asked.append(self.path)
        self.send_error(500)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def worker(stack, environment):
    """The stack's worker is ended, and another one of this environment is in its place."""
    os.kill(running(stack)["worker"], signal.SIGTERM)
    until("the stack's worker has ended", lambda: not pathlib.Path(f"/proc/{running(stack)['worker']}").exists())
    with open(stack.folder / "planted-worker.log", "wb") as log:
        mine = subprocess.Popen([HOME / "pacer", "worker"], env=stack.environment | environment, stdout=log, stderr=log)
        try:
            said = stack.folder / "planted-worker.log"
            until("the planted worker works", lambda: mine.poll() is not None or "for Temporal:" in said.read_text(), 60)
            check(mine.poll() is None, "a worker with all secrets works")
            yield mine
        finally:
            mine.terminate()
            mine.wait(120)
            stack.up()


def no_secret_is_anywhere(stack):
    s3_secret = json.loads((stack.folder / "stack/stack.json").read_text())["s3Secret"]
    values = {  # by what it is: the user that goes with it, and the value
        "S3 password": ("pacer", s3_secret),
        "MLflow password": ("planted-user", planted()),
        "MLflow token": ("", planted()),
        "webhook address": ("", planted()),
        "refused S3 password": ("pacer", planted()),
        "Temporal API key": ("Bearer", planted()),
        "password in an address, of a file": ("reader", planted()),
        "password in an address, from the UI": ("reader", planted()),
    }
    said = {name: value for name, (_, value) in values.items()}
    written, typed = said["password in an address, of a file"], said["password in an address, from the UI"]
    note = planted()
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), DeafWebhook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    mlflow = Proxy(stack.ports["mlflow"])
    mlflow.refuse, mlflow.refuse_with = 10 ** 6, 401  # as if the password were wrong
    certificates = tempfile.TemporaryDirectory()
    temporal = Tls(stack.ports["temporal"], pathlib.Path(certificates.name))
    lines = CommandLines()
    outputs = []
    environment = {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{mlflow.port}",
        "MLFLOW_TRACKING_USERNAME": "planted-user",
        "MLFLOW_TRACKING_PASSWORD": said["MLflow password"],
        "PACER_WEBHOOK": f"http://127.0.0.1:{hook.server_port}/services/" + said["webhook address"],
        "PACER_METRICS": f"127.0.0.1:{stack.ports['metrics']}",
        "PACER_DEBUG": "1",  # what libraries log as well
        "TEMPORAL_ADDRESS": f"localhost:{temporal.port}",
        "TEMPORAL_API_KEY": said["Temporal API key"],
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(temporal.certificate),
        "PACER_TEMPORAL_UI": stack.url("temporal-ui"),
    }
    try:
        with worker(stack, environment):
            run = json.loads(stack.pacer("run", "--new", "--set", "train.steps=200", "--note", note, "-o", "json"))["run"]["id"]
            stack.start("planted-failure", {"preset": "quickstart", "overrides": {"dataset.url": "file:/nowhere/text.txt", "dataset.sha256": ""}})
            with tempfile.NamedTemporaryFile("w") as form:  # on a command line it would be seen
                json.dump({"preset": "quickstart", "overrides": {"dataset.url": f"https://reader:{typed}@example.com/text.txt"}}, form)
                form.flush()
                stack.temporal("workflow", "start", "--type", "TrainPipeline", "--task-queue", "control", "--workflow-id", "planted-address",
                               "--input-file", form.name)
            for failed in ("planted-failure", "planted-address"):
                until(f"{failed} failed", lambda f=failed: stack.status(f) == "FAILED")
            until("MLflow refused", lambda: mlflow.happened > 0)
            mlflow.refuse = 0
            until("everything is in MLflow", lambda: not stack.temporal(
                "workflow", "list", "--query", f"WorkflowType='TrackRun' AND ExecutionStatus='Running' AND WorkflowId STARTS_WITH '{run}'"))
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
                config.write(f"dataset: {{url: 'https://reader:{written}@example.com/a', sha256: '{'0' * 64}'}}\n")
                config.flush()
                outputs.append(stack.done("run", "--new", "--config", config.name, code=2))
            with_token = {"MLFLOW_TRACKING_URI": environment["MLFLOW_TRACKING_URI"], "MLFLOW_TRACKING_TOKEN": said["MLflow token"]}
            (stack.folder / "runs" / run / "tracking.json").unlink()
            mlflow.refuse = 10 ** 6
            outputs.append(stack.done("publish", run, code=1, more=with_token))
            mlflow.refuse = 0
            outputs.append(stack.done("publish", run, more=with_token))
            outputs.append(stack.done("publish", run, code=1, more={
                "PACER_STORE": "s3://pacer", "AWS_ENDPOINT_URL_S3": stack.url("s3"), "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "pacer",
                "AWS_SECRET_ACCESS_KEY": said["refused S3 password"], "PACER_DEBUG": "1"}))
            metrics = stack.text("metrics", "/metrics")
    finally:
        lines.over.set()
        lines.join()
        hook.shutdown()
        mlflow.close()
        temporal.close()
        certificates.cleanup()
    check(len(DeafWebhook.asked) >= 3 and all(said["webhook address"] in path for path in DeafWebhook.asked), "the webhook was told, in vain")
    check("must not carry a user or password" in outputs[0].stderr, "an address with a password is refused")
    check("401" in outputs[1].stderr and "MLflow" in outputs[1].stderr, "a password that MLflow refuses is said")

    places = itertools.chain(
        files(stack), told_by_temporal(stack), told_by_mlflow(stack), [("/metrics", metrics)],
        ((f"command line of a {'trainer' if b'pacer.trainer.Trainer' in line else 'process'}", line) for line in lines.seen),
        ((f"output of pacer {o.args[1]}", (o.stdout + o.stderr).encode()) for o in outputs))
    found, looked = search(places, values | {"note": ("", note), "run": ("", run)})
    looked_everywhere(stack, run, found.pop("note"), found.pop("run"), looked)

    # who types a password into Temporal's own form tells Temporal; but nobody passes it on
    from_ui = found["password in an address, from the UI"]
    check("temporal: planted-address" in from_ui, "Temporal knows what somebody typed into its own form")
    from_ui -= {place for place in from_ui if place == "temporal: planted-address" or place.startswith("stack/temporal/")}
    for name, where in found.items():
        check(not where, f"nowhere: {name} {' '.join(sorted(where))}".rstrip())
    later = json.dumps(stack.temporal("workflow", "show", "-w", "planted-address")["events"][1:], ensure_ascii=False)
    check(typed not in later and "…@example.com" in later, "and why that run failed does not repeat it")


def looked_everywhere(stack, run, note, id, looked):
    """That what is not found is not there: the note of the run, and its id, are no secrets, and in all these places."""
    kinds = {
        "Temporal's history": f"temporal: {run}",
        "Temporal's database": "stack/temporal/",
        "the run's record": f"runs/{run}/run.json",
        "the report": f"runs/{run}/report.html",
        "MLflow": "mlflow: runs",
        "MLflow's database": "stack/mlflow/",
        "MLflow's artifacts": "stack/s3/mlflow/",
        "S3": f"stack/s3/pacer/runs/{run}/",
        "command lines": "command line of a process",
    }
    missing = [kind for kind, place in kinds.items() if not any(p.startswith(place) for p in note)]
    check(not missing, f"a run's note is found in all of: {', '.join(kinds)} {missing or ''}".rstrip())
    kinds = {"the worker's log": "planted-worker.log", "a trainer's command line": "command line of a trainer", "/metrics": "/metrics",
             "Temporal's account of its tracking": f"temporal: {run}-tracking-", "a command's output": "output of pacer publish"}
    missing = [kind for kind, place in kinds.items() if not any(p.startswith(place) for p in id)]
    check(not missing, f"its id in all of: {', '.join(kinds)} {missing or ''}".rstrip())
    rest = {f"runs/{run}/{name}" for name in ("trainer.log", "events.jsonl", "preset.yaml", "attempts.json", "tracking.json")}
    check(rest <= looked, f"and {len(looked)} places were looked at {' '.join(rest - looked)}".rstrip())
    check(stat.S_IMODE((stack.folder / "stack").stat().st_mode) & 0o077 == 0, "the stack's folder, with its password, is for its owner only")


class Tls:
    """Before a port of this machine, as before a service elsewhere: what comes encrypted passes, decrypted."""

    def __init__(self, port, folder):
        self.certificate, key = folder / "certificate.pem", folder / "certificate.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.certificate], check=True, capture_output=True)
        self.target = port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.context.set_alpn_protocols(["h2"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self.listener.accept()[0],), daemon=True).start()

    def _serve(self, plain):
        with contextlib.suppress(OSError):
            with self.context.wrap_socket(plain, server_side=True) as client, socket.create_connection(("127.0.0.1", self.target)) as server:
                client.setblocking(False)
                while True:
                    # what is decrypted already is heard of by nobody else
                    ready = [client] if client.pending() else select.select([client, server], [], [])[0]
                    for source, sink in ((client, server), (server, client)):
                        if source in ready:
                            try:
                                piece = source.recv(65536)
                            except ssl.SSLWantReadError:
                                continue
                            if not piece:
                                return
                            self._send(sink, piece)

    @staticmethod
    def _send(sink, piece):
        while piece:
            try:
                piece = piece[sink.send(piece):]
            except (ssl.SSLWantWriteError, BlockingIOError):
                select.select([], [sink], [])
