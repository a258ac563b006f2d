"""What Prometheus has of all this."""

import subprocess
import sys

from . import gpus
from .servers import HOME, check, until


def every_panel_has_data(stack):
    """After the others, so that there is something of each kind to show; GPUs are made up."""
    panels = None

    def shown():
        nonlocal panels
        panels = subprocess.run([HOME / "infra/test/dashboards", stack.url("prometheus"), "--minutes", "30", "--gpu"], capture_output=True, text=True)
        return panels.returncode == 0
    with gpus.exported(stack):
        try:
            until("every query has data", shown, 60)  # what was just measured is there after the next scrape
        except AssertionError:
            print("\n".join(line for line in panels.stdout.splitlines() if not line.startswith("✓")), panels.stderr, file=sys.stderr)
            raise
    check(True, "Prometheus: every query of every panel has data")
    # a server without its pages answers everything but people; Debian's has the classic ones, with scripts of their own
    if (stack.tools / "prometheus-debian").exists():
        check(b"<script" in stack.text("prometheus", "/classic/graph"), "Prometheus: its pages are there")
        check(len(stack.text("prometheus", "/classic/static/jquery/jquery.min.js")) > 10_000, "Prometheus: and their scripts")
    groups = stack.get("prometheus", "/api/v1/rules")["data"]["groups"]
    check(groups and all(r["health"] == "ok" for g in groups for r in g["rules"]), "Prometheus: the rules are healthy")
