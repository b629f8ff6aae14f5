"""A TCP proxy in front of one server that understands RESP, and can be told to lose, cut, delay or hold what passes.

A link that asks for replication (SYNC, PSYNC) is passed on as it comes; latency, blackhole and reset hold for it too.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Self, TypeAlias, TypeVar, cast

from .resp import frame_end, verb_of
from .rules import PASS, Do, Plan, Rule

T = TypeVar("T")
Translate: TypeAlias = Callable[[str, bytes], bytes]
"""What a reply is made into, from its request's verb and itself."""

_REPLICATION = frozenset({"SYNC", "PSYNC"})


class Thread:
    """An event loop that runs in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Do it there, and wait for the result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def stop(self) -> None:
        """End the loop and everything in it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()


class Proxy:
    """One loopback port in front of one server; with ``tls``, its clients speak TLS to it."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        thread: Thread | None = None,
        plan: Plan | None = None,
        translate: Translate | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.plan = Plan() if plan is None else plan
        self.latency = 0.0
        self.requests: Counter[str] = Counter()
        """How many requests came, by verb."""
        self.replies: Counter[str] = Counter()
        """How many replies of the server came, by the verb of their request."""
        self.opened = 0
        self.host = "127.0.0.1"
        self._upstream = (host, port)
        self._own = thread is None
        self._thread = Thread() if thread is None else thread
        self._translate = translate
        self._links: set[_Link] = set()
        self._dark = False
        self._refusing = False
        self._server = self._thread.run(asyncio.start_server(self._serve, self.host, 0, ssl=tls))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def links(self) -> int:
        """The number of connections that are open now."""
        return len(self._links)

    @property
    def dark(self) -> bool:
        """True while everything is taken and nothing passed on."""
        return self._dark

    def lead_to(self, host: str, port: int) -> None:
        """Lead new connections to another server; those that are open stay with theirs, as behind a balancer."""
        self._upstream = (host, port)

    def add(self, *rules: Rule) -> None:
        """Rules for the requests to come."""
        self.plan.add(*rules)

    def blackhole(self) -> None:
        """Keep every link open and pass nothing on."""
        self._dark = True

    def refuse(self) -> None:
        """Close every link, and new ones as soon as they come."""
        self._refusing = True
        self.reset()

    def heal(self) -> None:
        """Forward again; links that lost something are reset, or they would be out of step."""
        was_dark, self._dark, self._refusing, self.latency = self._dark, False, False, 0.0
        self.plan.clear()
        if was_dark:
            self.reset()

    def reset(self) -> None:
        """Reset every open link."""
        self._thread.run(self._reset())

    def send(self, data: bytes) -> None:
        """Send bytes to every client, beside the replies of the server."""
        self._thread.run(self._send(data))

    def close(self) -> None:
        """Stop listening and drop every link."""
        self._thread.run(self._close())
        if self._own:
            self._thread.stop()

    async def _close(self) -> None:
        self._server.close()
        await self._reset()

    async def _reset(self) -> None:
        for link in list(self._links):
            link.end(reset=True)

    async def _send(self, data: bytes) -> None:
        for link in list(self._links):
            link.send(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        if self._refusing:
            writer.transport.abort()
            return
        try:
            server = await asyncio.open_connection(*self._upstream)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(self, (reader, writer), server, self._translate)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


Pair: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One client and its connection to the server."""

    def __init__(self, proxy: Proxy, client: Pair, server: Pair, translate: Translate | None) -> None:
        self._proxy = proxy
        self._client, self._to_client = client
        self._server, self._to_server = server
        self._translate = translate
        self._pending: deque[tuple[str, Rule]] = deque()
        self._raw = False
        self._held = False

    async def run(self) -> None:
        """Forward until one side ends."""
        for writer in (self._to_client, self._to_server):
            _socket(writer).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pumps = [asyncio.ensure_future(pump()) for pump in (self._forward, self._answer)]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self.end(reset=False)

    def send(self, data: bytes) -> None:
        """Send bytes to the client."""
        self._to_client.write(data)

    def end(self, *, reset: bool) -> None:
        """Close both sides; with a reset, the client sees one."""
        if reset and not self._to_client.transport.is_closing():
            _socket(self._to_client).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._to_client.transport.abort()
        self._to_client.close()
        self._to_server.transport.abort()

    async def _forward(self) -> None:
        buffer = bytearray()
        while data := await self._client.read(262_144):
            if self._raw:
                await self._pass_on(data, self._to_server)
                continue
            buffer += data
            while buffer and (end := frame_end(buffer)) > 0:
                request = bytes(buffer[:end])
                del buffer[:end]
                verb = verb_of(request)
                self._proxy.requests[verb] += 1
                self._raw = self._raw or verb in _REPLICATION
                rule = self._proxy.plan.take(verb)
                if rule.do is Do.DROP:
                    self.end(reset=True)
                    return
                self._pending.append((verb, rule))
                if not self._proxy.dark and not self._to_server.transport.is_closing():
                    self._to_server.write(request)
            await self._to_server.drain()

    async def _answer(self) -> None:
        buffer = bytearray()
        loop = asyncio.get_running_loop()
        while data := await self._server.read(262_144):
            if self._raw:
                await self._pass_on(bytes(buffer) + data, self._to_client)
                buffer.clear()
                continue
            came = loop.time()
            buffer += data
            while buffer and (end := frame_end(buffer)) > 0:
                reply = bytes(buffer[:end])
                del buffer[:end]
                verb, rule = self._pending.popleft() if self._pending else ("", PASS)
                self._proxy.replies[verb] += 1
                wait = came + self._proxy.latency + rule.delay - loop.time()
                if wait > 0:
                    await self._to_client.drain()
                    await asyncio.sleep(wait)
                if not self._deliver(verb, rule, reply):
                    return
            await self._to_client.drain()

    def _deliver(self, verb: str, rule: Rule, reply: bytes) -> bool:
        """Pass a reply on, or do what the rule says; whether the link goes on."""
        if rule is not PASS:
            self._proxy.plan.size = len(reply)
        if self._translate is not None:
            reply = self._translate(verb, reply)
        self._held = self._held or rule.do is Do.HOLD
        if self._held or self._proxy.dark or self._to_client.transport.is_closing():
            return True
        if rule.do in (Do.SWALLOW, Do.CUT, Do.RESET):
            if rule.do is not Do.SWALLOW:
                self._to_client.write(reply[: rule.at])
            self.end(reset=rule.do is not Do.CUT)
            return False
        self._to_client.write(reply)
        return True

    async def _pass_on(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._proxy.latency:
            await asyncio.sleep(self._proxy.latency)
        if not self._proxy.dark and not writer.transport.is_closing():
            writer.write(data)
            await writer.drain()


def _socket(writer: asyncio.StreamWriter) -> socket.socket:
    return cast(socket.socket, writer.get_extra_info("socket"))
