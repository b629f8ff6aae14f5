"""Test corrupt records: an error names the key and the field, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from slotbook.models.errors import CorruptRecord, WrongType

from ...support.desk import Desk
from ...support.make import execution, limit

Verb: TypeAlias = "Callable[[Desk], object]"

ORDER_WRITES: dict[str, Verb] = {
    "fill": lambda desk: desk.book.orders.fill(execution(desk.trader, "X9", 1)),
    "replace": lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=90, revision=7),
    "cancel": lambda desk: desk.book.orders.cancel(desk.trader, "A1"),
}
ORDER_READS: dict[str, Verb] = {
    "get": lambda desk: desk.book.orders.get(desk.trader, "A1"),
    "place again": lambda desk: desk.book.orders.place(limit(desk.trader)),
    "get_many": lambda desk: desk.book.orders.get_many([(desk.trader, "A1")])[0].result(),
    "by_symbol": lambda desk: desk.book.orders.by_symbol(desk.trader, "AAPL"),
    "open": lambda desk: desk.book.orders.open(desk.trader),
}
ORDER_GARBAGE: dict[str, list[str]] = {
    "quantity": ["", "x", "1.5", "-1", "0", "01", "1e3", " 1", "9007199254740992", "1" * 40, "\u0661", "\udcff"],
    "filled_quantity": ["", "x", "1.5", "-1", "00", "nan"],
    "filled_notional": ["", "x", "1.", ".5", "1e3", "inf", "0.0000000001", "1,5"],
    "version": ["", "x", "-1", "1.0"],
    "status": ["", "new", "DONE"],
    "side": ["", "buy", "1"],
    "type": ["", "limit"],
    "time_in_force": ["", "FOREVER"],
    "price": ["", "x", "1e3", "+1", "1.50", "-0.0000000001", "1234567890123"],
    "ts_ns": ["", "x", "-1", "1.5", "9223372036854775808"],
    "revision": ["", "x", "-1"],
    "placed_quantity": ["", "x", "0"],
    "text": ["", "\x00", "\udcff\udcfe"],
}
ORDER_NEEDS = (
    *("trader", "order_id", "symbol", "side", "type", "time_in_force", "quantity", "price", "status"),
    *("filled_quantity", "filled_notional", "version", "ts_ns"),
)
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
    "quantity": ["", "x", "1.5", "--1", "-0", "9007199254740992", "\udcff"],
    "bought_quantity": ["", "x", "-1"],
    "sold_quantity": ["", "x", "-1"],
    "bought_notional": ["", "x", "1e3", "1.50", "0.0000000001", "nan"],
    "sold_notional": ["", "x"],
    "version": ["", "x", "-1"],
    "updated_ns": ["", "x"],
}
POSITION_NEEDS = (
    *("trader", "symbol", "quantity", "bought_quantity", "sold_quantity", "bought_notional"),
    *("sold_notional", "version"),
)


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


@pytest.mark.parametrize("verb", ORDER_WRITES)
@pytest.mark.parametrize(("field", "garbage"), [(f, bad[1]) for f, bad in ORDER_GARBAGE.items()], ids=ascii)
def test_a_change_of_an_order_with_garbage_is_refused_whole(
    lone_desk: Desk, verb: str, field: str, garbage: str
) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:order:A1", field, garbage.encode(errors="surrogateescape"))
    check(lone_desk, {verb: ORDER_WRITES[verb]}, "%:order:A1", field)


@pytest.mark.parametrize("verb", ORDER_WRITES)
@pytest.mark.parametrize("field", ORDER_NEEDS)
def test_a_change_of_an_order_without_a_field_is_refused_whole(lone_desk: Desk, verb: str, field: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HDEL", "%:order:A1", field)
    check(lone_desk, {verb: ORDER_WRITES[verb]}, "%:order:A1", field)


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
@pytest.mark.parametrize("field", POSITION_NEEDS)
def test_a_change_of_a_position_without_a_field_is_refused_whole(lone_desk: Desk, verb: str, field: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HDEL", "%:position:AAPL", field)
    check(lone_desk, {verb: POSITION_WRITES[verb]}, "%:position:AAPL", field)


@pytest.mark.parametrize("verb", POSITION_WRITES)
@pytest.mark.parametrize("field", ["quantity", "bought_quantity", "sold_quantity", "bought_notional", "version"])
def test_a_change_of_a_position_with_garbage_is_refused_whole(lone_desk: Desk, verb: str, field: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:position:AAPL", field, "x")
    check(lone_desk, {verb: POSITION_WRITES[verb]}, "%:position:AAPL", field)


@pytest.mark.parametrize("garbage", ["", "x", "{", "[]", "null", '["1"]', '{"a":1}', '["1",2,3,4,5,6]'])
def test_a_remembered_fill_that_cannot_be_read_is_named(desk: Desk, garbage: str) -> None:
    prepare(desk)
    desk.vandalise("HSET", "%:applied:A1", "fill:X1", garbage)
    repeat: Verb = lambda desk: desk.book.orders.fill(execution(desk.trader, "X1", 1))  # noqa: E731
    check(desk, {"fill": repeat}, "%:applied:A1", "fill:X1")


def test_a_remembered_replace_that_cannot_be_read_is_named(desk: Desk) -> None:
    prepare(desk)
    desk.vandalise("HSET", "%:applied:A1", "replace:R1", "x")
    repeat: Verb = lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=5, request_id="R1")  # noqa: E731
    check(desk, {"replace": repeat}, "%:applied:A1", "replace:R1")


def test_a_remembered_request_that_cannot_be_read_is_named(desk: Desk) -> None:
    prepare(desk)
    desk.vandalise("SET", "%:request:R1", "x")
    before = desk.contents()
    with pytest.raises(CorruptRecord, match=f"{{{desk.trader}}}:request:R1"):
        desk.book.positions.adjust(desk.trader, "AAPL", 1, request_id="R1")
    assert desk.contents() == before


def test_fields_that_others_added_are_left_alone(desk: Desk) -> None:
    prepare(desk)
    desk.vandalise("HSET", "%:order:A1", "desk_note", "mine")
    desk.vandalise("HSET", "%:position:AAPL", "desk_note", "mine")
    for verb in (*ORDER_READS.values(), *POSITION_WRITES.values(), *ORDER_WRITES.values(), *POSITION_READS.values()):
        verb(desk)
    assert desk.ask("HGET", "%:order:A1", "desk_note") == desk.ask("HGET", "%:position:AAPL", "desk_note") == "mine"


WRONG: dict[str, tuple[Verb, list[str]]] = {
    "place": (
        lambda desk: desk.book.orders.place(limit(desk.trader, "A2")),
        ["order:A2", "orders_by_status:NEW", "orders_by_symbol:AAPL", "events"],
    ),
    "fill": (
        ORDER_WRITES["fill"],
        [
            *("order:A1", "applied:A1", "orders_by_status:PARTIALLY_FILLED", "orders_by_symbol:AAPL"),
            *("position:AAPL", "positions", "events"),
        ],
    ),
    "last fill": (
        lambda desk: desk.book.orders.fill(execution(desk.trader, "X9", 99)),
        ["orders_by_status:FILLED", "orders_by_status:PARTIALLY_FILLED"],
    ),
    "replace": (
        ORDER_WRITES["replace"],
        [
            *("order:A1", "applied:A1", "orders_by_status:PARTIALLY_FILLED", "orders_by_symbol:AAPL", "events"),
        ],
    ),
    "cancel": (
        ORDER_WRITES["cancel"],
        [
            *("order:A1", "applied:A1", "orders_by_status:PARTIALLY_FILLED", "orders_by_status:CANCELED"),
            *("orders_by_symbol:AAPL", "events"),
        ],
    ),
    "delete": (
        lambda desk: desk.book.orders.delete(desk.trader, "A0"),
        ["order:A0", "applied:A0", "orders_by_status:CANCELED", "orders_by_symbol:AAPL"],
    ),
    "adjust": (
        lambda desk: desk.book.positions.adjust(desk.trader, "AAPL", 1, request_id="R1"),
        ["position:AAPL", "positions", "request:R1", "events"],
    ),
    "get": (ORDER_READS["get"], ["order:A1"]),
    "open": (ORDER_READS["open"], ["orders_by_status:NEW", "orders_by_status:PARTIALLY_FILLED", "order:A1"]),
    "count": (lambda desk: desk.book.orders.count(desk.trader), ["orders_by_status:EXPIRED"]),
    "all": (POSITION_READS["all"], ["positions", "position:AAPL"]),
}


@pytest.mark.parametrize(("verb", "key"), [(verb, key) for verb, (_, keys) in WRONG.items() for key in keys])
def test_a_key_of_another_type_is_named_before_anything_is_written(desk: Desk, verb: str, key: str) -> None:
    desk.book.orders.place(limit(desk.trader, "A0"))
    desk.book.orders.cancel(desk.trader, "A0")
    prepare(desk)
    desk.vandalise("DEL", f"%:{key}")
    desk.vandalise("RPUSH", f"%:{key}", "a list")
    before = desk.contents()
    with pytest.raises(WrongType, match="another program"):
        WRONG[verb][0](desk)
    assert desk.contents() == before
