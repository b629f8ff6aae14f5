"""One private server of a deployment, and what can be done to it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from ...models.errors import EmbeddedError
from .admin import NotAnswering, NotOurs, Reply, ask
from .config import HOST
from .guard import Guard

ServerKind: TypeAlias = Literal["data", "sentinel"]

START_SECONDS = 30.0
_POLL_SECONDS = 0.01
_TAIL_LINES = 15
# Errors show the second word of these commands, which is a subcommand; that of others may be a secret.
_CONTAINERS = frozenset({"ACL", "CLIENT", "CLUSTER", "CONFIG", "DEBUG", "FUNCTION", "MODULE", "SCRIPT", "SENTINEL"})


class PortTaken(EmbeddedError):
    """Another program listens on the server's port."""


class Server:
    """A private server, which can be sent commands, killed, frozen and restarted.

    For example, lose a server and get it back::

        server.kill()
        server.restart()

    It is made by ``start``, as part of a deployment.
    """

    def __init__(
        self,
        *,
        name: str,
        kind: ServerKind,
        port: int,
        bus_port: int | None,
        password: str,
        secrets: Sequence[str],
        program: Path,
        guard: Guard,
    ) -> None:
        self.name = name
        self.kind: ServerKind = kind
        self.host = HOST
        self.port = port
        self.bus_port = bus_port
        self.folder = guard.folder / name
        self.log = self.folder / "server.log"
        self.pid = 0
        self._password = password
        self._secrets = tuple(secrets)
        self._program = program
        self._guard = guard

    def __repr__(self) -> str:
        return f"<Server {self}>"

    def __str__(self) -> str:
        return f"{self.name} ({self.host}:{self.port})"

    @property
    def alive(self) -> bool:
        """True if the process exists, frozen or not. Raises EmbeddedError outside the process that started it."""
        return self._guard.running(self.name)

    def configure(self, text: str) -> None:
        """Make the server's folder, with ``text`` as its configuration file."""
        self.folder.mkdir(mode=0o700)
        descriptor = os.open(self._config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)

    def spawn(self) -> None:
        """Start the process and return at once; ``wait_for_answer`` waits until it serves."""
        command = [str(self._program), str(self._config)]
        if self.kind == "sentinel":
            command.append("--sentinel")
        ports = [self.port] if self.bus_port is None else [self.port, self.bus_port]
        self.pid = self._guard.spawn(self.name, command, self.log, ports)

    def wait_for_answer(self, deadline: float | None = None) -> None:
        """Wait until the server answers PING.

        ``deadline`` is a time on the monotonic clock; the default is 30 seconds from now. Raises PortTaken if another
        program has the server's port, and EmbeddedError, with the end of its log, if it ends or does not answer in
        time.
        """
        until = time.monotonic() + START_SECONDS if deadline is None else deadline
        while True:
            if not self.alive:
                raise self._ended()
            try:
                self.ask("PING", timeout=1.0)
            except NotOurs as error:
                raise PortTaken(str(error)) from None
            except NotAnswering as error:
                if time.monotonic() > until:
                    raise EmbeddedError(f"{error}; {self.log_tail()}") from None
                time.sleep(_POLL_SECONDS)
            else:
                return

    def kill(self) -> None:
        """Kill the process with SIGKILL and wait until it has ended. Raises EmbeddedError if the deployment is stopped.

        Does nothing if it is not running.
        """
        self._guard.kill(self.name)

    def freeze(self) -> None:
        """Stop the process with SIGSTOP: its connections stay open, but it does not answer.

        Raises EmbeddedError if it is not running.
        """
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on. Raises EmbeddedError if it is not running."""
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        """Start the server again with its configuration, port and files, and wait until it answers.

        If it is running, it is killed first. Raises EmbeddedError.
        """
        self.spawn()
        self.wait_for_answer()

    def ask(self, *command: str | bytes | int, timeout: float = 5.0) -> Reply:
        """Send one command on a new connection and return the reply.

        Connecting and reading may take ``timeout`` seconds each. Raises EmbeddedError, with the names of the server and
        the command, for an error reply or when there is no reply.
        """
        try:
            return ask(self.host, self.port, self._password, command, timeout)
        except EmbeddedError as error:
            raise type(error)(f"{self}, {_shown(command)}: {self._redacted(str(error))}") from None

    def log_tail(self) -> str:
        """Return the last lines of the log, for an error's text."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        if not lines:
            return "its log is empty"
        return self._redacted("its log ends:\n" + "\n".join(lines[-_TAIL_LINES:]))

    @property
    def _config(self) -> Path:
        return self.folder / "server.conf"

    def _signal(self, number: signal.Signals) -> None:
        if not self._guard.signal(self.name, number):
            raise EmbeddedError(f"{self} is not running")

    def _ended(self) -> EmbeddedError:
        log_tail = self.log_tail()
        error = PortTaken if "Address already in use" in log_tail else EmbeddedError
        return error(f"{self} ended while it was starting; {log_tail}")

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _shown(command: Sequence[str | bytes | int]) -> str:
    words = [word.decode(errors="replace") if isinstance(word, bytes) else str(word) for word in command[:2]]
    return " ".join(words if words and words[0].upper() in _CONTAINERS else words[:1])
