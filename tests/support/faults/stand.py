"""The setup of a fault test: a book whose every byte goes through a proxy, and a trader of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self, cast

from slotbook import Book
from slotbook.models.errors import EmbeddedError, Unavailable
from slotbook.topology.embedded import Topology, start

from ..callers import Caller, open_book
from ..fleet import IDLE
from ..make import fresh
from ..raw import Reply, Word
from .control import Control
from .veil import Veil
from .verbs import VERBS


def warm(control: Control) -> None:
    """Teach every primary every script, so that the reply which a test loses is never a NOSCRIPT."""
    left = {server.port for server in control.deployment.primaries()}
    with Book.open(control.deployment.url) as book:
        while left:
            trader = fresh()
            server = control.primary(f"{{{trader}}}")
            if server.port in left:
                left.discard(server.port)
                for number, verb in enumerate(VERBS):
                    twin = _twin(trader, number, control)
                    verb.prepare(book, twin)
                    verb.call(book, twin)


def _twin(trader: str, number: int, control: Control) -> str:
    """Return another trader on the same primary."""
    home = control.primary(f"{{{trader}}}")
    return next(name for n in range(1_000) if control.primary(f"{{{(name := f'{trader}.{number}.{n}')}}}") is home)


class Veiled:
    """One deployment and its proxies."""

    def __init__(self, topology: Topology) -> None:
        self.deployment = start(topology, options=IDLE)
        self.control = Control(self.deployment)
        self.veil = Veil(self.deployment)
        warm(self.control)

    def stop(self) -> None:
        self.veil.close()
        self.control.close()
        self.deployment.stop()


class Stands:
    """All shared deployments of a test process."""

    def __init__(self) -> None:
        self._started: dict[Topology, Veiled] = {}

    def of(self, topology: Topology) -> Veiled:
        """Return the deployment of a topology, started when it is first asked for."""
        if topology not in self._started:
            self._started[topology] = Veiled(topology)
        return self._started[topology]

    def stop(self) -> None:
        for veiled in self._started.values():
            veiled.stop()


class Stand:
    """One kind of caller on a deployment; a context manager that heals the proxies and closes the books."""

    def __init__(self, veiled: Veiled, caller: Caller, runner: asyncio.Runner) -> None:
        self.veil = veiled.veil
        self.control = veiled.control
        self.caller: Caller = caller
        self.runner = runner
        self.topology: Topology = veiled.deployment.topology
        self.trader = fresh()
        self._books: list[Book] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.veil.heal()
        for book in self._books:
            book.close()
        for server in self.control.deployment.primaries():
            for key in cast("list[str]", self.control.tell(server, "KEYS", f"*{{{self.trader}*")):
                with contextlib.suppress(EmbeddedError):  # a slot that a failed test left on its way
                    self.control.tell(server, "UNLINK", key)

    def open(self, **settings: object) -> Book:
        """Return a book that goes through the proxies."""
        return self.keep(open_book(self.veil.url(settings), self.caller, self.runner))

    def hurried(self, deadline: float = 0.15) -> Book:
        """Return a book whose calls give up soon, in seconds; a busy machine may need longer to open it."""
        for _ in range(100):
            with contextlib.suppress(Unavailable):
                return self.open(deadline=deadline)
        return self.open(deadline=deadline)

    def keep(self, book: Book) -> Book:
        """Return a book that is closed with the stand."""
        self._books.append(book)
        return book

    def ask(self, *command: Word) -> Reply:
        """Ask the server that keeps the trader's keys, past the proxies; a ``%`` stands for ``{trader}``."""
        tag = f"{{{self.trader}}}"
        words = [word.replace("%", tag) if isinstance(word, str) else word for word in command]
        return self.control.tell(self.control.primary(tag), *words)

    def events(self, trader: str | None = None) -> list[dict[str, str]]:
        """Return a trader's events, each with its id."""
        key = f"{{{trader or self.trader}}}:events"
        found: list[dict[str, str]] = []
        for entry in cast("list[tuple[str, list[str]]]", self.control.ask(key, "XRANGE", key, "-", "+")):
            flat = entry[1]
            found.append({"id": entry[0], **dict(zip(flat[::2], flat[1::2], strict=True))})
        return found

    def kinds(self, trader: str | None = None) -> list[str]:
        """Return the types of a trader's events, in order."""
        return [event["type"] for event in self.events(trader)]

    def contents(self) -> dict[str, Reply]:
        """Return everything stored of the trader, to compare before and after."""
        server = self.control.primary(f"{{{self.trader}}}")
        ask = partial(self.control.tell, server)
        keys = sorted(cast("list[str]", ask("KEYS", f"*{{{self.trader}}}*")))
        return {key: _stable(key, ask) for key in keys}


def _stable(key: str, ask: Callable[..., Reply]) -> Reply:
    match ask("TYPE", key):
        case "hash":
            flat = cast("list[str]", ask("HGETALL", key))
            return cast(Reply, sorted(zip(flat[::2], flat[1::2], strict=True)))
        case "zset":
            return ask("ZRANGE", key, 0, -1, "WITHSCORES")
        case "set":
            return cast(Reply, sorted(cast("list[str]", ask("SMEMBERS", key))))
        case "stream":
            return ask("XRANGE", key, "-", "+")
        case _:
            return ask("GET", key)
