"""A small trading day for the demo, the same each time: orders are filled, replaced, canceled and filled late."""

from __future__ import annotations

import random
from decimal import Decimal

from ..models.enums import Side
from ..models.fill import Fill
from ..models.journal import JournalRequest
from ..models.order import Cancel, Order, Replace

LOT = 100
"""The quantity of every fill, so that a filled quantity shows how many fills were applied."""

_TRADERS = 8
_ORDERS_PER_TRADER = 190
_MOST_LOTS = 5
_PRICES = {"AAPL": Decimal("187.15"), "AMZN": Decimal("149.93"), "MSFT": Decimal("370.87"), "NVDA": Decimal("481.68")}
_TICK = Decimal("0.01")
_OPENS_NS = 1_704_205_800_000_000_000
_LASTS_NS = 23_400_000_000_000
_LONGEST_STEP_NS = 60_000_000_000


def trading_day(seed: int = 7) -> dict[str, list[JournalRequest]]:
    """Return the requests of each trader, sorted by their time; the same seed gives the same day."""
    chance = random.Random(seed)  # noqa: S311 (a market, not a secret)
    return {
        trader: sorted(
            (
                request
                for number in range(1, _ORDERS_PER_TRADER + 1)
                for request in _story(chance, trader, f"{trader}-{number:04}")
            ),
            key=lambda request: request.ts_ns,
        )
        for trader in (f"T{number:03}" for number in range(1, _TRADERS + 1))
    }


def _story(chance: random.Random, trader: str, order_id: str) -> list[JournalRequest]:
    """Return the requests of one order.

    No replace raises a quantity and no late fill completes an order. So, whatever part of the day a failover loses,
    sending the whole day again brings the book to the same final state.
    """
    now = _OPENS_NS + chance.randrange(_LASTS_NS)
    side = chance.choice((Side.BUY, Side.SELL))
    symbol = chance.choice(list(_PRICES))
    price = _PRICES[symbol] + chance.randint(-50, 50) * _TICK
    lots = chance.randint(1, _MOST_LOTS)
    better = -_TICK if side is Side.BUY else _TICK

    def later() -> int:
        nonlocal now
        now += chance.randint(1, _LONGEST_STEP_NS)
        return now

    def fill(number: int) -> Fill:
        return Fill(
            trader=trader,
            order_id=order_id,
            exec_id=f"{order_id}-{number}",
            quantity=LOT,
            price=price + number * better,
            ts_ns=later(),
        )

    story: list[JournalRequest] = [
        Order(
            trader=trader, order_id=order_id, symbol=symbol, side=side, quantity=lots * LOT, price=price, ts_ns=later()
        )
    ]
    if chance.random() < 0.25:
        lots = max(1, lots - chance.randint(0, 1))
        price -= better
        story.append(
            Replace(
                trader=trader,
                order_id=order_id,
                request_id=f"{order_id}-R",
                revision=1,
                quantity=lots * LOT,
                price=price,
                ts_ns=later(),
            )
        )
    filled = chance.randint(0, lots)
    story.extend(fill(number) for number in range(1, filled + 1))
    if filled < lots and chance.random() < 0.5:
        story.append(Cancel(trader=trader, order_id=order_id, request_id=f"{order_id}-C", ts_ns=later()))
        if lots - filled > 1 and chance.random() < 0.2:
            story.append(fill(filled + 1))
    return story
