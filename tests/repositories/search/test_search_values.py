"""A value cannot change what a query asks, wherever it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slotbook.models import Order, SymbolInfo
from slotbook.models.errors import InvalidArgument
from slotbook.models.hashes import Condition, OrderHash, PositionHash
from slotbook.models.stored import ORDERS
from slotbook.repositories.search.query import query

from ...support.make import limit
from ...support.search.orders import SYMBOLS, TEXTS
from ...support.search.server import QUIET, searching
from .conftest import OpenBook

ATTACKS = [
    *("*", "", "|", "A|B", "AAPL|MSFT", "AAPL} | @trader:{T2", "AAPL) | (*", "x] | @price:[-inf +inf", "-AAPL", "$v0"),
    *('"', "\\", "\\}", "%AAPL%", "AA*", "?APL", "~AAPL", "AAPL => {$weight: 9}", "*=>[KNN 9 @x $v0]", "AAPL\x1fMSFT"),
    *("w'AA*'", "@symbol:{AAPL}", "placeholder1stands", "AAPL MSFT", "\0", "\ud800", "nan", "inf", "\u22121", "{", "}"),
]


@searching
def test_what_a_user_typed_finds_itself_and_nothing_else(opened: OpenBook) -> None:
    book = opened()
    names = [name for name in dict.fromkeys([*SYMBOLS, "AAPL|MSFT", "AAPL)|(*"]) if "{" not in name]
    for number, name in enumerate(names):
        book.orders.place(limit("T1", f"A{number}", symbol=name, text=TEXTS[number % len(TEXTS)]))
    stored = book.orders.find().all()
    assert len(stored) == len(names)
    for value in [*ATTACKS, *names]:
        for conditions, holds in _uses(value):
            wanted = [order for order in stored if holds(order)]
            assert book.orders.find(*conditions).all() == wanted, conditions


def _uses(value: str) -> list[tuple[tuple[Condition, ...], Callable[[Order], bool]]]:
    """Return conditions with the value in every place where one may be, beside a condition that must keep holding."""
    mine = OrderHash.trader == "T1"
    return [
        ((mine, OrderHash.symbol == value), lambda order: order.symbol == value),
        ((mine, OrderHash.symbol << [value, "MSFT"]), lambda order: order.symbol in (value, "MSFT")),
        ((mine & ~(OrderHash.symbol == value),), lambda order: order.symbol != value),
        ((mine, OrderHash.symbol >> [value]), lambda order: order.symbol != value),
        ((mine, OrderHash.text == value), lambda order: order.text == value),
        ((mine, OrderHash.symbol.startswith(value)), lambda order: order.symbol.startswith(value)),
        ((mine, OrderHash.text.contains(value)), lambda order: order.text is not None and value in order.text),
        ((OrderHash.trader == value,), lambda order: order.trader == value),
    ]


@searching
def test_full_text_looks_for_words_and_for_nothing_else(opened: OpenBook) -> None:
    book = opened()
    texts = ["halted by the exchange", "Halted", "limit|breached", "the limit was breached", "to be"]
    for number, text in enumerate(texts):
        book.orders.place(limit("T1", f"A{number}", text=text))

    def found(words: str) -> list[str | None]:
        return [order.text for order in book.orders.find(OrderHash.text % words).all()]

    assert found("halted") == texts[:2]
    assert found("breached limit") == texts[2:4]
    assert found("limit | halted") == []
    assert found("be") == ["to be"]
    assert found("*halted*) | (@symbol:{AAPL}") == []
    query = book.orders.find((OrderHash.text % "halted") | (OrderHash.ts_ns > 2**62), OrderHash.ts_ns > 1)
    assert [order.text for order in query.all()] == texts[:2]
    assert query.count() == 2
    assert [order.text for order in query.sort_by("-order_id").page(0, 1)] == ["Halted"]
    assert book.orders.find(~(OrderHash.text % "limit")).count() == 3
    book.symbols.put(SymbolInfo(symbol="AAPL", name="Apple Inc. Common Stock"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OrderHash.quantity == "5] | @price:[-inf +inf", "is not a decimal number"),
        (lambda: OrderHash.quantity > Decimal("NaN"), "is not a finite number"),
        (lambda: OrderHash.price < "inf", "is not a decimal number"),
        (lambda: OrderHash.price > 0.1 + 0.2, "the float 0.30000000000000004 is not exactly a decimal"),
        (lambda: OrderHash.price == True, "is not a decimal number"),  # noqa: E712
        (lambda: OrderHash.price > None, "None can only be asked for with == and !="),
        (lambda: OrderHash.price.startswith("1"), "price is a number"),
        (lambda: OrderHash.symbol > "AAPL", "symbol is not a number"),
        (lambda: OrderHash.symbol == 5, "symbol is compared with strings"),
        (lambda: OrderHash.symbol == b"AAPL", "symbol is compared with strings"),
        (lambda: OrderHash.status == "FILED", "there are NEW, PARTIALLY_FILLED"),
        (lambda: OrderHash.symbol << "AAPL", "give a list of values"),
        (lambda: OrderHash.text % "(|)", "give words to look for"),
        (lambda: OrderHash.symbol % "AAPL", "its words are not indexed"),
        (lambda: PositionHash.bought_quantity > 5, "orders have no field 'bought_quantity'"),
        (lambda: OrderHash.pk == "x", "orders have no field 'pk'"),
        (lambda: "symbol == 'AAPL'", "str is not a condition"),
        (lambda: _combined(OrderHash.symbol == "AAPL", "*"), "str is not a condition"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        query(ORDERS, [make()])
    assert message in str(refused.value)


def _combined(condition: Any, other: object) -> object:
    return condition & other


def _only_syntax(text: str) -> bool:
    return set(re.sub(r"@[a-z_]+:|\$v[0-9]+|[+-]inf", "", text)) <= set("(){}[]|*- ")


@settings(max_examples=300, suppress_health_check=QUIET)
@given(st.text() | st.sampled_from(ATTACKS), st.sampled_from(("symbol", "text", "trader", "order_id")))
def test_no_text_reaches_the_query_itself(value: str, name: str) -> None:
    field = getattr(OrderHash, name)
    for condition in (field == value, field != value, field << [value, value + "x"], ~(field >> [value])):
        asked = query(ORDERS, [condition])
        for written in (asked.candidates, asked.certain, asked.uncertain):
            assert written is None or _only_syntax(written.text)


@settings(max_examples=300)
@given(st.decimals(-(10**12) + 1, 10**12 - 1, places=9), st.sampled_from(("price", "quantity", "ts_ns")))
def test_no_number_reaches_the_query_itself(value: Decimal, name: str) -> None:
    field = getattr(OrderHash, name)
    for condition in (field == value, field > value, field <= value, field << [value, 1]):
        asked = query(ORDERS, [condition])
        for written in (asked.candidates, asked.certain, asked.uncertain):
            assert written is None or _only_syntax(written.text)
