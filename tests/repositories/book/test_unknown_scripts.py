"""Scripts that a server has lost are loaded again, and no call is lost or runs twice."""

from __future__ import annotations

import pytest
from slotbook.models import Cancel, Replace

from ...support.desk import Desk
from ...support.make import execution, limit

pytestmark = pytest.mark.alone


def forget_scripts(desk: Desk) -> None:
    """Have every server forget its scripts."""
    for raw in desk.fleet.raws.values():
        raw.ask("SCRIPT", "FLUSH", "SYNC")


def test_single_calls_go_on(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    forget_scripts(desk)
    orders.place(limit(trader))
    forget_scripts(desk)
    assert orders.fill(execution(trader)).applied
    forget_scripts(desk)
    assert orders.fill(execution(trader)).applied is False
    forget_scripts(desk)
    assert [order.order_id for order in orders.open(trader)] == ["A1"]
    forget_scripts(desk)
    orders.cancel(trader, "A1")
    assert [event.type for event in desk.events()] == ["NEW", "TRADE", "CANCELED"]


@pytest.mark.parametrize("known", [False, True], ids=["never known", "forgotten"])
def test_a_batch_goes_on(desk: Desk, known: bool) -> None:
    orders = desk.book.orders
    traders = [desk.another() for _ in range(30)]
    if known:
        orders.place_many([limit(trader, "A0") for trader in traders])
    forget_scripts(desk)
    outcomes = orders.apply_many(
        [limit(trader, f"A{number}") for trader in traders for number in range(1, 4)]
        + [execution(trader, "X1", 40) for trader in traders]
        + [Replace(trader=trader, order_id="A2", quantity=50) for trader in traders]
        + [Cancel(trader=trader, order_id="A3") for trader in traders]
    )
    assert all(outcome.result().applied for outcome in outcomes)
    for trader in traders:
        assert len(desk.events(trader)) == 6 + known


def test_calls_of_one_order_keep_their_order_when_the_script_is_lost(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    forget_scripts(desk)
    desk.book.orders.fill_many([execution(desk.trader, f"X{number}", number) for number in range(1, 9)])
    assert [event.last_quantity for event in desk.events()[1:]] == list(range(1, 9))


def test_the_script_is_known_again_after_one_call(lone_desk: Desk) -> None:
    forget_scripts(lone_desk)
    lone_desk.book.orders.place(limit(lone_desk.trader, "A1"))
    before = lone_desk.fleet.calls()
    lone_desk.book.orders.place(limit(lone_desk.trader, "A2"))
    after = lone_desk.fleet.calls()
    assert (after["evalsha"] - before["evalsha"], after["eval"] - before["eval"]) == (1, 0)
