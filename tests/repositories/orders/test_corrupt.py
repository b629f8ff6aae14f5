"""Test corrupt records: an error names the key and the field. What a change relies on is checked before it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest
from slotbook.models import Cancel
from slotbook.models.errors import CorruptRecord, WrongType

from ...support.desk import Desk
from ...support.make import execution, limit

Verb: TypeAlias = "Callable[[Desk], object]"

ORDER_WRITES: dict[str, Verb] = {
    "fill": lambda desk: desk.book.orders.fill(execution(desk.trader, "X9", 1)),
    "replace": lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=90, revision=7, request_id="R9"),
    "cancel": lambda desk: desk.book.orders.cancel(desk.trader, "A1", request_id="C9"),
}
ORDER_READS: dict[str, Verb] = {
    "get": lambda desk: desk.book.orders.get(desk.trader, "A1"),
    "place again": lambda desk: desk.book.orders.place(limit(desk.trader)),
    "get_many": lambda desk: desk.book.orders.get_many([(desk.trader, "A1")])[0].result(),
    "by_symbol": lambda desk: desk.book.orders.by_symbol(desk.trader, "AAPL"),
    "open": lambda desk: desk.book.orders.open(desk.trader),
}
TOO_LARGE, ODD = "1" + "0" * 18, ("-0.5", "0.50", ".5", "5.", "00.5", "1.2.3", "0." + "0" * 18 + "1")
ORDER_GARBAGE: dict[str, list[str]] = {
    "quantity": ["", "x", "1.50", "-1", "0", "01", "1e3", " 1", TOO_LARGE, "\u0661", "\udcff", *ODD],
    "filled_quantity": ["", "x", "1.0", "-1", "00", "nan", *ODD],
    "filled_notional": ["", "x", "1.", ".5", "1e3", "inf", "0." + "0" * 36 + "1", "1" + "0" * 36, "1,5"],
    "version": ["", "x", "-1", "1.0"],
    "status": ["", "new", "DONE"],
    "side": ["", "buy", "1"],
    "type": ["", "limit"],
    "time_in_force": ["", "FOREVER"],
    "price": ["", "x", "1e3", "+1", "1.50", "-0." + "0" * 18 + "1", "1234567890123"],
    "ts_ns": ["", "x", "-1", "1.5", "9223372036854775808"],
    "revision": ["", "x", "-1"],
    "placed_quantity": ["", "x", "0"],
    "text": ["", "\x00", "\udcff\udcfe"],
}
ORDER_NEEDS = (
    *("trader", "order_id", "symbol", "side", "type", "time_in_force", "quantity", "price", "status"),
    *("filled_quantity", "filled_notional", "version", "ts_ns"),
)
NO_NUMBERS = ("", "x", "1e3", "+1")
"""Prices that would spoil the event of a change, into which it goes."""
DECIDING = ("status", "side", "symbol", "quantity", "filled_quantity", "version")
"""The fields by which every change of an order decides, or with which it counts."""
RELIES: dict[str, tuple[str, ...]] = {
    "fill": (*DECIDING, "filled_notional"),
    "replace": (*DECIDING, "revision"),
    "cancel": DECIDING,
}
POSITION_WRITES: dict[str, Verb] = {
    "fill": ORDER_WRITES["fill"],
    "adjust": lambda desk: desk.book.positions.adjust(desk.trader, "AAPL", 1),
    "set": lambda desk: desk.book.positions.set(desk.trader, "AAPL", 1),
}
POSITION_READS: dict[str, Verb] = {
    "get": lambda desk: desk.book.positions.get(desk.trader, "AAPL"),
    "all": lambda desk: desk.book.positions.all(desk.trader),
}
POSITION_GARBAGE: dict[str, list[str]] = {
    "quantity": ["", "x", "1.50", "--1", "-0", "-01.5", TOO_LARGE, "-" + TOO_LARGE, "\udcff"],
    "bought_quantity": ["", "x", "-0", "00", "1.0", "1" + "0" * 36, "-1" + "0" * 36, *ODD[1:]],
    "sold_quantity": ["", "x", "-01"],
    "bought_notional": ["", "x", "1e3", "1.50", "0." + "0" * 36 + "1", "nan", "1" + "0" * 36],
    "sold_notional": ["", "x"],
    "open_cost": ["", "x", "1e3", "1.50", "-0", "1" + "0" * 36],
    "realized_profit": ["", "x", "nan", "-1.0"],
    "version": ["", "x", "-1"],
    "updated_ns": ["", "x"],
}
POSITION_NUMBERS = (
    *("quantity", "bought_quantity", "sold_quantity", "bought_notional", "sold_notional"),
    *("open_cost", "realized_profit", "version"),
)
POSITION_NEEDS = ("trader", "symbol", *POSITION_NUMBERS)


def prepare(desk: Desk) -> None:
    """Place an order A1 and fill part of it, so that there is a position, too."""
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.fill(execution(desk.trader, "X1", 1))


def check(desk: Desk, verbs: dict[str, Verb], key: str, field: str) -> None:
    """Assert that every verb names the key and the field, and leaves everything as it is."""
    before = desk.contents()
    for name, verb in verbs.items():
        with pytest.raises(CorruptRecord) as caught:
            verb(desk)
        assert (caught.value.key, caught.value.field) == (key.replace("%", f"{{{desk.trader}}}"), field), name
        assert desk.contents() == before, f"{name} wrote something"


@pytest.mark.parametrize(("field", "garbage"), [(f, g) for f, bad in ORDER_GARBAGE.items() for g in bad], ids=ascii)
def test_reading_an_order_with_garbage_names_the_field(lone_desk: Desk, field: str, garbage: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:order:A1", field, garbage.encode(errors="surrogateescape"))
    check(lone_desk, ORDER_READS, "%:order:A1", field)


@pytest.mark.parametrize("field", ORDER_NEEDS)
def test_reading_an_order_without_a_field_names_it(lone_desk: Desk, field: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HDEL", "%:order:A1", field)
    reads = dict(ORDER_READS)
    if field == "order_id":  # a list knows an order by this field only
        del reads["by_symbol"], reads["open"]
    check(lone_desk, reads, "%:order:A1", field)


@pytest.mark.parametrize(
    ("verb", "field", "garbage"),
    [
        (verb, field, bad)
        for verb, relied in RELIES.items()
        for field in (*relied, "price")
        for bad in (NO_NUMBERS if field == "price" else ORDER_GARBAGE.get(field, ()))
    ],
    ids=ascii,
)
def test_a_change_that_relies_on_garbage_is_refused_whole(lone_desk: Desk, verb: str, field: str, garbage: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:order:A1", field, garbage.encode(errors="surrogateescape"))
    check(lone_desk, {verb: ORDER_WRITES[verb]}, "%:order:A1", field)


@pytest.mark.parametrize(
    ("verb", "field"),
    [(verb, field) for verb, relied in RELIES.items() for field in relied if field != "revision"],
)
def test_a_change_that_relies_on_a_missing_field_is_refused_whole(lone_desk: Desk, verb: str, field: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HDEL", "%:order:A1", field)
    check(lone_desk, {verb: ORDER_WRITES[verb]}, "%:order:A1", field)


def check_named_afterwards(desk: Desk, verb: str, field: str) -> None:
    """Assert that a change is made, and that its result, and that of its repeat, names a field that cannot be read."""
    key, change = f"{{{desk.trader}}}:order:A1", ORDER_WRITES[verb]
    assert desk.ask("XLEN", "%:events") == 2
    for _ in range(2):
        with pytest.raises(CorruptRecord) as caught:
            change(desk)
        assert (caught.value.key, caught.value.field) == (key, field)
        assert desk.ask("XLEN", "%:events") == 3


@pytest.mark.parametrize(
    ("verb", "field"),
    [
        (verb, field)
        for verb, relied in RELIES.items()
        for field in ORDER_GARBAGE
        if field not in (*relied, "price") and (field == "revision" or field in ORDER_NEEDS)
    ],
)
def test_a_change_that_does_not_rely_on_garbage_names_it_in_its_result(lone_desk: Desk, verb: str, field: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:order:A1", field, ORDER_GARBAGE[field][1])
    check_named_afterwards(lone_desk, verb, field)


@pytest.mark.parametrize(
    ("verb", "field"),
    [(verb, field) for verb, relied in RELIES.items() for field in ORDER_NEEDS if field not in relied],
)
def test_a_change_that_does_not_rely_on_a_missing_field_names_it_in_its_result(
    lone_desk: Desk, verb: str, field: str
) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HDEL", "%:order:A1", field)
    check_named_afterwards(lone_desk, verb, field)


@pytest.mark.parametrize(("field", "garbage"), [(f, g) for f, bad in POSITION_GARBAGE.items() for g in bad], ids=ascii)
def test_reading_a_position_with_garbage_names_the_field(lone_desk: Desk, field: str, garbage: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:position:AAPL", field, garbage.encode(errors="surrogateescape"))
    check(lone_desk, POSITION_READS, "%:position:AAPL", field)


@pytest.mark.parametrize("field", POSITION_NEEDS)
def test_reading_a_position_without_a_field_names_it(lone_desk: Desk, field: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HDEL", "%:position:AAPL", field)
    reads = dict(POSITION_READS)
    if field == "symbol":  # a list knows a position by this field only
        del reads["all"]
    check(lone_desk, reads, "%:position:AAPL", field)


@pytest.mark.parametrize("verb", POSITION_WRITES)
@pytest.mark.parametrize("field", [*POSITION_NUMBERS, "open_buy_quantity"])
def test_a_change_of_a_position_without_a_field_is_refused_whole(lone_desk: Desk, verb: str, field: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HDEL", "%:position:AAPL", field)
    check(lone_desk, {verb: POSITION_WRITES[verb]}, "%:position:AAPL", field)


@pytest.mark.parametrize("verb", POSITION_WRITES)
@pytest.mark.parametrize(
    ("field", "garbage"),
    [
        *((field, bad) for field in POSITION_NUMBERS for bad in POSITION_GARBAGE[field]),
        *(("open_sell_quantity", bad) for bad in ("", "x", "-1", "1.50", "01", "1" + "0" * 36, *ODD)),
    ],
    ids=ascii,
)
def test_a_change_of_a_position_with_garbage_is_refused_whole(
    lone_desk: Desk, verb: str, field: str, garbage: str
) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:position:AAPL", field, garbage.encode(errors="surrogateescape"))
    check(lone_desk, {verb: POSITION_WRITES[verb]}, "%:position:AAPL", field)


@pytest.mark.parametrize("garbage", ["", "x", "2 1 187.22", "x 1 187.22|", "2 1|", "2 1 187.22 soon|", "2  187.22|"])
def test_a_remembered_fill_that_cannot_be_read_is_named(lone_desk: Desk, garbage: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:order:A1", "fill:X1", garbage)
    repeat: Verb = lambda desk: desk.book.orders.fill(execution(desk.trader, "X1", 1))  # noqa: E731
    check(lone_desk, {"fill": repeat}, "%:order:A1", "fill:X1")


def test_a_remembered_replace_that_cannot_be_read_is_named(lone_desk: Desk) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:applied:A1", "request:R1", "x")
    repeat: Verb = lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=5, request_id="R1")  # noqa: E731
    check(lone_desk, {"replace": repeat}, "%:applied:A1", "request:R1")


def test_a_remembered_request_that_cannot_be_read_is_named(lone_desk: Desk) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("SET", "%:request:R1", "x")
    before = lone_desk.contents()
    with pytest.raises(CorruptRecord, match=f"{{{lone_desk.trader}}}:request:R1"):
        lone_desk.book.positions.adjust(lone_desk.trader, "AAPL", 1, request_id="R1")
    assert lone_desk.contents() == before


def test_fields_that_others_added_are_left_alone(desk: Desk) -> None:
    prepare(desk)
    desk.vandalise("HSET", "%:order:A1", "desk_note", "mine")
    desk.vandalise("HSET", "%:position:AAPL", "desk_note", "mine")
    for verb in (*ORDER_READS.values(), *POSITION_WRITES.values(), *ORDER_WRITES.values(), *POSITION_READS.values()):
        verb(desk)
    assert desk.ask("HGET", "%:order:A1", "desk_note") == desk.ask("HGET", "%:position:AAPL", "desk_note") == "mine"


ORDER_A1 = ("order:A1", "applied:A1", "position:AAPL", "events", "book")
WRONG: dict[str, tuple[Verb, Sequence[str]]] = {
    "place": (
        lambda desk: desk.book.orders.place(limit(desk.trader, "A2")),
        ("order:A2", "orders_by_status:NEW", "orders_by_symbol:AAPL", "position:AAPL", "events", "book"),
    ),
    "place in a new symbol": (
        lambda desk: desk.book.orders.place(limit(desk.trader, "A2", symbol="MSFT")),
        ("order:A2", "orders_by_symbol:MSFT", "position:MSFT", "positions"),
    ),
    "first fill": (
        lambda desk: desk.book.orders.fill(execution(desk.trader, "X9", 1, order_id="N1")),
        ("order:N1", "orders_by_status:NEW", "orders_by_status:PARTIALLY_FILLED", "position:AAPL"),
    ),
    "fill": (ORDER_WRITES["fill"], ORDER_A1),
    "last fill": (
        lambda desk: desk.book.orders.fill(execution(desk.trader, "X9", 99)),
        (*ORDER_A1, "orders_by_status:FILLED", "orders_by_status:PARTIALLY_FILLED", "orders_by_symbol:AAPL"),
    ),
    "late fill": (
        lambda desk: desk.book.orders.fill(execution(desk.trader, "X9", 1, order_id="A0")),
        ("order:A0", "applied:A0", "orders_by_status:CANCELED", "orders_by_symbol:AAPL", "position:AAPL"),
    ),
    "replace": (ORDER_WRITES["replace"], ORDER_A1),
    "replace to what is filled": (
        lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=1),
        (*ORDER_A1, "orders_by_status:FILLED", "orders_by_status:PARTIALLY_FILLED", "orders_by_symbol:AAPL"),
    ),
    "cancel": (
        ORDER_WRITES["cancel"],
        (*ORDER_A1, "orders_by_status:PARTIALLY_FILLED", "orders_by_status:CANCELED", "orders_by_symbol:AAPL"),
    ),
    "delete": (
        lambda desk: desk.book.orders.delete(desk.trader, "A0"),
        ("order:A0", "applied:A0", "orders_by_status:CANCELED", "orders_by_symbol:AAPL", "book"),
    ),
    "adjust": (
        lambda desk: desk.book.positions.adjust(desk.trader, "AAPL", 1, request_id="R1"),
        ("position:AAPL", "request:R1", "events", "book"),
    ),
    "adjust a new position": (
        lambda desk: desk.book.positions.adjust(desk.trader, "MSFT", 1),
        ("position:MSFT", "positions"),
    ),
    "unit": (
        lambda desk: desk.book.commit([limit(desk.trader, "A2"), Cancel(trader=desk.trader, order_id="A1")]),
        (*ORDER_A1, "order:A2", "orders_by_status:NEW", "orders_by_status:CANCELED"),
    ),
    "get": (ORDER_READS["get"], ("order:A1",)),
    "open": (ORDER_READS["open"], ("orders_by_status:NEW", "orders_by_status:PARTIALLY_FILLED", "order:A1")),
    "count": (lambda desk: desk.book.orders.count(desk.trader), ("orders_by_status:EXPIRED",)),
    "all": (POSITION_READS["all"], ("positions", "position:AAPL")),
    "snapshot": (
        lambda desk: desk.book.snapshot(desk.trader),
        ("positions", "position:AAPL", "order:A1", "orders_by_status:CANCELED", "book"),
    ),
}


@pytest.mark.parametrize(("verb", "key"), [(verb, key) for verb, (_, keys) in WRONG.items() for key in keys])
def test_a_key_of_another_type_is_named_before_anything_is_written(lone_desk: Desk, verb: str, key: str) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader, "A0"))
    lone_desk.book.orders.cancel(lone_desk.trader, "A0")
    lone_desk.book.orders.place(limit(lone_desk.trader, "N1"))
    prepare(lone_desk)
    lone_desk.vandalise("DEL", f"%:{key}")
    lone_desk.vandalise("RPUSH", f"%:{key}", "a list")
    before = lone_desk.contents()
    with pytest.raises(WrongType, match="another program"):
        WRONG[verb][0](lone_desk)
    assert lone_desk.contents() == before


def test_of_many_changes_only_those_that_need_the_key_are_refused(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, "A0"))
    desk.vandalise("RPUSH", "%:orders_by_symbol:MSFT", "a list")
    desk.vandalise("HSET", "%:position:TSLA", "open_buy_quantity", "x")
    wanted = [("A1", "AAPL"), ("A2", "MSFT"), ("A3", "AAPL"), ("A4", "TSLA"), ("A5", "AAPL")]
    outcomes = desk.book.orders.place_many([limit(desk.trader, order_id, symbol=symbol) for order_id, symbol in wanted])
    assert [type(outcome.error) for outcome in outcomes[1::2]] == [WrongType, CorruptRecord]
    assert [outcome.result().sequence for outcome in outcomes[::2]] == [2, 3, 4]
    assert [order.order_id for order in desk.book.orders.open(desk.trader)] == ["A0", "A1", "A3", "A5"]
    assert [event.order_id for event in desk.events()] == ["A0", "A1", "A3", "A5"]


@pytest.mark.parametrize("verb", ORDER_WRITES)
def test_a_position_that_is_gone_is_named_by_every_change_of_an_order(lone_desk: Desk, verb: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("DEL", "%:position:AAPL")
    before = lone_desk.contents()
    with pytest.raises(CorruptRecord) as caught:
        ORDER_WRITES[verb](lone_desk)
    assert caught.value.key == f"{{{lone_desk.trader}}}:position:AAPL"
    assert lone_desk.contents() == before
