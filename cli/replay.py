"""Apply a journal to a book in batches, and read the resulting state of the journal's traders."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..models.enums import OrderStatus
from ..models.errors import SlotbookError
from ..models.journal import JournalEntry
from ..models.numbers import plain
from ..models.position import Position
from ..repositories import Book
from ..repositories.orders.reconciliation import NamedRow, Reconciliation, Refusal
from .journal_file import JournalFile
from .output import JsonValue

_ROWS_SHOWN = 5
_MOST_RUNS = 10
"""The runs of one replay: the first, and one more after each in which servers lost changes."""

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
    account_positions: dict[str, list[Position]]
    """The parts of these that accounts have."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a replay."""

    contents: Contents
    tally: Reconciliation
    reapplied: int
    """Changes that the servers had acknowledged and lost in a failover, and that the journal brought back."""
    state: State
    seconds: float
    """The time of applying the journal."""

    @property
    def fates(self) -> dict[str, int]:
        """The number of rows of each fate; together they are all rows."""
        tally = self.tally
        return {
            "applied": tally.applied,
            "repeated": tally.repeated,
            "out of date": tally.out_of_date,
            "refused": tally.refused,
            "would apply if run again": tally.would_apply,
        }

    @property
    def named(self) -> dict[str, Sequence[NamedRow | Refusal]]:
        """The rows of each fate that is named line by line."""
        tally = self.tally
        return {
            "refused": tally.refusals,
            "would apply if run again": tally.unsettled,
            "out of date": tally.outdated,
            "applied out of order": tally.out_of_order,
        }

    def as_json(self) -> dict[str, JsonValue]:
        """Return the values that ``--json`` prints."""
        return {
            "rows": self.contents.rows,
            **{fate.replace(" ", "_"): count for fate, count in self.fates.items()},
            "applied_out_of_order": len(self.tally.out_of_order),
            "named": [
                {"line": row.place, "fate": fate, "reason": row.reason}
                for fate, rows in self.named.items()
                for row in rows
            ],
            "under_replicated": self.tally.under_replicated,
            "reapplied": self.reapplied,
            "seconds": round(self.seconds, 3),
            "orders_by_status": self.state.orders_by_status,
            "open_orders": self.state.open_orders,
            "positions": self.positions_json(),
        }

    def rows_shown(self) -> list[str]:
        """Return the first rows of each fate that is named, as lines, and a line with the number of its others."""
        lines: list[str] = []
        for fate, rows in self.named.items():
            lines += [f"{fate}: line {row.place}: {row.reason}" for row in rows[:_ROWS_SHOWN]]
            if more := len(rows[_ROWS_SHOWN:]):
                lines.append(f"{fate}: and {more:,} more; --json names them all")
        return lines

    def positions_json(self) -> dict[str, JsonValue]:
        """Return each trader's position or, when the journal has several symbols, its positions by symbol.

        A position that accounts have a part of has these under ``accounts``.
        """
        by_symbol = {
            trader: {position.symbol: self._position_json(position) for position in held}
            for trader, held in self.state.positions.items()
        }
        if len(self.contents.symbols) > 1:
            return {**by_symbol}
        return {trader: position for trader, held in by_symbol.items() for position in held.values()}

    def _position_json(self, position: Position) -> JsonValue:
        parts = self.state.account_positions.get(position.trader, ())
        accounts = {str(one.account): _sums_json(one) for one in parts if one.symbol == position.symbol}
        return {**_sums_json(position), **({"accounts": accounts} if accounts else {})}


def contents_of(journal: JournalFile, advance: Advance) -> Contents:
    """Read a whole journal without applying it, so that a file that is no journal changes nothing.

    Raises JournalError.
    """
    rows = 0
    traders: set[str] = set()
    symbols: set[str] = set()
    for row in journal.rows():
        rows += 1
        if isinstance(row, JournalEntry):
            traders.add(row.request.trader)
            symbols.add(row.symbol)
        if not rows % 1_000:
            advance(1_000)
    return Contents(rows, tuple(sorted(traders)), tuple(sorted(symbols)))


def apply_journal(book: Book, journal: JournalFile, contents: Contents, batch: int, advance: Advance) -> Report:
    """Apply a journal, once more as long as the servers lose some of it meanwhile, and read the resulting state.

    Args:
        book: The book to apply it to.
        journal: The open journal.
        contents: The result of ``contents_of`` for the same journal.
        batch: The number of rows that are read and sent at a time.
        advance: Called with the number of rows of each batch.

    Raises:
        ReplayStopped: When a call fails; its message has the number of rows that were settled.
    """
    runs = [Reconciliation()]
    started = time.monotonic()
    try:
        _run(book, journal, batch, runs, advance)
        while runs[-1].losses or book.losses():
            if len(runs) == _MOST_RUNS:
                raise SlotbookError(f"the servers have lost changes in each of {_MOST_RUNS} runs")
            runs.append(Reconciliation())
            _run(book, journal, batch, runs, lambda _: None)
        seconds = time.monotonic() - started
        reapplied = sum(run.applied for run in runs[1:])
        return Report(contents, _together(runs), reapplied, _state(book, contents), seconds)
    except SlotbookError as error:
        raise ReplayStopped(
            f"{error}; stopped with {runs[-1].settled:,} of {contents.rows:,} rows settled: "
            "running the same command again goes on from here and doubles nothing"
        ) from error


def _run(book: Book, journal: JournalFile, batch: int, runs: list[Reconciliation], advance: Advance) -> None:
    """Apply the journal once, with the result in the last of ``runs``, also when a call fails."""
    taken = 0

    def note(tally: Reconciliation) -> None:
        nonlocal taken
        runs[-1] = tally
        advance(tally.rows - taken)
        taken = tally.rows

    runs[-1] = book.reconcile(journal.rows(), batch=batch, progress=note)


def _together(runs: Sequence[Reconciliation]) -> Reconciliation:
    """Return the fates of the rows after all runs: as the last one found them; what was there before, as the first."""
    first, last = runs[0], runs[-1]
    if len(runs) > 1:
        before = min(first.repeated, last.applied + last.repeated)
        last.applied, last.repeated = last.applied + last.repeated - before, before
        last.under_replicated = sum(run.under_replicated for run in runs)
    return last


def _state(book: Book, contents: Contents) -> State:
    by_status = dict.fromkeys(OrderStatus, 0)
    open_orders: dict[str, int] = {}
    positions: dict[str, list[Position]] = {}
    parts: dict[str, list[Position]] = {}
    for trader in contents.traders:
        counts = {status: book.orders.count(trader, status=status) for status in OrderStatus}
        for status, count in counts.items():
            by_status[status] += count
        if still_open := sum(count for status, count in counts.items() if status.is_open):
            open_orders[trader] = still_open
        if held := [position for position in book.positions.all(trader) if position.symbol in contents.symbols]:
            positions[trader] = held
        if of_accounts := [one for one in book.positions.by_account(trader) if one.symbol in contents.symbols]:
            parts[trader] = of_accounts
    return State({str(status): count for status, count in by_status.items() if count}, open_orders, positions, parts)


def _sums_json(position: Position) -> dict[str, JsonValue]:
    return {
        "quantity": plain(position.quantity),
        "bought": plain(position.bought_quantity),
        "sold": plain(position.sold_quantity),
        "cash": plain(position.cash),
    }
