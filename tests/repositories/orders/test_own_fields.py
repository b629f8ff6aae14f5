"""Test orders and fills with fields of a desk's own, on every topology, for threads and for asyncio."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from slotbook import Book
from slotbook.models import Cancel, Fill, FillResult, Insert, Order, OrderResult, Replace
from slotbook.models.errors import (
    CorruptRecord,
    DuplicateOrder,
    DuplicateRequest,
    InvalidArgument,
    OrderMismatch,
)
from slotbook.models.types import Name

from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.own_orders import NOTE, DeskFill, DeskOrder, desk_fill, desk_order
from ..records.conftest import Allocation


class MyOrder(Order):
    """The first thing that a desk writes."""

    desk_account: str | None = None


def ids(found: list[DeskOrder]) -> list[str]:
    return [order.order_id for order in found]


def test_the_four_lines_that_a_desk_begins_with(desk: Desk) -> None:
    order = MyOrder.model_validate({**limit(desk.trader).model_dump(), "desk_account": "ACC1"})
    with pytest.raises(InvalidArgument, match=r"desk_account; give it to orders\.of\(MyOrder\), or a plain Order"):
        desk.book.orders.place(order)
    assert desk.contents() == {}
    orders = desk.book.orders.of(MyOrder)
    assert orders.place(order).order == order.model_copy(update={"version": 1})
    assert orders.get(desk.trader, "A1") == order.model_copy(update={"version": 1})
    assert orders.place(order).applied is False
    for other in (order.model_copy(update={"desk_account": "ACC2"}), order.model_copy(update={"desk_account": None})):
        with pytest.raises(DuplicateOrder, match="with other fields of its own"):
            orders.place(other)


def test_own_fields_stay_through_the_whole_life_of_an_order(desk: Desk) -> None:
    orders, plain, trader = desk.book.orders.of(DeskOrder), desk.book.orders, desk.trader
    first = orders.place(desk_order(trader)).order
    assert (first.strategy, first.desk_note, first.target, first.tags) == (
        "S1",
        NOTE,
        Decimal("187.5"),
        {"b": 1, "a": 2},
    )
    own = {"strategy": "S1", "desk_note": NOTE, "target": first.target, "tags": first.tags}
    replaced = plain.replace(trader, "A1", quantity=150, request_id="R1")
    assert type(replaced.order) is Order
    results = [
        orders.fill(desk_fill(trader)),
        orders.fill(execution(trader, "X2", 10)),
        orders.apply(desk_fill(trader, "X3", 5)),
        *[one.result() for one in orders.fill_many([desk_fill(trader, "X4", 5)])],
        *[one.result() for one in orders.apply_many([Replace(trader=trader, order_id="A1", quantity=120)])],
        orders.cancel(trader, "A1", request_id="C1", text="enough"),
        orders.fill(desk_fill(trader, "X5", 1)),
        orders.cancel(trader, "A1", request_id="C1", text="enough"),
        orders.replace(trader, "A1", quantity=150, request_id="R1"),
    ]
    for result in results:
        assert isinstance(result.order, DeskOrder)
        assert {name: getattr(result.order, name) for name in own} == own
    assert [result.applied for result in results] == [True] * 7 + [False] * 2
    now = orders.get(trader, "A1")
    assert now is not None
    assert (now.version, now.filled_quantity, now.status) == (9, 61, "CANCELED")
    assert {name: getattr(now, name) for name in own} == own


def test_every_reader_has_them(desk: Desk) -> None:
    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    placed = [one.result().order for one in orders.place_many([desk_order(trader), desk_order(trader, "A2")])]
    assert [one.result() for one in orders.get_many([(trader, "A1"), (trader, "A3"), (trader, "A2")])] == [
        placed[0], None, placed[1],
    ]  # fmt: skip
    for found in (orders.open(trader), orders.by_symbol(trader, "AAPL"), orders.by_status(trader, "NEW")):
        assert sorted(found, key=lambda one: one.order_id) == placed
    assert desk.book.snapshot(trader, DeskOrder).orders == placed
    view = Order.model_validate({name: getattr(placed[0], name) for name in Order.model_fields})
    assert desk.book.snapshot(trader).orders[0] == desk.book.orders.get(trader, "A1") == view
    with desk.book.lock("L", trader=trader) as held:
        assert held.orders.of(DeskOrder).get(trader, "A2") == placed[1]


def test_events_and_messages_have_them_as_json(desk: Desk) -> None:
    book, trader = desk.open(publish="traders"), desk.trader
    with book.events.follow(trader, since=0) as follow:
        orders = book.orders.of(DeskOrder)
        order = orders.place(desk_order(trader)).order
        orders.fill(desk_fill(trader))
        orders.fill(execution(trader, "X2"))
        orders.cancel(trader, "A1")
        events = [follow.get(timeout=10) for _ in range(4)]
    assert events == book.events.history(trader) == desk.events()
    owns = [None if one is None or one.own is None else json.loads(one.own) for one in events]
    assert owns == [
        {"strategy": "S1", "desk_note": NOTE, "target": "187.5", "tags": '{"b":1,"a":2}'},
        {"venue": "XNAS", "text": NOTE.replace("\n", " ")},
        None,
        None,
    ]
    with book.events.consume("g", "c", [trader]) as consumer:
        delivery = consumer.get(timeout=10)
        assert delivery is not None
        with delivery as first:
            assert json.loads(first.own or "") == owns[0]
    assert order.strategy == "S1"


def test_orders_are_found_by_declared_indexes(desk: Desk) -> None:
    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    for number, strategy in enumerate(("S1", "S2", "S1", "S1"), 1):
        orders.place(desk_order(trader, f"A{number}", strategy=strategy, target="188" if number > 2 else None))
    orders.place(desk_order(trader, "B1", symbol="MSFT"))
    assert ids(orders.by(trader, {"strategy": "S1"})) == ["A1", "A3", "A4", "B1"]
    assert ids(orders.by(trader, {"strategy": "S1"}, limit=2)) == ["A1", "A3"]
    assert ids(orders.by(trader, {"strategy": "S1"}, limit=2, after="A3")) == ["A4", "B1"]
    assert ids(orders.by(trader, {"strategy": "S1", "target": Decimal("188.00")})) == ["A3", "A4"]
    assert ids(orders.by(trader, {"strategy": "S1", "symbol": "MSFT"})) == ["B1"]
    assert ids(orders.by(trader, {"strategy": "S9"})) == []
    assert orders.count(trader, {"strategy": "S1"}) == 4
    orders.cancel(trader, "A3")
    assert ids(orders.by(trader, {"strategy": "S1", "status": "CANCELED"})) == ["A3"]
    assert orders.count(trader, {"strategy": "S1", "status": "NEW"}) == 3
    orders.delete(trader, "A3")
    assert ids(orders.by(trader, {"strategy": "S1"})) == ["A1", "A4", "B1"]
    assert orders.count(trader, {"target": 188}) == 1
    for values, problem in (
        ({"strateg": "S1"}, "has no field 'strateg' of its own; the nearest is strategy"),
        ({"side": "BUY"}, "side has no index; look by symbol, status, strategy, target, or use find"),
        ({"desk_note": "x"}, r"desk_note has no index \(there are strategy, target\)"),
        ({"target": None}, "target None cannot be looked for"),
        ({"strategy": ""}, "strategy"),
        ({}, "no field is given to look by"),
    ):
        with pytest.raises(InvalidArgument, match=problem):
            orders.by(trader, values)
    with pytest.raises(InvalidArgument, match="Order has no field 'strategy' of its own"):
        desk.book.orders.count(trader, {"strategy": "S1"})
    with pytest.raises(InvalidArgument, match="not several"):
        orders.count(trader, {"strategy": "S1"}, symbol="AAPL")


def test_entries_of_own_indexes_expire_with_their_order(desk: Desk) -> None:
    book, trader = desk.open(order_ttl=60), desk.trader
    orders, indexes = book.orders.of(DeskOrder), ("%:orders_by_+strategy:S1", "%:orders_by_+target:187.5")
    orders.place_many([desk_order(trader), desk_order(trader, "A2")])
    beside = ("%:orders_by_+strategy@expiry:S1", "%:orders_by_+target@expiry:187.5")
    assert [desk.ask("PTTL", index) for index in indexes + beside] == [-1, -1, -2, -2]
    orders.fill(desk_fill(trader, "X1", 100))
    assert [desk.ask("PTTL", index) for index in indexes + beside] == [-1] * 4
    book.orders.cancel(trader, "A2")  # by the plain repository
    for order_id in ("A1", "A2"):
        expiry = desk.ask("PEXPIRETIME", f"%:order:{order_id}")
        assert [desk.ask("ZSCORE", index, order_id) for index in beside] == [str(expiry)] * 2
        assert [desk.ask("ZSCORE", index, order_id) for index in indexes] == ["0"] * 2
    ends = desk.ask("PEXPIRETIME", "%:order:A2")
    assert [desk.ask("PEXPIRETIME", index) for index in indexes + beside] == [ends] * 4
    late = desk.open(order_ttl=600)
    late.orders.fill(execution(trader, "X2", 1, order_id="A2"))
    assert [desk.ask("ZSCORE", index, "A2") for index in beside] == [str(desk.ask("PEXPIRETIME", "%:order:A2"))] * 2
    orders.place(desk_order(trader, "A3"))
    assert [desk.ask("PTTL", index) for index in indexes + beside] == [-1] * 4
    orders.cancel(trader, "A3")
    for order_id in ("A1", "A2", "A3"):
        orders.delete(trader, order_id)
    assert [desk.ask("EXISTS", index) for index in indexes + beside] == [0] * 4


def test_a_unit_takes_orders_and_fills_of_any_class(desk: Desk) -> None:
    trader = desk.trader
    steps = [
        desk_order(trader),
        Insert(Allocation(trader=trader, allocation_id="L1", account="ACC1")),
        desk_fill(trader),
        Cancel(trader=trader, order_id="A1", request_id="C1"),
    ]
    placed, inserted, filled, canceled = desk.book.commit(steps)
    assert isinstance(placed, OrderResult)
    assert isinstance(filled, FillResult)
    assert isinstance(canceled, OrderResult)
    for result in (placed, filled, canceled):
        assert isinstance(result.order, DeskOrder)
        assert result.order.desk_note == NOTE
    again = desk.book.commit(steps)
    assert [one.applied for one in again] == [False] * 4
    assert inserted.applied
    with desk.book.lock("L", trader=trader) as held:
        (other,) = held.commit([desk_order(trader, "A2")])
        assert isinstance(other, OrderResult)
        assert other.order == desk.book.orders.of(DeskOrder).get(trader, "A2")
    assert desk.book.orders.of(DeskOrder).count(trader, {"strategy": "S1"}) == 2
    with pytest.raises(DuplicateOrder):
        desk.book.commit([limit(trader, "A3"), desk_order(trader, strategy="S2")])
    assert desk.book.orders.get(trader, "A3") is None


def test_a_fill_is_known_by_its_own_fields_too(desk: Desk) -> None:
    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    orders.place(desk_order(trader))
    first = orders.fill(desk_fill(trader))
    again = orders.fill(desk_fill(trader))
    assert (again.sequence, again.applied, again.order, again.position) == (2, False, first.order, first.position)
    for other in (desk_fill(trader, venue="XLON"), desk_fill(trader, venue=None), execution(trader)):
        with pytest.raises(DuplicateRequest, match=r"was used for 40 at 187\.22, with other fields of its own"):
            orders.fill(other)
    with pytest.raises(DuplicateRequest, match=r"was used for 40 at 187\.22$"):
        orders.fill(desk_fill(trader, "X1", 41))
    nothing = desk_fill(trader, "X2", venue=None, text=None)
    assert orders.fill(nothing).applied
    assert desk.book.orders.fill(execution(trader, "X2")).applied is False  # without a value it is a plain fill
    orders.cancel(trader, "A1")
    late = orders.fill(desk_fill(trader, "X3", 5))
    assert (late.late, orders.fill(desk_fill(trader, "X3", 5)).late) == (True, True)


def test_an_order_without_a_value_is_known_as_a_plain_one(desk: Desk) -> None:
    orders, trader = desk.book.orders.of(MyOrder), desk.trader
    desk.book.orders.place(limit(trader))
    same = MyOrder.model_validate(limit(trader).model_dump())
    assert orders.place(same).applied is False
    assert orders.get(trader, "A1") == same.model_copy(update={"version": 1})
    with pytest.raises(DuplicateOrder):
        orders.place(same.model_copy(update={"account": "ACC1"}))


def test_a_plain_order_has_no_required_field_and_that_is_said(desk: Desk) -> None:
    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    desk.book.orders.place(limit(trader))
    problem = r"'\+strategy': is missing: the order was placed as a plain Order; give DeskOrder\.strategy a default"
    for read in (lambda: orders.get(trader, "A1"), lambda: orders.open(trader), lambda: orders.cancel(trader, "A1")):
        with pytest.raises(CorruptRecord, match=problem):
            read()
    with pytest.raises(DuplicateOrder):
        orders.place(desk_order(trader))


def test_another_class_reads_what_it_knows_and_loses_nothing(desk: Desk) -> None:
    trader = desk.trader
    desk.book.orders.of(DeskOrder).place(desk_order(trader))
    mine = desk.book.orders.of(MyOrder)
    seen = mine.get(trader, "A1")
    assert seen is not None
    assert seen.account is None
    mine.replace(trader, "A1", quantity=120)
    found = desk.book.orders.of(DeskOrder).get(trader, "A1")
    assert found is not None
    assert (found.strategy, found.desk_note, found.quantity) == ("S1", NOTE, 120)


def test_a_repository_takes_its_own_class_alone(desk: Desk) -> None:
    class Wider(DeskOrder):
        book_id: Name = "B"

    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    wider = Wider.model_validate(desk_order(trader).model_dump())
    for order, problem in (
        (limit(trader), "is an Order, not a DeskOrder"),
        (wider, r"a Wider has fields that no DeskOrder has: book_id; place it through of\(Wider\)"),
        (
            desk_order(trader).model_copy(update={"extra": 1}),
            "fields that no book stores: extra; give a plain DeskOrder",
        ),
        (desk_order(trader).model_copy(update={"strategy": 5}), "strategy"),
        (desk_order(trader).model_copy(update={"tags": {"a": "x"}}), "tags"),
    ):
        with pytest.raises(InvalidArgument, match=problem):
            orders.place_many([desk_order(trader, "B1"), order])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    assert desk.contents() == {}


def test_a_class_of_fills_is_no_class_of_orders(desk: Desk) -> None:
    fills: Any = DeskFill
    with pytest.raises(InvalidArgument, match=r"DeskFill.* is no subclass of Order"):
        desk.book.orders.of(fills)
    with pytest.raises(InvalidArgument, match=r"DeskFill.* is no subclass of Order"):
        desk.book.snapshot(desk.trader, fills)


def test_a_record_in_a_unit_says_what_to_do_with_it(desk: Desk) -> None:
    record = Allocation(trader=desk.trader, allocation_id="L1", account="A", quantity=1)
    with pytest.raises(InvalidArgument, match=r"says not what to do with it: write Insert\(…\) or Put\(…\)"):
        desk.book.commit([desk_order(desk.trader), record])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    assert desk.contents() == {}


def test_a_stated_side_is_checked_for_own_fills_too(desk: Desk) -> None:
    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    orders.place(desk_order(trader))
    with pytest.raises(OrderMismatch):
        orders.fill(desk_fill(trader, side="SELL"))


def journal_of(trader: str) -> list[Order | Fill | Cancel]:
    return [
        desk_order(trader),
        desk_fill(trader),
        limit(trader, "A2"),
        execution(trader, "X2", 5),
        Cancel(trader=trader, order_id="A1", request_id="C1"),
    ]


def run_twice(book: Book, trader: str) -> None:
    for expected in ((5, 0), (0, 5)):
        run = book.reconcile(journal_of(trader))
        assert (run.applied, run.repeated, run.refusals) == (*expected, [])


def test_a_journal_carries_them_and_is_known_again(desk: Desk) -> None:
    trader = desk.trader
    run_twice(desk.book, trader)
    stored = desk.book.orders.of(DeskOrder).get(trader, "A1")
    assert stored is not None
    assert stored.desk_note == NOTE
    desk.book.orders.delete(trader, "A1")  # from now on its events alone say what it was
    run = desk.book.reconcile(journal_of(trader))
    assert (run.applied, run.repeated, run.refusals) == (0, 5, [])
    reordered = desk_order(trader, tags={"a": 2, "b": 1})
    assert desk.book.reconcile([reordered]).repeated == 1
    others = [desk_order(trader, strategy="S2"), limit(trader), desk_fill(trader, venue="XLON"), execution(trader)]
    run = desk.book.reconcile(others)
    assert [type(one.error).__name__ for one in run.refusals] == ["DuplicateOrder"] * 2 + ["DuplicateRequest"] * 2
    assert "strategy" in run.refusals[0].reason
    assert isinstance(others[2], DeskFill)
