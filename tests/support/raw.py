"""Talk to a server without Slotbook, so that tests can see, and break, what is stored."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import hiredis

Reply: TypeAlias = "int | str | list[Reply] | None"
Word: TypeAlias = "str | bytes | int | float"

_pack = cast("Callable[[tuple[Word, ...]], bytes]", hiredis.pack_command)  # pyright: ignore[reportUnknownMemberType]


class Refusal(Exception):
    """The server answered with an error."""


class Raw:
    """One connection to one server."""

    def __init__(
        self, host: str, port: int, password: str | None, username: str = "default", timeout: float = 10.0
    ) -> None:
        self.address = host, port
        self._socket = socket.create_connection(self.address, timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = hiredis.Reader(encoding="utf-8", errors="surrogateescape")
        if password:
            self.ask("AUTH", username, password)

    def ask(self, *command: Word) -> Reply:
        """Send one command and return its reply. Raises Refusal."""
        return self.ask_all([command])[0]

    def ask_all(self, commands: Sequence[Sequence[Word]]) -> list[Reply]:
        """Send commands in one piece and return their replies. Raises Refusal for the first that is refused."""
        self._socket.sendall(b"".join(_pack(tuple(command)) for command in commands))
        replies = [self._read() for _ in commands]
        for reply in replies:
            if isinstance(reply, Exception):
                raise Refusal(str(reply))
        return cast("list[Reply]", replies)

    def _read(self) -> object:
        while True:
            reply = cast(object, self._reader.gets())
            if reply is not False:
                return reply
            received = self._socket.recv(65_536)
            if not received:
                raise ConnectionError("the server closed the connection")
            self._reader.feed(received)

    def published(self) -> list[Reply]:
        """Return the messages that have come since this was last asked, on a connection that has subscribed."""
        seen: list[Reply] = []
        answer = self.ask("PING")
        while (message := cast("list[Reply]", answer))[0] != "pong":
            seen.append(message)
            answer = cast(Reply, self._read())
        return seen

    def wait_at_most(self, seconds: float) -> None:
        """Let each reply take so long."""
        self._socket.settimeout(seconds)

    def is_quiet(self) -> bool:
        """Return whether the connection is open, and nothing has come that nobody has asked for."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self._socket.close()


def mapping(flat: Reply) -> dict[str, str]:
    """Return a flat list of names and values as a dict."""
    words = cast("list[str]", flat)
    return dict(zip(words[::2], words[1::2], strict=True))
