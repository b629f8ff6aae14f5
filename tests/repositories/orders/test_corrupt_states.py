"""Test what no book writes in an order's marks and pending requests: nothing is read from it, and nothing is booked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from pydantic import ValidationError
from slotbook.models import Order
from slotbook.models.errors import CorruptRecord
from slotbook.models.order_reports import pending_requests
from slotbook.repositories.orders.verbs import ORDER_VERBS

from ...support.desk import Desk
from ...support.make import TS, example, execution, limit

Verb: TypeAlias = "Callable[[Desk], object]"
READS: dict[str, Verb] = {
    "get": lambda desk: desk.book.orders.get(desk.trader, "A1"),
    "open": lambda desk: desk.book.orders.open(desk.trader),
    "in_flight": lambda desk: desk.book.orders.in_flight(desk.trader),
}
GARBAGE: dict[str, list[str]] = {
    "marks": [
        *("", "x", "NEW", "PENDING_CANCEL", "SUSPENDED SUSPENDED", "STOPPED  SUSPENDED", " STOPPED", "STOPPED "),
        *("STOPPED,SUSPENDED", "stopped", "STOPPED\n"),
    ],
    "pending": [
        *("", "x", "[]", "{}", "[1]", "null", '"A"', "[" * 9, "[[]]", '[["PENDING_CANCEL"]]', '[{"1":"A"}]'),
        *(f'[["{status}","C","7","","","",""]]' for status in ("NEW", "pending_cancel", "")),
        '[["PENDING_CANCEL","","7","","","",""]]',
        *(f'[["PENDING_CANCEL","C","{ts_ns}","","","",""]]' for ts_ns in ("", "x", "-7", "7.0", " 7")),
        *(f'[["PENDING_REPLACE","C","7",{terms},""]]' for terms in ('"x","",""', '"","1,5",""', '5,"","1e3"')),
        '[["PENDING_REPLACE","C","7","","","1e3",""]]',
        *('[["PENDING_REPLACE","C","7","","",""]]', '[["PENDING_REPLACE","C","7","","","","",""]]'),
        *('[["PENDING_REPLACE","C","7","","","",5]]', '[["PENDING_REPLACE","C",7,"","","",""]]'),
        '[["PENDING_CANCEL","C","7","","","",""],["PENDING_REPLACE","C","7","","","",""]]',
        '[["PENDING_CANCEL","C","7","","","",""]',
        '[["PENDING_CANCEL","C","7","","","",""],null]',
    ],
}  # fmt: skip


def prepare(desk: Desk) -> None:
    """Place an order A1 that is filled in part and suspended, and that a request is to replace."""
    desk.book.orders.place(limit(desk.trader, time_in_force="GTC"))
    desk.book.orders.fill(execution(desk.trader, "X1", 40))
    desk.book.orders.suspend(desk.trader, "A1")
    desk.book.orders.pending_replace(desk.trader, "A1", client_order_id="C1", quantity=150, text='a "/\\ b')


def changes(desk: Desk) -> dict[str, Verb]:
    """Return every change of an order that is there."""

    def applied(verb: str) -> Verb:
        kind = next(one.request for one in ORDER_VERBS if one.name == verb)
        values = {**example(kind, desk.trader).model_dump(), "ts_ns": TS + 9}
        values |= {"exec_id": "X2"} if verb == "fill" else {}
        return lambda desk: desk.book.orders.apply(kind.model_validate(values))

    return {verb.name: applied(verb.name) for verb in ORDER_VERBS if verb.name != "place"}


def check(desk: Desk, field: str) -> None:
    """Assert that every read and every change names the field, and that none leaves a trace."""
    before = desk.contents()
    for name, verb in {**READS, **changes(desk)}.items():
        with pytest.raises(CorruptRecord) as caught:
            verb(desk)
        assert (caught.value.key, caught.value.field) == (f"{{{desk.trader}}}:order:A1", field), name
        assert desk.contents() == before, f"{name} wrote something"


@pytest.mark.parametrize(("field", "garbage"), [(f, g) for f, bad in GARBAGE.items() for g in bad], ids=ascii)
def test_nothing_is_read_from_it_and_nothing_is_booked(lone_desk: Desk, field: str, garbage: str) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:order:A1", field, garbage)
    check(lone_desk, field)
    with pytest.raises(ValidationError, match=field):
        Order.model_validate({**limit("T").model_dump(), field: garbage})


def test_requests_in_another_form_than_the_written_one_change_nothing(lone_desk: Desk) -> None:
    """They can be read, but no book has written them."""
    prepare(lone_desk)
    written = str(lone_desk.ask("HGET", "%:order:A1", "pending"))
    lone_desk.vandalise("HSET", "%:order:A1", "pending", written.replace(",", ", "))
    before = lone_desk.contents()
    for name, verb in changes(lone_desk).items():
        with pytest.raises(CorruptRecord, match="pending"):
            verb(lone_desk)
        assert lone_desk.contents() == before, f"{name} wrote something"


def test_the_time_in_force_decides_beside_marks(lone_desk: Desk) -> None:
    prepare(lone_desk)
    lone_desk.vandalise("HSET", "%:order:A1", "time_in_force", "FOREVER")
    check(lone_desk, "time_in_force")


def test_others_of_a_batch_are_changed_all_the_same(desk: Desk) -> None:
    prepare(desk)
    desk.book.orders.place(limit(desk.trader, "A2"))
    desk.vandalise("HSET", "%:order:A1", "pending", "x")
    bad, good = desk.book.orders.fill_many(
        [execution(desk.trader, "X2", 1), execution(desk.trader, "X2", 1, order_id="A2")]
    )
    assert isinstance(bad.error, CorruptRecord)
    assert good.result().applied


@pytest.mark.parametrize("name", ["a/b", '"', '["PENDING_CANCEL",', "\\", "日本 é", "PENDING_CANCEL", "0", "x" * 256])
def test_what_a_request_says_is_read_back_as_it_was(lone_desk: Desk, name: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.pending_replace(trader, "A1", client_order_id=name, price="-0.5", text=name, ts_ns=TS)
    order = orders.fill(execution(trader)).order  # which has checked it
    [asked] = order.pending_requests
    assert (order.status, asked.client_order_id, asked.text, asked.ts_ns) == ("PENDING_REPLACE", name, name, TS)
    assert (asked.quantity, asked.price, asked.stop_price) == (None, "-0.5", None)
    assert orders.cancel_reject(trader, "A1", client_order_id=name).order.pending is None


def test_no_requests_are_none() -> None:
    assert pending_requests(None) == []
