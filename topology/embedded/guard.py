"""The owner's side of the guard process."""

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
    """Starts a guard process and has it act; every method raises EmbeddedError if it is gone or cannot do its work."""

    def __init__(self) -> None:
        if not sys.executable:
            raise EmbeddedError("sys.executable is empty, so there is no Python to run the guard process with")
        self._owner = os.getpid()
        self._lock = threading.RLock()  # reentrant: a garbage collection during a call may close a guard
        self._calls = 0
        self._received = b""
        # A socket rather than a pipe: shutting it down is seen by the guard even if a forked child has a copy.
        self._channel, guards_end = socket.socketpair()
        self._channel.settimeout(_ANSWER_SECONDS)
        with guards_end:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [
                    sys.executable,
                    "-I",
                    "-S",
                    str(_PROGRAM),
                    str(self._owner),
                    str(Path(tempfile.gettempdir()).resolve()),
                ],
                stdin=guards_end.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        with self._lock:
            self.folder = Path(cast(str, self._answer(0)))

    @property
    def pid(self) -> int:
        """The guard's process id."""
        return self._process.pid

    def reserve(self, count: int) -> list[int]:
        """Return free loopback ports that nobody else will be given."""
        return cast("list[int]", self._call("reserve", count))

    def spawn(self, name: str, command: Sequence[str], log: Path, ports: Sequence[int]) -> int:
        """Start the named server, after killing it if it runs, and return its process id."""
        return cast(int, self._call("spawn", name, list(command), str(log), list(ports)))

    def running(self, name: str) -> bool:
        """Whether the named server's process exists; never, once the guard is closed."""
        closed = os.getpid() == self._owner and self._process.returncode == 0
        return not closed and cast(bool, self._call("running", name))

    def signal(self, name: str, number: int) -> bool:
        """Send a signal to the named server; False if it does not run."""
        return cast(bool, self._call("signal", name, number))

    def kill(self, name: str) -> None:
        """Kill the named server with SIGKILL and reap it."""
        self._call("kill", name)

    def close(self) -> bool:
        """Have everything killed and removed, wait for it, and say if that was done; in a forked child, do nothing."""
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
        # The reply to an earlier call may still be there: a KeyboardInterrupt can end a call before its reply.
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
