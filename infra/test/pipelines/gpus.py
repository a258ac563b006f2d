"""GPUs that are not there: a worker's series of them, made up, for the queries that ask for them."""

import contextlib
import http.server
import os
import re
import signal
import threading

from .processes import running
from .servers import HOME

# The reference in the guide is written from the meters themselves (MeterReferenceTest), so these are a worker's names, types and labels.
ROW = re.compile(r"^\| `(pacer_gpu_\w+|pacer_training_mfu_ratio)` \| (gauge|counter) \| ([^|]*) \|", re.MULTILINE)
LABELS = {"gpu": "0", "model": "made up", "xid": "79", "drain": "true"}
UNITS = {"ratio": 0.5, "bytes": 4e10, "watts": 300, "celsius": 60, "up": 1}


def series(scrapes):
    """The page of an exporter that was asked so often."""
    lines = []
    for name, kind, labels in ROW.findall((HOME / "docs/guide.md").read_text(encoding="utf-8")):
        names = re.findall(r"`(\w+)`", labels)
        shown = "{" + ",".join(f'{label}="{LABELS[label]}"' for label in names) + "}" if names else ""
        value = scrapes if kind == "counter" else UNITS[name.rsplit("_", 1)[1]]
        lines += [f"# TYPE {name} {kind}", f"{name}{shown} {value}"]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def exported(stack):
    """While it lasts, the stack's Prometheus scrapes them with the worker's job."""
    scrapes = 0

    class Exporter(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            nonlocal scrapes
            scrapes += 1
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(series(scrapes).encode())

        def log_message(self, *_):
            pass

    config = stack.folder / "stack/prometheus/prometheus.yml"
    before = config.read_text()
    worker = f"'127.0.0.1:{stack.ports['metrics']}'"
    assert before.count(worker) == 1, before
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exporter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            scraped(stack, config, before.replace(worker, f"{worker}, '127.0.0.1:{server.server_port}'"))
            yield
        finally:
            scraped(stack, config, before)
            server.shutdown()


def scraped(stack, config, text):
    config.write_text(text)
    os.kill(running(stack)["prometheus"], signal.SIGHUP)
