"""Fault "garbage": bad input to any method and garbage in any field raise our errors, and store nothing half-way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from slotbook import Book, SlotbookError
from slotbook.models import Order, Position, PositionChange, SymbolInfo
from slotbook.models.errors import CorruptRecord, StateLost
from slotbook.repositories.orders.verbs import ORDER_VERBS
from slotbook.topology.embedded import start

from ..support.faults.garbage import ANYTHING, STORED
from ..support.faults.methods import LONG, SYMBOL, TRADER, Asked, call, calls
from ..support.make import NIGHTLY, execution, fresh, limit
from ..support.raw import Raw, mapping

EXAMPLES = 20_000 if NIGHTLY else 2_000
SHARE = EXAMPLES // 5
fuzz = settings(
    max_examples=SHARE, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)

MODELS = (*(verb.request for verb in ORDER_VERBS), Position, PositionChange, SymbolInfo)


LEASE = "}:load"
"""What a loader notes beside a cached value; it ends by itself."""
_HASH_ALL = f"""
local found = {{}}
for _, key in ipairs(redis.call('KEYS', '*')) do
  if string.sub(key, -{len(LEASE)}) ~= '{LEASE}' then
    found[#found + 1] = {{ key, redis.sha1hex(redis.call('DUMP', key)) }}
  end
end
return found
"""


class Store:
    """A server of this module's own, a book on it, and how it is looked at."""

    def __init__(self, book: Book, raw: Raw) -> None:
        self.book = book
        self.raw = raw

    def contents(self) -> dict[str, object]:
        """Return everything that is stored."""
        return dict(cast("list[tuple[str, str]]", self.raw.ask("EVAL", _HASH_ALL, 0)))


@pytest.fixture(scope="module")
def store(_no_settings_from_outside: None) -> Iterator[Store]:
    """Yield the server, with one order that can be changed and one position."""
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
                "multiplier",
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
@given(asked=calls(), known=st.booleans())
def test_a_method_takes_it_or_raises_one_of_ours(store: Store, asked: Asked, known: bool) -> None:
    book = Book(store.book.backend)  # it has not seen what is flushed in the end
    if known:
        book.orders.place(limit(TRADER))
    before = store.contents()
    try:
        call(book, asked)
    except SlotbookError:
        assert store.contents() == before, asked
    finally:
        store.raw.ask("FLUSHDB")


DECISIVE = {"status", "side", "symbol", "quantity", "filled_quantity", "version"}
"""The fields by which every change of an order is decided."""


def _is_refused(store: Store, before: dict[str, object], error: SlotbookError) -> None:
    """Assert that nothing was changed, unless the error is about a field that is only read when a change is done."""
    assert store.contents() == before or (isinstance(error, CorruptRecord) and error.field not in DECISIVE)


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
    except SlotbookError as error:
        _is_refused(store, before, error)
    finally:
        store.raw.ask("FLUSHDB")


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
        store.raw.ask("FLUSHDB")


SPOIL: dict[str, Callable[[str, str], tuple[str, ...]]] = {
    "hash": lambda key, field: ("HSET", key, field),
    "string": lambda key, _: ("SET", key),
    "zset": lambda key, _: ("ZADD", key, "1"),
    "set": lambda key, _: ("SADD", key),
    "stream": lambda key, field: ("XADD", key, "*", field),
}
"""Words that put one more value into a key of a kind."""


@pytest.fixture(scope="module")
def beside(store: Store) -> str:
    """Store one of everything but orders and positions in another database; return the script that copies it."""
    book = store.book
    book.symbols.put(SYMBOL)
    book.cache(SymbolInfo, "other").put("AAPL", SYMBOL)
    book.values.swap("AAPL", 0, "v")
    book.sessions.create(TRADER, LONG)
    book.limiter(5, LONG).acquire("L1")
    book.lock("L1", trader=TRADER, lease=LONG).acquire()
    book.lock("L2", lease=LONG).acquire()
    for key in cast("list[str]", store.raw.ask("KEYS", "*")):
        store.raw.ask("MOVE", key, 1)
    each = "for _, key in ipairs(redis.call('KEYS', '*')) do"
    return f"redis.call('SELECT', 1) {each} redis.call('COPY', key, key, 'DB', 0) end"


def one_of_everything(store: Store, book: Book, beside: str) -> None:
    """Have everything that can be stored, with the names that the usual calls ask for."""
    book.orders.place(limit(TRADER))
    book.orders.fill(execution(TRADER))
    book.positions.adjust(TRADER, "AAPL", 3, request_id="R1")
    store.raw.ask("EVAL", beside, 0)


@fuzz
@given(
    at=st.integers(0, 40),
    field=st.integers(0, 30),
    value=st.one_of(st.none(), STORED),
    asked=calls(st.nothing()),
)
def test_whatever_is_spoiled_is_read_or_refused(
    store: Store, beside: str, at: int, field: int, value: bytes | None, asked: Asked
) -> None:
    """Spoil any stored value, then ask for it in the usual way."""
    book = Book(store.book.backend)
    one_of_everything(store, book, beside)
    keys = sorted(store.contents())
    key = keys[at % len(keys)]
    kind = str(store.raw.ask("TYPE", key))
    if value is None:
        store.raw.ask("DEL", key)
    else:
        names = sorted(mapping(store.raw.ask("HGETALL", key))) if kind == "hash" else ["type", "writer", "status"]
        store.raw.ask(*SPOIL[kind](key, names[field % len(names)]), value)
    before = store.contents()
    try:
        call(book, asked)
    except SlotbookError as error:
        # A loss is said with the result of the change, which also names a field that is odd and decides nothing.
        applied = isinstance(error, StateLost) and error.result is not None
        applied = applied or (isinstance(error, CorruptRecord) and error.key == key)
        assert applied or store.contents() == before, (key, asked)
    finally:
        store.raw.ask("FLUSHDB")
