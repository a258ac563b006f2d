"""Processes that the harness starts or signals: always by exact id, and none outlives it."""

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_started = []


class Timeout(Exception):
    """What was waited for did not come."""


def until(what, look, seconds=60, pause=0.05):
    """Waits until look() gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Timeout(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(pause)


def _dies_with_harness():
    # also where the harness itself is killed without a word
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # what a shell starts in the background ignores Ctrl-C, and so would all below it
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(command, log, environment, folder=None):
    """Starts a process in a session of its own, so that a Ctrl-C meant for the harness reaches only the harness."""
    with open(log, "ab") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
            preexec_fn=_dies_with_harness,
        )
    _started.append(process)
    return process


def end(process, seconds=0):
    """Ends a process of ours: asked first where seconds are given. What it has started goes with it."""
    below = descendants(process.pid)
    if process.poll() is None:
        signal_to(process.pid, signal.SIGCONT)
        if seconds:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        process.kill()
        process.wait()
    for identity in below:
        kill(identity)


def end_all():
    for process in reversed(_started):
        end(process)
    _started.clear()


def start_of(pid):
    """Start of a live process in clock ticks since boot, as pacer writes it down; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def lives(identity):
    """Whether the process (pid, start) lives."""
    pid, began = identity
    return start_of(pid) == began


def descendants(pid):
    """(pid, start) of all processes below pid."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text("latin-1").rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append((int(entry), fields[19]))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += [child for child, _ in children]
    return found


def signal_to(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill(identity):
    if lives(identity):
        signal_to(identity[0], signal.SIGKILL)
