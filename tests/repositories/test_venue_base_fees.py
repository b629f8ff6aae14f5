"""Fees that venues took from the coins bought: records are booked with what arrived, at once or by a correction."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from slotbook.models import Correct, Fill
from slotbook.models.errors import DuplicateRequest

from ..support.desk import Desk
from .test_venue_records import NEEDED, complete, on_a_cluster, order_of, said


def of_what_was_bought() -> list[dict[str, Any]]:
    """Return the fills that bought coins of which the fee was paid."""
    found: list[dict[str, Any]] = []
    for meaning in complete("fill"):
        symbol, currency = str(meaning["symbol"]).lower(), str(meaning.get("fee_currency") or "-").lower()
        if meaning["side"] == "BUY" and symbol.startswith(currency) and Decimal(meaning.get("fee") or 0):
            found.append(meaning)
    return found


@on_a_cluster
def test_what_arrived_of_what_was_bought(desk: Desk) -> None:
    orders, booked, refused = desk.book.orders, 0, list[str]()
    for meaning in of_what_was_bought():
        trader = desk.another()
        orders.place(order_of(meaning, trader))
        values = {**said(meaning, *NEEDED["fill"], "fee", "fee_currency"), "trader": trader}
        bare = Fill.model_validate({**values, "fee": None, "fee_currency": None})
        try:
            whole = Fill.model_validate({**values, "fee_from_quantity": True})
        except ValidationError as error:
            refused.append(error.errors()[0]["msg"])
            continue
        assert whole.fee is not None
        arrived = whole.quantity - whole.fee
        done = orders.fill(whole)
        assert (done.order.filled_quantity, done.position.quantity) == (whole.quantity, arrived)
        assert done.position.open_cost == -done.position.cash == whole.notional
        assert not orders.fill(whole).applied
        assert not orders.fill(bare).applied
        (found,) = orders.fills(trader, str(meaning["order_id"]))
        assert (found.live_quantity, found.arrived_quantity, found.fee) == (whole.quantity, arrived, whole.fee)
        other = desk.another()  # the fee comes with a second report, so it needs a correction
        orders.place(order_of(meaning, other))
        orders.fill(bare.model_copy(update={"trader": other}))
        with pytest.raises(DuplicateRequest, match="correct the execution instead"):
            orders.fill(whole.model_copy(update={"trader": other}))
        names = ("order_id", "quantity", "price", "fee", "fee_currency", "fee_from_quantity")
        given = {name: getattr(whole, name) for name in names}
        orders.apply(Correct.model_validate({**given, "trader": other, "exec_ref_id": whole.exec_id}))
        held = desk.book.positions.get(other, whole.symbol or str(meaning["symbol"]))
        assert (held.quantity, held.open_cost, held.fees) == (arrived, whole.notional, done.position.fees)
        booked += 1
    assert booked >= 7
    # The fee of a double, and one in a coin of which less was bought: the records are of other instruments.
    assert ["decimal" in one or "cannot be taken" in one for one in refused] == [True] * len(refused)
