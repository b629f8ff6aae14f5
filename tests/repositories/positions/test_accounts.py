"""Orders that name an account: what they trade is booked into the trader's position, and into the account's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import cast

import pytest
from slotbook.models import Bust, Correct, Fill, FillResult, Limits, Message, Order, Position, Replace
from slotbook.models.errors import AmountOverflow, CorruptRecord, InvalidArgument, LimitExceeded, Overfill
from slotbook.models.event import document
from slotbook.models.numbers import EXACT
from slotbook.models.wire import encode

from ...support.desk import Desk
from ...support.make import execution, fresh, limit

NAMES = ("ACC1", "a:b", "50% of it", 'say "x"\\/', "é", "%3A")
ADDITIVE = ("quantity", "bought_quantity", "sold_quantity", "bought_notional", "sold_notional")


def of(desk: Desk, order_id: str, account: str | None, **more: object) -> Order:
    return limit(desk.trader, order_id, account=account, **more)


def fill(desk: Desk, order_id: str, exec_id: str, quantity: int, price: str, **more: object) -> Fill:
    given = dict(execution(desk.trader, exec_id, quantity, price, order_id))
    return Fill.model_validate({**given, **more})


def booked(result: object) -> FillResult:
    """Return the result of a fill, of a correction or of a bust."""
    assert isinstance(result, FillResult)
    return cast("FillResult", result)


def parts(desk: Desk, symbol: str = "AAPL") -> dict[str | None, Position]:
    """Return the positions of accounts, after they were read in every way."""
    book, trader = desk.book, desk.trader
    held = book.positions.by_account(trader)
    assert held == book.snapshot(trader).account_positions
    assert held == sorted(held, key=lambda one: (one.symbol, one.account or ""))
    for one in held:
        assert one == book.positions.get(trader, one.symbol, account=one.account)
        assert one in book.positions.by_account(trader, one.account)
        assert one in book.positions.by_account(trader, one.account, one.symbol)
    many = book.positions.get_many([(trader, one.symbol, one.account) for one in held])
    assert [outcome.result() for outcome in many] == held
    of_symbol = [one for one in held if one.symbol == symbol]
    assert of_symbol == book.positions.by_account(trader, symbol=symbol)
    return {one.account: one for one in of_symbol}


@pytest.mark.parametrize("account", NAMES)
def test_a_fill_is_booked_into_both(desk: Desk, account: str) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(of(desk, "A1", account))
    assert (parts(desk), desk.book.positions.all(trader)) == ({}, [])  # nothing was traded yet
    assert desk.book.positions.get(trader, "AAPL", account=account) == Position.flat(trader, "AAPL", account)
    first = fill(desk, "A1", "X1", 40, "187.22", fee="0.25", fee_currency="USD")
    done = orders.fill(first)
    whole = {name: value for name, value in dict(done.position).items() if name != "account"}
    assert done.account_position == Position(**whole, account=account)
    assert parts(desk) == {account: done.account_position}
    orders.fill(fill(desk, "A1", "X2", 10, "188"))
    again = orders.fill(first)
    assert (again.applied, again.account_position) == (False, done.account_position)
    assert parts(desk)[account].quantity == 50
    event = desk.book.events.history(trader)[1]
    assert (event.account, event.account_quantity, event.position_quantity) == (account, 40, 40)


def test_an_order_without_an_account_is_in_the_whole_alone(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(of(desk, "A1", None))
    orders.place(of(desk, "A2", "ACC1", side="SELL"))
    assert orders.fill(fill(desk, "A1", "X1", 40, "187.22", account="ACC2")).account_position is None
    done = orders.fill(fill(desk, "A2", "X2", 30, "188", account="ACC2"))  # that is a fact of the execution
    assert (done.position.quantity, done.account_position and done.account_position.quantity) == (10, -30)
    assert [*parts(desk)] == ["ACC1"]
    events = desk.book.events.history(trader)
    assert [event.account for event in events] == [None, None, None, "ACC1"]
    assert desk.ask("SMEMBERS", "%:account_positions") == ["ACC1:AAPL"]


def test_each_account_has_its_own_cost_and_profit(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    for number, (account, side) in enumerate([("A", "BUY"), ("B", "BUY"), ("A", "SELL")]):
        orders.place(of(desk, f"A{number}", account, side=side))
    orders.fill(fill(desk, "A0", "X1", 10, "100"))
    orders.fill(fill(desk, "A1", "X2", 10, "200"))
    orders.fill(fill(desk, "A2", "X3", 5, "160"))
    held, whole = parts(desk), desk.book.positions.get(trader, "AAPL")
    assert (held["A"].open_cost, held["A"].realized_profit, held["A"].average_open_price) == (500, 300, 100)
    assert (held["B"].open_cost, held["B"].realized_profit) == (2000, 0)
    assert (whole.open_cost, whole.realized_profit) == (2250, 50)
    assert whole.profit(150) == sum(one.profit(150) for one in held.values()) == 50


def test_a_bust_a_correction_and_details_are_the_accounts_too(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(of(desk, "A1", "ACC1"))
    orders.place(of(desk, "A2", "ACC1", side="SELL"))
    orders.fill(fill(desk, "A1", "X1", 40, "187"))
    orders.fill(fill(desk, "A1", "X2", 20, "190"))
    orders.fill(fill(desk, "A2", "X3", 10, "200"))
    completed = orders.fill(fill(desk, "A1", "X2", 20, "190", fee="1.5"))
    assert completed.account_position is not None
    assert (completed.applied, completed.position.fees) == (True, {"": Decimal("1.5")})
    assert dict(completed.account_position) == {**dict(completed.position), "account": "ACC1"}
    corrected = orders.correct(trader, "A1", "X1", exec_id="C1", quantity=30, price="186")
    busted = booked(orders.apply(Bust(trader=trader, order_id="A1", exec_id="B1", exec_ref_id="X2")))
    for done in (corrected, busted):
        assert done.account_position is not None
        assert done.cost_basis == "exact"
        assert dict(done.account_position) == {**dict(done.position), "account": "ACC1"}
    assert busted.account_position == parts(desk)["ACC1"]
    assert (busted.position.quantity, busted.position.open_cost, busted.position.fees) == (20, 3720, {})
    again = booked(orders.apply(Bust(trader=trader, order_id="A1", exec_id="B1", exec_ref_id="X2")))
    other = booked(orders.apply(Bust(trader=trader, order_id="A1", exec_id="B2", exec_ref_id="X2")))
    assert again.account_position == busted.account_position == other.account_position
    assert (again.applied, other.applied) == (False, False)
    late = orders.fill(fill(desk, "A1", "X2", 20, "190", liquidity="ADDED"))  # it does not count any more
    assert (late.applied, late.account_position) == (True, busted.account_position)


def test_the_cost_of_an_account_may_be_approximate_alone(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(of(desk, "A1", "ACC1"))
    orders.fill(fill(desk, "A1", "X1", 10, "100"))
    orders.fill(fill(desk, "A1", "X2", 10, "200"))
    desk.book.positions.set(trader, "AAPL", 30, cost=5000, account="ACC1")  # it includes them
    busted = orders.bust(trader, "A1", "X1")
    assert (busted.cost_basis, busted.position.quantity, busted.position.open_cost) == ("exact", 20, 4000)
    assert busted.account_position is not None
    assert busted.account_position.open_cost == Decimal("3333.333333333")
    event = desk.book.events.history(trader)[-1]
    assert (event.cost_basis, event.account_cost_basis) == (None, "approximate")
    assert desk.ask("HEXISTS", "%:position:AAPL", "approximated") == 0
    assert desk.ask("HGET", "%:account_position:ACC1:AAPL", "approximated") == str(event.sequence)
    orders.place(of(desk, "A2", "ACC1"))
    orders.fill(fill(desk, "A2", "X3", 1, "7"))
    assert orders.bust(trader, "A2", "X3").cost_basis == "exact"
    assert desk.book.events.history(trader)[-1].account_cost_basis == "approximate"


def test_multiplier_overfill_and_late_fills(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(of(desk, "A1", "ACC1", multiplier=50, quantity=10))
    orders.fill(fill(desk, "A1", "X1", 8, "100"))
    with pytest.raises(Overfill):
        orders.fill(fill(desk, "A1", "X2", 8, "100"))
    orders.fill(fill(desk, "A1", "X2", 8, "100", overfill="record"))
    orders.place(of(desk, "A2", "ACC1", multiplier=50, quantity=10))
    orders.cancel(trader, "A2")
    late = orders.fill(fill(desk, "A2", "X3", 1, "100"))
    assert (late.late, late.account_position) == (True, parts(desk)["ACC1"])
    assert late.account_position is not None
    assert (late.account_position.multiplier, late.account_position.open_cost) == (50, 85000)


def test_a_replace_keeps_the_account(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(of(desk, "A1", "ACC1"))
    assert "account" not in Replace.model_fields
    orders.apply(Replace(trader=trader, order_id="A1", quantity=200, price=Decimal(190)))
    orders.fill(fill(desk, "A1", "X1", 150, "190"))
    assert parts(desk)["ACC1"].quantity == 150


def test_a_refused_order_makes_no_position(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.limits.set(Limits(trader=trader, max_order=50))
    places: list[Callable[[Order], object]] = [book.orders.place, lambda order: book.commit([order])]
    for place in places:
        with pytest.raises(LimitExceeded):
            place(of(desk, "A1", "ACC1"))
    assert desk.ask("EXISTS", "%:account_positions", "%:account_position:ACC1:AAPL", "%:order:A1") == 0
    book.orders.place(of(desk, "A1", "ACC1", quantity=50))
    assert desk.ask("EXISTS", "%:account_positions", "%:account_position:ACC1:AAPL", "%:order:A1") == 3


def test_nothing_is_booked_where_the_accounts_position_would_overflow(desk: Desk) -> None:
    book, trader, most = desk.book, desk.trader, 10**18 - 1
    for order_id, account, side in (("A1", "A", "BUY"), ("A2", "B", "SELL"), ("A3", "A", "BUY")):
        book.orders.place(of(desk, order_id, account, side=side, quantity=most, price="1"))
    book.orders.fill(fill(desk, "A1", "X1", most, "1"))
    book.orders.fill(fill(desk, "A2", "X2", most, "1"))
    before = book.snapshot(trader)
    with pytest.raises(AmountOverflow):
        book.orders.fill(fill(desk, "A3", "X3", 1, "1"))  # the trader is flat
    assert book.snapshot(trader) == before


def test_a_position_that_is_gone_stops_the_fill(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    book.orders.place(of(desk, "A1", "ACC1"))
    desk.vandalise("DEL", "%:account_position:ACC1:AAPL")
    with pytest.raises(CorruptRecord, match="account_position:ACC1:AAPL"):
        book.orders.fill(fill(desk, "A1", "X1", 1, "1"))
    assert len(desk.events()) == 1
    desk.vandalise("SET", "%:account_position:ACC1:AAPL", "x")
    for request in (fill(desk, "A1", "X1", 1, "1"), of(desk, "A2", "ACC1")):
        [outcome] = book.orders.apply_many([request])
        assert "WRONGTYPE" in str(outcome.error)
    assert len(desk.events()) == 1
    desk.vandalise("DEL", "%:account_position:ACC1:AAPL")
    desk.vandalise("HSET", "%:account_position:ACC1:AAPL", "quantity", "1e3")
    with pytest.raises(CorruptRecord, match="account_position:ACC1:AAPL"):
        book.orders.fill(fill(desk, "A1", "X1", 1, "1"))
    assert (trader, len(desk.events())) == (desk.trader, 1)


def test_positions_are_sorted_by_symbol_and_are_the_traders_own(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    for symbol, account in (("MSFT", "A"), ("AAPL", "B"), ("AAPL", "A"), ("TSLA", "0")):
        positions.adjust(trader, symbol, 1, account=account)
    parts(desk)
    names = [(one.symbol, one.account) for one in positions.by_account(trader)]
    assert names == [("AAPL", "A"), ("AAPL", "B"), ("MSFT", "A"), ("TSLA", "0")]
    desk.vandalise("HSET", "%:account_position:A:MSFT", "trader", "another")
    with pytest.raises(CorruptRecord, match="trader"):
        positions.by_account(trader)


def test_a_unit_sees_what_its_steps_have_booked(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    one, other = of(desk, "A1", "ACC1"), of(desk, "A2", "ACC2", side="SELL")
    steps: Sequence[Order | Fill] = [
        *(one, other, fill(desk, "A1", "X1", 40, "10"), fill(desk, "A2", "X2", 5, "11")),
        fill(desk, "A1", "X3", 1, "12"),
    ]
    results = book.commit(steps)
    assert booked(results[-1]).account_position == parts(desk)["ACC1"]
    assert {account: held.quantity for account, held in parts(desk).items()} == {"ACC1": 41, "ACC2": -5}
    results = book.commit(
        [
            of(desk, "A3", "ACC1"),
            fill(desk, "A3", "X4", 9, "10"),
            Bust(trader=trader, order_id="A1", exec_id="B", exec_ref_id="X3"),
        ]
    )
    busted = booked(results[-1])
    assert (busted.cost_basis, busted.account_position) == ("exact", parts(desk)["ACC1"])
    assert parts(desk)["ACC1"].open_cost == 490
    corrected = Correct(trader=trader, order_id="A1", exec_id="C", exec_ref_id="X1", quantity=10, price=Decimal(20))
    assert booked(book.commit([corrected])[0]).account_position == parts(desk)["ACC1"]


def test_what_is_published_is_what_the_stream_has(lone_desk: Desk) -> None:
    prefix, trader = fresh("p") + ":", lone_desk.trader
    book = lone_desk.open(publish="order_events", prefix=prefix)
    with book.events.subscribe("order_events") as subscription:
        book.orders.place(of(lone_desk, "A1", 'say "x"/\\'))
        book.orders.fill(fill(lone_desk, "A1", "X1", 40, "187.22", fee="1"))
        book.orders.bust(trader, "A1", "X1")
        book.positions.set(trader, "AAPL", 3, cost=30, account="a:b")
        book.positions.split(trader, "AAPL", 2)
        book.positions.roll(trader, "AAPL")
        events = lone_desk.events(prefix=prefix)
        received = [cast("Message", subscription.get(30)) for _ in events]
    assert [json.loads(message.text) for message in received] == [json.loads(document(encode(one))) for one in events]
    assert [message.event for message in received] == events
    assert (events[1].account, events[3].account, len(json.loads(events[5].accounts or ""))) == ('say "x"/\\', "a:b", 2)


@pytest.mark.parametrize("given", ["", "a{b", "a\nb", 7.5])
def test_what_is_no_account_is_refused(lone_desk: Desk, given: object) -> None:
    read = cast("Callable[..., object]", lone_desk.book.positions.get)
    with pytest.raises(InvalidArgument):
        read(lone_desk.trader, "AAPL", account=given)
    with pytest.raises(InvalidArgument):
        lone_desk.book.positions.adjust(lone_desk.trader, "AAPL", 1, account=given)  # type: ignore[arg-type]
    if given != "":
        with pytest.raises(InvalidArgument):
            lone_desk.book.positions.by_account(lone_desk.trader, given)  # type: ignore[arg-type]


def test_all_that_adds_up_adds_up(desk: Desk) -> None:
    """The parts of accounts and of none make the whole, in quantities and amounts, and in profit less cost."""
    book, trader = desk.book, desk.trader
    for number, account in enumerate([None, "A", "B", "A", None, "B"]):
        book.orders.place(of(desk, f"A{number}", account, side=["BUY", "SELL", "SELL_SHORT"][number % 3]))
    for number in range(18):
        book.orders.fill(fill(desk, f"A{number % 6}", f"X{number}", 1 + number, f"{100 + number * 7 % 11}.25"))
    book.orders.bust(trader, "A1", "X7")
    book.orders.correct(trader, "A3", "X9", exec_id="C9", quantity=2, price="5")
    book.orders.bust(trader, "A0", "X6")
    whole, held = book.positions.get(trader, "AAPL"), parts(desk)
    orders = [book.orders.get(trader, f"A{number}") for number in (0, 4)]
    assert all(order is not None for order in orders)
    rest = {
        name: EXACT.subtract(getattr(whole, name), sum(getattr(one, name) for one in held.values()))
        for name in ADDITIVE
    }
    mine = [order for order in orders if order is not None]
    assert rest["bought_quantity"] == sum(order.filled_quantity for order in mine if order.side.is_buy)
    assert rest["sold_quantity"] == sum(order.filled_quantity for order in mine if not order.side.is_buy)
    assert rest["bought_notional"] == sum(order.filled_notional for order in mine if order.side.is_buy)
    for one in (whole, *held.values()):
        assert one.realized_profit - one.open_cost == one.cash
