"""Read a trader's whole book as it was after one event. Nothing here does I/O.

Records are read page by page, so that no script holds up a server's other callers, and then once more what the events
that came meanwhile have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from ...models.errors import HistoryTrimmed
from ...models.keys import Keys, TraderKeys
from ...models.limits import Limits, Trading
from ...models.order import Order
from ...models.own_fields import own_fields
from ...models.position import Position
from ...models.results import Snapshot
from ...topology.call import Reply, command, evaluate
from ...topology.settings import Settings
from ...topology.steps import Steps, ask, ask_many
from ..changes.scripts import load
from ..changes.stored_limits import limits_in_hash, read_trading
from ..positions.calls import account_position, changed_once
from ..replies import fields, integer, record_of, remembered_number, rows, text

Own = TypeVar("Own", bound=Order)

PAGE = 200
"""The records that are read at once."""
TRIES = 5
"""Times that reading begins anew because the events that came meanwhile are no longer kept."""

_PACKAGE = "slotbook.repositories.book"
SNAPSHOT = load(_PACKAGE, "snapshot")
CATCH_UP = load(_PACKAGE, "catch_up")


class _Changes(NamedTuple, Generic[Own]):
    """The records that some events have changed, as they are now."""

    last: int
    """The last event of the book."""
    read: int
    """The last of these events."""
    orders: list[Own | None]
    positions: list[Position]
    accounts: list[Position]
    limits: list[Limits]
    trading: Trading


def snapshot(settings: Settings, trader: str, model: type[Own]) -> Steps[Snapshot[Own]]:
    """Return the steps that read a trader's whole book. Raises HistoryTrimmed when the book changes too fast for it."""
    own_fields(model, Order)
    keys = Keys(settings.prefix).of(trader)
    first = 0
    for _ in range(TRIES):
        first, ids, positions, accounts = yield from _begin(keys)
        orders = yield from _read_orders(keys, ids, model)
        end = yield from _catch_up(keys, first, orders, positions, accounts, model)
        if end is not None:
            held = [one for one in positions.values() if one.version]
            return Snapshot(
                keys.trader,
                end.last,
                sorted(orders.values(), key=lambda one: one.order_id),
                sorted(held, key=lambda one: one.symbol),
                end.limits,
                end.trading,
                changed_once(accounts.values()),
            )
    raise HistoryTrimmed(keys.trader, first + 1, first + 1)


class _Begun(NamedTuple):
    """The number of the last event of the book, the ids of its orders, and its positions, by symbol and by account."""

    last: int
    ids: Sequence[str]
    positions: dict[str, Position]
    accounts: dict[tuple[str, str], Position]


def _begin(keys: TraderKeys) -> Steps[_Begun]:
    def read(reply: Reply) -> _Begun:
        sequence, ids, accounts, *found = rows(reply)
        positions = (_position(keys, flat) for flat in found)
        held = {one.symbol: one for one in positions}
        return _Begun(_sequence(keys, sequence), list(map(text, rows(ids))), held, _by_account(keys, rows(accounts)))

    return (
        yield from ask(
            evaluate(
                f"snapshot of {keys.trader}",
                SNAPSHOT,
                SNAPSHOT.keys(
                    book=keys.book,
                    positions=keys.positions,
                    account_positions=keys.account_positions,
                    indexes=list(keys.statuses.values()),
                ),
                SNAPSHOT.arguments(base=keys.base),
                decode=read,
                readonly=True,
            )
        )
    )


def _read_orders(keys: TraderKeys, ids: Sequence[str], model: type[Own]) -> Steps[dict[str, Own]]:
    orders: dict[str, Own] = {}
    for begin in range(0, len(ids), PAGE):
        calls = [
            command(f"snapshot of {keys.trader}", "HGETALL", keys.order(order_id), decode=partial(_order, keys, model))
            for order_id in ids[begin : begin + PAGE]
        ]
        for outcome in (yield from ask_many(calls)):
            _add(orders, outcome.result())
    return orders


def _catch_up(
    keys: TraderKeys,
    first: int,
    orders: dict[str, Own],
    positions: dict[str, Position],
    accounts: dict[tuple[str, str], Position],
    model: type[Own],
) -> Steps[_Changes[Own] | None]:
    """Read what has changed since an event until nothing has, and return the last of it; None for a gap."""
    after = first
    while True:
        found = yield from ask(
            evaluate(
                f"snapshot of {keys.trader}",
                CATCH_UP,
                CATCH_UP.keys(book=keys.book, events=keys.events, limits=keys.limits),
                CATCH_UP.arguments(base=keys.base, after=str(after), count=str(PAGE)),
                decode=partial(_changes, keys, model),
                readonly=True,
            )
        )
        if found is None:
            return None
        for order in found.orders:
            _add(orders, order)
        positions.update((position.symbol, position) for position in found.positions)
        accounts.update(((position.symbol, position.account or ""), position) for position in found.accounts)
        after = found.read
        if after == found.last:
            return found


def _changes(keys: TraderKeys, model: type[Own], reply: Reply) -> _Changes[Own] | None:
    if not rows(reply):
        return None
    last, read, changed, moved, limits, trading, accounts = rows(reply)
    return _Changes(
        _sequence(keys, last),
        _sequence(keys, read),
        [_order(keys, model, flat) for flat in rows(changed)],
        [_position(keys, flat) for flat in rows(moved)],
        [*_by_account(keys, rows(accounts)).values()],
        limits_in_hash(keys, fields(limits)),
        read_trading(keys, text(trading) or None),
    )


def _sequence(keys: TraderKeys, reply: Reply) -> int:
    return remembered_number(keys.book, "sequence", str(integer(reply)) if isinstance(reply, int) else text(reply))


def _order(keys: TraderKeys, model: type[Own], flat: Reply) -> Own | None:
    """Return an order; None for one that has expired meanwhile."""
    return record_of(model, keys.order(""), "order_id", flat, keys.trader) if rows(flat) else None


def _position(keys: TraderKeys, flat: Reply) -> Position:
    return record_of(Position, keys.position(""), "symbol", flat, keys.trader)


def _by_account(keys: TraderKeys, found: Sequence[Reply]) -> dict[tuple[str, str], Position]:
    positions = (account_position(keys, flat) for flat in found)
    return {(one.symbol, one.account or ""): one for one in positions}


def _add(orders: dict[str, Own], order: Own | None) -> None:
    if order is not None:
        orders[order.order_id] = order
