"""Changes of positions without an order: of one account's, with the trader's, and splits and rolls of all accounts'."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from slotbook.models import EventType, PositionAction, PositionChange, PositionResult, Roll, Split
from slotbook.models.errors import (
    AmountOverflow,
    DuplicateRequest,
    InexactSplit,
    InvalidArgument,
    MultiplierMismatch,
    Refused,
)

from ...support.desk import Desk, on_one_server
from ...support.make import execution, limit


def held(desk: Desk, account: str | None = None) -> tuple[Decimal | int, Decimal, Decimal]:
    one = desk.book.positions.get(desk.trader, "AAPL", account=account)
    return one.quantity, one.open_cost, one.realized_profit


def test_an_adjustment_of_an_account_moves_the_whole(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.adjust(trader, "AAPL", 7)
    done = positions.adjust(trader, "AAPL", 5, account="ACC 1", request_id="R1")
    assert (done.applied, done.position) == (True, positions.get(trader, "AAPL", account="ACC 1"))
    assert (held(desk, "ACC 1"), held(desk)) == ((5, 0, 0), (12, 0, 0))
    positions.adjust(trader, "AAPL", -2, account="ACC 1")
    again = positions.adjust(trader, "AAPL", 5, account="ACC 1", request_id="R1")
    assert (again.applied, again.sequence, again.position) == (False, 2, done.position)
    for other in (None, "ACC", "ACC 2"):
        with pytest.raises(DuplicateRequest):
            positions.adjust(trader, "AAPL", 5, account=other, request_id="R1")
    event = desk.book.events.history(trader)[1]
    assert (event.account, event.account_quantity, event.position_change) == ("ACC 1", 5, 5)
    assert (event.account_cost, event.position_cost_change, event.position_quantity) == (None, None, 12)
    assert (held(desk, "ACC 1"), held(desk)) == ((3, 0, 0), (10, 0, 0))


def test_the_start_of_a_day_by_accounts_makes_that_of_the_trader(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.set(trader, "AAPL", 100, cost=1000, account="A")
    done = positions.set(trader, "AAPL", 50, cost=600, account="B", request_id="R1")
    assert (held(desk, "A"), held(desk, "B"), held(desk)) == ((100, 1000, 0), (50, 600, 0), (150, 1600, 0))
    positions.set(trader, "AAPL", -150, cost=-1500, account="C")
    assert (held(desk, "C"), held(desk)) == ((-150, -1500, 0), (0, 0, -100))  # as if sold at 10 what has cost 1600
    positions.set(trader, "AAPL", -150, cost=-1600, account="C")
    assert held(desk) == (0, 0, 0)
    positions.set(trader, "AAPL", 100, cost=1100, account="A")
    positions.set(trader, "AAPL", 0, account="C")
    assert (held(desk, "C"), held(desk)) == ((0, 0, 1600), (150, 0, -100))
    again = positions.set(trader, "AAPL", 50, cost=600, account="B", request_id="R1")
    assert (again.applied, again.position) == (False, done.position)
    event = desk.book.events.history(trader)[1]
    assert (event.account_cost, event.position_cost_change, event.position_cost) == (600, 600, None)


def test_a_quantity_that_is_set_moves_the_whole_by_the_difference(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    desk.book.orders.place(limit(trader, account="A"))
    desk.book.orders.fill(execution(trader, "X1", 40, "10"))
    positions.adjust(trader, "AAPL", 3)
    positions.set(trader, "AAPL", 50, account="A")
    assert (held(desk, "A"), held(desk)) == ((50, 400, 0), (53, 400, 0))
    positions.set(trader, "AAPL", -1, account="A")  # through zero: its cost is realized, the trader's goes on
    assert (held(desk, "A"), held(desk)) == ((-1, 0, -400), (2, 400, 0))
    positions.set(trader, "AAPL", 8)  # without an account, what no account has changes
    assert (held(desk, "A"), held(desk)) == ((-1, 0, -400), (8, 400, 0))


def test_a_limit_is_that_of_the_account(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.adjust(trader, "AAPL", 90)
    assert positions.check_and_update(trader, "AAPL", 10, 10, account="A").accepted
    beyond = positions.check_and_update(trader, "AAPL", 1, 10, account="A")
    assert (beyond.accepted, beyond.applied, beyond.position.account) == (False, False, "A")
    assert positions.check_and_update(trader, "AAPL", -4, 5, account="A").accepted
    assert (held(desk, "A")[0], held(desk)[0], len(desk.events())) == (6, 96, 3)


def test_too_large_for_either_is_refused_whole(desk: Desk) -> None:
    positions, trader, most = desk.book.positions, desk.trader, 10**18 - 1
    positions.set(trader, "AAPL", most, account="A")
    for account in ("A", "B", None):
        with pytest.raises(AmountOverflow):
            positions.adjust(trader, "AAPL", 1, account=account)
    positions.set(trader, "AAPL", -most, account="B")
    with pytest.raises(AmountOverflow):
        positions.adjust(trader, "AAPL", 1, account="A")
    assert (held(desk)[0], len(desk.events())) == (0, 2)


def test_what_is_not_exact_is_said_before_what_is_too_large(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.set(trader, "AAPL", 9 * 10**17, account="ACC1")
    positions.set(trader, "AAPL", 1, account="ACC2")
    before = desk.contents()
    with pytest.raises(InexactSplit, match="ACC2"):
        positions.split(trader, "AAPL", 10, 3)
    with pytest.raises(AmountOverflow):
        positions.split(trader, "AAPL", 10, 3, accounts={"ACC2": 3}, quantity=10)
    assert desk.contents() == before


def test_a_split_is_of_all_accounts(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.set(trader, "AAPL", 10, cost=100, account="A:1")
    positions.set(trader, "AAPL", -4, cost=-50, account='"')
    positions.adjust(trader, "AAPL", 6)
    positions.adjust(trader, "MSFT", 6, account="A:1")
    done = positions.split(trader, "AAPL", 3, request_id="S1")
    assert (done.position.quantity, held(desk, "A:1"), held(desk, '"')) == (36, (30, 100, 0), (-12, -50, 0))
    assert positions.get(trader, "MSFT", account="A:1").quantity == 6
    assert positions.split(trader, "AAPL", 3, request_id="S1").position == done.position
    event = desk.book.events.history(trader)[-1]
    said = json.loads(event.accounts or "")
    assert [*said] == sorted(said)
    assert {account: (one["position_quantity"], one["position_change"]) for account, one in said.items()} == {
        '"': ("-12", "-8"),
        "A:1": ("30", "20"),
    }
    assert (event.type, event.position_quantity, event.account) == (EventType.SPLIT, 36, None)


def test_fractions_of_accounts_are_said_or_refused(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.adjust(trader, "AAPL", Decimal("1E-18"), account="A")
    positions.adjust(trader, "AAPL", Decimal("1E-18"), account="B")
    positions.adjust(trader, "AAPL", 4)
    before = len(desk.events())
    refused: list[dict[str, Any]] = [
        {},  # the whole could be split
        {"accounts": {"A": 0}},
        {"accounts": {"A": 0, "B": -1}},
        {"accounts": {"A": 0, "B": 0, "C": 0}},
        {"quantity": 2},
    ]
    for given in refused:
        with pytest.raises(InexactSplit):
            positions.split(trader, "AAPL", 1, 2, **given)
    with pytest.raises(InexactSplit, match="of account B cannot result in -1"):
        positions.split(trader, "AAPL", 1, 2, quantity=2, accounts={"A": 0, "B": -1})
    assert len(desk.events()) == before
    done = positions.split(trader, "AAPL", 1, 2, accounts={"A": 0, "B": "1E-18"}, request_id="S1")
    assert done.position.quantity == Decimal("2.000000000000000001")
    assert (held(desk, "A")[0], held(desk, "B")[0]) == (0, Decimal("1E-18"))
    with pytest.raises(DuplicateRequest):
        positions.split(trader, "AAPL", 1, 2, accounts={"A": 0}, request_id="S1")
    assert not positions.split(trader, "AAPL", 1, 2, accounts={"B": "1E-18", "A": 0}, request_id="S1").applied
    assert positions.split(trader, "AAPL", 3, 1, quantity=7).position.quantity == 7  # fractions of the whole


def test_a_roll_is_of_all_accounts(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    for order_id, account in (("A1", "A"), ("A2", "B"), ("A3", None)):
        desk.book.orders.place(limit(trader, order_id, account=account))
    for number, order_id in enumerate(("A1", "A2", "A3")):
        desk.book.orders.fill(execution(trader, f"X{number}", 10 + number, "10", order_id))
    desk.book.orders.place(limit(trader, "A4", account="C"))  # an account that never traded has nothing to roll
    positions.roll(trader, "AAPL", request_id="Q1")
    assert [(one.account, one.version) for one in positions.by_account(trader)] == [("A", 2), ("B", 2)]
    for account, quantity in (("A", 10), ("B", 11), (None, 33)):
        one = positions.get(trader, "AAPL", account=account)
        assert (one.quantity, one.bought_quantity, one.bought_notional) == (quantity, 0, 0)
        assert one.open_cost == quantity * 10
    said = json.loads(desk.book.events.history(trader)[-1].accounts or "")
    assert {account: json.loads(one["period"])["bought_quantity"] for account, one in said.items()} == {
        "A": "10",
        "B": "11",
    }
    assert not positions.roll(trader, "AAPL", request_id="Q1").applied
    busted = desk.book.orders.bust(trader, "A1", "X0")
    assert (busted.cost_basis, busted.account_position) == ("exact", positions.get(trader, "AAPL", account="A"))
    assert held(desk, "A") == (0, 0, 0)


def test_another_multiplier_needs_flat_accounts(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    positions.set(trader, "AAPL", 10, cost=5000, multiplier=50, account="A")
    assert positions.get(trader, "AAPL", account="A").multiplier == positions.get(trader, "AAPL").multiplier == 50
    for account in (None, "A", "B"):
        with pytest.raises(MultiplierMismatch):
            positions.set(trader, "AAPL", 1, multiplier=20, account=account)
    positions.set(trader, "AAPL", 0, account="A")
    positions.set(trader, "AAPL", 7, multiplier=20)
    positions.set(trader, "AAPL", 7, cost=7, account="A")
    assert positions.get(trader, "AAPL", account="A").multiplier == 20
    positions.set(trader, "AAPL", 0, account="A")
    positions.set(trader, "AAPL", 0, multiplier=1, account="A")
    assert desk.ask("HEXISTS", "%:account_position:A:AAPL", "multiplier") == 0


def test_steps_of_a_unit_see_each_other(desk: Desk) -> None:
    book, trader = desk.book, desk.trader
    change: dict[str, Any] = {"trader": trader, "symbol": "AAPL"}
    results = book.commit(
        [
            PositionChange(**change, quantity=10, account="A"),
            Split(**change, new=2),
            PositionChange(**change, quantity=5, action=PositionAction.SET, cost=Decimal(50), account="A"),
            Roll(**change),
            limit(trader, account="B"),
            execution(trader, "X1", 3, "10"),
            Split(**change, new=2),
        ]
    )
    changed = [one.position for one in results[:4] if isinstance(one, PositionResult)]
    assert [one.quantity for one in changed] == [10, 20, 5, 5]
    assert (held(desk, "A"), held(desk, "B"), held(desk)) == ((10, 50, 0), (6, 30, 0), (16, 80, 0))
    with pytest.raises(Refused):
        book.commit(
            [PositionChange(**change, quantity=1, account="C"), PositionChange(**change, quantity=9, max_position=1)]
        )
    assert desk.ask("EXISTS", "%:account_position:C:AAPL") == 0


@on_one_server
def test_a_split_touches_so_many_accounts_and_no_more(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    changes = [PositionChange(trader=trader, symbol="AAPL", quantity=1, account=f"A{number}") for number in range(257)]
    for outcome in positions.apply_many(changes[:256]):
        outcome.result()
    assert positions.split(trader, "AAPL", 2).position.quantity == 512
    positions.apply_many(changes[256:])[0].result()
    refused: list[Callable[[], object]] = [
        lambda: positions.split(trader, "AAPL", 2),
        lambda: positions.roll(trader, "AAPL"),
    ]
    for change in refused:
        with pytest.raises(Refused, match="257 accounts"):
            change()
    assert len(positions.by_account(trader)) == 257


def test_a_split_says_quantities_by_account() -> None:
    given = {"trader": "T", "symbol": "S", "new": 2}
    split = Split.model_validate({**given, "accounts": {"B": 2, "A": "1.50"}})
    assert split.accounts == {"A": Decimal("1.5"), "B": 2}
    assert str(split.accounts) == '{"A":"1.5","B":"2"}'
    for same in (
        split.accounts,
        str(split.accounts),
        {"A": Decimal("1.5"), "B": 2},
        pickle.loads(pickle.dumps(split)).accounts,  # noqa: S301
    ):
        other = Split.model_validate({**given, "accounts": same, "request_id": split.request_id, "ts_ns": split.ts_ns})
        assert (other, hash(other)) == (split, hash(split))
    assert json.loads(split.model_dump_json())["accounts"] == {"A": "1.5", "B": "2"}
    assert repr(split.accounts) == "AccountQuantities({'A': Decimal('1.5'), 'B': Decimal('2')})"
    for wrong in ([("A", 1)], {"": 1}, {"A": "x"}, {"A": 10**18}, {1: 1}, 7, '{"A": "1"}', "{"):
        with pytest.raises(ValidationError):
            Split.model_validate({**given, "accounts": wrong})


def test_a_cost_belongs_to_what_is_set(lone_desk: Desk) -> None:
    with pytest.raises(InvalidArgument, match="a flat position has no cost"):
        lone_desk.book.positions.set(lone_desk.trader, "AAPL", 0, cost=1, account="A")


def test_another_multiplier_is_refused_before_a_total_that_is_too_large(desk: Desk) -> None:
    positions, trader = desk.book.positions, desk.trader
    desk.book.orders.place(limit(trader))  # open, so that no other multiplier is possible
    positions.adjust(trader, "AAPL", 10**18 - 1)
    before = desk.contents()
    with pytest.raises(MultiplierMismatch):
        positions.set(trader, "AAPL", 1, account="ACC1", multiplier=50)
    with pytest.raises(AmountOverflow):
        positions.set(trader, "AAPL", 1, account="ACC1", multiplier=1)
    assert desk.contents() == before
