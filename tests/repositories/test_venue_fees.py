"""Fees, their currencies and accounts of real venues' fills are kept as they stand, at once or by the second report."""

from __future__ import annotations

from decimal import Decimal

from slotbook.models import Fill

from ..support.desk import Desk
from .test_venue_records import NEEDED, complete, on_a_cluster, order_of, said


@on_a_cluster
def test_what_a_venue_charges_is_stored_and_read_back_equal(desk: Desk) -> None:
    orders, charged = desk.book.orders, 0
    for meaning in complete("fill"):
        trader = desk.another()
        orders.place(order_of(meaning, trader))
        bare = Fill.model_validate({**said(meaning, *NEEDED["fill"]), "trader": trader})
        whole = Fill.model_validate({**bare.model_dump(), **said(meaning, "fee", "fee_currency", "account")})
        assert orders.fill(bare).applied
        done = orders.fill(whole)
        assert (done.applied, orders.fill(whole).applied, orders.fill(bare).applied) == (whole != bare, False, False)
        (found,) = orders.fills(trader, str(meaning["order_id"]))
        fee, account = meaning.get("fee"), meaning.get("account")
        assert (found.fee, found.fee_currency) == (None if fee is None else Decimal(fee), meaning.get("fee_currency"))
        assert found.account == (None if account is None else str(account))
        expected = {} if fee is None or not Decimal(fee) else {meaning.get("fee_currency") or "": Decimal(fee)}
        assert done.position.fees == desk.book.positions.get(trader, meaning["symbol"]).fees == expected
        charged += bool(expected)
        other = desk.another()  # the same in one report
        orders.place(order_of(meaning, other))
        assert orders.fill(whole.model_copy(update={"trader": other})).position.fees == expected
    assert charged > 50
