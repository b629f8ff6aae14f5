"""Read a trader's whole book as it was after one event. Nothing here does I/O.

Records are read page by page, so that no script holds up a server's other callers, and then once more what the events
that came meanwhile have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ...models.errors import HistoryTrimmed
from ...models.keys import Keys, TraderKeys
from ...models.order import Order
from ...models.position import Position
from ...models.results import Snapshot
from ...topology.call import Reply, command, evaluate
from ...topology.settings import Settings
from ...topology.steps import Steps, ask, ask_many
from ..changes.scripts import load
from ..replies import record_of, rows

PAGE = 200
"""The records that are read at once."""
TRIES = 5
"""Times that reading begins anew because the events that came meanwhile are no longer kept."""

_PACKAGE = "slotbook.repositories.book"
SNAPSHOT = load(_PACKAGE, "snapshot")
CATCH_UP = load(_PACKAGE, "catch_up")


def snapshot(settings: Settings, trader: str) -> Steps[Snapshot]:
    """Return the steps that read a trader's whole book. Raises HistoryTrimmed when the book changes too fast for it."""
    keys = Keys(settings.prefix).of(trader)
    first = last = 0
    for _ in range(TRIES):
        first, ids, positions = yield from _begin(keys)
        orders = yield from _read_orders(keys, ids)
        last = yield from _catch_up(keys, first, orders, positions)
        if last >= first:
            held = [one for one in positions.values() if one.version]
            return Snapshot(
                trader,
                last,
                sorted(orders.values(), key=lambda one: one.order_id),
                sorted(held, key=lambda one: one.symbol),
            )
    raise HistoryTrimmed(trader, first + 1, first + 1)


def _begin(keys: TraderKeys) -> Steps[tuple[int, Sequence[str], dict[str, Position]]]:
    sequence, ids, *found = yield from ask(
        evaluate(
            f"snapshot of {keys.trader}",
            SNAPSHOT,
            SNAPSHOT.keys(book=keys.book, positions=keys.positions, indexes=list(keys.statuses.values())),
            SNAPSHOT.arguments(base=keys.base),
            decode=rows,
            readonly=True,
        )
    )
    positions = (record_of(Position, keys.position(""), "symbol", flat) for flat in found)
    return int(str(sequence)), cast("list[str]", ids), {position.symbol: position for position in positions}


def _read_orders(keys: TraderKeys, ids: Sequence[str]) -> Steps[dict[str, Order]]:
    orders: dict[str, Order] = {}
    for begin in range(0, len(ids), PAGE):
        calls = [
            command(f"snapshot of {keys.trader}", "HGETALL", keys.order(order_id), decode=rows)
            for order_id in ids[begin : begin + PAGE]
        ]
        for outcome in (yield from ask_many(calls)):
            _add_order(keys, orders, outcome.result())
    return orders


def _catch_up(keys: TraderKeys, first: int, orders: dict[str, Order], positions: dict[str, Position]) -> Steps[int]:
    """Read what has changed since an event until nothing has, and return the number of the last; -1 for a gap."""
    read = first
    while True:
        found = yield from ask(
            evaluate(
                f"snapshot of {keys.trader}",
                CATCH_UP,
                CATCH_UP.keys(book=keys.book, events=keys.events),
                CATCH_UP.arguments(base=keys.base, after=str(read), count=str(PAGE)),
                decode=rows,
                readonly=True,
            )
        )
        if not found:
            return -1
        last, number, changed, moved = found
        for flat in rows(changed):
            _add_order(keys, orders, rows(flat))
        for flat in rows(moved):
            position = record_of(Position, keys.position(""), "symbol", flat)
            positions[position.symbol] = position
        read = int(str(number))
        if read == int(str(last)):
            return read


def _add_order(keys: TraderKeys, orders: dict[str, Order], flat: list[Reply]) -> None:
    if flat:  # an order that is gone has expired meanwhile
        order = record_of(Order, keys.order(""), "order_id", flat)
        orders[order.order_id] = order
