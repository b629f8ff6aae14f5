"""Scripts that start private servers, and what becomes of their processes."""

from __future__ import annotations

import subprocess

OWNER = """
import os, sys, time
from slotbook.topology.embedded import start
deployment = start("standalone")
print("ready", flush=True)
"""
"""Source of a script that starts a server and says so."""


def read_line(script: subprocess.Popen[str]) -> str:
    """Return the next line that a script says."""
    assert script.stdout is not None
    return script.stdout.readline().strip()


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    ran = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in ran.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]
