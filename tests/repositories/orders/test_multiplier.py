"""The multiplier of a contract: amounts have it, a position has one, and what would mix two is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError
from slotbook.models import Limits, Order, Position, PositionAction, PositionChange
from slotbook.models.errors import AmountOverflow, CorruptRecord, DuplicateOrder, LimitExceeded, MultiplierMismatch
from slotbook.models.hashes import OrderHash, PositionHash

from ...support.desk import Desk
from ...support.make import execution, limit


def contract(desk: Desk, order_id: str = "A1", /, **changes: object) -> Order:
    """Return an order of a contract: BUY 10 ESH4 at 4800, each of which pays 50 for a point."""
    given = {"symbol": "ESH4", "quantity": 10, "price": "4800", "multiplier": 50, **changes}
    return limit(desk.trader, order_id, **given)


def test_amounts_have_it_and_prices_do_not(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    assert orders.place(contract(desk)).order.multiplier == 50
    first = orders.fill(execution(trader, "X1", 4, "4800.25"))
    assert (first.order.filled_notional, first.order.average_price) == (Decimal("960050"), Decimal("4800.25"))
    held = first.position
    assert (held.multiplier, held.bought_notional, held.open_cost) == (50, Decimal("960050"), Decimal("960050"))
    assert held.average_open_price == held.average_bought_price == Decimal("4800.25")
    assert (held.unrealized("4801.25"), held.cash) == (Decimal(200), Decimal("-960050"))
    orders.place(contract(desk, "A2", side="SELL"))
    second = orders.fill(execution(trader, "X2", 1, "4802.25", "A2")).position
    assert (second.realized_profit, second.open_cost, second.average_sold_price) == (100, 720037.5, Decimal("4802.25"))
    assert second.profit("4800.25") == 100
    assert orders.fill(execution(trader, "X1", 4, "4800.25")).position == held
    [known] = orders.fills(trader, "A1")
    assert (known.multiplier, known.notional) == (50, Decimal("960050"))
    assert [event.multiplier for event in desk.events()] == [None, 50, None, 50]
    assert desk.book.positions.get(trader, "ESH4") == second == desk.book.snapshot(trader).positions[0]


def test_busts_and_corrections_take_back_what_was_booked(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(contract(desk))
    orders.fill(execution(trader, "X1", 4, "4800.25"))
    corrected = orders.correct(trader, "A1", "X1", quantity=3, price="4800.5", exec_id="C1")
    assert (corrected.order.filled_notional, corrected.position.open_cost) == (720075, 720075)
    assert orders.fills(trader, "A1")[0].notional == 720075
    busted = orders.bust(trader, "A1", "X1", exec_id="B1")
    assert (busted.order.filled_notional, busted.position.open_cost, busted.position.cash) == (0, 0, 0)
    assert busted.position.realized_profit == 0
    assert [event.multiplier for event in desk.events()][1:] == [50, 50, 50]


@pytest.mark.parametrize("first", [50, None, 1])
@pytest.mark.parametrize("second", [50, None, 1, "0.5"])
def test_a_position_has_the_multiplier_of_its_first_order(desk: Desk, first: object, second: object) -> None:
    orders = desk.book.orders
    orders.place(contract(desk, multiplier=first))
    before = desk.contents()
    if (first or 1) == (second or 1):
        assert orders.place(contract(desk, "A2", multiplier=second)).applied
    else:
        words = f"the multiplier is {second or 1}, and the position's is {first or 1};"
        with pytest.raises(MultiplierMismatch, match=words):
            orders.place(contract(desk, "A2", multiplier=second))
        [outcome] = orders.place_many([contract(desk, "A2", multiplier=second)])
        assert isinstance(outcome.error, MultiplierMismatch)
        assert desk.contents() == before
    assert desk.ask("HGET", "%:position:ESH4", "multiplier") == (None if first in (None, 1) else str(first))


def test_a_refused_first_order_leaves_none_to_the_orders_beside_it(desk: Desk) -> None:
    desk.book.limits.set(Limits(trader=desk.trader, max_order=20))
    some = [contract(desk, "A1", quantity=21), contract(desk, "A2", multiplier=20), contract(desk, "A3")]
    errors = [type(outcome.error) for outcome in desk.book.orders.place_many(some)]
    assert errors == [LimitExceeded, type(None), MultiplierMismatch]
    assert desk.ask("HGET", "%:position:ESH4", "multiplier") == "20"


def test_a_repeat_of_placing_has_the_same_one(desk: Desk) -> None:
    orders = desk.book.orders
    orders.place(contract(desk))
    assert not orders.place(contract(desk, multiplier="50.0")).applied
    for other in (None, 1, 20):
        with pytest.raises(DuplicateOrder):
            orders.place(contract(desk, multiplier=other))


def test_a_start_of_day_gives_it(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    began = positions.set(trader, "ESH4", 3, cost=720000, multiplier=50, request_id="start")
    assert (began.position.multiplier, began.position.average_open_price) == (50, 4800)
    assert not positions.set(trader, "ESH4", 3, cost=720000, multiplier=50, request_id="start").applied
    assert positions.adjust(trader, "ESH4", 1).position.multiplier == 50
    assert positions.set(trader, "ESH4", 4, multiplier=50).applied
    assert desk.book.orders.place(contract(desk)).applied
    assert [event.multiplier for event in desk.events()] == [50, 50, 50, None]
    assert [event.position_cost for event in desk.events()] == [720000, None, None, None]


def test_another_one_is_taken_only_where_nothing_has_the_first(desk: Desk) -> None:
    orders, positions, trader = desk.book.orders, desk.book.positions, desk.trader
    orders.place(contract(desk, multiplier=None))
    orders.fill(execution(trader, "X1", 4, "4800"))
    for step in (lambda: orders.cancel(trader, "A1"), lambda: positions.roll(trader, "ESH4"), lambda: None):
        before = desk.contents()
        with pytest.raises(MultiplierMismatch, match="the multiplier is 50, and the position's is 1"):
            positions.set(trader, "ESH4", 4, cost=960000, multiplier=50)
        assert desk.contents() == before
        step()
        if step is not None and positions.get(trader, "ESH4").bought_quantity == 0:
            break
    assert positions.set(trader, "ESH4", 4, cost=960000, multiplier=50).position.average_open_price == 4800
    # The order says another one from now on: what comes late for it, or takes it back, is not mixed with the rest.
    with pytest.raises(MultiplierMismatch, match="the multiplier is 1, and the position's is 50"):
        orders.fill(execution(trader, "X2", 1, "4800"))
    with pytest.raises(MultiplierMismatch):
        orders.bust(trader, "A1", "X1")
    back = positions.set(trader, "ESH4", 4, multiplier=1).position
    assert back.multiplier is None
    assert orders.fill(execution(trader, "X2", 1, "4800")).position.bought_notional == 4800


def test_limits_of_the_notional_have_it(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    desk.book.limits.set(Limits(trader=trader, max_notional=Decimal(480_000)))
    with pytest.raises(LimitExceeded, match="the order has 720000"):
        orders.place(contract(desk, quantity=3))
    orders.place(contract(desk, quantity=2))
    with pytest.raises(LimitExceeded, match="the order has 480025"):
        orders.replace(trader, "A1", price="4800.25")
    assert orders.replace(trader, "A1", price="4799").applied
    with pytest.raises(LimitExceeded):
        orders.place(contract(desk, "A2", type="MARKET", price=None, quantity=3, reference_price="4800"))
    assert orders.place(contract(desk, "A2", type="MARKET", price=None, quantity=2, reference_price="4800")).applied
    with pytest.raises(LimitExceeded, match="no price to value it by"):
        orders.place(contract(desk, "A3", type="MARKET", price=None, quantity=1))


def test_places_of_all_three_together_are_counted(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    least = f"0.{'0' * 17}1"
    orders.place(contract(desk, multiplier=least))
    before = desk.contents()
    part = execution(trader, "X1", 1, least).model_copy(update={"quantity": Decimal("0.1")})
    with pytest.raises(AmountOverflow, match="decimal places"):
        orders.fill(part)
    assert desk.contents() == before
    assert orders.fill(execution(trader, "X1", 1, least)).position.open_cost == Decimal("1E-36")
    before = desk.contents()
    with pytest.raises(AmountOverflow, match="decimal places"):
        orders.correct(trader, "A1", "X1", quantity="0.1", price=least)
    assert desk.contents() == before


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_an_open_order_alone_holds_it(desk: Desk, side: str) -> None:
    orders, positions, trader = desk.book.orders, desk.book.positions, desk.trader
    orders.place(contract(desk, side=side))
    with pytest.raises(MultiplierMismatch, match="the multiplier is 20, and the position's is 50"):
        positions.set(trader, "ESH4", 1, multiplier=20)
    assert positions.set(trader, "ESH4", 1, multiplier=50).applied
    orders.cancel(trader, "A1")
    assert positions.set(trader, "ESH4", 1, multiplier=20).position.multiplier == 20


def test_what_is_no_multiplier_is_refused(desk: Desk) -> None:
    for bad in (0, -1, "x", "1e20", float("nan")):
        with pytest.raises(ValidationError):
            contract(desk, multiplier=bad)
    for action in PositionAction:
        values = {"trader": "T", "symbol": "S", "quantity": 1, "action": action, "multiplier": 50}
        if action is PositionAction.SET:
            assert PositionChange.model_validate(values).multiplier == 50
        else:
            with pytest.raises(ValidationError, match="for SET alone"):
                PositionChange.model_validate(values)


def test_a_damaged_one_stops_every_change(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(contract(desk))
    desk.vandalise("HSET", "%:position:ESH4", "multiplier", "x")
    for change in (
        lambda: orders.place(contract(desk, "A2")),
        lambda: orders.fill(execution(trader, "X1", 1, "4800")),
        lambda: desk.book.positions.set(trader, "ESH4", 1, multiplier=50),
    ):
        with pytest.raises(CorruptRecord, match="multiplier"):
            change()


def test_searches_know_it() -> None:
    assert OrderHash.multiplier is not None
    assert PositionHash.multiplier is not None


@pytest.mark.parametrize("stored", ["20", "x", None])
def test_an_audit_proves_and_repairs_it(desk: Desk, stored: str | None) -> None:
    orders, trader, audit = desk.book.orders, desk.trader, desk.book.audit
    orders.place(contract(desk))
    orders.fill(execution(trader, "X1", 1, "4800"))
    orders.fill(execution(trader, "X2", 1, "4800"))
    whole = desk.book.positions.get(trader, "ESH4")
    assert audit.verify(trader) == []
    for key in ("%:position:ESH4", "%:order:A1"):
        if stored is None:
            desk.ask("HDEL", key, "multiplier")
        else:
            desk.ask("HSET", key, "multiplier", stored)
        [finding, *others] = audit.verify(trader)
        assert (finding.entry, finding.stored, finding.repairable) == ("multiplier", stored, True), finding
        assert finding.expected == "50"
        assert not [one for one in others if one.is_difference and one.key != finding.key]
        audit.repair(trader)
        assert audit.verify(trader) == []
    assert desk.book.positions.get(trader, "ESH4") == whole


def test_an_audit_leaves_what_one_event_says(desk: Desk) -> None:
    desk.book.orders.place(contract(desk))
    desk.vandalise("HSET", "%:position:ESH4", "multiplier", "20")
    [finding] = desk.book.audit.verify(desk.trader)
    assert (finding.entry, finding.repairable) == ("multiplier", False)
    assert "only event 1 says so" in finding.message


def test_a_repeat_of_a_roll_or_a_split_has_the_multiplier_of_then(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader

    def repeatable() -> list[Position]:
        rolled, split = (
            positions.roll(trader, "ESH4", request_id="R1"),
            positions.split(trader, "ESH4", 2, request_id="S1"),
        )
        return [rolled.position, split.position]

    positions.set(trader, "ESH4", 4, multiplier=50)
    first = repeatable()
    positions.set(trader, "ESH4", 4, multiplier=20)
    assert repeatable() == first
    assert {one.multiplier for one in first} == {50}
    assert positions.get(trader, "ESH4").multiplier == 20


def test_a_multiplier_of_1_is_none(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    desk.book.orders.place(limit(trader))
    filled = desk.book.orders.fill(execution(trader)).position
    positions.roll(trader, "AAPL")
    desk.book.orders.cancel(trader, "A1")
    assert positions.set(trader, "AAPL", 40, multiplier=1).position.multiplier is None
    assert desk.book.orders.fill(execution(trader)).position == filled
    assert positions.set(trader, "AAPL", 40, multiplier=5).position.multiplier == 5
    assert positions.set(trader, "AAPL", 40, multiplier="1.0").position.multiplier is None
    assert positions.get(trader, "AAPL").multiplier is None


def test_details_that_come_later_leave_it(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(contract(desk, account="ACC1"))
    orders.fill(execution(trader, "X1", 4, "4800"))
    completing = execution(trader, "X1", 4, "4800").model_copy(update={"fee": Decimal(1)})
    done, again = orders.fill(completing), orders.fill(completing)
    assert (done.applied, again.applied) == (True, False)
    assert done.position == again.position
    assert done.account_position == again.account_position
    assert (again.position.multiplier, again.account_position and again.account_position.multiplier) == (50, 50)
    assert desk.book.audit.verify(trader) == []
