"""Test sorted indexes and their ranges against Python's own order, on every server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slotbook.models import Delete, Entity, Index, Insert, Key, Update
from slotbook.models.errors import InvalidArgument
from slotbook.models.ordering import order_text
from slotbook.models.table import table_model
from slotbook.models.types import Name, Price, Quantity

from ...support.desk import Desk, on_one_server
from ...support.faults.control import wait_until

DAY = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)


class Trade(Entity, kind="trade"):
    trader: Name
    trade_id: Annotated[str, Key]
    price: Annotated[Price | None, Index(sorted=True)] = None
    quantity: Annotated[Quantity, Index(sorted=True)] = 1
    executed: Annotated[datetime | None, Index(sorted=True)] = None
    account: Annotated[str, Index] = "ACC1"


class Number(Entity, kind="number"):
    trader: Name
    number_id: Annotated[str, Key]
    exact: Annotated[Decimal | None, Index(sorted=True)] = None
    whole: Annotated[int | None, Index(sorted=True)] = None
    rough: Annotated[float | None, Index(sorted=True)] = None
    day: Annotated[date | None, Index(sorted=True)] = None


class Brief(Entity, kind="tick", ttl=0.4):
    trader: Name
    tick_id: Annotated[str, Key]
    price: Annotated[Decimal, Index(sorted=True)]
    maker: Annotated[str, Index] = "M1"


def trades(desk: Desk, *prices: str | None, **fields: object) -> None:
    table = desk.book.table(Trade)
    for number, price in enumerate(prices):
        given = {"trader": desk.trader, "trade_id": f"X{number}", "price": price, **fields}
        table.insert(Trade.model_validate(given))


def ids(found: list[Trade]) -> str:
    return " ".join(one.trade_id for one in found)


def test_a_range_has_its_bounds_an_order_and_pages(desk: Desk) -> None:
    trades(desk, "187.23", "-1", "187.230", "1000", None, "0.000000001")
    table, trader = desk.book.table(Trade), desk.trader
    assert ids(table.range(trader, "price")) == "X1 X5 X0 X2 X3"
    assert ids(table.range(trader, "price", descending=True)) == "X3 X2 X0 X5 X1"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"least": "187.23"}, "X0 X2 X3"),
        ({"above": "187.23"}, "X3"),
        ({"most": "187.23"}, "X1 X5 X0 X2"),
        ({"below": "187.23"}, "X1 X5"),
        ({"least": 0, "most": 200}, "X5 X0 X2"),
        ({"least": -(10**40), "below": 10**40}, "X1 X5 X0 X2 X3"),
        ({"least": 200, "most": 0}, ""),
    ]
    for bounds, expected in cases:
        assert ids(table.range(trader, "price", **bounds)) == expected, bounds
        assert table.count_range(trader, "price", **bounds) == len(expected.split()), bounds
        down = ids(table.range(trader, "price", **bounds, descending=True))
        assert down.split() == expected.split()[::-1], bounds
        for descending, whole in ((False, expected), (True, down)):
            seen, after = list[str](), None
            while page := table.range(trader, "price", **bounds, descending=descending, limit=1, after=after):
                seen.append(page[0].trade_id)
                after = page[0]
            assert " ".join(seen) == whole, bounds
    assert ids(table.by(trader, {"price": "187.23"})) == "X0 X2"
    assert ids(table.by(trader, {"price": "187.23", "account": "ACC1", "quantity": 1}, after="X0")) == "X2"
    assert table.count(trader, {"price": "187.23", "account": "ACC1"}) == 2


def test_a_range_follows_changes_and_takes_other_values(desk: Desk) -> None:
    trades(desk, "1", "2", "3")
    table, trader = desk.book.table(Trade), desk.trader
    table.update(trader, "X0", {"price": "9", "account": "ACC2"})
    table.update(trader, "X1", {"price": None})
    assert ids(table.range(trader, "price")) == "X2 X0"
    assert ids(table.range(trader, "price", values={"account": "ACC2"})) == "X0"
    assert table.count_range(trader, "price", 9, values={"account": "ACC1"}) == 0
    steps = [
        Update(Trade, trader, "X0", {"price": "5"}),
        Update(Trade, trader, "X0", {"price": "0"}),
        Insert(Trade(trader=trader, trade_id="X4", price=Decimal(7))),
        Update(Trade, trader, "X4", {"price": "-7"}),
        Delete(Trade, trader, "X2"),
    ]
    desk.book.commit(steps)
    assert ids(table.range(trader, "price")) == "X4 X0"
    desk.book.commit([Delete(Trade, trader, "X0"), Delete(Trade, trader, "X4")])
    assert desk.ask("EXISTS", "%:trade_sorted_price") == 0


def test_times_of_one_moment_are_equal_and_those_without_a_zone_are_apart(desk: Desk) -> None:
    table, trader = desk.book.table(Trade), desk.trader
    tokyo = timezone(timedelta(hours=9))
    moments = [
        DAY,
        DAY.astimezone(tokyo),
        DAY + timedelta(microseconds=1),
        DAY.replace(tzinfo=None),
        DAY.replace(year=1),
    ]
    for number, moment in enumerate(moments):
        table.insert(Trade(trader=trader, trade_id=f"X{number}", executed=moment))
    assert ids(table.range(trader, "executed")) == "X3 X4 X0 X1 X2"
    assert ids(table.range(trader, "executed", DAY, DAY)) == "X0 X1"
    assert ids(table.range(trader, "executed", most=DAY)) == "X4 X0 X1"
    assert ids(table.range(trader, "executed", above=DAY)) == "X2"
    naive = datetime(2026, 1, 1)
    assert ids(table.range(trader, "executed", naive)) == "X3"
    assert ids(table.range(trader, "executed", most=naive)) == ""
    with pytest.raises(InvalidArgument, match="cannot be compared"):
        table.range(trader, "executed", naive, DAY)


def test_what_expires_leaves_every_index(desk: Desk) -> None:
    table, trader = desk.book.table(Brief), desk.trader
    for number in range(3):
        table.insert(Brief(trader=trader, tick_id=f"B{number}", price=Decimal(number)))
    assert [one.tick_id for one in table.range(trader, "price", 1)] == ["B1", "B2"]
    assert table.count_range(trader, "price", 1) == table.count(trader, {"maker": "M1", "price": 1}) + 1 == 2
    wait_until(lambda: table.get(trader, "B2") is None, "the last one expires")
    table.insert(Brief(trader=trader, tick_id="B9", price=Decimal(9)))
    assert [one.tick_id for one in table.range(trader, "price")] == ["B9"]
    assert table.count_range(trader, "price", 0) == table.count(trader) == table.count(trader, {"maker": "M1"}) == 1
    assert desk.ask("ZCARD", "%:tick_sorted_price") == desk.ask("ZCARD", "%:tick_keys@expiry") == 1


class LongBrief(Brief, kind="tick", ttl=600):
    pass


class Lasting(Brief, kind="tick"):
    entity_ttl = None


def test_what_has_expired_beside_what_stays_is_not_counted_and_is_taken_out(desk: Desk) -> None:
    table, trader, book = desk.book.table(Brief), desk.trader, desk.book
    book.table(LongBrief).insert(LongBrief(trader=trader, tick_id="B5", price=Decimal(5)))
    for number in range(3):
        table.insert(Brief(trader=trader, tick_id=f"B{number}", price=Decimal(number)))
    wait_until(lambda: table.get(trader, "B2") is None, "the last one expires")
    assert desk.ask("ZCARD", "%:tick_sorted_price") == 4
    assert table.count_range(trader, "price", 0) == table.count(trader) == 1
    assert table.count(trader, {"maker": "M1", "price": 5}) == 1
    assert [one.tick_id for one in table.range(trader, "price", descending=True)] == ["B5"]
    book.table(LongBrief).insert(LongBrief(trader=trader, tick_id="B6", price=Decimal(6)))
    assert desk.ask("ZCARD", "%:tick_sorted_price") == desk.ask("ZCARD", "%:tick_keys@expiry") == 2
    book.table(Lasting).insert(Lasting(trader=trader, tick_id="B7", price=Decimal(7)))
    assert desk.ask("PTTL", "%:tick_sorted_price") == desk.ask("PTTL", "%:tick_keys") == -1


@on_one_server
def test_a_page_of_two_indexes_looks_at_a_bounded_number_of_entries(desk: Desk) -> None:
    table, trader = desk.book.table(Trade), desk.trader
    records = [
        Trade(trader=trader, trade_id=f"X{number:05}", account="A" if number < 12_000 else "B", quantity=1 + number % 2)
        for number in range(12_010)
    ]
    assert all(one.error is None for one in table.insert_many(records))
    wanted = [one.trade_id for one in records if one.account == "A" and one.quantity == 2]
    assert [one.trade_id for one in table.by(trader, {"account": "A", "quantity": 2})] == wanted
    assert table.count(trader, {"account": "A", "quantity": 2}) == 6_000
    assert [one.trade_id for one in table.by(trader, {"account": "B", "quantity": 2}, limit=2)] == ["X12001", "X12003"]
    assert len(table.range(trader, "quantity", 2, limit=1_500, values={"account": "A"})) == 1_500
    assert len(table.all(trader)) == sum(1 for _ in table.iter(trader)) == table.count(trader) == 12_010


REFUSED: list[tuple[Callable[[Any], object], str]] = [  # what no type checker lets pass is refused too
    (lambda table: table.range("T1", "account"), "has no sorted index .there are price, quantity, executed"),
    (lambda table: table.range("T1", "prize"), "nearest is price"),
    (lambda table: table.range("T1", "price", 1, above=2), "least and above are both given"),
    (lambda table: table.range("T1", "price", below=1, most=2), "most and below are both given"),
    (lambda table: table.range("T1", "price", "many"), "many"),
    (lambda table: table.range("T1", "price", 0.1 + 0.2), "0.30000000000000004"),
    (lambda table: table.range("T1", "price", Decimal("NaN")), "NaN"),
    (lambda table: table.range("T1", "price", most=True), "True"),
    (lambda table: table.range("T1", "price", limit=0), "limit"),
    (lambda table: table.range("T1", "price", after="X1"), "not a Trade"),
    (lambda table: table.range("T1", "price", after=Trade(trader="T1", trade_id="X1")), "is None"),
    (lambda table: table.range("T1", "executed", 5.5j), "executed"),
    (lambda table: table.count_range("T1", "account"), "has no sorted index"),
]


@pytest.mark.parametrize(("call", "problem"), REFUSED)
def test_a_range_that_cannot_be_is_refused(lone_desk: Desk, call: Callable[[Any], object], problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        call(lone_desk.book.table(Trade))


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Annotated[str, Index(sorted=True)], "neither numbers nor times; mark it with Index alone"),
        (Annotated[bool, Index(sorted=True)], "neither numbers nor times"),
        (Annotated[list[int], Index(sorted=True)], "cannot be sorted"),
        (Annotated[int, Index, Index(sorted=True)], "leave the other Index out"),
    ],
)
def test_a_field_that_has_no_order_is_refused(lone_desk: Desk, kind: Any, problem: str) -> None:
    annotations = {"trader": Name, "key": Annotated[str, Key], "odd": kind}
    model = type("Odd", (Entity,), {"__annotations__": annotations, "__module__": __name__}, kind="odd")
    with pytest.raises(InvalidArgument, match=problem):
        lone_desk.book.table(model)


_decimals = st.decimals(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [Decimal("0.1"), Decimal("0.10000000000000000001"), Decimal(10) ** 40, -(Decimal(10) ** 40), Decimal("1E-70")]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "exact": _decimals,
    "whole": st.integers() | st.integers(-100, 100),
    "rough": st.floats(allow_nan=False),
    "day": st.dates(),
}


@on_one_server
@pytest.mark.parametrize("field", VALUES)
def test_ranges_are_in_python_s_order(desk: Desk, field: str) -> None:
    table = desk.book.table(Number)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(VALUES[field], min_size=1, max_size=12), st.data())
    def check(values: list[Any], data: st.DataObject) -> None:
        trader = desk.another()
        records = [Number(trader=trader, number_id=f"N{at}", **{field: one}) for at, one in enumerate(values)]
        desk.book.commit([Insert(one) for one in records])
        low, high = sorted(data.draw(st.sampled_from(values) | VALUES[field]) for _ in range(2))
        inside = [one for one in records if low <= getattr(one, field) < high]
        inside.sort(key=lambda one: (getattr(one, field), one.number_id))
        found = table.range(trader, field, low, below=high)
        assert [one.number_id for one in found] == [one.number_id for one in inside]
        assert table.count_range(trader, field, low, below=high) == len(inside)
        for record in records:  # the server makes the same order texts as Python
            text = order_text(table_forms[field], table_text(record, field))
            assert desk.fleet.ask(
                f"{{{trader}}}", "ZSCORE", f"{{{trader}}}:number_sorted_{field}", f"{text}:{record.number_id}"
            )

    check()


table_forms = {"exact": "number", "whole": "number", "rough": "number", "day": "time"}


def table_text(record: Number, field: str) -> str:

    return table_model(Number).encode(record)[field]
