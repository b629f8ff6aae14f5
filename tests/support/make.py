"""The records that tests begin with."""

from __future__ import annotations

import os
import uuid

from slotbook.models import Fill, Order

NIGHTLY = bool(os.environ.get("SLOTBOOK_NIGHTLY"))
"""Whether there is time for everything in full size."""
TS = 1_700_000_000_000_000_000
"""A time of the exchange, long before the server's."""


def fresh(kind: str = "T") -> str:
    """A name that no other test has."""
    return f"{kind}-{uuid.uuid4().hex[:12]}"


def limit(trader: str, order_id: str = "A1", /, **changes: object) -> Order:
    """A LIMIT order: BUY 100 AAPL at 187.23."""
    values = {"symbol": "AAPL", "side": "BUY", "quantity": 100, "price": "187.23", "ts_ns": TS, **changes}
    return Order.model_validate({"trader": trader, "order_id": order_id, **values})


def execution(
    trader: str,
    exec_id: str = "X1",
    quantity: int = 40,
    price: str = "187.22",
    order_id: str = "A1",
    ts_ns: int = TS + 1,
) -> Fill:
    """A fill: 40 at 187.22."""
    return Fill.model_validate(
        {
            "trader": trader,
            "order_id": order_id,
            "exec_id": exec_id,
            "quantity": quantity,
            "price": price,
            "ts_ns": ts_ns,
        }
    )
