"""Read the totals that an event states of its order and position, without what follows from its other fields.

They are words: of an order its version and filled notional; of a position what was bought and sold, both amounts, the
version, the open cost and the realized profit, and fees, where there are any. After an order's first fill the notional
is empty: it is that of the fill. A position that was only ever bought, or only ever sold, has two words, the amount and
the version.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...models.enums import EventType
from ...models.numbers import exact_price, exact_quantity, plain, times

_OF_ORDER = 2
_ONE_WAY = 2


def whole_totals(event: Mapping[str, str]) -> str | None:
    """Return the totals of an event with all of their words; None without any, and what was never written as it is.

    >>> whole_totals({"type": "TRADE", "order_id": "A1", "last_quantity": "40", "last_price": "187.22",
    ...               "position_quantity": "-40", "totals": "2  7488.8 1"})
    '2 7488.8 0 40 0 7488.8 1 -7488.8 0'
    """
    said = event.get("totals")
    if said is None:
        return None
    words = said.split(" ")
    order = words[:_OF_ORDER] if "order_id" in event else []
    position = words[len(order) :]
    try:
        if order[1:] == [""] and event.get("type") == EventType.TRADE.value and "multiplier" not in event:
            order[1] = plain(times(exact_quantity(event["last_quantity"]), exact_price(event["last_price"])))
        if len(position) == _ONE_WAY:
            position = _of_one_way(event["position_quantity"], *position)
    except (KeyError, ValueError):
        return said
    return " ".join([*order, *position])


def _of_one_way(quantity: str, amount: str, version: str) -> list[str]:
    """Return the words of a position that was only ever bought, or only ever sold. Raises ValueError for another."""
    if quantity == "0":
        raise ValueError(quantity)
    if not quantity.startswith("-"):
        return [quantity, "0", amount, "0", version, amount, "0"]
    if amount == "0" or amount.startswith("-"):
        raise ValueError(amount)
    return ["0", quantity[1:], "0", amount, version, f"-{amount}", "0"]
