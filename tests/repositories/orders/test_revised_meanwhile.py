"""Revisions with something else at work: other names, multipliers, changes meanwhile, bounds, repeats in units."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from slotbook.models import Bust, Correct, Fill, FillResult, PendingCancel, PositionChange
from slotbook.models.errors import AmountOverflow, CorruptRecord
from slotbook.models.numbers import EXACT, MAX_QUANTITY
from slotbook.repositories.audit.findings import FindingKind
from slotbook.repositories.changes.cost_plan import CostPlan

from ...support.desk import Desk, on_one_server
from ...support.make import execution, limit


def trade(desk: Desk, name: str, side: str, price: str, **more: object) -> None:
    desk.book.orders.place(limit(desk.trader, name, side=side, quantity=10, **more))
    desk.book.orders.fill(execution(desk.trader, "X1", 10, price, name))


def figures(result: FillResult) -> tuple[object, ...]:
    held = result.position
    return result.cost_basis, held.quantity, held.open_cost, held.realized_profit


@pytest.mark.parametrize("desk", [("standalone", "sync")], ids="-".join, indirect=True)  # no loop is entered twice
def test_a_position_that_moves_meanwhile_is_folded_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    trade(desk, "A1", "BUY", "10")
    trade(desk, "A2", "BUY", "20")
    other, moved = desk.open(), list[str]()
    learn = CostPlan.learn

    def move_after(plan: CostPlan, outcomes: list[object]) -> None:
        learn(plan, outcomes)  # type: ignore[arg-type]
        if not plan.reads() and len(moved) < 3:
            moved.append(f"M{len(moved)}")
            if len(moved) == 2:  # it moves no money: only the position itself says that it is another
                other.positions.adjust(desk.trader, "AAPL", 1)
                return
            other.orders.place(limit(desk.trader, moved[-1], side="SELL", quantity=10))
            other.orders.fill(execution(desk.trader, "X1", 4, "30", moved[-1]))

    monkeypatch.setattr(CostPlan, "learn", move_after)
    done = desk.book.orders.bust(desk.trader, "A1", "X1")
    assert len(moved) == 3
    # 10 at 20, 4 sold at 30, one for nothing, 4 sold at 30.
    assert figures(done) == ("exact", 3, Decimal("51.428571429"), Decimal("91.428571429"))


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object], *, reads_on: bool) -> None:
    """Let something happen once between what a plan reads first and the rest of it, or after all that it reads."""
    learn, left = CostPlan.learn, [happens]

    def learn_first(plan: CostPlan, outcomes: list[object]) -> None:
        learn(plan, outcomes)  # type: ignore[arg-type]
        if left and outcomes and bool(plan.reads()) is reads_on:
            left.pop()()

    monkeypatch.setattr(CostPlan, "learn", learn_first)


@pytest.mark.parametrize("desk", [("standalone", "sync")], ids="-".join, indirect=True)  # as above
def test_the_same_figures_are_no_proof_that_nothing_has_moved(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    trade(desk, "A1", "BUY", "10")
    trade(desk, "A2", "BUY", "20")

    def buy_and_sell() -> None:
        trade(desk, "A3", "BUY", "15")
        trade(desk, "A4", "SELL", "15")

    meanwhile(monkeypatch, buy_and_sell, reads_on=False)
    done = desk.book.orders.bust(desk.trader, "A1", "X1")
    assert figures(done) == ("exact", 10, 175, -25)  # 10 at 20, 10 at 15, and half of them sold at 15


@pytest.mark.parametrize("desk", [("standalone", "sync")], ids="-".join, indirect=True)  # as above
def test_a_cost_that_becomes_approximate_after_it_was_looked_up_is_seen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade(desk, "A1", "BUY", "10")
    trade(desk, "A2", "BUY", "20")
    orders, trader = desk.open().orders, desk.trader
    orders.place(limit(trader, "A3", side="SELL", quantity=10))

    def bust_without_events() -> None:
        desk.vandalise("XTRIM", "%:events", "MINID", "4-0")  # from the fill of A2 on
        assert orders.bust(trader, "A1", "X1").cost_basis == "approximate"

    meanwhile(monkeypatch, bust_without_events, reads_on=True)
    steps = [execution(trader, "X1", 5, "30", "A3"), Bust(trader=trader, order_id="A3", exec_ref_id="X1")]
    last = desk.book.commit(steps)[-1]
    assert isinstance(last, FillResult)
    assert last.cost_basis == "approximate"


@on_one_server
@pytest.mark.parametrize("pages", [(1, 1), (2, 3), (4, 2), (9, 1)], ids=str)
def test_a_cost_is_folded_over_several_pages_of_events(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, pages: tuple[int, int]
) -> None:
    for name, size in zip(("FIRST_PAGE", "NEXT_PAGE"), pages, strict=True):
        monkeypatch.setattr(f"slotbook.repositories.changes.cost_plan.{name}", size)
    orders, trader = desk.book.orders, desk.trader
    trade(desk, "A1", "BUY", "10")
    trade(desk, "A2", "BUY", "20")
    trade(desk, "M1", "BUY", "3", symbol="MSFT")
    trade(desk, "A3", "SELL", "30")
    trade(desk, "A4", "BUY", "16")
    corrected = orders.correct(trader, "A2", "X1", quantity=5, price="22", exec_id="C1")
    # 10 at 10, 5 at 22; 10 of the 15 sold at 30; 10 at 16.
    assert figures(corrected) == ("exact", 15, 230, 160)
    steps = [
        Bust(trader=trader, order_id="A1", exec_ref_id="X1", exec_id="B1"),
        Bust(trader=trader, order_id="A4", exec_ref_id="X1", exec_id="B2"),
    ]
    first, second = desk.book.commit(steps)
    assert isinstance(first, FillResult)
    assert isinstance(second, FillResult)
    assert figures(first) == ("exact", 5, 80, 110)  # 5 at 22, 10 sold at 30, 10 at 16
    assert figures(second) == ("exact", -5, -150, 40)
    assert [figures(one) for one in desk.book.commit(steps) if isinstance(one, FillResult)] == [
        figures(first),
        figures(second),
    ]


@on_one_server
def test_a_cost_that_was_approximate_before_the_pages_that_are_read_is_looked_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slotbook.repositories.changes.cost_plan.FIRST_PAGE", 3)
    trade(desk, "A1", "BUY", "10")
    trade(desk, "A2", "BUY", "20")
    desk.vandalise("XTRIM", "%:events", "MINID", "4-0")
    assert desk.book.orders.bust(desk.trader, "A1", "X1").cost_basis == "approximate"
    trade(desk, "A3", "BUY", "30")
    trade(desk, "A4", "BUY", "40")
    assert desk.book.orders.bust(desk.trader, "A4", "X1").cost_basis == "approximate"


@on_one_server
def test_more_than_is_filled_is_not_taken_back(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10")
    desk.vandalise("HSET", "%:order:A1", "filled_quantity", "9")
    before = desk.contents()
    with pytest.raises(CorruptRecord, match="filled_quantity"):
        desk.book.orders.bust(desk.trader, "A1", "X1")
    assert desk.contents() == before


@on_one_server
def test_an_order_is_revised_by_any_of_its_ids(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10")
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, "A2", side="SELL", quantity=20))
    orders.fill(execution(trader, "X1", 4, "30", "A2"))
    orders.apply(PendingCancel(trader=trader, order_id="A2", client_order_id="C9", request_id="R1"))
    orders.fill(execution(trader, "X2", 4, "31", "C9"))
    assert figures(orders.correct(trader, "C9", "X1", quantity=5, price="30")) == ("exact", 1, 10, 184)
    done = desk.book.commit(
        [execution(trader, "X3", 1, "30", "C9"), Bust(trader=trader, order_id="A2", exec_ref_id="X1")]
    )
    assert [figures(one)[0] for one in done if isinstance(one, FillResult)] == [None, "exact"]


@on_one_server
def test_a_multiplier_is_in_the_cost(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10", multiplier=50)
    trade(desk, "A2", "BUY", "20", multiplier=50)
    trade(desk, "A3", "SELL", "30", multiplier=50)
    assert figures(desk.book.orders.bust(desk.trader, "A1", "X1")) == ("exact", 0, 0, 5000)
    steps = [
        limit(desk.trader, "A4", quantity=10, multiplier=50),
        execution(desk.trader, "X1", 10, "7", "A4"),
        Correct(trader=desk.trader, order_id="A2", exec_ref_id="X1", quantity=5, price=Decimal(20)),
    ]
    last = desk.book.commit(steps)[-1]
    assert isinstance(last, FillResult)
    assert figures(last) == ("exact", 5, 1750, 8250)  # 5 sold of 5 at 20, 5 short at 30, bought back at 7
    assert last.cost_basis == "exact"


@on_one_server
def test_a_fee_that_is_taken_from_the_quantity_is_no_part_of_what_the_cost_is_of(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    taken = {"fee": 1, "fee_currency": "AAPL", "fee_from_quantity": True}
    trade(desk, "A2", "BUY", "20")
    orders.place(limit(trader, "A1"))
    orders.fill(Fill.model_validate({**dict(execution(trader, "X1", 10, "10", "A1")), **taken}))
    orders.place(limit(trader, "A3", side="SELL"))
    orders.fill(execution(trader, "X1", 3, "30", "A3"))
    done = orders.bust(trader, "A2", "X1")  # 9 for 100, and 3 of them sold at 30
    assert figures(done) == ("exact", 6, Decimal("66.666666667"), Decimal("56.666666667"))
    steps = [
        limit(trader, "A4"),
        Fill.model_validate({**dict(execution(trader, "X1", 10, "10", "A4")), **taken}),
        Bust(trader=trader, order_id="A3", exec_ref_id="X1"),
    ]
    last = desk.book.commit(steps)[-1]
    assert isinstance(last, FillResult)
    assert figures(last) == ("exact", 18, 200, 0)


@on_one_server
def test_a_short_position_has_the_same_bound(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, side="SELL", quantity=100))
    orders.fill(execution(trader, "X1", 5))
    desk.book.positions.adjust(trader, "AAPL", EXACT.subtract(Decimal(5), MAX_QUANTITY))
    before = desk.contents()
    with pytest.raises(AmountOverflow, match="the position would reach"):
        orders.correct(trader, "A1", "X1", quantity=6, price=1)
    assert desk.contents() == before


@on_one_server
def test_a_unit_whose_changes_were_made_before_is_foreseen(desk: Desk) -> None:
    trader = desk.trader
    trade(desk, "A1", "BUY", "10")
    trade(desk, "A2", "BUY", "20")
    change = PositionChange(trader=trader, symbol="AAPL", quantity=5, request_id="P1", ts_ns=1)
    desk.book.positions.apply_many([change])
    done = desk.book.commit(
        [
            change,
            execution(trader, "X1", 10, "20", "A2"),
            Bust(trader=trader, order_id="A1", exec_ref_id="X1", exec_id="B1"),
            Bust(trader=trader, order_id="A1", exec_ref_id="X1", exec_id="B2"),
            Correct(trader=trader, order_id="A2", exec_ref_id="X1", quantity=8, price=Decimal(20)),
        ]
    )
    assert [one.applied for one in done] == [False, False, True, False, True]
    assert [one.cost_basis for one in done if isinstance(one, FillResult)] == [None, "exact", None, "exact"]


@on_one_server
def test_a_link_to_what_is_no_fill_is_found(desk: Desk) -> None:
    trade(desk, "A1", "BUY", "10")
    trade(desk, "A2", "BUY", "20")
    orders, trader = desk.book.orders, desk.trader
    orders.correct(trader, "A1", "X1", quantity=9, price="10", exec_id="C1")
    orders.correct(trader, "A1", "C1", quantity=8, price="10", exec_id="C2")
    (fill,) = orders.fills(trader, "A1")
    assert (fill.live_quantity, fill.revised_by) == (8, "C2")
    assert desk.book.audit.verify(trader) == []
    for root in ("X9", "C1"):
        desk.vandalise("HSET", "%:applied:A1", "root:C2", root)
        found = desk.book.audit.verify(trader)
        assert "root:C2" in [one.entry for one in found if one.kind is FindingKind.FILL]
