"""A fee that is taken from what is bought: the order counts all of it, the position what is left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from slotbook.models import Bust, Correct, Fill, FillResult, Position
from slotbook.models.errors import DuplicateRequest, OrderMismatch, Overfill

from ...support.desk import Desk
from ...support.make import TS, execution, limit

COIN = {"symbol": "ETHUSDT", "quantity": "2", "price": "2500"}


def fill(trader: str, exec_id: str = "X1", /, **more: object) -> Fill:
    """Return a fill of 0.5 at 2499.5 whose fee of 0.0005 is taken from it."""
    values = {"quantity": "0.5", "price": "2499.5", "fee": "0.0005", "fee_currency": "ETH", "fee_from_quantity": True}
    return Fill.model_validate({**dict(execution(trader, exec_id)), **values, **more})


def correction(trader: str, exec_ref_id: str = "X1", exec_id: str = "C1", /, **more: object) -> Correct:
    ids = {"trader": trader, "order_id": "A1", "exec_id": exec_id, "exec_ref_id": exec_ref_id, "ts_ns": TS + 5}
    return Correct.model_validate({**ids, "quantity": "0.5", "price": "2499.5", **more})


def applied(desk: Desk, request: Bust | Correct) -> FillResult:
    """Apply a revision, and return its result."""
    result = desk.book.orders.apply(request)
    assert isinstance(result, FillResult)
    return result


def owed(position: Position) -> Decimal:
    """Return what a change of quantity, cost or profit has to leave as it is, but for cash."""
    return position.realized_profit - position.open_cost - position.cash


def test_the_order_is_filled_by_all_and_the_position_gets_the_rest(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, **COIN))
    done = orders.fill(fill(trader))
    assert (done.order.filled_quantity, done.order.filled_notional) == (Decimal("0.5"), Decimal("1249.75"))
    position = done.position
    assert (position.quantity, position.bought_quantity) == (Decimal("0.4995"), Decimal("0.5"))
    assert (position.open_cost, position.cash) == (Decimal("1249.75"), Decimal("-1249.75"))
    assert (dict(position.fees), done.order.open_quantity) == ({"ETH": Decimal("0.0005")}, Decimal("1.5"))
    again = orders.fill(fill(trader))
    assert (again.applied, again.position) == (False, position)
    assert not orders.fill(fill(trader, fee_from_quantity=None)).applied, "a repeat need not say it"
    event = desk.events()[-1]
    assert (event.last_quantity, event.position_quantity) == (Decimal("0.5"), Decimal("0.4995"))
    (found,) = orders.fills(trader, "A1")
    assert (found.live_quantity, found.arrived_quantity, found.fee_from_quantity) == (
        Decimal("0.5"),
        Decimal("0.4995"),
        True,
    )
    sold = orders.apply_many(
        [
            limit(trader, "A2", **COIN | {"side": "SELL"}),
            execution(trader, "S1", "0.4995", "2600", order_id="A2", ts_ns=TS + 9),
        ]
    )[1].result()
    assert (sold.position.quantity, sold.position.open_cost) == (0, 0)  # type: ignore[union-attr]
    assert sold.position.realized_profit == Decimal("0.4995") * 2600 - Decimal("1249.75")  # type: ignore[union-attr]


def test_a_short_position_is_reduced_by_what_arrives(desk: Desk) -> None:
    """0.4995 of 0.4 that were sold: the flip opens what is left at the price that was really paid for a unit."""
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, "A2", **COIN | {"side": "SELL"}))
    orders.fill(execution(trader, "S1", "0.4", "2600", order_id="A2"))
    orders.place(limit(trader, **COIN))
    position = orders.fill(fill(trader)).position
    assert position.quantity == Decimal("0.0995")
    assert owed(position) == 0
    opened = Decimal("1249.75") * Decimal("0.0995") / Decimal("0.4995")
    assert abs(position.open_cost - opened) < Decimal("1E-24")


def test_a_bust_and_a_correction_take_it_back_exactly(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, **COIN))
    first = orders.fill(fill(trader, "X0", quantity="0.3", fee="0.0003")).position
    orders.fill(fill(trader))
    changed = correction(trader, quantity="0.4", fee="0.0001", fee_currency="ETH", fee_from_quantity=True)
    corrected = applied(desk, changed)
    assert corrected.position.quantity == Decimal("0.2997") + Decimal("0.3999")
    assert (dict(corrected.position.fees), owed(corrected.position)) == ({"ETH": Decimal("0.0004")}, 0)
    bare = applied(desk, correction(trader, "C1", "C2", fee="0.0001", fee_currency="ETH"))
    assert (bare.position.quantity, dict(bare.position.fees)) == (Decimal("0.7997"), {"ETH": Decimal("0.0004")})
    bust = Bust(trader=trader, order_id="A1", exec_id="B1", exec_ref_id="C2", ts_ns=TS + 6)
    busted = applied(desk, bust).position
    for name in ("quantity", "open_cost", "realized_profit", "fees", "cash", "bought_quantity"):
        assert getattr(busted, name) == getattr(first, name), name


@pytest.mark.parametrize("revised", ["bust", "correct"])
def test_the_cost_is_folded_anew_from_what_arrived(desk: Desk, revised: str) -> None:
    """A part was sold between, so that the cost depends on the path; of a trader on whom the same was never booked."""
    orders, trader, other = desk.book.orders, desk.trader, desk.another()
    terms = {"quantity": "0.3", "price": "2510", "fee": "0.001", "fee_currency": "ETH", "fee_from_quantity": True}
    for one in (trader, other):
        orders.place(limit(one, **COIN))
        orders.place(limit(one, "A2", **COIN | {"side": "SELL"}))
        orders.fill(fill(one, "X0", price="2400"))
        if one == trader:
            orders.fill(fill(one, "X1"))
        elif revised == "correct":
            orders.fill(fill(one, "X1", **terms))
        orders.fill(execution(one, "S1", "0.2", "2600", order_id="A2", ts_ns=TS + 3))
    if revised == "bust":
        result = orders.bust(trader, "A1", "X1", exec_id="B1", ts_ns=TS + 5)
    else:
        result = applied(desk, correction(trader, **terms))
    assert (result.applied, result.cost_basis) == (True, "exact")
    position, expected = result.position, desk.book.positions.get(other, "ETHUSDT")
    for name in ("quantity", "open_cost", "realized_profit", "fees", "cash", "bought_quantity"):
        assert getattr(position, name) == getattr(expected, name), name


def test_an_approximate_cost_is_of_what_arrived(desk: Desk) -> None:
    """The events before are trimmed, so the execution is taken back as by a trade the other way."""
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, **COIN))
    orders.fill(fill(trader, "X0"))
    orders.fill(fill(trader, "X1", price="2600"))
    orders.fill(fill(trader, "X2", price="2700"))
    desk.book.events.trim(trader, 5)
    busted = orders.bust(trader, "A1", "X0", exec_id="B1")
    assert busted.cost_basis == "approximate"
    assert (busted.position.quantity, owed(busted.position)) == (2 * Decimal("0.4995"), 0)
    share = (Decimal("0.5") * 7799 + Decimal("0.25")) / 3  # what three fills have cost, less a third
    assert abs(busted.position.open_cost - 2 * share) < 1
    corrected = orders.correct(trader, "A1", "X1", exec_id="C1", quantity="0.5", price="2600")
    assert (corrected.position.quantity, owed(corrected.position)) == (Decimal("0.9995"), 0)


def test_what_cannot_be_is_refused_and_changes_nothing(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, **COIN))
    orders.place(limit(trader, "A2", **COIN | {"side": "SELL"}))
    orders.fill(fill(trader, fee=None, fee_currency=None, fee_from_quantity=None))
    orders.fill(execution(trader, "S1", "0.1", order_id="A2"))
    before = desk.contents()
    with pytest.raises(OrderMismatch, match="taken from a quantity that is bought, and the order is SELL"):
        orders.fill(fill(trader, "S2", order_id="A2"))
    taken = {"fee": "0.0005", "fee_currency": "ETH", "fee_from_quantity": True}
    with pytest.raises(OrderMismatch, match="the order is SELL"):
        orders.apply(correction(trader, "S1", "C1", order_id="A2", **taken))
    with pytest.raises(Overfill):  # of two reasons the one that a fill names first
        orders.apply(correction(trader, "S1", "C1", order_id="A2", **taken, quantity="2.5"))
    with pytest.raises(Overfill):
        orders.fill(fill(trader, "S2", order_id="A2", quantity="2.5"))
    with pytest.raises(DuplicateRequest, match="without a fee_from_quantity, which would move the position; correct"):
        orders.fill(fill(trader))
    assert desk.contents() == before
    assert orders.fill(fill(trader, fee_from_quantity=None)).applied, "a fee that leaves the quantity completes it"
    with pytest.raises(DuplicateRequest, match="without a fee_from_quantity"):
        orders.fill(fill(trader))
    orders.apply(correction(trader, **taken))
    assert desk.book.positions.get(trader, "ETHUSDT").quantity == Decimal("0.3995")


def test_verify_and_repair_know_it(lone_desk: Desk) -> None:
    desk, trader = lone_desk, lone_desk.trader
    desk.book.orders.place(limit(trader, **COIN))
    for number in range(3):
        desk.book.orders.fill(fill(trader, f"X{number}"))
    assert desk.book.audit.verify(trader) == []
    right = desk.book.positions.get(trader, "ETHUSDT")
    desk.ask("HSET", "%:position:ETHUSDT", "quantity", "1.5")
    (found,) = desk.book.audit.verify(trader)
    assert (found.entry, found.stored, found.expected) == ("quantity", "1.5", "1.4985")
    desk.book.audit.repair(trader)
    assert desk.book.positions.get(trader, "ETHUSDT") == right


@pytest.mark.parametrize("trimmed", [False, True], ids=["exact", "approximate"])
def test_verify_follows_it_through_busts_and_corrections(lone_desk: Desk, trimmed: bool) -> None:
    desk, trader = lone_desk, lone_desk.trader
    orders = desk.book.orders
    orders.place(limit(trader, **COIN))
    for number in range(3):
        orders.fill(fill(trader, f"X{number}", price=2500 + number))
    if trimmed:
        desk.book.events.trim(trader, 4)
    bust = orders.bust(trader, "A1", "X0", exec_id="B1")
    taken: dict[str, Any] = {"fee": "0.0004", "fee_currency": "ETH", "fee_from_quantity": True}
    orders.correct(trader, "A1", "X1", exec_id="C1", quantity="0.4", price="2501", **taken)
    orders.correct(trader, "A1", "C1", exec_id="C2", quantity="0.4", price="2501", fee="0.5")
    assert bust.cost_basis == ("approximate" if trimmed else "exact")
    assert [one for one in desk.book.audit.verify(trader) if one.is_difference] == []
    assert desk.book.positions.get(trader, "ETHUSDT").quantity == Decimal("0.8995")
