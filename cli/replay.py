"""Applying a journal to a book, in batches, and what the book then says of the journal's traders."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from ..models.enums import OrderStatus
from ..models.errors import SlotbookError
from ..models.position import Position
from ..models.types import plain
from ..repositories import Book
from ..repositories.orders.reconciliation import Reconciliation
from .journal_file import JournalFile
from .output import JsonValue

_REJECTIONS_KEPT = 20
_REJECTIONS_SHOWN = 5

Advance = Callable[[int], None]
"""Told how many more rows are done."""


class ReplayStopped(SlotbookError):
    """A replay that could not go on; what was applied stays applied, once."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a journal is about."""

    rows: int
    traders: tuple[str, ...]
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """What the book says of a journal's traders, and in its symbols."""

    orders_by_status: dict[str, int]
    open_orders: dict[str, int]
    positions: dict[str, list[Position]]


@dataclass(frozen=True, slots=True)
class Report:
    """A replay from beginning to end."""

    contents: Contents
    tally: Reconciliation
    rejections: list[str]
    """The first refusals, each with its line."""
    reapplied: int
    """What the servers had acknowledged and lost in a failover, and the journal brought back."""
    state: State
    seconds: float
    """How long applying took."""

    def as_json(self) -> dict[str, JsonValue]:
        """The report as ``--json`` prints it."""
        return {
            "rows": self.contents.rows,
            "applied": self.tally.applied,
            "repeated": self.tally.repeated,
            "rejected": self.tally.rejected,
            "rejections": self.rejections,
            "under_replicated": self.tally.under_replicated,
            "reapplied": self.reapplied,
            "seconds": round(self.seconds, 3),
            "orders_by_status": self.state.orders_by_status,
            "open_orders": self.state.open_orders,
            "positions": self.positions_json(),
        }

    def rejections_shown(self) -> list[str]:
        """The first refusals, and how many there are besides."""
        shown = self.rejections[:_REJECTIONS_SHOWN]
        more = self.tally.rejected - len(shown)
        return [f"rejected: {rejection}" for rejection in shown] + ([f"and {more:,} more"] if more else [])

    def positions_json(self) -> dict[str, JsonValue]:
        """Each trader's position, or, when the journal has several symbols, its positions by symbol."""
        if len(self.contents.symbols) > 1:
            return {
                trader: {position.symbol: _position_json(position) for position in held}
                for trader, held in self.state.positions.items()
            }
        return {trader: _position_json(position) for trader, [position] in self.state.positions.items()}


def contents_of(journal: JournalFile, advance: Advance) -> Contents:
    """Read a whole journal and apply nothing, so that one with a bad line changes nothing. Raises JournalError."""
    rows = 0
    traders: set[str] = set()
    symbols: set[str] = set()
    for entry in journal.entries():
        rows += 1
        traders.add(entry.request.trader)
        symbols.add(entry.symbol)
        if not rows % 1_000:
            advance(1_000)
    return Contents(rows, tuple(sorted(traders)), tuple(sorted(symbols)))


def apply_journal(book: Book, journal: JournalFile, contents: Contents, batch: int, advance: Advance) -> Report:
    """Apply a journal, and once more if the servers lost some of it meanwhile; then ask what came of it.

    Raises ReplayStopped, which says how far it came.
    """
    tally, again = Reconciliation(), Reconciliation()
    started = time.monotonic()
    try:
        rejections = _apply(book, journal, batch, tally, advance)
        if tally.losses or book.losses():
            _apply(book, journal, batch, again, lambda _: None)
        seconds = time.monotonic() - started
        return Report(contents, tally, rejections, again.applied, _state(book, contents), seconds)
    except SlotbookError as error:
        raise ReplayStopped(
            f"{error}; stopped with {tally.settled:,} of {contents.rows:,} rows settled: "
            "running the same command again goes on from here and doubles nothing"
        ) from error


def _apply(book: Book, journal: JournalFile, batch: int, tally: Reconciliation, advance: Advance) -> list[str]:
    """One pass over the journal; returns the first refusals, each with its line."""
    rejections: list[str] = []
    entries = journal.entries()
    while page := list(islice(entries, batch)):
        first, known = tally.requests, len(tally.rejections)
        requests = [entry.request for entry in page]
        tally.add(requests, book.orders.apply_many(requests))
        for number, _, error in tally.rejections[known:]:
            if len(rejections) < _REJECTIONS_KEPT:
                rejections.append(f"line {page[number - first].line}: {error}")
        advance(len(page))
    return rejections


def _state(book: Book, contents: Contents) -> State:
    by_status = dict.fromkeys(OrderStatus, 0)
    open_orders: dict[str, int] = {}
    positions: dict[str, list[Position]] = {}
    for trader in contents.traders:
        counts = {status: book.orders.count(trader, status=status) for status in OrderStatus}
        for status, count in counts.items():
            by_status[status] += count
        if still_open := sum(count for status, count in counts.items() if status.is_open):
            open_orders[trader] = still_open
        if held := [position for position in book.positions.all(trader) if position.symbol in contents.symbols]:
            positions[trader] = held
    return State({str(status): count for status, count in by_status.items() if count}, open_orders, positions)


def _position_json(position: Position) -> JsonValue:
    return {
        "quantity": position.quantity,
        "bought": position.bought_quantity,
        "sold": position.sold_quantity,
        "cash": plain(position.cash),
    }
