"""The records that tests begin with."""

from __future__ import annotations

import os
import uuid
from decimal import Decimal

from slotbook.models import Bust, Correct, Fill, Order, PendingCancel, Replace
from slotbook.repositories.orders.verbs import OrderRequest

NIGHTLY = bool(os.environ.get("SLOTBOOK_NIGHTLY"))
"""True when there is time for everything in full size."""
TS = 1_700_000_000_000_000_000
"""A time of the exchange, long before the server's."""


def fresh(kind: str = "T") -> str:
    """Return a name that no other test has."""
    return f"{kind}-{uuid.uuid4().hex[:12]}"


def limit(trader: str, order_id: str = "A1", /, **changes: object) -> Order:
    """Return a LIMIT order: BUY 100 AAPL at 187.23."""
    values = {"symbol": "AAPL", "side": "BUY", "quantity": 100, "price": "187.23", "ts_ns": TS, **changes}
    return Order.model_validate({"trader": trader, "order_id": order_id, **values})


def execution(
    trader: str,
    exec_id: str = "X1",
    quantity: Decimal | int | str = 40,
    price: Decimal | str = "187.22",
    order_id: str = "A1",
    ts_ns: int = TS + 1,
) -> Fill:
    """Return a fill: 40 at 187.22."""
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


def example(kind: type[OrderRequest], trader: str) -> OrderRequest:
    """Return a request of a kind: to place the order A1, or one that this order can take, once X1 has filled it."""
    if issubclass(kind, Order):
        return limit(trader)
    if issubclass(kind, Fill):
        return execution(trader)
    if issubclass(kind, Bust | Correct):
        terms = {"quantity": 30, "price": "187.3"} if issubclass(kind, Correct) else {}
        report = {"exec_id": f"{kind.__name__}-1", "exec_ref_id": "X1"}
        return kind.model_validate({"trader": trader, "order_id": "A1", "ts_ns": 7, **report, **terms})
    more = {"quantity": 150, "price": "188", "request_id": "R1"} if issubclass(kind, Replace) else {}
    if issubclass(kind, PendingCancel):
        more = {"client_order_id": "C2", "request_id": "R1"}
    return kind.model_validate({"trader": trader, "order_id": "A1", "ts_ns": 7, **more})
