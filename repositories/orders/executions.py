"""Read the fills of one order: what is remembered with it, and what their events say. This module does no I/O."""

from __future__ import annotations

from ...models.enums import EventType
from ...models.errors import CorruptRecord, never_written
from ...models.execution import Execution
from ...models.fill_details import DETAILS, FillDetails
from ...models.keys import TraderKeys
from ...models.order import Order
from ...models.record import copied
from ...models.wire import decode, encode, text
from ...topology.call import Call, Reply, evaluate
from ...topology.steps import Steps, ask
from ..changes.recorded import read_recorded
from ..changes.recorded_details import PREFIX, read_details, together
from ..changes.scripts import load
from ..replies import fields, rows, rows_of
from ..replies import text as text_of

FILLS_AT_ONCE = 1_000
"""The fills that one script returns: a script that took longer would hold up the server's other callers."""
FILLS = load("slotbook.repositories.orders", "fills")


def read_fills(keys: TraderKeys, order_id: str) -> Steps[list[Execution]]:
    """Return the steps that read the fills of an order, in the order of their events."""
    found: list[Execution] = []
    while True:
        page = yield from ask(_page(keys, order_id, found[-1].sequence if found else -1))
        found += page
        if len(page) < FILLS_AT_ONCE:
            return found


def _page(keys: TraderKeys, order_id: str, after: int) -> Call[list[Execution]]:
    def read(reply: Reply) -> list[Execution]:
        written, *page = rows(reply)
        multiplier = text_of(written)
        fills = [rows_of(7, fill) for fill in page]
        return [
            _revised(
                keys,
                _execution(
                    keys.order(order_id) if text_of(first) else keys.applied(order_id),
                    *(keys, order_id, text_of(name), text_of(value), fields(event), multiplier),
                ),
                *map(text_of, now),
            )
            for name, value, event, *now, first in fills
        ]

    return evaluate(
        f"fills of {keys.trader}/{order_id}",
        FILLS,
        FILLS.keys(applied=keys.applied(order_id), events=keys.events, order=keys.order(order_id)),
        FILLS.arguments(after=str(after), limit=str(FILLS_AT_ONCE)),
        decode=read,
        readonly=True,
        tag=keys.trader,
    )


def _execution(
    key: str, keys: TraderKeys, order_id: str, name: str, value: str, event: dict[str, str], multiplier: str
) -> Execution:
    """Return a fill from what a key remembers of it, and its event. Raises CorruptRecord when they contradict."""
    order = Order.model_construct(trader=keys.trader, order_id=order_id)
    change = read_recorded(key, order, name, value)
    if change.sequence < 1:
        raise never_written(key, name, value)
    if change.type is not EventType.TRADE:
        raise never_written(key, name, value)
    given = {
        "trader": keys.trader,
        "order_id": order_id,
        "exec_id": change.identity,
        "sequence": text(change.sequence),
        "quantity": text(change.quantity),
        "price": text(change.price),
        "live_quantity": text(change.quantity),
        "live_price": text(change.price),
        "busted": "0",
        "late": text("late" in value.partition("|")[0].split(" ")),
        "overfilled": text("over" in value.partition("|")[0].split(" ")),
    }
    if multiplier:
        given["multiplier"] = multiplier
    if event:
        said = {"order_id": order_id, "exec_id": change.identity, "type": EventType.TRADE.value}
        said |= {"last_quantity": given["quantity"], "last_price": given["price"]}
        for field, expected in said.items():
            if event.get(field) != expected:
                problem = f"{event.get(field)!r} is not {expected!r}, as is remembered with the order"
                raise CorruptRecord(keys.events, f"{change.sequence}-0 {field}", problem)
        given |= {field: event[field] for field in ("ts_ns", "own") if field in event}
    return decode(Execution, key, given)


def _revised(keys: TraderKeys, first: Execution, now: str, report: str, details: str) -> Execution:
    """Return a fill with what counts of it now, and its details. Raises CorruptRecord."""
    key, name = keys.applied(first.order_id), f"now:{first.exec_id}"
    if not now:
        return _with_details(key, first, first.exec_id, details) if details else first
    match now.split(" ", 3):
        case [number, "busted", *words] if words:
            exec_id, live, said = " ".join(words), {"live_quantity": "0", "busted": "1"}, "0 0 bust"
        case [number, quantity, price, exec_id]:
            live, said = {"live_quantity": quantity, "live_price": price}, f"{quantity} {price} correct"
        case _:
            raise never_written(key, name, now)
    if not report.startswith(f"{number} {said}|"):
        raise CorruptRecord(key, name, f"{now!r} names no report that is remembered")
    revised = decode(Execution, key, {**encode(first), **live, "revised_by": exec_id})
    return _with_details(key, revised, exec_id, details) if details else revised


def _with_details(key: str, execution: Execution, exec_id: str, details: str) -> Execution:
    """Return an execution with the details of what counts of it. Raises CorruptRecord."""
    found = FillDetails.read(together(read_details(key, PREFIX + exec_id, details)), key)
    return copied(execution, **{name: getattr(found, name) for name in DETAILS})
