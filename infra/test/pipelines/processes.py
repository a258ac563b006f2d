"""The stack's own processes: how they stand, what they say, where they listen, and that runs outlive them."""

import ipaddress
import json
import os
import pathlib
import signal
import subprocess
import tempfile

from .servers import HOME, check, until

GRAFANA = '''#!/usr/bin/env python3
"""Stands for Grafana, of which there is no program here: keeps how it was started, and is healthy."""
import http.server, json, os, pathlib, sys

class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass

data = pathlib.Path(os.environ["GF_PATHS_DATA"])
data.mkdir(parents=True, exist_ok=True)
(data / "started.json").write_text(json.dumps({"arguments": sys.argv[1:], "environment": dict(os.environ)}))
http.server.HTTPServer((os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"])), Healthy).serve_forever()
'''


def install_grafana(stack):
    """A program of that name, first on the PATH."""
    program = stack.folder / "bin" / "grafana"
    program.parent.mkdir()
    program.write_text(GRAFANA)
    program.chmod(0o755)
    stack.environment["PATH"] = f"{program.parent}:{stack.environment['PATH']}"


def running(stack):
    """Pids by service, as the stack wrote them down."""
    state = json.loads((stack.folder / "stack/stack.json").read_text())
    return {r["server"].lower(): r["process"]["pid"] for r in state["running"]}


def with_children(pids):
    """Those processes and all that come of them."""
    parents = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parents[int(process.name)] = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass  # it has just ended
    found = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def listens(pids):
    """Addresses and ports that those processes listen on."""
    sockets = set()
    for pid in pids:
        try:
            sockets |= {os.readlink(f) for f in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
        except OSError:
            pass  # it, or what it had open, is gone
    found = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                address, port = words[1].split(":")
                # words of four bytes, each in the machine's order
                raw = b"".join(bytes.fromhex(address[i:i + 8])[::-1] for i in range(0, len(address), 8))
                ip = ipaddress.ip_address(raw)
                found.add((getattr(ip, "ipv4_mapped", None) or ip, int(port, 16)))
    return found


def nothing_listens_but_on_this_machine(stack):
    stack.start("listening", {"preset": "quickstart", "overrides": {"train.steps": 20000}})
    until("it trains", lambda: stack.step("listening") > 0)
    found = listens(with_children(running(stack).values()))
    ports = {port for _, port in found}
    wanted = {stack.ports[name] for name in stack.ports if name != "codec"}
    check(wanted <= ports, f"all {len(wanted)} services listen where they should, at {len(found)} addresses in all")
    strangers = sorted(f"{address}:{port}" for address, port in found if not address.is_loopback)
    check(not strangers, f"and none elsewhere than on the loopback address {' '.join(strangers)}".rstrip())
    stack.update("listening", "stopEarly")
    until("it came to its end", lambda: stack.status("listening") == "COMPLETED")


def what_is_over_is_kept_for_months(stack):
    def kept():
        return stack.temporal("operator", "namespace", "describe", "--namespace", "default")["config"]["workflowExecutionRetentionTtl"]

    check(kept() == "7776000s", "pacer up: Temporal keeps histories for 90 days")
    stack.temporal("operator", "namespace", "update", "--namespace", "default", "--retention", "120d")
    stack.up()
    check(kept() == "10368000s", "pacer up: and for longer where somebody has said so")


def grafana_is_started_with_the_dashboards(stack):
    told = json.loads((stack.folder / "stack/grafana/started.json").read_text())
    check(told["arguments"][:2] == ["server", "--homepath"], "grafana: started as a server")
    given = told["environment"]
    check(given["GF_SERVER_HTTP_ADDR"] == "127.0.0.1" and given["GF_SERVER_HTTP_PORT"] == str(stack.ports["grafana"]),
          "grafana: told where to listen")
    provisioning = pathlib.Path(given["GF_PATHS_PROVISIONING"])
    # Grafana puts the environment's values in place of $NAMES
    source, boards = ((provisioning / file).read_text() for file in ("datasources/prometheus.yml", "dashboards/pacer.yml"))
    check("url: $PACER_PROMETHEUS" in source and given["PACER_PROMETHEUS"] == stack.url("prometheus"), "grafana: its data are this Prometheus's")
    uid = source.split("uid: ")[1].split()[0]
    found = [json.loads(f.read_text()) for f in pathlib.Path(given["PACER_DASHBOARDS"]).glob("*.json")]
    check("path: $PACER_DASHBOARDS" in boards and len(found) >= 3 and uid, f"grafana: {len(found)} dashboards")
    check(not [name for name in given if name.startswith(("AWS_", "MLFLOW_TRACKING_"))], "grafana: knows no password")
    run = json.loads(stack.pacer("run", "--new", "--set", "train.steps=20", "-o", "json"))["run"]["id"]
    check(stack.query(run, "progress")["links"].get("Grafana", "").startswith(stack.url("grafana")), "grafana: a run's page links it")


def a_service_that_dies_is_told_of_and_started_again(stack):
    def told(code=0):
        return {s["name"]: s for s in json.loads(stack.pacer("status", "-o", "json", code=code))}

    before = told()
    check({s["state"] for s in before.values()} == {"up"}, f"pacer status: {', '.join(before)} are up")
    lines = stack.pacer("status").splitlines()
    check(all(any(line.startswith(f"✓ {name}") for line in lines) for name in before), "pacer status: a line each")
    check("there is temporal" in stack.errors("logs", "nobody", code=2).replace("s3, ", ""), "pacer logs: says of whom there are some")
    last = stack.pacer("logs", "worker", "-n", "2").splitlines()
    log = (stack.folder / "stack/logs/worker.log").read_text().splitlines()
    check(0 < len(last) <= 2 and last[-1] in log, "pacer logs: the last lines")
    with tempfile.TemporaryFile() as said:
        follower = subprocess.Popen([HOME / "pacer", "logs", "worker", "-f", "-n", "0"], env=stack.environment, stdout=said)
        try:
            def heard():
                said.seek(0)
                return said.read().decode()

            os.kill(before["worker"]["pid"], signal.SIGTERM)
            until("it is down", lambda: told(1)["worker"]["state"] == "down")
            check("✗ worker" in stack.pacer("status", code=1), "pacer status: exit code 1 where one is down, and which")
            up = {s["name"]: s["started"] for s in stack.up()}
            check([name for name, started in up.items() if started] == ["worker"], "pacer up: starts what is down, and nothing else")
            until("its new words", lambda: heard().count("\n") > 0, 30)
            check(heard().strip() in (stack.folder / "stack/logs/worker.log").read_text(), "pacer logs -f: what is added")
        finally:
            follower.terminate()
            follower.wait(20)
    check(told()["worker"]["pid"] != before["worker"]["pid"], "pacer status: all are up again")


def a_stack_that_goes_down_in_the_middle_goes_on(stack):
    stack.start("interrupted", {"preset": "quickstart", "overrides": {"train.steps": 1500, "checkpoint.everySteps": 100}})
    until("it has trained some steps", lambda: stack.step("interrupted") > 100)
    processes = running(stack).values()
    stack.pacer("down")
    check(not any(pathlib.Path(f"/proc/{pid}").exists() for pid in processes), "pacer down ends every process")
    stack.up()
    until("the run came to its end", lambda: stack.status("interrupted") == "COMPLETED")
    attempts = [json.loads(p.read_text()) for p in (stack.folder / "runs").glob("*/attempts.json")]
    check(any(len(a["attempts"]) > 1 and a["attempts"][-1]["fromStep"] >= 100 for a in attempts), "the run goes on from its checkpoint")
