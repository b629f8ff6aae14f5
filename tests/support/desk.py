"""Give a contract test a book on one topology, sync or async, and a trader that no other test has."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from slotbook import Book
from slotbook.models import OrderEvent
from slotbook.models.wire import decode

from .callers import CALLERS, Caller, open_book
from .ends import position_disagreements
from .fleet import Fleet
from .leaks import disagreements_of, keys_of, keys_of_all, leaks_of, wipe
from .make import fresh
from .raw import Reply, Word, mapping

on_one_server = pytest.mark.parametrize(
    "desk", [("standalone", caller) for caller in CALLERS], ids="-".join, indirect=True
)
"""Marks a test whose fixtures use ``desk``, and which does not depend on the topology."""


class Desk:
    """A book, its servers, and the traders that the test works with."""

    def __init__(self, fleet: Fleet, caller: Caller, runner: asyncio.Runner, book: Book) -> None:
        self.fleet = fleet
        self.caller: Caller = caller
        self.runner = runner
        self.book = book
        self._opened: list[Book] = []
        self._traders: list[str] = []
        self._vandalised = False
        self.trader = self.another()

    def another(self, name: str | None = None) -> str:
        """Return one more trader, whose name a test may choose."""
        trader = name or fresh()
        self._traders.append(trader)
        return trader

    def open(self, **settings: object) -> Book:
        """Open another book on the same servers, with settings of its own."""
        book = open_book(self.fleet.url(settings), self.caller, self.runner)
        self._opened.append(book)
        return book

    def ask(self, *command: Word) -> Reply:
        """Ask the server that keeps the trader's keys; a ``%:`` in a word stands for ``{trader}:``."""
        tag = f"{{{self.trader}}}"
        words = [word.replace("%:", f"{tag}:") if isinstance(word, str) else word for word in command]
        return self.fleet.ask(tag, *words)

    def vandalise(self, *command: Word) -> Reply:
        """Ask like ``ask``, for a command that breaks the book: then the book is not checked when the test ends."""
        self._vandalised = True
        return self.ask(*command)

    def events(self, trader: str | None = None, prefix: str = "") -> list[OrderEvent]:
        """Return every event of a trader's stream, in its order."""
        trader = self.trader if trader is None else trader
        key = f"{prefix}{{{trader}}}:events"
        found: list[OrderEvent] = []
        for entry in cast("list[tuple[str, Reply]]", self.fleet.ask(key, "XRANGE", key, "-", "+")):
            sequence, _, zero = entry[0].partition("-")
            assert zero == "0"
            found.append(decode(OrderEvent, key, {"trader": trader, "sequence": sequence, **mapping(entry[1])}))
        return found

    def contents(self, trader: str | None = None) -> dict[str, object]:
        """Return everything that is stored of a trader, to compare before and after.

        A large hash lists its fields in another order from one moment to the next.
        """
        keys = keys_of(self.fleet, self.trader if trader is None else trader)
        raw = self.fleet.raw(f"{{{trader or self.trader}}}")
        kinds = raw.ask_all([("TYPE", key) for key in keys])
        found = raw.ask_all(
            [("HGETALL" if kind == "hash" else "DUMP", key) for key, kind in zip(keys, kinds, strict=True)]
        )
        values = zip(keys, kinds, found, strict=True)
        return {key: mapping(value) if kind == "hash" else value for key, kind, value in values}

    def dumps(self) -> dict[str, Reply]:
        """Return what RESTORE makes the trader's keys from again."""
        keys = keys_of(self.fleet, self.trader)
        found = self.fleet.raw(f"{{{self.trader}}}").ask_all([("DUMP", key) for key in keys])
        return dict(zip(keys, found, strict=True))

    def finish(self) -> None:
        """Close what was opened, and fail if the test leaves anything that it must not leave."""
        for book in self._opened:
            book.close()
        found = self.fleet.denied()
        for trader, keys in keys_of_all(self.fleet, self._traders).items():
            if not self._vandalised:
                found += leaks_of(self.fleet, trader, keys) + disagreements_of(self.fleet, trader, keys)
                found += position_disagreements(self.fleet, trader, keys)
            wipe(self.fleet, trader, keys)
        if found:
            pytest.fail("\n".join(["the test leaves something to be repaired:", *found]))
