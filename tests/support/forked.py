"""Run programs in processes that are forked from one that has loaded Slotbook already: half a second less for each.

For tests of what a program does. What a process does while it starts is tested with ``subprocess``.
"""

# ruff: noqa: PTH123, SIM115 (the files are those of a process, open by their numbers until it has ended)

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from functools import cache
from io import FileIO
from pathlib import Path
from tempfile import TemporaryFile

_STARTING = threading.Lock()
_SERVER = Path(__file__).with_name("fork_server.py")
_START = f"""
import sys
names = {{"__name__": "forks"}}
exec(compile(sys.stdin.read(), {str(_SERVER)!r}, "exec"), names)
serve, number = names["serve"], int(sys.argv.pop())
del names
code = serve(number)
sys.argv[1:] = []
exec(code, {{"__name__": "__main__"}})
"""


class Forked:
    """A process that was forked for a test; like ``subprocess.Popen``, as far as tests ask it."""

    def __init__(self, told: FileIO) -> None:
        self._told = told
        self.returncode: int | None = None
        self.pid = int(self._told.readline())

    def poll(self) -> int | None:
        """Return how it has ended, if it has."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = int(self._told.readline())
            self._told.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ends."""
        if self.returncode is None:
            select.select([self._told], [], [], timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def fork(
    code: str,
    files: tuple[int, int, int],
    *,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    is_leader: bool = False,
    flags: tuple[str, ...] = (),
) -> Forked:
    """Run a program, with files for its input, output and errors, in a process with some flags of Python's.

    It is killed when nobody holds what is returned any more, as when Ctrl-C comes before anybody does.
    """
    hears, telling = os.pipe()
    told = open(hears, "rb", buffering=0)
    with _STARTING:
        server = _server(flags)
    asked = {
        "code": code,
        "environment": environment or dict(os.environ),
        "folder": str(folder or Path.cwd()),
    }
    try:
        socket.send_fds(server, [json.dumps({**asked, "is_leader": is_leader}).encode()], [*files, telling])
    finally:
        os.close(telling)
    return Forked(told)


class Piped:
    """A forked process, and what a test writes to it and reads from it."""

    def __init__(
        self,
        code: str,
        *,
        environment: dict[str, str] | None = None,
        is_leader: bool = False,
        flags: tuple[str, ...] = (),
    ) -> None:
        (given, writes), (reads, said), (hears, complained) = os.pipe(), os.pipe(), os.pipe()
        files = (given, said, complained)
        self.process = fork(code, files, environment=environment, is_leader=is_leader, flags=flags)
        for theirs in files:
            os.close(theirs)
        self.stdin = open(writes, "w", encoding="utf-8")
        self.stdout = open(reads, encoding="utf-8")
        self.stderr = open(hears, encoding="utf-8")

    def rest(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait until it has ended; return what it has still printed, which a pipe has to hold, and its complaints."""
        self.process.wait(timeout)
        with self.stdin, self.stdout, self.stderr:
            return self.stdout.read(), self.stderr.read()


def run(
    code: str, *arguments: str, stdin: str = "", folder: Path | None = None, flags: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with arguments and what it reads, and return all that it has printed."""
    with contextlib.ExitStack() as opened:
        given, out, err = (opened.enter_context(TemporaryFile("w+", encoding="utf-8")) for _ in range(3))
        given.write(stdin)
        given.seek(0)
        files = (given.fileno(), out.fileno(), err.fileno())
        told = f"import sys; sys.argv[1:] = {[*arguments]!r}\n"
        process = fork(told + code, files, folder=folder, flags=flags)
        try:
            ended = process.wait(300)
        finally:
            process.kill()  # if Ctrl-C or the time has ended the wait
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(code, ended, out.read(), err.read())


def module(name: str, *arguments: str) -> str:
    """Return the program that ``python -m`` runs."""
    return f"import runpy, sys; sys.argv = {['', *arguments]!r}; runpy.run_module({name!r}, None, '__main__', True)"


def script(path: str, *arguments: str) -> str:
    """Return the program that a file is."""
    return f"import runpy, sys; sys.argv = {[path, *arguments]!r}; runpy.run_path({path!r}, None, '__main__')"


@cache
def _server(flags: tuple[str, ...]) -> socket.socket:
    """Return what the process listens to that forks others; it ends when this one does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    atexit.register(ours.close)
    with theirs:
        started = subprocess.Popen(
            [sys.executable, *flags, "-c", _START, str(theirs.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            cwd="/",
            start_new_session=True,
        )
    assert started.stdin is not None
    with started.stdin:
        started.stdin.write(_SERVER.read_bytes())
    return ours
