"""Start the guard process of a deployment and send requests to it; the process itself is in ``guard_process.py``."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from ...models.errors import EmbeddedError

_PROGRAM = Path(__file__).with_name("guard_process.py")
_ANSWER_SECONDS = 30.0


class Guard:
    """A guard process, which starts, signals and kills the servers of one deployment, and cleans up after them.

    Every method raises EmbeddedError if the guard process has ended or cannot do what it is asked.
    """

    def __init__(self) -> None:
        if not sys.executable:
            raise EmbeddedError("sys.executable is empty, so there is no Python to run the guard process with")
        self._owner = os.getpid()
        self._lock = threading.RLock()  # reentrant: the garbage collector may close a guard during a call
        self._calls = 0
        self._received = b""
        # A socket, not a pipe: the guard notices that it is shut down even while a forked child has a copy of it.
        self._channel, guard_end = socket.socketpair()
        self._channel.settimeout(_ANSWER_SECONDS)
        with guard_end:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [
                    sys.executable,
                    "-I",
                    "-S",
                    str(_PROGRAM),
                    str(self._owner),
                    str(Path(tempfile.gettempdir()).resolve()),
                ],
                stdin=guard_end.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        with self._lock:
            self.folder = Path(cast(str, self._answer(0)))

    @property
    def pid(self) -> int:
        """The process id of the guard."""
        return self._process.pid

    def reserve(self, count: int, first: int = 0) -> list[int]:
        """Return ``count`` free loopback ports, which the system gives to no other program until the guard ends.

        Args:
            count: The number of ports.
            first: The first of them, with the others behind it; 0 for any ports. One that is taken is an EmbeddedError.
        """
        return cast("list[int]", self._call("reserve", count, first))

    def spawn(self, name: str, command: Sequence[str], log: Path, ports: Sequence[int]) -> int:
        """Start the named server and return its process id; if it is running, kill it first."""
        return cast(int, self._call("spawn", name, list(command), str(log), list(ports)))

    def running(self, name: str) -> bool:
        """Return True if the process of the named server exists; once the guard is closed, it does not."""
        closed = os.getpid() == self._owner and self._process.returncode == 0
        return not closed and cast(bool, self._call("running", name))

    def signal(self, name: str, number: int) -> bool:
        """Send a signal to the named server; return False if it is not running."""
        return cast(bool, self._call("signal", name, number))

    def kill(self, name: str) -> None:
        """Kill the named server with SIGKILL and wait until it has ended."""
        self._call("kill", name)

    def close(self) -> bool:
        """Have every server killed and the folder removed, and return True when that is done.

        Returns False if the guard process failed. In a forked child, does nothing and returns True.
        """
        if os.getpid() != self._owner:
            return True
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        done = self._process.wait() == 0
        with self._lock:
            self._channel.close()
        return done

    def _call(self, operation: str, *arguments: object) -> object:
        if os.getpid() != self._owner:
            raise EmbeddedError(f"only process {self._owner}, which started the servers, can control them")
        with self._lock:
            self._calls += 1
            request = json.dumps([self._calls, operation, arguments]).encode() + b"\n"
            try:
                self._channel.sendall(request)
            except OSError:
                raise self._gone() from None
            return self._answer(self._calls)

    def _answer(self, call: int) -> object:
        # A KeyboardInterrupt may have ended an earlier call before its reply came; that reply is skipped here.
        while True:
            line = self._line()
            number, value, error = cast("tuple[int, object, str | None]", json.loads(line))
            if number == call:
                if error is not None:
                    raise EmbeddedError(error)
                return value

    def _line(self) -> bytes:
        while b"\n" not in self._received:
            try:
                received = self._channel.recv(65536)
            except TimeoutError:
                raise EmbeddedError(f"the guard process {self.pid} did not answer in {_ANSWER_SECONDS:g} s") from None
            except OSError:
                received = b""
            if not received:
                raise self._gone()
            self._received += received
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _gone(self) -> EmbeddedError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        if self._process.returncode == 0:
            return EmbeddedError("the servers have been stopped")
        return EmbeddedError(f"the guard process {self.pid} is gone; stop this deployment and start another")
