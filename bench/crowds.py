"""The jobs for asyncio: one client and many tasks, each of which reads one order after another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import AsyncExitStack, contextmanager

from ..repositories import AsyncBook
from .floor import bare_protocol
from .material import Material, ids_of
from .measure import FLOOR, SLOTBOOK, Block, Goal, Race
from .peers.peer import Peer, ReadHash, Site
from .scope import Scope

TASKS = (1, 10, 100, 1_000)
_GOALS = {100: (Goal("redis.asyncio", 1 / 3), Goal("GLIDE", 1 / 1.5), Goal("coredis", 1 / 4))}

_ReadOrder = Callable[[int], Awaitable[object]]
"""Reads the order with this number."""


@contextmanager
def races(site: Site, url: str, peers: Sequence[Peer], scope: Scope) -> Generator[list[Race]]:
    """Yield the races for asyncio, on one event loop that lasts as long as the context."""
    with asyncio.Runner() as runner:
        clients = runner.run(_Clients.open(site, url, peers))
        try:
            yield [
                Race(
                    f"get, {tasks} task{'s' if tasks > 1 else ''}",
                    "asyncio",
                    {name: _crowd(runner, read, tasks) for name, read in clients.readers.items()},
                    max(scope.crowd, tasks),
                    scope.rounds,
                    _GOALS.get(tasks, ()),
                )
                for tasks in TASKS
            ]
        finally:
            runner.run(clients.close())


class _Clients:
    """All contestants' clients, opened and closed by the same task, as some of them require."""

    def __init__(self) -> None:
        self.readers: dict[str, _ReadOrder] = {}
        self._leave = asyncio.Event()
        self._host: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, site: Site, url: str, peers: Sequence[Peer]) -> _Clients:
        clients, opened = cls(), asyncio.Event()

        async def host() -> None:
            async with AsyncExitStack() as stack:
                clients.readers = await _readers(stack, site, url, peers)
                opened.set()
                await clients._leave.wait()

        clients._host = asyncio.create_task(host())
        waiting = asyncio.create_task(opened.wait())
        await asyncio.wait((clients._host, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not opened.is_set():
            waiting.cancel()
            await clients._host  # raises the error of opening
        return clients

    async def close(self) -> None:
        self._leave.set()
        if self._host is not None:
            await self._host


async def _readers(stack: AsyncExitStack, site: Site, url: str, peers: Sequence[Peer]) -> dict[str, _ReadOrder]:
    material: Material = site.material
    ids = ids_of(material.placed(500))
    calls = [material.calls.get(*one) for one in ids]
    keys = [call.keys[0] for call in calls]
    bare = await bare_protocol(site.address, site.password)
    stack.callback(bare.close)
    book = await stack.enter_async_context(await AsyncBook.open(url))
    readers: dict[str, _ReadOrder] = {
        FLOOR: lambda number: bare.ask(calls[number].packed),
        SLOTBOOK: lambda number: book.orders.get(*ids[number]),
    }
    for peer in peers:
        for name, client in peer.crowd.items():
            read = await stack.enter_async_context(client())
            readers[name] = _by_number(read, keys)
    return readers


def _by_number(read: ReadHash, keys: Sequence[str]) -> _ReadOrder:
    return lambda number: read(keys[number])


def _crowd(runner: asyncio.Runner, read: _ReadOrder, tasks: int) -> Block:
    async def one(begin: int, times: int) -> None:
        for number in range(begin, begin + times):
            await read(number % 500)

    async def all_of_them(size: int) -> None:
        times = max(1, size // tasks)
        await asyncio.gather(*(one(start * times, times) for start in range(tasks)))

    return lambda size: lambda: runner.run(all_of_them(size))
