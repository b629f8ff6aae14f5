"""Test positions that are set with their cost, split, and rolled into another period."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from slotbook.models import Bust, EventType, PositionAction, PositionChange, Roll, Split
from slotbook.models.errors import AmountOverflow, DuplicateRequest, InexactSplit, InvalidArgument, SlotbookError
from slotbook.models.numbers import EXACT, MAX_COUNT, MAX_QUANTITY, plain

from ...support.desk import Desk
from ...support.make import execution, limit


def trade(desk: Desk, side: str, quantity: int, price: str) -> None:
    order_id = f"{side}{quantity}"
    desk.book.orders.place(limit(desk.trader, order_id, side=side, quantity=quantity))
    desk.book.orders.fill(execution(desk.trader, "X1", quantity, price, order_id))


def test_a_short_position_that_is_split_and_covered_has_one_profit_at_any_mark(desk: Desk) -> None:
    trade(desk, "SELL", 6907, "75.32")
    held = desk.book.positions.split(desk.trader, "AAPL", 2).position
    assert (held.quantity, held.open_cost, held.average_open_price) == (-13814, Decimal("-520235.24"), Decimal("37.66"))
    trade(desk, "BUY", 13814, "37.92")
    flat = desk.book.positions.get(desk.trader, "AAPL")
    assert [flat.quantity, flat.open_cost, *map(flat.profit, ("100", "0"))] == [0, 0, *[Decimal("-3591.64")] * 2]


@pytest.mark.parametrize(
    ("held", "new", "old", "given", "after"),
    [
        (100, 4, 1, None, 400),
        (-100, 4, 1, None, -400),
        (100, 1, 10, None, 10),
        (-30, 2, 3, None, -20),
        (0, 2, 1, None, 0),
        (100, 1, 3, None, None),
        (-1, 1, 2, None, Decimal("-0.5")),
        (3, 3, 2, None, Decimal("4.5")),
        (Decimal("0.000000000000000001"), 1, 2, None, None),
        (Decimal("-0.000000000000000002"), 1, 2, None, Decimal("-0.000000000000000001")),
        (Decimal("2.5"), 1, 3, Decimal("0.833333333333333333"), Decimal("0.833333333333333333")),
        (100, 1, 3, 33, 33),
        (-100, 1, 3, -33, -33),
        (100, 1, 3, 34, 34),
        (1, 1, 10, 0, 0),
        (100, 2, 1, -200, None),
        (-100, 2, 1, 200, None),
        (0, 2, 1, 5, None),
        (0, 2, 1, 0, 0),
        (MAX_QUANTITY, MAX_COUNT, MAX_COUNT, None, MAX_QUANTITY),
        (10**18 - 2, 1, 2, None, 5 * 10**17 - 1),
        (10**18 - 1, 1, 2, None, Decimal("499999999999999999.5")),
        (MAX_QUANTITY, 1, 2, None, None),
    ],
)
def test_a_split_is_exact_or_said(
    desk: Desk, held: Decimal | int, new: int, old: int, given: Decimal | int | None, after: Decimal | int | None
) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.set(trader, "AAPL", held, cost="90" if held else None)
    before = desk.contents()
    if after is None:
        with pytest.raises(InexactSplit, match=plain(held)):
            positions.split(trader, "AAPL", new, old, quantity=given)
        assert desk.contents() == before
        return
    result = positions.split(trader, "AAPL", new, old, quantity=given, request_id="S1")
    assert (result.position.quantity, result.applied) == (after, True)
    kept = 90 if after else 0
    assert (result.position.open_cost, result.position.realized_profit) == (kept, kept - 90 if held else 0)
    again = positions.split(trader, "AAPL", new, old, quantity=given, request_id="S1")
    assert (again.position, again.applied, again.sequence) == (result.position, False, result.sequence)
    event = desk.events()[-1]
    assert (event.type, event.position_quantity, event.position_change) == (
        EventType.SPLIT,
        after,
        EXACT.subtract(after, held),
    )


def test_a_split_past_the_largest_quantity_is_refused(desk: Desk) -> None:
    desk.book.positions.set(desk.trader, "AAPL", 5 * 10**17)
    before = desk.contents()
    with pytest.raises(AmountOverflow):
        desk.book.positions.split(desk.trader, "AAPL", 2)
    assert desk.contents() == before


def test_a_roll_sets_the_totals_back_and_says_what_they_were(desk: Desk) -> None:
    trade(desk, "BUY", 100, "187.23")
    trade(desk, "SELL", 40, "190")
    held = desk.book.positions.get(desk.trader, "AAPL")
    result = desk.book.positions.roll(desk.trader, "AAPL", request_id="D1")
    nothing = {"bought_quantity": 0, "sold_quantity": 0, "bought_notional": Decimal(0), "sold_notional": Decimal(0)}
    assert result.position == held.model_copy(
        update={
            **nothing,
            "realized_profit": Decimal(0),
            "version": held.version + 1,
            "updated_ns": result.position.updated_ns,
        }
    )
    assert (result.position.quantity, result.position.open_cost) == (60, Decimal("11233.8"))
    event = desk.events()[-1]
    assert (event.type, event.position_quantity, event.position_change) == (EventType.ROLL, 60, 0)
    assert json.loads(event.period or "") == {
        **{"bought_quantity": "100", "sold_quantity": "40"},
        **{"bought_notional": "18723", "sold_notional": "7600", "realized_profit": "110.8"},
    }
    trade(desk, "SELL", 60, "190")
    flat = desk.book.positions.get(desk.trader, "AAPL")
    assert (flat.quantity, flat.sold_quantity, flat.realized_profit) == (0, 60, Decimal("166.2"))
    again = desk.book.positions.roll(desk.trader, "AAPL", request_id="D1")
    assert (again.applied, again.position) == (False, result.position)


def test_a_fill_from_before_a_roll_is_busted_after_it(desk: Desk) -> None:
    """Take back in this period what the fill has added: its totals are below zero then."""
    trade(desk, "BUY", 100, "187.23")
    desk.book.positions.roll(desk.trader, "AAPL")
    bust = Bust(trader=desk.trader, order_id="BUY100", exec_id="X2", exec_ref_id="X1")
    desk.book.orders.apply(bust)
    held = desk.book.positions.get(desk.trader, "AAPL")
    assert (held.quantity, held.bought_quantity, held.bought_notional) == (0, -100, -18723)
    assert (held.open_cost, held.realized_profit, held.profit("1")) == (0, 0, 0)
    trade(desk, "BUY", 40, "5")
    assert desk.book.positions.get(desk.trader, "AAPL").bought_quantity == -60


def test_what_a_position_of_the_start_of_the_day_has_cost_is_said(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    trade(desk, "BUY", 10, "5")
    trade(desk, "SELL", 4, "6")
    held = positions.set(trader, "AAPL", -100, cost="-18700.25", request_id="S1").position
    assert (held.quantity, held.open_cost, held.realized_profit) == (-100, Decimal("-18700.25"), 4)
    event = desk.events()[-1]
    assert (event.type, event.position_cost) == (EventType.POSITION, Decimal("-18700.25"))
    assert positions.set(trader, "AAPL", -100, cost="-18700.25", request_id="S1").position == held
    for cost in (None, "18700.25"):
        with pytest.raises(DuplicateRequest):
            positions.set(trader, "AAPL", -100, cost=cost, request_id="S1")
    trade(desk, "BUY", 100, "187")
    assert positions.get(trader, "AAPL").realized_profit == Decimal("4.25")


def test_a_cost_of_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidArgument, match="a flat position has no cost"):
        desk.book.positions.set(desk.trader, "AAPL", 0, cost="1")
    with pytest.raises(ValueError, match="SET alone"):
        PositionChange(trader=desk.trader, symbol="AAPL", quantity=1, action=PositionAction.ADJUST, cost=Decimal(1))
    assert desk.contents() == {}


@pytest.mark.parametrize(("new", "old"), [(0, 1), (1, 0), (-2, 1), (1, -1), ("x", 1), (1.5, 1)], ids=str)
def test_a_ratio_that_is_none_is_not_sent(desk: Desk, new: int, old: int) -> None:
    with pytest.raises(InvalidArgument, match=r"^split: "):
        desk.book.positions.split(desk.trader, "AAPL", new, old)
    assert desk.contents() == {}


def test_splits_and_rolls_are_steps_of_units_and_batches(desk: Desk) -> None:
    trader = desk.trader
    opened = PositionChange(trader=trader, symbol="AAPL", quantity=3, action=PositionAction.SET, cost=Decimal(30))
    split, roll = Split(trader=trader, symbol="AAPL", new=2), Roll(trader=trader, symbol="AAPL")
    results = desk.book.commit([opened, split, roll])
    assert [getattr(one, "position").quantity for one in results] == [3, 6, 6]  # noqa: B009
    with pytest.raises(InexactSplit) as caught:
        desk.book.commit([Roll(trader=trader, symbol="AAPL"), Split(trader=trader, symbol="AAPL", new=1, old=7)])
    assert caught.value.index == 1
    outcomes = desk.book.positions.apply_many([split, Split(trader=trader, symbol="AAPL", new=1, old=7)])
    assert (outcomes[0].result().applied, type(outcomes[1].error)) == (False, InexactSplit)
    assert issubclass(InexactSplit, SlotbookError)
    with desk.book.lock("L", trader=trader, lease=60) as held:
        assert held.positions.split(trader, "AAPL", 1, 3).position.quantity == 2
        assert held.positions.roll(trader, "AAPL").position.open_cost == 30


def test_a_request_of_a_split_is_of_no_other_change(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.set(trader, "AAPL", 6)
    positions.split(trader, "AAPL", 2, 3, request_id="R1")
    for ask in (
        lambda: positions.split(trader, "AAPL", 2, 3, quantity=4, request_id="R1"),
        lambda: positions.split(trader, "AAPL", 4, 3, request_id="R1"),
        lambda: positions.split(trader, "MSFT", 2, 3, request_id="R1"),
        lambda: positions.roll(trader, "AAPL", request_id="R1"),
        lambda: positions.adjust(trader, "AAPL", 0, request_id="R1"),
    ):
        with pytest.raises(DuplicateRequest, match="R1"):
            ask()


def test_a_message_of_a_roll_has_its_period(desk: Desk) -> None:
    trade(desk, "BUY", 1, "2")
    with desk.book.events.subscribe(f"{{{desk.trader}}}:events") as heard:
        desk.open(publish="traders").positions.roll(desk.trader, "AAPL")
        event = heard.get(30)
    assert event is not None
    assert event.event == desk.events()[-1]
