"""Slotbook's scripts run by hand with another client: the words of EVALSHA for an order, a fill or a cancel.

Nothing is checked, a lost reply is not handled, and the server's reply is not parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from ...models.fill import Fill
from ...models.order import Cancel, Order
from ...repositories.orders.verbs import CANCEL, FILL, PLACE
from ..material import Material
from ..measure import Block, one_by_one

T = TypeVar("T")

_FOR_EVER, _A_DAY = "", "86400000"
_POLICY = "100000 traders"
_ACKNOWLEDGED = "0 00000000"
"""A writer to which no change was acknowledged, so that none can be lost."""
_NO_FENCE = ""


def place(order: Order) -> list[str]:
    """Return the words that place an order."""
    base = f"{{{order.trader}}}:"
    return [
        PLACE.script.digest,
        "4",
        f"{base}order:{order.order_id}",
        f"{base}orders_by_status:NEW",
        f"{base}orders_by_symbol:{order.symbol}",
        f"{base}events",
        _FOR_EVER,
        _POLICY,
        _ACKNOWLEDGED,
        _NO_FENCE,
        "trader",
        order.trader,
        "order_id",
        order.order_id,
        "symbol",
        order.symbol,
        "side",
        order.side.value,
        "type",
        order.type.value,
        "time_in_force",
        order.time_in_force.value,
        "quantity",
        str(order.quantity),
        "price",
        str(order.price),
        "status",
        "NEW",
        "filled_quantity",
        "0",
        "filled_notional",
        "0",
        "version",
        "1",
        "ts_ns",
        str(order.ts_ns),
    ]


def fill(fill: Fill) -> list[str]:
    """Return the words that apply a fill."""
    base = f"{{{fill.trader}}}:"
    return [
        FILL.script.digest,
        "4",
        f"{base}order:{fill.order_id}",
        f"{base}applied:{fill.order_id}",
        f"{base}events",
        f"{base}positions",
        base,
        _FOR_EVER,
        _A_DAY,
        _POLICY,
        _ACKNOWLEDGED,
        _NO_FENCE,
        fill.trader,
        fill.exec_id,
        str(fill.quantity),
        str(fill.price),
        f"{(fill.quantity * fill.price).normalize():f}",
        str(fill.ts_ns),
    ]


def cancel(cancel: Cancel) -> list[str]:
    """Return the words that cancel an order."""
    base = f"{{{cancel.trader}}}:"
    return [
        CANCEL.script.digest,
        "3",
        f"{base}order:{cancel.order_id}",
        f"{base}applied:{cancel.order_id}",
        f"{base}events",
        base,
        _FOR_EVER,
        _A_DAY,
        _POLICY,
        _ACKNOWLEDGED,
        _NO_FENCE,
        "CANCELED",
        str(cancel.ts_ns),
        "",
    ]


Run = Callable[[Sequence[str]], object]
"""Runs EVALSHA with these words."""


def blocks(material: Material, run: Run) -> dict[str, Block]:
    """Return the jobs that change an order, for a client that runs these words."""
    return {
        "place": one_by_one(lambda size: [partial(_run, run, place, order) for order in material.orders(size)]),
        "fill": one_by_one(lambda size: [partial(_run, run, fill, one) for one in material.fills(size)]),
        "cancel": one_by_one(lambda size: [partial(_run, run, cancel, one) for one in material.cancels(size)]),
    }


def _run(run: Run, words: Callable[[T], Sequence[str]], request: T) -> object:
    return run(words(request))
