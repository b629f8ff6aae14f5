"""Revisions after changes of a position without an order, in one unit, and of accounts that are not what events say."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slotbook.models import Bust, EventType, Fill, FillResult, PositionChange, Split

from ...support.desk import Desk, on_one_server
from ...support.make import execution, limit


def trade(desk: Desk, name: str, side: str, price: str, **more: object) -> None:
    desk.book.orders.place(limit(desk.trader, name, side=side, quantity=10, **more))
    desk.book.orders.fill(execution(desk.trader, "X1", 10, price, name))


def bust_after(desk: Desk, *steps: PositionChange | Split | Fill | Bust) -> FillResult:
    """Carry out steps in one unit, the last of which busts the execution of A2; return its result."""
    last = desk.book.commit([*steps, Bust(trader=desk.trader, order_id="A2", exec_ref_id="X1")])[-1]
    assert isinstance(last, FillResult)
    return last


def figures(result: FillResult) -> tuple[object, ...]:
    held = result.position
    return result.cost_basis, held.quantity, held.open_cost, held.realized_profit


def change(desk: Desk, **given: object) -> PositionChange:
    return PositionChange.model_validate({"trader": desk.trader, "symbol": "AAPL", "action": "SET", **given})


@on_one_server
def test_a_cost_that_a_step_before_has_set_is_not_folded_across(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10")
    trade(desk, "A2", "BUY", "20")
    trade(desk, "M1", "BUY", "3", symbol="MSFT")
    of_another = Bust(trader=desk.trader, order_id="M1", exec_ref_id="X1", exec_id="B1")
    done = bust_after(desk, change(desk, quantity=20, cost=500), of_another)
    assert figures(done) == ("approximate", 10, 250, -50)  # as if half of it were sold for 200
    [again] = desk.book.commit([of_another])
    assert isinstance(again, FillResult)
    assert (again.applied, again.cost_basis) == (False, "exact")


@on_one_server
def test_a_split_into_a_quantity_is_foreseen(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10")
    trade(desk, "A2", "BUY", "20")
    split = Split.model_validate({"trader": desk.trader, "symbol": "AAPL", "new": 2, "old": 3, "quantity": 14})
    assert figures(bust_after(desk, split)) == ("exact", 4, 100, 0)  # it has taken 6 away


@on_one_server
def test_what_is_set_for_an_account_is_foreseen_of_that_account_alone(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10", account="a")
    trade(desk, "A2", "BUY", "20", account="a")
    done = bust_after(desk, change(desk, quantity=25, account="a"))
    assert figures(done)[:2] == ("approximate", 15)  # of the trader's, what the account has is added
    event = desk.events()[-1]
    assert (event.account_quantity, event.account_cost_basis) == (15, None)
    held = desk.book.positions.get(desk.trader, "AAPL", account="a")
    assert (held.quantity, held.open_cost, held.realized_profit) == (15, 100, 0)


@on_one_server
def test_a_split_into_quantities_of_accounts_is_foreseen_of_these_alone(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10", account="a")
    trade(desk, "A2", "BUY", "20", account="a")
    given = {"trader": desk.trader, "symbol": "AAPL", "new": 2, "old": 3, "accounts": {"a": 14}}
    bust_after(desk, Split.model_validate(given))
    assert bases(desk) == [("approximate", None)]
    held = desk.book.positions.get(desk.trader, "AAPL", account="a")
    assert (held.quantity, held.open_cost, held.realized_profit) == (4, 100, 0)


@on_one_server
def test_a_cost_of_an_account_that_is_not_what_its_events_say_is_approximate(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10", account="a")
    trade(desk, "A2", "BUY", "20", account="a")
    desk.vandalise("HSET", "%:account_position:a:AAPL", "open_cost", "77")
    assert bust_after(desk).cost_basis == "approximate"
    assert desk.events()[-1].account_cost_basis == "approximate"
    held = desk.book.positions.get(desk.trader, "AAPL", account="a")
    assert (held.quantity, held.open_cost, held.realized_profit) == (10, Decimal("38.5"), Decimal("161.5"))


@on_one_server
@pytest.mark.parametrize("account", ["a", "a:b", "50% b"])
def test_an_account_whose_cost_never_was_approximate_is_believed(desk: Desk, account: str) -> None:
    for name, price in (("A1", "10"), ("A2", "20"), ("A3", "30")):
        trade(desk, name, "BUY", price, account=account)
    desk.vandalise("XTRIM", "%:events", "MINID", "4-0")  # from the fill of A2 on
    assert desk.book.orders.bust(desk.trader, "A3", "X1").cost_basis == "exact"
    assert desk.events()[-1].account_cost_basis is None


def trim(desk: Desk, kept: int) -> None:
    """Leave the last events: what was before them is known by what they state alone."""
    desk.vandalise("XTRIM", "%:events", "MINID", f"{desk.events()[-1].sequence - kept + 1}-0")


def bases(desk: Desk) -> list[tuple[object, object]]:
    """Return how the costs of the trader and of the account are known, by the events of all busts."""
    return [(one.cost_basis, one.account_cost_basis) for one in desk.events() if one.type is EventType.TRADE_CANCEL]


@on_one_server
def test_what_was_approximate_of_the_trader_was_not_of_an_account(desk: Desk) -> None:
    for name in ("A1", "A2"):
        trade(desk, name, "BUY", "10", account="a")
    desk.book.positions.set(desk.trader, "AAPL", 20, cost=500)
    bust_after(desk)
    for name in ("A3", "A4"):
        trade(desk, name, "BUY", "30", account="a")
    trim(desk, 3)  # from the fill of A3 on
    desk.book.orders.bust(desk.trader, "A4", "X1")
    assert bases(desk) == [("approximate", None)]


@on_one_server
def test_what_was_approximate_of_an_account_was_not_of_another(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10", account="b")
    trade(desk, "A2", "BUY", "10", account="a")
    desk.book.positions.set(desk.trader, "AAPL", 20, cost=500, account="a")
    bust_after(desk)
    assert bases(desk) == [(None, "approximate")]
    for name, account in (("A3", "b"), ("A4", "a"), ("A5", "b")):
        trade(desk, name, "BUY", "30", account=account)
    trim(desk, 5)  # from the fill of A3 on
    desk.book.commit([Bust(trader=desk.trader, order_id=name, exec_ref_id="X1") for name in ("A4", "A5")])
    assert bases(desk) == [(None, "approximate"), (None, None)]


@on_one_server
def test_a_split_is_none_of_an_account_that_has_not_traded(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10")
    desk.book.orders.place(limit(desk.trader, "A2", account="a"))
    split = Split.model_validate({"trader": desk.trader, "symbol": "AAPL", "new": 2})
    done = bust_after(desk, split, execution(desk.trader, "X1", 10, "20", "A2"))
    assert (figures(done), bases(desk)) == (("exact", 20, 100, 0), [(None, None)])
