"""Bad input to every method and garbage in every field: only errors of our tree, and nothing stored half-way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from slotbook import Book, SlotbookError
from slotbook.models import Cancel, Expire, Fill, Order, Position, PositionChange, Reject, Replace, SymbolInfo
from slotbook.topology.embedded import start

from ..make import NIGHTLY, execution, fresh, limit
from ..raw import Raw, mapping
from .garbage import ANYTHING, STORED

EXAMPLES = 20_000 if NIGHTLY else 2_000
SHARE = EXAMPLES // 4
fuzz = settings(
    max_examples=SHARE, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)

MODELS = (Order, Fill, Replace, Cancel, Reject, Expire, Position, PositionChange, SymbolInfo)
Verb: TypeAlias = Callable[[Any, list[object]], object]
"""Given a book; Any, for what it is given is of the wrong type on purpose."""

VERBS: dict[str, Verb] = {
    "place": lambda book, given: book.orders.place(cast(Order, given[2])),
    "place_many": lambda book, given: book.orders.place_many(cast("list[Order]", [given[2]])),
    "fill": lambda book, given: book.orders.fill(cast(Fill, given[2])),
    "apply": lambda book, given: book.orders.apply(cast(Order, given[2])),
    "apply_many": lambda book, given: book.positions.apply_many(cast("list[PositionChange]", [given[2]])),
    "get": lambda book, given: book.orders.get(*_two(given)),
    "get_many": lambda book, given: book.orders.get_many([_two(given)]),
    "replace": lambda book, given: book.orders.replace(
        *_two(given), **_named(given, "quantity", "price", "stop_price", "request_id", "revision", "ts_ns", "text")
    ),
    "cancel": lambda book, given: book.orders.cancel(*_two(given), **_named(given, "ts_ns", "text")),
    "reject": lambda book, given: book.orders.reject(*_two(given), **_named(given, "ts_ns", "text")),
    "expire": lambda book, given: book.orders.expire(*_two(given), **_named(given, "ts_ns", "text")),
    "delete": lambda book, given: book.orders.delete(*_two(given)),
    "open": lambda book, given: book.orders.open(_two(given)[0]),
    "by_status": lambda book, given: book.orders.by_status(*_two(given)),
    "by_symbol": lambda book, given: book.orders.by_symbol(*_two(given)),
    "count": lambda book, given: book.orders.count(_two(given)[0], **_named(given, "status", "symbol")),
    "position": lambda book, given: book.positions.get(*_two(given)),
    "all": lambda book, given: book.positions.all(_two(given)[0]),
    "set": lambda book, given: book.positions.set(*_two(given), _int(given), **_named(given, "request_id", "ts_ns")),
    "adjust": lambda book, given: book.positions.adjust(
        *_two(given), _int(given), **_named(given, "request_id", "ts_ns")
    ),
    "check_and_update": lambda book, given: book.positions.check_and_update(
        *_two(given), _int(given), cast(int, given[-1]), **_named(given, "request_id", "ts_ns")
    ),
    "net": lambda book, given: book.positions.net(_two(given)[0]),
    "durability": lambda book, given: book.orders.cancel(*_two(given), **_named(given, "durability")),
}


def _two(given: list[object]) -> tuple[str, str]:
    return cast("tuple[str, str]", tuple(given[:2]))


def _int(given: list[object]) -> int:
    return cast(int, given[2])


def _named(given: list[object], *names: str) -> dict[str, object]:
    return dict(zip(names, given[3:], strict=False))


class Store:
    """A server of this module's own, a book on it, and how it is looked at."""

    def __init__(self, book: Book, raw: Raw) -> None:
        self.book = book
        self.raw = raw

    def contents(self) -> dict[str, object]:
        """Everything that is stored."""
        keys = cast("list[str]", self.raw.ask("KEYS", "*"))
        return {
            key: self.raw.ask("EVAL", "return redis.sha1hex(redis.call('DUMP', KEYS[1]))", 1, key)
            for key in sorted(keys)
        }


@pytest.fixture(scope="module")
def store(_no_settings_from_outside: None) -> Iterator[Store]:
    """The server, with one order that can be changed and one position."""
    with start("standalone") as deployment, Book.open(deployment.url) as book:
        server = deployment.servers[0]
        raw = Raw(server.host, server.port, deployment.password)
        yield Store(book, raw)
        raw.close()


@fuzz
@given(
    model=st.sampled_from(MODELS),
    values=st.dictionaries(
        st.sampled_from(
            [
                "trader",
                "order_id",
                "exec_id",
                "symbol",
                "side",
                "quantity",
                "price",
                "type",
                "status",
                "ts_ns",
                "request_id",
                "stop_price",
                "revision",
                "name",
                "lot_size",
                "tick_size",
                "currency",
                "action",
                "max_position",
                "filled_notional",
            ]
        ),
        ANYTHING,
    ),
)
def test_a_model_takes_it_or_says_why_not(model: type[Order], values: dict[str, object]) -> None:
    known = {name: value for name, value in values.items() if name in model.model_fields}
    try:
        model.model_validate(known)
    except ValidationError:
        return


@fuzz
@given(
    verb=st.sampled_from(sorted(VERBS)),
    values=st.lists(ANYTHING, min_size=4, max_size=10),
    known=st.booleans(),
)
def test_a_method_takes_it_or_raises_one_of_ours(store: Store, verb: str, values: list[object], known: bool) -> None:
    if known:
        values[:2] = [fresh(), "A1"]
        store.book.orders.place(limit(str(values[0])))
    before = store.contents()
    try:
        VERBS[verb](store.book, values)
    except SlotbookError:
        assert store.contents() == before, verb
    finally:
        store.raw.ask("FLUSHALL")


@fuzz
@given(
    kind=st.sampled_from(["order", "position"]),
    field=st.integers(0, 30),
    value=st.one_of(st.none(), STORED),
    verb=st.integers(0, 9),
)
def test_a_stored_field_is_read_or_named(store: Store, kind: str, field: int, value: bytes | None, verb: int) -> None:
    trader, book = fresh(), store.book
    book.orders.place(limit(trader))
    book.orders.fill(execution(trader))
    key = f"{{{trader}}}:{'order:A1' if kind == 'order' else 'position:AAPL'}"
    names = sorted(mapping(store.raw.ask("HGETALL", key)))
    name = names[field % len(names)]
    if value is None:
        store.raw.ask("HDEL", key, name)
    else:
        store.raw.ask("HSET", key, name, value)
    before = store.contents()
    try:
        (
            lambda: book.orders.get(trader, "A1"),
            lambda: book.orders.fill(execution(trader, "X2", 1)),
            lambda: book.orders.fill(execution(trader)),
            lambda: book.orders.replace(trader, "A1", quantity=70),
            lambda: book.orders.cancel(trader, "A1"),
            lambda: book.orders.place(limit(trader)),
            lambda: book.orders.open(trader),
            lambda: book.positions.all(trader),
            lambda: book.positions.adjust(trader, "AAPL", 3),
            lambda: book.orders.delete(trader, "A1"),
        )[verb]()
    except SlotbookError:
        assert store.contents() == before
    finally:
        store.raw.ask("FLUSHALL")


@fuzz
@given(key=st.sampled_from(["applied:A1", "request:P1"]), value=STORED)
def test_what_was_remembered_is_read_or_refused(store: Store, key: str, value: bytes) -> None:
    trader, book = fresh(), store.book
    book.orders.place(limit(trader))
    book.orders.fill(execution(trader))
    book.positions.adjust(trader, "AAPL", 3, request_id="P1")
    if key == "applied:A1":
        store.raw.ask("HSET", f"{{{trader}}}:{key}", "fill:X1", value)
    else:
        store.raw.ask("SET", f"{{{trader}}}:{key}", value)
    before = store.contents()
    try:
        if key == "applied:A1":
            book.orders.fill(execution(trader))
        else:
            book.positions.adjust(trader, "AAPL", 3, request_id="P1")
    except SlotbookError:
        pass
    finally:
        assert store.contents() == before  # a repeat of what cannot be read is not applied again
        store.raw.ask("FLUSHALL")
