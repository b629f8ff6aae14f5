"""Fork processes that have loaded already what each program loads that opens a book; see forked.py.

Each message on the socket asks for a process, and brings its files: standard input, output and error, and a pipe on
which it is told who it is, and how it has ended. In a new process ``serve`` returns what it is to run, so that it ends
as every process of Python's does. A process of which nobody reads any more how it has ended is killed: a test has
forgotten it, or was interrupted before it knew of it.
"""

# ruff: noqa: SIM115 (standard input, output and error are open as long as a process is there)

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import tempfile
from typing import NamedTuple, TypedDict, cast

import slotbook
from slotbook.repositories.changes.scripts import SHORT_WAYS, engine
from slotbook.topology.embedded import start

LOADED = (slotbook.connect, start, *(engine(step).digest for step in SHORT_WAYS))
"""What is loaded or put together when it is first asked for."""


class Asked(TypedDict):
    """A process that is wanted."""

    code: str
    environment: dict[str, str]
    folder: str
    is_leader: bool


class Running(NamedTuple):
    """A process, a handle that can be read when it has ended, and the pipe on which that is told."""

    pid: int
    handle: int
    told: int


def serve(number: int) -> str:
    """Fork a process for each message, and tell how it has ended; return in that process, with its program."""
    asking = socket.socket(fileno=number)
    watched = select.poll()
    watched.register(asking, select.POLLIN)
    running: dict[int, Running] = {}
    gc.freeze()  # else each process, when it ends, would look through all that is loaded, and so copy it
    while True:
        for ready, _ in watched.poll():
            if one := running.get(ready):
                if ready == one.told:  # nobody reads it
                    signal.pidfd_send_signal(one.handle, signal.SIGKILL)
                _, status = os.waitpid(one.pid, 0)
                _write(one.told, os.waitstatus_to_exitcode(status))
                for file in one[1:]:
                    watched.unregister(file)
                    os.close(file)
                    del running[file]
            if ready != number:
                continue
            message, files, _, _ = socket.recv_fds(asking, 1 << 20, 4)
            if not message:  # who asks is gone, perhaps killed: what it has started ends with it
                for one in running.values():
                    signal.pidfd_send_signal(one.handle, signal.SIGKILL)
                os._exit(0)  # nothing of the tests' is to be run in the end
            if not (pid := os.fork()):
                asking.close()
                for file in running:
                    os.close(file)
                return _begin(cast(Asked, json.loads(message)), files)
            *given, told = files
            for file in given:
                os.close(file)
            one = Running(pid, os.pidfd_open(pid), told)
            running[one.handle] = running[told] = one
            watched.register(one.handle, select.POLLIN)
            watched.register(told, 0)  # POLLERR is told in any case: see poll(2)
            _write(told, pid)


def _write(told: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # a test has forgotten the process
        os.write(told, f"{number}\n".encode())


def _begin(asked: Asked, files: list[int]) -> str:
    """Be what a process is that has just been started with some files, in a folder and an environment."""
    for place, file in enumerate(files[:3]):
        os.dup2(file, place)
    for file in files:
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    tempfile.tempdir = None
    if asked["is_leader"]:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return asked["code"]
