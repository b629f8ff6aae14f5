"""Busts and corrections: what a fill has added is taken back exactly, once, and an order may be open again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.models import Bust, Correct, Execution, FillResult, Order, OrderResult, OrderStatus
from slotbook.models.errors import (
    AmountOverflow,
    DuplicateRequest,
    ExecutionNotFound,
    InvalidArgument,
    OrderNotFound,
    Overfill,
)
from slotbook.models.numbers import EXACT, MAX_QUANTITY

from ...support.desk import Desk, on_one_server
from ...support.make import TS, execution, limit


def filled(desk: Desk, *quantities: int, side: str = "BUY") -> FillResult:
    """Place an order for 100 and fill it, X1 at 187.22, X2 at 187.22 and so on."""
    desk.book.orders.place(limit(desk.trader, side=side))
    return [
        desk.book.orders.fill(execution(desk.trader, f"X{number}", quantity))
        for number, quantity in enumerate(quantities, 1)
    ][-1]


def bust_of(named: dict[str, object], **fields: object) -> Bust:
    return Bust.model_validate({**named, **fields})


def correction_of(named: dict[str, object], **fields: object) -> Correct:
    return Correct.model_validate({**named, **fields})


def open_quantities(desk: Desk) -> object:
    return desk.ask("HMGET", "%:position:AAPL", "open_buy_quantity", "open_sell_quantity")


def ttl(desk: Desk, order: Order) -> list[object]:
    keys = (f"%:order:{order.order_id}", f"%:applied:{order.order_id}")
    indexes = (f"%:orders_by_status:{order.status}", f"%:orders_by_symbol:{order.symbol}")
    return [desk.ask("PTTL", key) for key in (*keys, *indexes)]


def test_a_bust_takes_back_what_the_fill_has_added(desk: Desk) -> None:
    filled(desk, 40, 10)
    done = desk.book.orders.bust(desk.trader, "A1", "X1", exec_id="B1", ts_ns=TS + 5, text="in error")
    order, position = done.order, done.position
    assert (done.applied, done.sequence, done.late) == (True, 4, False)
    assert (order.status, order.filled_quantity, order.filled_notional) == ("PARTIALLY_FILLED", 10, Decimal("1872.20"))
    assert (order.version, order.updated_ns, order.text, order.open_quantity) == (4, TS + 5, "in error", 90)
    assert (position.quantity, position.bought_quantity, position.bought_notional) == (10, 10, Decimal("1872.20"))
    assert (position.version, position.updated_ns) == (3, TS + 5)
    assert desk.book.orders.get(desk.trader, "A1") == order
    assert desk.book.positions.get(desk.trader, "AAPL") == position
    assert open_quantities(desk) == ["90", "0"]
    event = desk.events()[-1]
    assert (event.type, event.type.fix, event.exec_id, event.exec_ref_id) == ("TRADE_CANCEL", "H", "B1", "X1")
    assert (event.last_quantity, event.last_price) == (None, None)
    assert (event.reversed_quantity, event.reversed_price) == (40, Decimal("187.22"))
    assert (event.filled_quantity, event.position_quantity, event.status, event.text) == (
        10, 10, "PARTIALLY_FILLED", "in error"
    )  # fmt: skip


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_correction_puts_another_quantity_and_price_in_its_place(desk: Desk, side: str) -> None:
    filled(desk, 40, 10, side=side)
    done = desk.book.orders.correct(desk.trader, "A1", "X1", quantity=30, price="187.3", exec_id="C1", ts_ns=TS + 5)
    notional = Decimal("5619.0") + Decimal("1872.20")
    sign = 1 if side == "BUY" else -1
    assert (done.order.filled_quantity, done.order.filled_notional, done.order.open_quantity) == (40, notional, 60)
    assert (done.position.quantity, done.position.cash) == (sign * 40, -sign * notional)
    assert open_quantities(desk) == (["60", "0"] if side == "BUY" else ["0", "60"])
    event = desk.events()[-1]
    assert (event.type, event.type.fix, event.exec_id, event.exec_ref_id) == ("TRADE_CORRECT", "G", "C1", "X1")
    assert (event.last_quantity, event.last_price) == (30, Decimal("187.3"))
    assert (event.reversed_quantity, event.reversed_price) == (40, Decimal("187.22"))
    again = desk.book.orders.correct(desk.trader, "A1", "C1", quantity=35, price="-1", exec_id="C2")  # the correction's
    assert (again.order.filled_quantity, again.order.filled_notional) == (45, Decimal("1872.20") - 35)
    assert (desk.events()[-1].reversed_quantity, desk.events()[-1].exec_ref_id) == (30, "C1")
    assert [
        (one.exec_id, one.quantity, one.live_quantity, one.live_price, one.revised_by, one.busted)
        for one in desk.book.orders.fills(desk.trader, "A1")
    ] == [("X1", 40, 35, Decimal(-1), "C2", False), ("X2", 10, 10, Decimal("187.22"), None, False)]
    desk.book.orders.bust(desk.trader, "A1", "X1", exec_id="B1")  # the execution itself, whatever corrected it
    (first, _) = desk.book.orders.fills(desk.trader, "A1")
    assert (first.live_quantity, first.busted, first.revised_by, first.notional) == (0, True, "B1", 0)
    assert desk.book.positions.get(desk.trader, "AAPL").quantity == sign * 10


def test_a_filled_order_is_open_again_and_lives(desk: Desk) -> None:
    first = filled(desk, 60, 40)
    assert first.order.status is OrderStatus.FILLED
    assert all(isinstance(left, int) and left > 0 for left in ttl(desk, first.order))
    done = desk.book.orders.bust(desk.trader, "A1", "X2")
    assert (done.order.status, done.order.open_quantity) == ("PARTIALLY_FILLED", 40)
    assert ttl(desk, done.order) == [-1, -1, -1, -1]
    assert desk.book.orders.open(desk.trader) == [done.order]
    assert desk.book.orders.by_status(desk.trader, "FILLED") == []
    assert open_quantities(desk) == ["40", "0"]
    done = desk.book.orders.bust(desk.trader, "A1", "X1")
    assert (done.order.status, open_quantities(desk)) == ("NEW", ["100", "0"])
    desk.book.orders.fill(execution(desk.trader, "X3", 50))
    done = desk.book.orders.correct(desk.trader, "A1", "X3", quantity=100, price=1)
    assert (done.order.status, open_quantities(desk)) == ("FILLED", ["0", "0"])
    assert all(isinstance(left, int) and left > 0 for left in ttl(desk, done.order))


@pytest.mark.parametrize("verb", ["cancel", "expire"])
def test_an_order_that_has_ended_otherwise_stays_so(desk: Desk, verb: str) -> None:
    filled(desk, 40)
    ended = getattr(desk.book.orders, verb)(desk.trader, "A1").order
    desk.book.orders.fill(execution(desk.trader, "X2", 5))
    assert desk.book.orders.bust(desk.trader, "A1", "X2").order.status == ended.status
    done = desk.book.orders.bust(desk.trader, "A1", "X1")
    assert (done.order.status, done.order.filled_quantity, done.position.quantity) == (ended.status, 0, 0)
    assert open_quantities(desk) == ["0", "0"]


def test_a_report_again_is_a_repeat_with_the_first_result(desk: Desk) -> None:
    filled(desk, 40)
    correction = Correct(
        trader=desk.trader, order_id="A1", exec_ref_id="X1", exec_id="C1", quantity=41, price=Decimal(1), ts_ns=TS
    )
    bust = Bust(trader=desk.trader, order_id="A1", exec_ref_id="C1", exec_id="B1", ts_ns=TS)
    first = [desk.book.orders.apply(correction), desk.book.orders.apply(bust)]
    desk.book.orders.fill(execution(desk.trader, "X2", 7))
    before = desk.contents()
    for one, request in zip(first, (correction, bust), strict=True):
        again = desk.book.orders.apply(request.model_copy(update={"ts_ns": TS + 9, "text": "again"}))
        assert isinstance(again, FillResult)
        assert isinstance(one, FillResult)
        assert (again.order, again.position, again.sequence, again.applied) == (
            one.order,
            one.position,
            one.sequence,
            False,
        )
    late = desk.book.orders.fill(execution(desk.trader))  # the busted fill comes again
    assert (late.applied, late.sequence, late.order.filled_quantity) == (False, 2, 40)
    assert desk.contents() == before


@on_one_server
def test_a_repeat_of_a_correction_that_adds_a_fee_says_nothing_of_the_cost(desk: Desk) -> None:
    filled(desk, 40)
    named: dict[str, object] = {"trader": desk.trader, "order_id": "A1", "exec_ref_id": "X1", "exec_id": "C1"}
    bare = correction_of(named, quantity=41, price=1)
    with_fee = correction_of(named, quantity=41, price=1, fee="0.5")
    results = [desk.book.orders.apply(request) for request in (bare, with_fee, with_fee, bare)]
    assert [(one.applied, one.cost_basis) for one in results if isinstance(one, FillResult)] == [
        (True, "exact"), (True, None), (False, None), (False, "exact")
    ]  # fmt: skip


@on_one_server
def test_another_bust_of_what_was_busted_changes_nothing(desk: Desk) -> None:
    filled(desk, 40)
    first = desk.book.orders.bust(desk.trader, "A1", "X1")
    before = desk.contents()
    again = desk.book.orders.bust(desk.trader, "A1", "X1")
    assert (again.applied, again.sequence, again.order, again.position) == (False, 0, first.order, first.position)
    with pytest.raises(ExecutionNotFound, match="X1 was busted, so nothing is to correct"):
        desk.book.orders.correct(desk.trader, "A1", "X1", quantity=1, price=1)
    assert desk.contents() == before


@on_one_server
def test_refusals_change_nothing(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    filled(desk, 40, 50)
    orders.correct(trader, "A1", "X1", quantity=41, price=1, exec_id="C1")
    orders.bust(trader, "A1", "X2", exec_id="B1")
    before = desk.contents()
    named: dict[str, object] = {"trader": trader, "order_id": "A1"}
    with pytest.raises(OrderNotFound):
        orders.bust(trader, "A2", "X1")
    with pytest.raises(ExecutionNotFound, match="no execution X9"):
        orders.bust(trader, "A1", "X9")
    for refused in (
        correction_of(named, exec_ref_id="X1", exec_id="C1", quantity=42, price=1),
        correction_of(named, exec_ref_id="X1", exec_id="C1", quantity=41, price=2),
        correction_of(named, exec_ref_id="X2", exec_id="C1", quantity=41, price=1),
        bust_of(named, exec_ref_id="X1", exec_id="C1"),
        bust_of(named, exec_ref_id="X1", exec_id="X2"),
        bust_of(named, exec_ref_id="X1", exec_id="B1"),
        execution(trader, "C1", 41, "1"),
        execution(trader, "B1", 50),
    ):
        with pytest.raises(DuplicateRequest):
            orders.apply(refused)
    with pytest.raises(Overfill, match="more than the 100 that the execution can have"):
        orders.correct(trader, "A1", "X1", quantity=101, price=1)
    assert desk.contents() == before
    with pytest.raises(InvalidArgument, match="other than the exec_ref_id"):
        orders.bust(trader, "A1", "X1", exec_id="X1")


@on_one_server
def test_amounts_that_pass_what_is_counted_are_refused(desk: Desk) -> None:
    orders, trader, most = desk.book.orders, desk.trader, MAX_QUANTITY
    orders.place(limit(trader, quantity=most, price="999999999999"))
    orders.fill(execution(trader, "X1", 5))
    desk.book.positions.adjust(trader, "AAPL", EXACT.subtract(most, Decimal(5)))
    before = desk.contents()
    with pytest.raises(AmountOverflow, match="the position would reach"):
        orders.correct(trader, "A1", "X1", quantity=6, price=1)
    assert desk.contents() == before


def test_a_unit_sees_what_its_steps_have_done(desk: Desk) -> None:
    named: dict[str, object] = {"trader": desk.trader, "order_id": "A1"}
    found = desk.book.commit(
        [
            limit(desk.trader),
            execution(desk.trader, "X1", 100),
            bust_of(named, exec_ref_id="X1", exec_id="B1"),
            execution(desk.trader, "X2", 30),
            correction_of(named, exec_ref_id="X2", exec_id="C1", quantity=100, price="0.000000001"),
            correction_of(named, exec_ref_id="C1", exec_id="C2", quantity=99, price="999999999999.999999999"),
        ]
    )
    results = [result for result in found if isinstance(result, OrderResult | FillResult)]
    assert [result.order.status for result in results] == [
        "NEW", "FILLED", "NEW", "PARTIALLY_FILLED", "FILLED", "PARTIALLY_FILLED"
    ]  # fmt: skip
    assert results[-1].order == desk.book.orders.get(desk.trader, "A1")
    assert results[-1].order.filled_notional == Decimal("98999999999999.999999901")
    assert ttl(desk, results[-1].order) == [-1, -1, -1, -1]


@on_one_server
def test_what_is_remembered_proves_a_revision_once_its_event_is_gone(desk: Desk) -> None:
    filled(desk, 40)
    desk.book.orders.correct(desk.trader, "A1", "X1", quantity=41, price=1, exec_id="C1")
    desk.vandalise("XTRIM", "%:events", "MAXLEN", 0)
    again = desk.book.orders.correct(desk.trader, "A1", "X1", quantity=41, price=1, exec_id="C1")
    assert (again.applied, again.sequence, again.cost_basis) == (False, 3, None)  # which only the event has said
    done = desk.book.orders.bust(desk.trader, "A1", "X1")
    assert (done.order.filled_quantity, done.order.filled_notional, done.position.bought_notional) == (0, 0, 0)
    (kept,) = desk.book.orders.fills(desk.trader, "A1")
    assert isinstance(kept, Execution)
    assert (kept.quantity, kept.busted, kept.ts_ns) == (40, True, None)
