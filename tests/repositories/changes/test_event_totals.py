"""The totals of events leave out what follows from the rest, and are read as the records were after each change."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook.models import Fill
from slotbook.models.wire import encode
from slotbook.repositories.changes.event_totals import whole_totals
from slotbook.topology.call import Reply

from ...support.desk import Desk, mapping
from ...support.make import TS, execution, limit

_OF_POSITIONS = (
    *("bought_quantity", "sold_quantity", "bought_notional", "sold_notional", "version"),
    *("open_cost", "realized_profit"),
)
ONE_WAY = {"type": "TRADE", "order_id": "A1", "last_quantity": "4", "last_price": "2.5", "position_quantity": "10"}


def entries_of(desk: Desk) -> list[dict[str, str]]:
    entries = cast("list[tuple[str, Reply]]", desk.ask("XRANGE", "%:events", "-", "+"))
    return [mapping(fields) for _, fields in entries]


def fill(desk: Desk, exec_id: str, order_id: str, **changes: object) -> dict[str, str]:
    """Make a fill, and return its event, which must state what the records are then."""
    about = {"trader": desk.trader, "order_id": order_id, "exec_id": exec_id, "ts_ns": TS}
    result = desk.book.orders.fill(Fill.model_validate({**about, **changes}))
    event = entries_of(desk)[-1]
    position = {"open_cost": "0", "realized_profit": "0", **encode(result.position)}
    order = encode(result.order)
    words = [order["version"], order["filled_notional"], *(position[name] for name in _OF_POSITIONS)]
    words += [position["fees"]] if "fees" in position else []
    assert whole_totals(event) == " ".join(words)
    return event


@pytest.mark.parametrize(("side", "sign"), [("BUY", ""), ("SELL", "-")])
def test_of_a_position_in_one_direction_the_amount_is_enough(lone_desk: Desk, side: str, sign: str) -> None:
    desk = lone_desk
    for name in ("A1", "A2"):
        desk.book.orders.place(limit(desk.trader, name, side=side))
    said = [
        fill(desk, "X1", "A1", quantity=40, price="2.5")["totals"],
        fill(desk, "X2", "A1", quantity="0.5", price="10")["totals"],
        fill(desk, "X1", "A2", quantity=1, price="0.25")["totals"],
    ]
    assert said == ["2  100 1", "3 105 105 2", "2  105.25 3"]
    assert desk.book.positions.get(desk.trader, "AAPL").open_cost == Decimal(f"{sign}105.25")
    assert desk.book.audit.verify(desk.trader) == []


@pytest.mark.parametrize(("side", "sign"), [("BUY", ""), ("SELL", "-")])
def test_a_cost_that_was_set_is_said(lone_desk: Desk, side: str, sign: str) -> None:
    """Also where it comes to the amount, and something has been realized."""
    desk = lone_desk
    desk.book.orders.place(limit(desk.trader, side=side))
    fill(desk, "X1", "A1", quantity=10, price="2.5")
    desk.book.positions.set(desk.trader, "AAPL", f"{sign}10", cost="7")
    assert len(fill(desk, "X2", "A1", quantity=1, price="1")["totals"].split(" ")) == 9
    desk.book.positions.set(desk.trader, "AAPL", 0)
    desk.book.positions.set(desk.trader, "AAPL", f"{sign}11", cost=f"{sign}26")
    assert len(fill(desk, "X3", "A1", quantity=1, price="1")["totals"].split(" ")) == 9
    assert desk.book.audit.verify(desk.trader) == []


@pytest.mark.parametrize("price", ["0", "-2.5", "2.5"])
@pytest.mark.parametrize("sides", ["BB", "SS", "BS", "SB", "BSB", "SBS", "BSS", "SBB"])
def test_any_direction_and_price_is_read_as_it_was(lone_desk: Desk, sides: str, price: str) -> None:
    desk = lone_desk
    for number, side in enumerate(sides):
        desk.book.orders.place(limit(desk.trader, f"A{number}", side="BUY" if side == "B" else "SELL"))
        fill(desk, f"X{number}", f"A{number}", quantity=10 + number, price=price)
        fill(desk, f"Y{number}", f"A{number}", quantity=3, price="1.5")
    assert desk.book.audit.verify(desk.trader) == []


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"multiplier": "50"}, {}),
        ({"account": "ACC"}, {}),
        ({"account": "ACC", "multiplier": "0.5"}, {}),
        ({}, {"fee": "0.25", "fee_currency": "USD"}),
        ({}, {"fee": "0.25", "fee_from_quantity": True, "fee_currency": "AAPL"}),
    ],
    ids=str,
)
def test_what_few_orders_have_is_read_as_it_was(
    lone_desk: Desk, fields: dict[str, object], details: dict[str, object]
) -> None:
    desk = lone_desk
    for number in range(2):
        desk.book.orders.place(limit(desk.trader, f"A{number}", **fields))
        for each in range(2):
            fill(desk, f"X{each}", f"A{number}", quantity=10 + each, price="2.5", **details)
    assert desk.book.audit.verify(desk.trader) == []


def test_a_repeat_has_the_first_result_as_it_was(lone_desk: Desk) -> None:
    desk = lone_desk
    desk.book.orders.place(limit(desk.trader))
    first = desk.book.orders.fill(execution(desk.trader, "X1", 40, "2.5"))
    desk.book.orders.fill(execution(desk.trader, "X2", 10, "3"))
    again = desk.book.orders.fill(execution(desk.trader, "X1", 40, "2.5"))
    assert (again.applied, again.order, again.position) == (False, first.order, first.position)


def test_after_a_bust_the_next_fill_is_a_first_one_again(lone_desk: Desk) -> None:
    desk = lone_desk
    desk.book.orders.place(limit(desk.trader))
    fill(desk, "X1", "A1", quantity=40, price="2.5")
    desk.book.orders.bust(desk.trader, "A1", "X1")
    event = fill(desk, "X2", "A1", quantity=5, price="3")
    assert event["totals"].split(" ")[:2] == ["4", ""]
    assert desk.book.audit.verify(desk.trader) == []


@pytest.mark.parametrize("price", ["0", "-2.5", "2.5"])
@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_bust_of_what_was_traded_before_a_roll_is_read_as_it_was(lone_desk: Desk, side: str, price: str) -> None:
    """Less than nothing was bought or sold then, which is not what was traded in the other direction."""
    desk = lone_desk
    desk.book.positions.adjust(desk.trader, "AAPL", -2 if side == "BUY" else 2)
    desk.book.orders.place(limit(desk.trader, side=side))
    desk.book.orders.fill(execution(desk.trader, "X1", 2, price))
    desk.book.positions.roll(desk.trader, "AAPL")
    first = desk.book.orders.bust(desk.trader, "A1", "X1", exec_id="V1")
    assert (first.position.bought_quantity, first.position.sold_quantity) == ((-2, 0) if side == "BUY" else (0, -2))
    desk.book.positions.adjust(desk.trader, "AAPL", 1)
    again = desk.book.orders.bust(desk.trader, "A1", "X1", exec_id="V1")
    assert (again.applied, again.position) == (False, first.position)
    assert desk.book.audit.verify(desk.trader) == []


@pytest.mark.parametrize(
    ("event", "whole"),
    [
        ({"totals": "2  10 1"}, "2 10 10 0 10 0 1 10 0"),
        ({"totals": "3 25 10 1"}, "3 25 10 0 10 0 1 10 0"),
        ({"totals": "2  10 1", "position_quantity": "-7"}, "2 10 0 7 0 10 1 -10 0"),
        ({"totals": "2  10 0 10 0 1 10 0"}, "2 10 10 0 10 0 1 10 0"),
        ({"totals": "2  -10 1"}, "2 10 10 0 -10 0 1 -10 0"),
        ({"totals": "2  10 1", "last_price": "-2.5"}, "2 -10 10 0 10 0 1 10 0"),
    ],
    ids=str,
)
def test_what_is_left_out_follows(event: dict[str, str], whole: str) -> None:
    assert whole_totals({**ONE_WAY, **event}) == whole


@pytest.mark.parametrize(
    ("event", "whole"),
    [
        ({"totals": "2  10 1", "multiplier": "50"}, "2  10 0 10 0 1 10 0"),
        ({"totals": "2  10 1", "type": "TRADE_DETAILS"}, "2  10 0 10 0 1 10 0"),
        *(
            ({"totals": said, **changes}, said)
            for said, changes in [
                ("2  10 1", {"last_price": "dear"}),
                ("2  10 1", {"last_quantity": ""}),
                ("2 10 10 1", {"position_quantity": "0"}),
                ("2 10 -10 1", {"position_quantity": "-7"}),
                ("2 10 0 1", {"position_quantity": "-7"}),
                ("2 10 1", {}),
                ("", {}),
            ]
        ),
    ],
    ids=str,
)
def test_what_was_never_written_stays_as_it_is(event: dict[str, str], whole: str) -> None:
    """The field is named by what reads it."""
    assert whole_totals({**ONE_WAY, **event}) == whole


def test_an_event_without_totals_has_none() -> None:
    assert whole_totals({"type": "NEW", "order_id": "A1"}) is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    fills=st.lists(
        st.tuples(
            st.sampled_from(["BUY", "SELL"]),
            st.sampled_from(["1", "10", "0.5", "7.000000001"]),
            st.sampled_from(["0", "-1.25", "187.22", "100"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_random_fills_are_read_as_they_were(lone_desk: Desk, fills: list[tuple[str, str, str]]) -> None:
    desk = lone_desk
    desk.trader = desk.another()
    for side in ("BUY", "SELL"):
        desk.book.orders.place(limit(desk.trader, side, side=side, quantity=1000))
    for number, (side, quantity, price) in enumerate(fills):
        fill(desk, f"X{number}", side, quantity=quantity, price=price)
