"""Fault "garbage": a stored field is garbage, or is missing."""

from __future__ import annotations

import pytest
from slotbook.models.errors import CorruptRecord

from ..support.faults.stand import Stand
from ..support.make import execution, limit

ORDER = ("symbol", "side", "status", "quantity", "filled_quantity", "filled_notional", "version")
DECISIVE = frozenset(ORDER) - {"filled_notional"}
"""The fields by which every change of an order is decided; others are read when it is done."""
POSITION = ("quantity", "bought_quantity", "sold_quantity", "bought_notional", "sold_notional", "version")
WORDS = {"garbage": "¿?", "missing": "", "bytes": b"\xff\xfe\x00", "huge": "9" * 40, "not a number": "nan"}


def spoil(stand: Stand, key: str, field: str, how: str) -> None:
    """Put garbage in a field, or take it away."""
    if how == "missing":
        stand.ask("HDEL", key, field)
    else:
        stand.ask("HSET", key, field, WORDS[how])


@pytest.mark.parametrize("how", WORDS)
@pytest.mark.parametrize("field", ORDER)
def test_of_an_order(lone_stand: Stand, field: str, how: str) -> None:
    if field == "symbol":
        how = "missing"  # any bytes are a symbol to the server
    stand = lone_stand
    book = stand.open()
    book.orders.place(limit(stand.trader))
    spoil(stand, "%:order:A1", field, how)
    there = stand.contents()
    key = f"{{{stand.trader}}}:order:A1"
    for call in (
        lambda: book.orders.get(stand.trader, "A1"),
        lambda: book.orders.fill(execution(stand.trader)),
        lambda: book.orders.replace(stand.trader, "A1", quantity=150),
        lambda: book.orders.cancel(stand.trader, "A1"),
    ):
        with pytest.raises(CorruptRecord) as caught:
            call()
        assert (caught.value.key, caught.value.field) == (key, field)
        assert field not in DECISIVE or stand.contents() == there


@pytest.mark.parametrize("how", WORDS)
@pytest.mark.parametrize("field", POSITION)
def test_of_a_position(lone_stand: Stand, field: str, how: str) -> None:
    stand = lone_stand
    book = stand.open()
    book.orders.place(limit(stand.trader))
    book.orders.fill(execution(stand.trader))
    spoil(stand, "%:position:AAPL", field, how)
    there = stand.contents()
    key = f"{{{stand.trader}}}:position:AAPL"
    for call in (
        lambda: book.positions.get(stand.trader, "AAPL"),
        lambda: book.positions.all(stand.trader),
        lambda: book.orders.fill(execution(stand.trader, "X2", 5)),
        lambda: book.positions.adjust(stand.trader, "AAPL", 5, request_id="P2"),
    ):
        with pytest.raises(CorruptRecord) as caught:
            call()
        assert (caught.value.key, caught.value.field) == (key, field)
        assert stand.contents() == there


def test_in_a_batch_the_others_are_served(stand: Stand) -> None:
    book = stand.open()
    book.orders.place_many([limit(stand.trader, f"A{number}") for number in range(5)])
    stand.ask("HSET", "%:order:A2", "quantity", "many")
    outcomes = book.orders.get_many([(stand.trader, f"A{number}") for number in range(5)])
    assert [outcome.error is None for outcome in outcomes] == [True, True, False, True, True]
    assert isinstance(outcomes[2].error, CorruptRecord)
