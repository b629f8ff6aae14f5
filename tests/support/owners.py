"""Scripts that start private servers, and what becomes of their processes."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .forked import Piped

OWNER = """
import os, sys, time
from slotbook.topology.embedded import start
deployment = start("standalone")
print("ready", flush=True)
"""
"""Source of a script that starts a server and says so."""


def read_line(script: Piped | subprocess.Popen[str]) -> str:
    """Return the next line that a script says."""
    assert script.stdout is not None
    return script.stdout.readline().strip()


def state_and_parent(pid: int) -> tuple[str, int] | None:
    """Return a process's state, such as "Z" for a zombie, and its parent; None if it is gone (proc_pid_stat(5))."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = stat.rpartition(")")[2].split()[:2]
    return state, int(parent)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    running = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    return [one for one in running if (found := state_and_parent(one)) and found[1] == pid]
