"""Test get, get_many, all, set, adjust, check_and_update and apply_many: positions that change without an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import cast

import pytest
from slotbook.models import EventType, Position, PositionAction, PositionChange
from slotbook.models.errors import DuplicateRequest, InvalidArgument, Refused

from ...support.desk import Desk
from ...support.make import TS, execution, limit
from ...support.raw import mapping

MOST = 10**18 - 1


def test_who_never_traded_is_flat(desk: Desk) -> None:
    assert desk.book.positions.get(desk.trader, "AAPL") == Position.flat(desk.trader, "AAPL")
    assert desk.book.positions.all(desk.trader) == []
    assert desk.contents() == {}


def test_adjust_adds_a_difference(desk: Desk) -> None:
    first = desk.book.positions.adjust(desk.trader, "AAPL", 30, ts_ns=TS)
    second = desk.book.positions.adjust(desk.trader, "AAPL", -50, ts_ns=TS + 1)
    assert (first.position.quantity, first.applied, first.accepted, first.sequence) == (30, True, True, 1)
    assert second.position == Position(trader=desk.trader, symbol="AAPL", quantity=-20, version=2, updated_ns=TS + 1)
    assert desk.book.positions.get(desk.trader, "AAPL") == second.position


def test_set_sets_the_quantity(desk: Desk) -> None:
    desk.book.positions.adjust(desk.trader, "AAPL", 30)
    assert desk.book.positions.set(desk.trader, "AAPL", -7).position.quantity == -7
    assert desk.book.positions.set(desk.trader, "AAPL", 0).position.quantity == 0


def test_what_was_bought_and_sold_stays(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    held = desk.book.orders.fill(execution(desk.trader, quantity=40)).position
    adjusted = desk.book.positions.set(desk.trader, "AAPL", 0, ts_ns=TS + 9).position
    lost = {"open_cost": Decimal(0), "realized_profit": -held.bought_notional}
    assert adjusted == held.model_copy(update={"quantity": 0, "version": 2, "updated_ns": TS + 9, **lost})
    assert adjusted.adjusted_quantity == -40


def test_the_event_of_a_change_has_what_was_added(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    desk.book.orders.place(limit(trader))
    desk.book.orders.fill(execution(trader, quantity=40))
    positions.adjust(trader, "AAPL", -70, request_id="R1")
    positions.adjust(trader, "AAPL", -70, request_id="R1")
    positions.check_and_update(trader, "AAPL", 5, 100)
    positions.check_and_update(trader, "AAPL", 500, 100)
    positions.set(trader, "AAPL", 12)
    positions.set(trader, "AAPL", 12)
    positions.set(trader, "AAPL", -MOST)
    positions.set(trader, "AAPL", MOST)
    positions.adjust(trader, "AAPL", 0)
    positions.set(trader, "AAPL", 0)
    found = [(event.position_change, event.position_quantity) for event in desk.events() if not event.order_id]
    assert found == [
        (-70, -30),
        (5, -25),
        (37, 12),
        (0, 12),
        (-MOST - 12, -MOST),
        (2 * MOST, MOST),
        (0, MOST),
        (-MOST, 0),
    ]
    assert {event.position_change for event in desk.events() if event.type is not EventType.POSITION} == {None}
    history = list(desk.book.events.history(trader))
    assert [event.position_change for event in history] == [event.position_change for event in desk.events()]


def test_a_flat_position_that_was_adjusted_has_the_profit_of_its_fills(desk: Desk) -> None:
    orders = desk.book.orders
    orders.place(limit(desk.trader, "A1", side="SELL", quantity=6907))
    orders.fill(execution(desk.trader, "X1", 6907, "75.32", "A1"))
    desk.book.positions.adjust(desk.trader, "AAPL", -6907)  # a split
    orders.place(limit(desk.trader, "A2", quantity=13814))
    flat = orders.fill(execution(desk.trader, "X2", 13814, "37.92", "A2")).position
    assert [flat.quantity, *map(flat.profit, ("100", "0", "37.92"))] == [0] + [Decimal("-3591.64")] * 3


def test_positions_are_listed_by_symbol(desk: Desk) -> None:
    for symbol in ("MSFT", "AAPL", "TSLA"):
        desk.book.positions.adjust(desk.trader, symbol, 1)
    held = desk.book.positions.all(desk.trader)
    assert [position.symbol for position in held] == ["AAPL", "MSFT", "TSLA"]
    assert held == [desk.book.positions.get(desk.trader, position.symbol) for position in held]


def test_a_position_that_is_flat_again_stays_listed(desk: Desk) -> None:
    desk.book.positions.adjust(desk.trader, "AAPL", 5)
    flat = desk.book.positions.adjust(desk.trader, "AAPL", -5).position
    assert desk.book.positions.all(desk.trader) == [flat]


def test_get_many_answers_in_the_order_given(desk: Desk) -> None:
    traders = [desk.another() for _ in range(20)]
    for number, trader in enumerate(traders):
        desk.book.positions.adjust(trader, "AAPL", number + 1)
    outcomes = desk.book.positions.get_many([(trader, symbol) for trader in traders for symbol in ("AAPL", "MSFT")])
    assert [outcome.result().quantity for outcome in outcomes] == [
        quantity for number in range(20) for quantity in (number + 1, 0)
    ]


@pytest.mark.parametrize("named", [("T1",), ("T1", "AAPL", "A", "B"), "T1", 5, None, ("T1", "AAPL", ""), ("T1", "A{")])
def test_what_names_no_position_is_refused(lone_desk: Desk, named: object) -> None:
    read = cast("Callable[[Sequence[object]], object]", lone_desk.book.positions.get_many)
    with pytest.raises(InvalidArgument, match=r"ids: .* it is not a trader and a symbol|cannot be used: a name"):
        read([("T1", "AAPL"), named])


@pytest.mark.parametrize("verb", ["adjust", "set", "check_and_update"])
def test_a_request_sent_again_returns_the_first_result_and_changes_nothing(desk: Desk, verb: str) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.adjust(trader, "AAPL", 5)
    ask = {
        "adjust": lambda: positions.adjust(trader, "AAPL", 10, request_id="R1"),
        "set": lambda: positions.set(trader, "AAPL", 10, request_id="R1"),
        "check_and_update": lambda: positions.check_and_update(trader, "AAPL", 10, 15, request_id="R1"),
    }[verb]
    first = ask()
    positions.adjust(trader, "AAPL", 100)
    before = desk.contents()
    again = ask()
    assert (again.position, again.sequence, again.accepted) == (first.position, first.sequence, True)
    assert (first.applied, again.applied) == (True, False)
    assert desk.contents() == before


def test_a_request_id_with_other_content_is_refused(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.adjust(trader, "AAPL", 10, request_id="R1")
    before = desk.contents()
    for ask in (
        lambda: positions.adjust(trader, "AAPL", 11, request_id="R1"),
        lambda: positions.adjust(trader, "MSFT", 10, request_id="R1"),
        lambda: positions.set(trader, "AAPL", 10, request_id="R1"),
        lambda: positions.check_and_update(trader, "AAPL", 10, 1_000, request_id="R1"),
    ):
        with pytest.raises(DuplicateRequest, match="R1"):
            ask()
    assert desk.contents() == before


def test_without_a_request_id_every_call_is_a_request_of_its_own(desk: Desk) -> None:
    desk.book.positions.adjust(desk.trader, "AAPL", 10)
    assert desk.book.positions.adjust(desk.trader, "AAPL", 10).position.quantity == 20


def test_a_request_id_belongs_to_its_trader(desk: Desk) -> None:
    other = desk.another()
    desk.book.positions.adjust(desk.trader, "AAPL", 10, request_id="R1")
    assert desk.book.positions.adjust(other, "AAPL", 20, request_id="R1").applied


@pytest.mark.parametrize(
    ("held", "delta", "limit", "accepted"),
    [
        (0, 100, 100, True),
        (0, 101, 100, False),
        (0, -100, 100, True),
        (0, -101, 100, False),
        (60, 40, 100, True),
        (60, 41, 100, False),
        (-60, -41, 100, False),
        (60, -160, 100, True),
        (60, -161, 100, False),
        (0, 0, 0, True),
        (0, 1, 0, False),
        (150, -50, 100, True),
        # What makes a position smaller, or keeps it, is let through wherever it is.
        (150, -10, 100, True),
        (150, -1, 100, True),
        (150, 0, 100, True),
        (150, 1, 100, False),
        (-150, 10, 100, True),
        (-150, -1, 100, False),
        (150, -299, 100, True),
        (150, -300, 100, True),
        (150, -301, 100, False),
        (-150, 300, 0, True),
        (-150, 301, 0, False),
        (MOST, -1, 0, True),
        (MOST, -MOST, 0, True),
        (-MOST, 1, MOST - 2, True),
        (1 - MOST, -1, 0, False),
    ],
)
def test_check_and_update_keeps_the_limit(desk: Desk, held: int, delta: int, limit: int, accepted: bool) -> None:
    positions = desk.book.positions
    if held:
        positions.set(desk.trader, "AAPL", held)
    before = desk.contents()
    result = positions.check_and_update(desk.trader, "AAPL", delta, limit)
    assert (result.accepted, result.applied) == (accepted, accepted)
    assert result.position.quantity == (held + delta if accepted else held)
    assert positions.get(desk.trader, "AAPL").quantity == result.position.quantity
    if not accepted:
        assert desk.contents() == before


@pytest.mark.parametrize(("quantity", "accepted"), [(149, True), (-150, True), (151, False), (-151, False), (0, True)])
def test_a_limit_of_a_quantity_to_set_is_the_same(desk: Desk, quantity: int, accepted: bool) -> None:
    desk.book.positions.set(desk.trader, "AAPL", 150)
    change = PositionChange(
        trader=desk.trader, symbol="AAPL", action=PositionAction.SET, quantity=quantity, max_position=100
    )
    assert desk.book.positions.apply_many([change])[0].result().accepted is accepted


def test_a_position_beyond_its_limit_is_reduced_in_a_unit_and_under_a_lock(desk: Desk) -> None:
    desk.book.positions.set(desk.trader, "AAPL", 150)
    less = PositionChange(trader=desk.trader, symbol="AAPL", quantity=-10, max_position=100)
    more = PositionChange(trader=desk.trader, symbol="AAPL", quantity=1, max_position=100)
    with pytest.raises(Refused, match="the position would pass its limit"):
        desk.book.commit([less, more])
    assert desk.book.positions.get(desk.trader, "AAPL").quantity == 150
    desk.book.commit([less, less.model_copy(update={"request_id": "R2"})])
    with desk.book.lock("L", trader=desk.trader, lease=60) as held:
        assert held.positions.check_and_update(desk.trader, "AAPL", -10, 100).position.quantity == 120


def test_the_check_of_a_limit_is_a_change_itself(desk: Desk) -> None:
    """A fill of an order that was checked before moves the position a second time."""
    desk.book.positions.check_and_update(desk.trader, "AAPL", 100, 100)
    desk.book.orders.place(limit(desk.trader))
    assert desk.book.orders.fill(execution(desk.trader, quantity=100)).position.quantity == 200


def test_a_request_that_the_limit_refused_may_be_tried_again(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.set(trader, "AAPL", 95)
    assert not positions.check_and_update(trader, "AAPL", 10, 100, request_id="R1").accepted
    positions.set(trader, "AAPL", 0)
    assert positions.check_and_update(trader, "AAPL", 10, 100, request_id="R1").applied
    assert positions.check_and_update(trader, "AAPL", 10, 100, request_id="R1").applied is False
    assert positions.get(trader, "AAPL").quantity == 10


def test_many_changes_are_applied_in_the_order_given(desk: Desk) -> None:
    trader = desk.trader
    changes = [
        PositionChange(trader=trader, symbol="AAPL", quantity=10, request_id="R1"),
        PositionChange(trader=trader, symbol="AAPL", quantity=3, action=PositionAction.SET, request_id="R2"),
        PositionChange(trader=trader, symbol="MSFT", quantity=7, request_id="R3"),
        PositionChange(trader=trader, symbol="AAPL", quantity=98, max_position=100, request_id="R4"),
        PositionChange(trader=trader, symbol="AAPL", quantity=10, request_id="R1"),
        PositionChange(trader=trader, symbol="AAPL", quantity=11, request_id="R1"),
    ]
    outcomes = desk.book.positions.apply_many(changes)
    assert isinstance(outcomes[5].error, DuplicateRequest)
    results = [outcome.result() for outcome in outcomes[:5]]
    assert [(one.position.quantity, one.applied, one.accepted) for one in results] == [
        (10, True, True),
        (3, True, True),
        (7, True, True),
        (3, False, False),
        (10, False, True),
    ]


def test_the_shortest_request_ttl_lasts_as_long_as_a_request_may_be_sent_again(lone_desk: Desk) -> None:
    positions = lone_desk.open(request_ttl=0.0001).positions
    assert positions.adjust(lone_desk.trader, "AAPL", 10, request_id="R1").position.quantity == 10
    assert [event.position_quantity for event in lone_desk.events()] == [10]
    assert 11_000 < cast(int, lone_desk.ask("PTTL", "%:request:R1")) <= 12_000


@pytest.mark.parametrize("quantity", [10**18, -(10**18), "many", 0.1 + 0.2, None, True], ids=repr)
def test_a_quantity_that_is_none_is_not_sent(desk: Desk, quantity: object) -> None:
    positions = desk.book.positions
    for ask in (
        lambda: positions.adjust(desk.trader, "AAPL", quantity),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        lambda: positions.set(desk.trader, "AAPL", quantity),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ):
        with pytest.raises(InvalidArgument, match=r"^positionchange: quantity"):
            ask()
    with pytest.raises(InvalidArgument, match="max_position"):
        positions.check_and_update(desk.trader, "AAPL", 1, -1)
    assert desk.contents() == {}


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_too_long_to_be_shown_is_refused_all_the_same(lone_desk: Desk, digits: int) -> None:
    with pytest.raises(InvalidArgument, match=r"^positionchange: quantity"):
        lone_desk.book.positions.adjust(lone_desk.trader, "AAPL", 10**digits)
    with pytest.raises(InvalidArgument, match=r"^replace: quantity"):
        lone_desk.book.orders.replace(lone_desk.trader, "A1", quantity=10**digits)


def test_a_trader_with_open_orders_alone_holds_nothing(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, quantity=70))
    desk.book.orders.place(limit(desk.trader, "A2", side="SELL", quantity=30))
    flat = Position.flat(desk.trader, "AAPL")
    assert desk.book.positions.get(desk.trader, "AAPL") == flat
    assert desk.book.positions.all(desk.trader) == []
    assert mapping(desk.ask("HGETALL", "%:position:AAPL")) == {
        **{"trader": desk.trader, "symbol": "AAPL", "quantity": "0", "version": "0"},
        **{"bought_quantity": "0", "sold_quantity": "0", "bought_notional": "0", "sold_notional": "0"},
        **{"open_cost": "0", "realized_profit": "0"},
        **{"open_buy_quantity": "70", "open_sell_quantity": "30"},
    }
    desk.book.orders.cancel(desk.trader, "A1")
    assert desk.book.positions.adjust(desk.trader, "AAPL", 5).position.version == 1
    assert desk.ask("HMGET", "%:position:AAPL", "open_buy_quantity", "open_sell_quantity") == ["0", "30"]
