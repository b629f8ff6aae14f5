"""Test limits.set, get, all and delete, and what place and replace do under limits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from pydantic import ValidationError
from slotbook.models import Fill, Limits, LimitsChange, Order
from slotbook.models.errors import CorruptRecord, DuplicateRequest, InvalidArgument, LimitExceeded
from slotbook.models.numbers import times

from ...support.desk import Desk
from ...support.doubles import NO_LIMIT, packed
from ...support.make import TS, execution, limit


def limited(desk: Desk, symbol: str | None = None, /, **values: object) -> None:
    desk.book.limits.set(Limits.model_validate({"trader": desk.trader, "symbol": symbol, **values}))


def refused(call: Callable[[], object]) -> tuple[str, str | None, Decimal, Decimal | None]:
    """Return the limit that a call would pass: its name, whose it is, its value, and what it would become."""
    with pytest.raises(LimitExceeded) as caught:
        call()
    error = caught.value
    assert error.limit in str(error)
    return error.limit, error.symbol, error.value, error.asked


def test_what_is_set_is_read(desk: Desk) -> None:
    trader, limits = desk.trader, desk.book.limits
    assert (limits.get(trader), limits.get(trader, "AAPL"), limits.all(trader)) == (None, None, [])
    own = Limits(trader=trader, max_order=500, max_notional=Decimal("2500.50"))
    some = Limits(trader=trader, symbol="AAPL", max_position=250, orders_per_second=3)
    first, second = limits.set(own, request_id="L1", ts_ns=TS), limits.set(some)
    assert (first.limits, first.applied, first.sequence, second.sequence) == (own, True, 1, 2)
    assert (limits.get(trader), limits.get(trader, "AAPL"), limits.get(trader, "MSFT")) == (own, some, None)
    assert limits.all(trader) == [own, some]
    event = desk.events()[0]
    assert (event.type, event.symbol, event.request_id, event.ts_ns) == ("LIMITS", None, "L1", TS)
    assert event.limits == '{"max_order":"500","max_notional":"2500.5"}'
    assert list(desk.book.events.history(trader)) == desk.events()


def test_a_change_replaces_all_and_is_made_once(desk: Desk) -> None:
    trader, limits = desk.trader, desk.book.limits
    limits.set(Limits(trader=trader, max_order=500), request_id="L1")
    limits.set(Limits(trader=trader, max_position=7), request_id="L2")
    again = limits.set(Limits(trader=trader, max_order=500), request_id="L1")
    assert (again.applied, again.sequence, again.limits.max_order) == (False, 1, 500)
    assert limits.all(trader) == [Limits(trader=trader, max_position=7)]
    for other in (Limits(trader=trader, max_order=501), Limits(trader=trader, symbol="AAPL", max_order=500)):
        with pytest.raises(DuplicateRequest):
            limits.set(other, request_id="L1")
    with pytest.raises(DuplicateRequest):
        desk.book.positions.adjust(trader, "AAPL", 5, request_id="L1")
    assert len(desk.events()) == 2


@pytest.mark.parametrize("symbol", [None, "AAPL"])
def test_removed_limits_limit_nothing(desk: Desk, symbol: str | None) -> None:
    limited(desk, symbol, max_order=5, orders_per_second=1)
    desk.book.orders.place(limit(desk.trader, "A1", quantity=5))
    removed = desk.book.limits.delete(desk.trader, symbol)
    assert (removed.limits.is_empty, desk.book.limits.all(desk.trader)) == (True, [])
    desk.book.orders.place(limit(desk.trader, "A2", quantity=500))
    assert desk.events()[-2].limits == "{}"


def test_the_largest_order(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    limited(desk, max_order=100)
    limited(desk, "MSFT", max_order=1_000)
    orders.place(limit(trader, "A1", quantity=100))
    before = desk.contents()
    assert refused(lambda: orders.place(limit(trader, "A2", quantity=101))) == ("max_order", None, 100, 101)
    assert refused(lambda: orders.place(limit(trader, "A2", quantity=101, symbol="MSFT")))[1] is None
    assert refused(lambda: orders.replace(trader, "A1", quantity=101))[3] == 101
    assert desk.contents() == before
    limited(desk, max_order=10)
    orders.replace(trader, "A1", price="180")
    orders.replace(trader, "A1", quantity=99)


def test_the_notional(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    limited(desk, max_notional="1000.5")
    orders.place(limit(trader, "A1", quantity=3, price="333.5"))
    orders.place(limit(trader, "A2", quantity=3, price="-333.5"))
    asked = Decimal("1000.500000003")
    found = refused(lambda: orders.place(limit(trader, "A3", quantity=3, price="333.500000001")))
    assert found == ("max_notional", None, Decimal("1000.5"), asked)
    assert refused(lambda: orders.place(limit(trader, "A3", quantity=3, price="-333.500000001")))[3] == asked
    assert refused(lambda: orders.replace(trader, "A1", price="334"))[3] == 1002
    assert refused(lambda: orders.replace(trader, "A1", quantity=4))[3] == 1334
    orders.replace(trader, "A1", quantity=10, price="100")
    limited(desk, max_notional=5)
    orders.replace(trader, "A1", price="99")
    huge = limit(trader, "A4", quantity=2**53 - 1, price="999999999999.999999999")
    assert refused(lambda: orders.place(huge))[3] == times(2**53 - 1, Decimal("999999999999.999999999"))


def test_an_order_without_a_price_is_valued_by_its_reference(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    limited(desk, max_notional=1_000)
    market = {"trader": trader, "symbol": "AAPL", "side": "BUY", "type": "MARKET", "quantity": 10}
    assert refused(lambda: orders.place(Order.model_validate({**market, "order_id": "A1"})))[3] is None
    placed = Order.model_validate({**market, "order_id": "A1", "reference_price": 100})
    orders.place(placed)
    found = orders.get(trader, "A1")
    assert found is not None
    assert found.reference_price == 100
    assert not orders.place(placed).applied
    assert refused(lambda: orders.replace(trader, "A1", quantity=11))[3] == 1_100
    stop = Order.model_validate({**market, "order_id": "A2", "type": "STOP", "stop_price": 101})
    assert refused(lambda: orders.place(stop))[3] == 1_010


def test_the_position_counts_what_is_open_on_its_side(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    limited(desk, max_position=100)
    limited(desk, "MSFT", max_position=200)
    orders.place(limit(trader, "B1", quantity=60))
    orders.fill(execution(trader, "X1", 50, order_id="B1"))
    assert refused(lambda: orders.place(limit(trader, "B2", quantity=41))) == ("max_position", None, 100, 101)
    orders.place(limit(trader, "B2", quantity=40))
    assert refused(lambda: orders.replace(trader, "B2", quantity=41))[3] == 101
    orders.place(limit(trader, "S1", quantity=150, side="SELL"))
    assert refused(lambda: orders.place(limit(trader, "S2", quantity=1, side="SELL")))[3] == 101
    orders.place(limit(trader, "M1", quantity=200, symbol="MSFT"))
    assert refused(lambda: orders.place(limit(trader, "M2", quantity=1, symbol="MSFT")))[:3] == (
        "max_position",
        "MSFT",
        200,
    )
    orders.cancel(trader, "S1")
    orders.place(limit(trader, "S2", quantity=150, side="SELL"))


def test_what_reduces_passes_every_limit(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    desk.book.positions.set(trader, "AAPL", 100)
    limited(desk, max_order=0, max_notional=0, max_position=0, orders_per_second=0)
    assert refused(lambda: orders.place(limit(trader, "S1", quantity=201, side="SELL")))[0] == "max_order"
    orders.place(limit(trader, "S1", quantity=150, side="SELL"))
    orders.replace(trader, "S1", quantity=200, price="190")
    assert refused(lambda: orders.replace(trader, "S1", quantity=201))[0] == "max_order"
    assert refused(lambda: orders.place(limit(trader, "S2", quantity=1, side="SELL")))[0] == "max_order"
    assert refused(lambda: orders.place(limit(trader, "B1", quantity=1)))[0] == "max_order"
    orders.fill(Fill(trader=trader, order_id="S1", exec_id="X1", quantity=200, price=Decimal(1), ts_ns=TS))
    assert desk.book.positions.get(trader, "AAPL").quantity == -100
    orders.place(limit(trader, "B1", quantity=200))


def test_orders_per_second(desk: Desk) -> None:
    trader, orders = desk.trader, desk.book.orders
    limited(desk, orders_per_second=2)
    limited(desk, "MSFT", orders_per_second=1)
    outcomes = orders.place_many([limit(trader, f"A{number}", symbol="MSFT") for number in range(12)])
    placed = [one for one in outcomes if one.error is None]
    assert 1 <= len(placed) <= 2  # a second may have begun amid the call
    errors = {(one.error.limit, one.error.symbol) for one in outcomes if isinstance(one.error, LimitExceeded)}
    assert errors == {("orders_per_second", "MSFT")}
    for one in placed:
        assert not orders.place(one.result().order.model_copy(update={"version": 0})).applied
    outcomes = orders.place_many([limit(trader, f"B{number}") for number in range(12)])
    assert len([one for one in outcomes if one.error is None]) <= 4
    assert any(isinstance(one.error, LimitExceeded) and one.error.symbol is None for one in outcomes)


def test_a_unit_decides_under_the_limits_that_it_sets(desk: Desk) -> None:
    trader, book = desk.trader, desk.book
    change = LimitsChange(trader=trader, symbol="AAPL", max_position=100, request_id="L1")
    before = desk.contents()
    with pytest.raises(LimitExceeded) as caught:
        book.commit([limit(trader, "A1", quantity=60), change, limit(trader, "A2", quantity=41)])
    assert (caught.value.index, caught.value.asked) == (2, 101)
    assert desk.contents() == before
    unit = [limit(trader, "A1", quantity=60), change, limit(trader, "A2", quantity=40)]
    assert [one.sequence for one in book.commit(unit)] == [1, 2, 3]
    assert [one.applied for one in book.commit(unit)] == [False, False, False]
    relaxed = LimitsChange(trader=trader, symbol="AAPL", request_id="L2")
    book.commit([relaxed, limit(trader, "A3", quantity=500)])
    assert book.snapshot(trader).limits == []


def test_a_change_under_a_lock(desk: Desk) -> None:
    with desk.book.lock("desk", trader=desk.trader) as held:
        held.commit([LimitsChange(trader=desk.trader, max_order=5)])
    assert desk.book.snapshot(desk.trader).limits == [Limits(trader=desk.trader, max_order=5)]


def test_what_cannot_be_read_is_said(lone_desk: Desk) -> None:
    desk = lone_desk
    limited(desk, max_order=5)
    for text in ("x - - -", "5 - -", "5 - - - -", "-5 - - -", "1.2.3 - - -"):
        desk.vandalise("HSET", "%:limits", "trader", text)
        with pytest.raises(CorruptRecord, match="trader"):
            desk.book.limits.get(desk.trader)
        with pytest.raises(CorruptRecord, match="trader"):
            desk.book.orders.place(limit(desk.trader, quantity=6))
    desk.vandalise("HSET", "%:limits", "trader", "5 - - -")
    for odd in (
        "1",
        "- - - -",
        *(b"-" * size for size in (24, 32, 33, 48, 56, 57, 72)),
        packed([0, 0, 9, 5, NO_LIMIT, NO_LIMIT]),
    ):
        desk.vandalise("HSET", "%:book", "limits", odd)
        with pytest.raises(CorruptRecord, match="limits"):
            desk.book.orders.place(limit(desk.trader, quantity=6))
    desk.vandalise("HSET", "%:limits", "symbol:AAPL", "x - - -")
    desk.vandalise("HSET", "%:book", "limits", packed([0, 0, *[NO_LIMIT] * 4, 7]))
    with pytest.raises(CorruptRecord, match="symbol:AAPL"):
        desk.book.orders.place(limit(desk.trader))
    limited(desk, "AAPL", max_order=500)
    limited(desk, max_order=500)
    desk.book.orders.place(limit(desk.trader))


@pytest.mark.parametrize("odd", ["x", "x" * 72], ids=["short", "long"])
def test_a_header_that_cannot_be_read_is_written_anew_by_the_next_change(lone_desk: Desk, odd: str) -> None:
    """The limits of a symbol that lie beside its position are not trusted any more then."""
    desk = lone_desk
    limited(desk, "AAPL", max_position=500)
    desk.book.orders.place(limit(desk.trader, quantity=1))
    desk.ask("HSET", "%:book", "limits", odd)
    limited(desk, max_order=400)
    desk.book.orders.place(limit(desk.trader, "A2", quantity=400))
    with pytest.raises(LimitExceeded):
        desk.book.orders.place(limit(desk.trader, "A3", quantity=100))


@pytest.mark.parametrize("values", [{"max_order": -1}, {"max_notional": -1}, {"orders_per_second": 0.5}, {"max": 1}])
def test_what_is_no_limit_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate({"trader": "T001", **values})


def test_only_limits_can_be_set(lone_desk: Desk) -> None:
    with pytest.raises(InvalidArgument):
        lone_desk.book.limits.set({"max_order": 5})  # type: ignore[arg-type]
