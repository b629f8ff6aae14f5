"""Apply a journal to a book in batches, and read the resulting state of the journal's traders."""

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
"""Called with the number of rows that were done since the last call."""


class ReplayStopped(SlotbookError):
    """A replay that stopped early; what was applied stays applied, once."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The size of a journal, and the traders and symbols in it, sorted."""

    rows: int
    traders: tuple[str, ...]
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """The state of a journal's traders in the book: all their orders, and their positions in the journal's symbols."""

    orders_by_status: dict[str, int]
    open_orders: dict[str, int]
    positions: dict[str, list[Position]]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a replay."""

    contents: Contents
    tally: Reconciliation
    rejections: list[str]
    """The first refusals, each with the number of its line."""
    reapplied: int
    """Changes that the servers had acknowledged and lost in a failover, and that the journal brought back."""
    state: State
    seconds: float
    """The time of applying the journal."""

    def as_json(self) -> dict[str, JsonValue]:
        """Return the values that ``--json`` prints."""
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
        """Return the first refusals as lines, and a line with the number of the others."""
        shown = self.rejections[:_REJECTIONS_SHOWN]
        more = self.tally.rejected - len(shown)
        return [f"rejected: {rejection}" for rejection in shown] + ([f"and {more:,} more"] if more else [])

    def positions_json(self) -> dict[str, JsonValue]:
        """Return each trader's position or, when the journal has several symbols, its positions by symbol."""
        if len(self.contents.symbols) > 1:
            return {
                trader: {position.symbol: _position_json(position) for position in held}
                for trader, held in self.state.positions.items()
            }
        return {trader: _position_json(position) for trader, [position] in self.state.positions.items()}


def contents_of(journal: JournalFile, advance: Advance) -> Contents:
    """Read a whole journal without applying it, so that a bad line is found before anything is changed.

    Raises JournalError.
    """
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
    """Apply a journal, once more if the servers lost some of it meanwhile, and read the resulting state.

    Args:
        book: The book to apply it to.
        journal: The open journal.
        contents: The result of ``contents_of`` for the same journal.
        batch: The number of rows that are read and sent at a time.
        advance: Called with the number of rows of each batch.

    Raises:
        ReplayStopped: When a call fails; its message has the number of rows that were settled.
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
    """Apply the journal once, and return the first refusals, each with the number of its line."""
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
