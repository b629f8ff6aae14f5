"""The floor: bytes on a bare socket, and hiredis to read what comes back. No retries, no time limits, no types."""

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
        """One command, one reply."""
        self._socket.sendall(packed)
        reader = self._reader
        answer = reader.gets()
        while answer is _WAITING:
            reader.feed(self._socket.recv(_CHUNK))
            answer = reader.gets()
        return cast(Raw, answer)

    def ask_all(self, packed: bytes, replies: int) -> list[Raw]:
        """Many commands in one write."""
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
        """End it."""
        self._socket.close()


class Floor:
    """Bare sockets to every primary; who is in charge of a slot was asked once."""

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
        """The connection that a call belongs on."""
        return self.by_slot[call.slot if len(self.by_slot) > 1 else 0]

    def load(self, sources: Sequence[str]) -> None:
        """Have every server know some scripts."""
        for server in self._all:
            for source in sources:
                server.ask(pack(("SCRIPT", "LOAD", source)))

    def close(self) -> None:
        """End every connection."""
        for server in self._all:
            server.close()


class BareProtocol(asyncio.Protocol):
    """One connection for all tasks of a loop: what they ask in one turn goes out in one write."""

    def __init__(self) -> None:
        self._reader = _reader()
        self._waiting: deque[asyncio.Future[Raw]] = deque()
        self._unsent: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer whoever has waited longest."""
        reader, waiting = self._reader, self._waiting
        reader.feed(data)
        while (answer := reader.gets()) is not _WAITING:
            waiting.popleft().set_result(cast(Raw, answer))

    def ask(self, packed: bytes) -> asyncio.Future[Raw]:
        """One command, one reply."""
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
        """End it."""
        if self._transport is not None:
            self._transport.abort()


async def bare_protocol(address: Address, password: str) -> BareProtocol:
    """The floor for asyncio."""
    _, protocol = await asyncio.get_running_loop().create_connection(BareProtocol, *address)
    await protocol.ask(pack(("AUTH", password)))
    return protocol
