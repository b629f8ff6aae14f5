"""The floor: bytes on a bare socket, and hiredis to parse the replies; no retries, no timeouts, no types."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from typing import TypeAlias, cast

import hiredis

from ..topology.address import Address
from ..topology.call import Call, Reply, pack

_WAITING = object()
_CHUNK = 1 << 16

Raw: TypeAlias = "Reply | hiredis.ReplyError"


def _reader() -> hiredis.Reader:
    return hiredis.Reader(encoding="utf-8", errors="surrogateescape", notEnoughData=_WAITING)


class BareSocket:
    """One connection to one server."""

    def __init__(self, address: Address, password: str) -> None:
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = _reader()
        self.ask(pack(("AUTH", password)))

    def ask(self, packed: bytes) -> Raw:
        """Send one command and return its reply."""
        self._socket.sendall(packed)
        reader = self._reader
        answer = reader.gets()
        while answer is _WAITING:
            reader.feed(self._socket.recv(_CHUNK))
            answer = reader.gets()
        return cast(Raw, answer)

    def ask_all(self, packed: bytes, replies: int) -> list[Raw]:
        """Send many commands in one write, and return their replies."""
        self._socket.sendall(packed)
        reader = self._reader
        answers: list[Raw] = []
        while len(answers) < replies:
            answer = reader.gets()
            if answer is _WAITING:
                reader.feed(self._socket.recv(_CHUNK))
            else:
                answers.append(cast(Raw, answer))
        return answers

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class Floor:
    """Bare sockets to every primary, with a slot table that is read once."""

    def __init__(self, address: Address, password: str, *, cluster: bool) -> None:
        first = BareSocket(address, password)
        self._all = [first]
        self.by_slot: list[BareSocket] = [first]
        if not cluster:
            return
        self.by_slot *= 16_384
        for row in cast("list[list[Reply]]", first.ask(pack(("CLUSTER", "SLOTS")))):
            host, port = cast("list[Reply]", row[2])[:2]
            server = BareSocket(Address(str(host), int(str(port))), password)
            self._all.append(server)
            begin, end = int(str(row[0])), int(str(row[1]))
            self.by_slot[begin : end + 1] = [server] * (end + 1 - begin)

    def of(self, call: Call[object]) -> BareSocket:
        """Return the connection to the primary of a call's slot."""
        return self.by_slot[call.slot if len(self.by_slot) > 1 else 0]

    def load(self, sources: Sequence[str]) -> None:
        """Load scripts on every server."""
        for server in self._all:
            for source in sources:
                server.ask(pack(("SCRIPT", "LOAD", source)))

    def close(self) -> None:
        """Close every connection."""
        for server in self._all:
            server.close()


class BareProtocol(asyncio.Protocol):
    """One connection for all tasks of a loop; the commands of one turn of the loop go out in one write."""

    def __init__(self) -> None:
        self._reader = _reader()
        self._waiting: deque[asyncio.Future[Raw]] = deque()
        self._unsent: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for writing."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Give each reply to the command that has waited longest."""
        reader, waiting = self._reader, self._waiting
        reader.feed(data)
        while (answer := reader.gets()) is not _WAITING:
            waiting.popleft().set_result(cast(Raw, answer))

    def ask(self, packed: bytes) -> asyncio.Future[Raw]:
        """Send one command and return its reply."""
        future: asyncio.Future[Raw] = self._loop.create_future()
        self._waiting.append(future)
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(packed)
        return future

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._unsent))
        self._unsent = []

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()


async def bare_protocol(address: Address, password: str) -> BareProtocol:
    """Connect the floor for asyncio, and log in."""
    _, protocol = await asyncio.get_running_loop().create_connection(BareProtocol, *address)
    await protocol.ask(pack(("AUTH", password)))
    return protocol
