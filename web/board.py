"""Keep the rows of a blotter, each with the number of the change that it had last. Nothing here does I/O.

A reader says which change it knows, and gets every row that is newer: what happened in between is one difference,
however much it was. So a reader costs one number, however slow it is, and the rows are bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from ..models.enums import EventType
from ..models.errors import CorruptRecord, printable
from ..models.event import OrderEvent
from ..models.event_accounts import account_quantities
from ..models.numbers import plain
from ..models.order import Order
from ..models.position import Position
from .rows import Row, event_row, limited, order_row, order_row_of_event, position_row

Key: TypeAlias = tuple[str, ...]

KEPT: Mapping[str, int] = {"orders": 2_000, "positions": 2_000, "marks": 2_000, "events": 500, "problems": 50}
"""The most rows of each table, those that changed last."""


class Rows:
    """The rows of one table, the one that changed last at the end."""

    def __init__(self, most: int) -> None:
        self._rows: OrderedDict[Key, tuple[int, Row]] = OrderedDict()
        self._most = most
        self.left_out = 0
        """The number of rows that went because there were too many."""

    def put(self, key: Key, row: Row, version: int) -> None:
        """Put a row, with the number of the change that made it."""
        self._rows.pop(key, None)
        self._rows[key] = (version, row)
        if len(self._rows) > self._most:
            self._rows.popitem(last=False)
            self.left_out += 1

    def get(self, key: Key) -> Row | None:
        """Return a row; None when it is not kept, or gone."""
        row = self._rows.get(key, (0, None))[1]
        return None if row is None or row.get("gone") else row

    def items(self) -> Iterator[tuple[Key, Row]]:
        """Yield the rows that are there, the one that changed last at the end."""
        return ((key, row) for key, (_, row) in self._rows.items() if not row.get("gone"))

    def after(self, version: int, trader: str | None) -> list[Row]:
        """Return the rows of a trader, or of all, that have changed since, the one that changed first at the front."""
        newer: list[Row] = []
        for key, (changed, row) in reversed(self._rows.items()):
            if changed <= version:
                break
            if limited(row, trader):
                newer.append({"key": "\n".join(key), "changed": changed, **row})
        return newer[::-1]


class Difference(NamedTuple):
    """The rows that have changed since a reader's last change."""

    version: int
    """The change up to which the reader then knows all rows."""
    rows: dict[str, list[Row]]
    """By table."""


class Board:
    """Orders, positions, events, prices of fills and problems, as a page shows them."""

    def __init__(self) -> None:
        self.version = 0
        """The number of the last change of a row."""
        self.events = 0
        """The number of events that came since the blotter began."""
        self.tables = {name: Rows(most) for name, most in KEPT.items()}
        self.changed_positions: OrderedDict[Key, None] = OrderedDict()
        """The positions that have changed since they were read; see ``key_of``."""

    def take(self, event: OrderEvent, *, is_new: bool = True) -> None:
        """Show what an event has changed; one that is not new came before the blotter."""
        number = self._next()
        self.tables["events"].put((str(number),), event_row(event, number), number)
        if event.type is EventType.TRADE and event.symbol and event.last_price is not None:
            mark: Row = {"trader": event.trader, "symbol": event.symbol, "price": plain(event.last_price)}
            self.tables["marks"].put((event.symbol,), mark, self._next())
        if not is_new:
            return
        self.events += 1
        if (row := order_row_of_event(event)) is not None:
            self.take_order(row)
        if event.symbol and event.position_quantity is not None:
            self._await_position((event.trader, event.symbol))
        if event.symbol:
            try:
                for account in account_quantities(event):
                    self._await_position((event.trader, event.symbol, account))
            except CorruptRecord as problem:
                self.take_problem(problem, event.ts_ns)

    def take_order(self, row: Row) -> None:
        """Show an order as it is now."""
        self.tables["orders"].put((str(row["trader"]), str(row["order"])), row, self._next())

    def take_position(self, held: Position) -> None:
        """Show a position as it was read."""
        self.tables["positions"].put(key_of(held), position_row(held), self._next())

    def mark_unread(self, keys: Iterable[Key]) -> None:
        """Say of positions that have changed that they could not be read again, so that what is shown is old."""
        for key in keys:
            row = self.tables["positions"].get(key)
            if row is not None and not row.get("old"):
                self.tables["positions"].put(key, {**row, "old": True}, self._next())

    def take_problem(self, problem: Exception, ts_ns: int) -> None:
        """Show what went wrong: a loss, events that are no longer kept, a server that does not answer."""
        trader, kind, text = getattr(problem, "trader", None), type(problem).__name__, printable(str(problem))
        known = self.tables["problems"].get((kind, text)) or {}
        row: Row = {
            "trader": trader if isinstance(trader, str) else None,
            "kind": kind,
            "text": text,
            "time": str(ts_ns),
            "times": int(known.get("times") or 0) + 1,
        }
        self.tables["problems"].put((kind, text), row, self._next())

    def begin(self, trader: str, orders: Iterable[Order], positions: Iterable[Position]) -> None:
        """Show the orders and positions of a trader as they were read, and no others of this trader."""
        rows = {(order.trader, order.order_id): order_row(order) for order in sorted(orders, key=_by_time)}
        held = {key_of(position): position for position in positions}
        for name, found in (("orders", rows), ("positions", held)):
            for key in [key for key, _ in self.tables[name].items() if key[0] == trader and key not in found]:
                self.tables[name].put(key, {"trader": trader, "gone": True}, self._next())
        for row in rows.values():
            self.take_order(row)
        for position in held.values():
            self.take_position(position)
            self.changed_positions.pop(key_of(position), None)

    def lose(self, trader: str, first: int) -> None:
        """Mark the events of a trader, from a number on, that the servers have lost."""
        for key, row in list(self.tables["events"].items()):
            number = row["sequence"]
            if row["trader"] == trader and isinstance(number, int) and number >= first and not row.get("lost"):
                self.tables["events"].put(key, {**row, "lost": True}, self._next())

    def after(self, version: int, trader: str | None = None, most: int | None = None) -> Difference:
        """Return the rows of a trader, or of all, that have changed since ``version``: ``most`` of them, the first."""
        found = {
            name: rows.after(version, None if name in ("marks", "problems") else trader)
            for name, rows in self.tables.items()
        }
        changes = sorted(_change_of(row) for rows in found.values() for row in rows)
        if most is None or len(changes) <= most:
            return Difference(self.version, found)
        upto = changes[most - 1]
        return Difference(
            upto, {name: [row for row in rows if _change_of(row) <= upto] for name, rows in found.items()}
        )

    def _await_position(self, key: Key) -> None:
        """Note that a position has to be read; of too many, the first one would be left out when all are read."""
        self.changed_positions[key] = None
        if len(self.changed_positions) > KEPT["positions"]:
            first, _ = self.changed_positions.popitem(last=False)
            self.tables["positions"].put(first, {"trader": first[0], "gone": True}, self._next())
            self.tables["positions"].left_out += 1

    def _next(self) -> int:
        self.version += 1
        return self.version


def key_of(held: Position) -> Key:
    """Return the key of a position: trader and symbol, and behind them the account of a part of it."""
    return (held.trader, held.symbol, *([] if held.account is None else [held.account]))


def _change_of(row: Row) -> int:
    changed = row["changed"]
    return changed if isinstance(changed, int) else 0


def _by_time(order: Order) -> int:
    return order.ts_ns
