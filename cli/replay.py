"""Applying a journal to a book, in batches, and what the book then says of the journal's traders."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from ..models.enums import OrderStatus
from ..models.errors import Refused, SlotbookError
from ..models.journal import Entry
from ..models.position import Position
from ..models.results import FillResult, OrderResult, Outcome
from ..models.types import plain
from ..repositories import Book
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


@dataclass(slots=True)
class Tally:
    """What became of the rows so far."""

    applied: int = 0
    repeated: int = 0
    rejected: int = 0
    rejections: list[str] = field(default_factory=list[str])
    """The first refusals, each with its line."""

    @property
    def settled(self) -> int:
        """How many rows have their answer."""
        return self.applied + self.repeated + self.rejected

    def add(self, entry: Entry, outcome: Outcome[OrderResult | FillResult]) -> None:
        """Count one answer. Raises the error of a row that was neither applied nor refused."""
        try:
            result = outcome.result()
        except Refused as error:
            self.rejected += 1
            if len(self.rejections) < _REJECTIONS_KEPT:
                self.rejections.append(f"line {entry.line}: {error}")
        else:
            self.applied += result.applied
            self.repeated += not result.applied


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
    tally: Tally
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
            "rejections": self.tally.rejections,
            "seconds": round(self.seconds, 3),
            "orders_by_status": self.state.orders_by_status,
            "open_orders": self.state.open_orders,
            "positions": self.positions_json(),
        }

    def rejections_shown(self) -> list[str]:
        """The first refusals, and how many there are besides."""
        shown = self.tally.rejections[:_REJECTIONS_SHOWN]
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
    """Apply a journal and ask what came of it. Raises ReplayStopped, which says how far it came."""
    tally = Tally()
    started = time.monotonic()
    try:
        for entries in _batches(journal.entries(), batch):
            for wave in _waves(entries):
                _apply(book, wave, tally)
            advance(len(entries))
        seconds = time.monotonic() - started
        return Report(contents, tally, _state(book, contents), seconds)
    except SlotbookError as error:
        raise ReplayStopped(
            f"{error}; stopped with {tally.settled:,} of {contents.rows:,} rows settled: "
            "running the same command again goes on from here and doubles nothing"
        ) from error


def _apply(book: Book, wave: list[Entry], tally: Tally) -> None:
    failure: SlotbookError | None = None
    outcomes = book.orders.apply_many([entry.request for entry in wave])
    for entry, outcome in zip(wave, outcomes, strict=True):
        try:
            tally.add(entry, outcome)
        except SlotbookError as error:
            failure = failure or error  # the others of the wave still count
    if failure is not None:
        raise failure


def _batches(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    while batch := list(islice(entries, size)):
        yield batch


def _waves(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Split a batch so that no order comes twice in a wave, and every trader's rows stay in order.

    Of an order that comes twice, ``apply_many`` would hold back the second row but not the trader's rows after it, and
    the trader's events would tell another story than the journal.
    """
    waves: list[list[Entry]] = []
    current: dict[str, tuple[int, set[str]]] = {}
    for entry in entries:
        trader, order_id = entry.request.trader, entry.request.order_id
        number, orders = current.get(trader, (0, set[str]()))
        if order_id in orders:
            number, orders = number + 1, set[str]()
        orders.add(order_id)
        current[trader] = number, orders
        if number == len(waves):
            waves.append([])
        waves[number].append(entry)
    return waves


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
