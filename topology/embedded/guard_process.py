"""The program of the guard process: it holds all that a deployment must not leave behind.

Run as ``python -I -S guard_process.py OWNER_PID TEMP_FOLDER``, with one end of a stream socket as standard input. It
makes the deployment's folder, reserves its ports and is the parent of its servers. When the owner closes the socket, or
ends in whatever way, the guard kills the servers, removes the folder and ends too.

As the guard itself starts the servers, there is no moment at which a Ctrl-C or a SIGKILL of the owner could leak one;
and as their parent, it can tell for certain that a process id is still that of its server.

A request is one line of JSON, ``[id, operation, [argument, ...]]``; its reply is ``[id, value, error text or null]``.
The guard greets with a reply to request 0, whose value is the folder. Only the standard library may be imported here.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

OWNER_CHECK_SECONDS = 1.0
REMOVAL_ATTEMPTS = 20
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000"}
"""A server that pip brings allocates with glibc, which is slow to find small pieces again among what is stored: it may
keep so many of each size at hand, some 70 MB of them at worst."""


class Holdings:
    """The folder, the ports and the servers of one deployment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reserved: dict[int, socket.socket] = {}
        self._servers: dict[str, subprocess.Popen[bytes]] = {}

    def reserve(self, count: int) -> list[int]:
        """Keep ``count`` free loopback ports from being given to anyone else."""
        ports: list[int] = []
        for _ in range(count):
            reservation = socket.socket()
            reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reservation.bind(("127.0.0.1", 0))
            port = int(reservation.getsockname()[1])
            self._reserved[port] = reservation
            ports.append(port)
        return ports

    def spawn(self, name: str, command: list[str], log: str, ports: list[int]) -> int:
        """Start the named server (again), and return its process id."""
        self.kill(name)
        # Linux lets a server, which uses SO_REUSEADDR, listen on a port that is bound, with SO_REUSEADDR too, by a
        # socket that does not listen: the port stays ours even while the server is down. Other systems refuse.
        if sys.platform != "linux":
            for port in ports:
                if reservation := self._reserved.pop(port, None):
                    reservation.close()
        with Path(log).open("ab") as output:
            server = subprocess.Popen(  # noqa: S603 - the owner checked the program
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**ENVIRONMENT, **os.environ},
                start_new_session=True,  # so that the group, with a server's own forked children, can be killed
            )
        self._servers[name] = server
        return server.pid

    def running(self, name: str) -> bool:
        """Whether the named server's process exists."""
        server = self._servers.get(name)
        return server is not None and server.poll() is None

    def signal(self, name: str, number: int) -> bool:
        """Send a signal to the named server; False if it does not run."""
        if not self.running(name):
            return False
        self._servers[name].send_signal(number)
        return True

    def kill(self, name: str) -> None:
        """Kill the named server and the children it forked, and reap it."""
        server = self._servers.get(name)
        if server is not None and server.poll() is None:
            _kill_group(server)
            server.wait()

    def release(self) -> None:
        """Leave no process and no file."""
        running = [server for server in self._servers.values() if server.poll() is None]
        for server in running:
            _kill_group(server)
        for server in running:
            server.wait()
        for _ in range(REMOVAL_ATTEMPTS):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                return
            time.sleep(0.05)
        raise OSError(f"{self.folder} cannot be removed")


def _kill_group(server: subprocess.Popen[bytes]) -> None:
    # Not yet reaped, so the id cannot have passed to a stranger.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    server.kill()  # whatever became of its group: the caller waits for its end


def _requests(channel: socket.socket, owner: int) -> Iterator[bytes]:
    pending = b""
    # A child that the owner forked keeps a copy of the owner's end open, so the end of the stream alone would not tell
    # that the owner is gone; a change of parent does.
    while os.getppid() == owner:
        readable, _, _ = select.select([channel], [], [], OWNER_CHECK_SECONDS)
        if not readable:
            continue
        received = channel.recv(65536)
        if not received:
            return
        *lines, pending = (pending + received).split(b"\n")
        yield from lines


def _serve(channel: socket.socket, owner: int, holdings: Holdings) -> None:
    operations: dict[str, Callable[..., object]] = {
        "reserve": holdings.reserve,
        "spawn": holdings.spawn,
        "running": holdings.running,
        "signal": holdings.signal,
        "kill": holdings.kill,
    }
    _reply(channel, 0, str(holdings.folder), None)
    for line in _requests(channel, owner):
        number, operation, arguments = json.loads(line)
        try:
            _reply(channel, number, operations[operation](*arguments), None)
        except OSError as error:
            _reply(channel, number, None, str(error))


def _reply(channel: socket.socket, number: int, value: object, error: str | None) -> None:
    channel.sendall(json.dumps([number, value, error]).encode() + b"\n")


def _carry_on(_number: int, _frame: object) -> None:
    """Outlive a signal that is meant for the owner too; unlike SIG_IGN, this is not inherited by the servers."""


def main() -> None:
    """Hold one deployment until its owner is gone."""
    owner, parent = int(sys.argv[1]), sys.argv[2]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _carry_on)
    os.umask(0o077)
    channel = socket.socket(fileno=sys.stdin.fileno())
    holdings = Holdings(Path(tempfile.mkdtemp(prefix="slotbook-", dir=parent)))
    try:
        with contextlib.suppress(ConnectionError):  # the owner left in the middle of a reply
            _serve(channel, owner, holdings)
    finally:
        holdings.release()


if __name__ == "__main__":
    main()
