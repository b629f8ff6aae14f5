"""The hashes of a book and redis-om's are the same hashes, both ways; no search is needed for that.

The ``HashModel`` below is one that a user of redis-om would write by hand.
"""

from __future__ import annotations

# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
import re
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Optional, cast

import pytest
import redis
import redis_om
from hypothesis import given, settings
from slotbook.models import Order, OrderStatus, OrderType, Position, Side, TimeInForce
from slotbook.models.errors import CorruptRecord, InvalidArgument
from slotbook.models.hashes import HashClass, OrderHash, PositionHash, SymbolInfoHash, hash_class
from slotbook.models.record import Record
from slotbook.models.stored import ORDERS, POSITIONS, STORED, SYMBOLS, Stored
from slotbook.models.wire import encode

from ...support.desk import Desk
from ...support.make import execution, limit
from ...support.search.server import QUIET
from ...support.strategies import MODELS

Saved = Callable[..., Any]
NOT_SEARCHED: dict[type[Record], set[str]] = {Position: {"fees", "account"}}
"""Fields that are not looked for: one is several values, and the other only positions of accounts have."""


def plain(client: redis.Redis, trader: str) -> type[redis_om.HashModel]:
    """Return a model of orders as redis-om's documentation writes one; of one trader, for its keys have a fixed tag."""

    class PlainOrder(redis_om.HashModel, index=True):  # type: ignore[call-arg,misc]
        trader: str
        order_id: str = redis_om.Field(primary_key=True)
        symbol: str
        side: Side
        type: OrderType = OrderType.LIMIT
        time_in_force: TimeInForce = TimeInForce.DAY
        quantity: int
        price: Optional[Decimal] = None  # noqa: UP045
        text: Optional[str] = None  # noqa: UP045
        status: OrderStatus = OrderStatus.NEW
        filled_quantity: int = 0
        filled_notional: Decimal = Decimal(0)
        version: int = 1
        ts_ns: int

        class Meta:
            database = client
            global_key_prefix = f"{{{trader}}}"
            model_key_prefix = "order"

    return PlainOrder


@pytest.fixture
def client(lone_desk: Desk) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(lone_desk.fleet.deployment.url, decode_responses=True) as connected:
        yield connected


def test_an_order_that_we_place_is_read_by_plain_redis_om(lone_desk: Desk, client: redis.Redis) -> None:
    trader, book = lone_desk.trader, lone_desk.book
    book.orders.place(limit(trader, price="187.230000001", text="a | b"))
    filled = book.orders.fill(execution(trader, price="187.219999999")).order
    read = cast(Any, plain(client, trader)).get("A1")
    theirs = read.model_dump()
    assert {name: theirs[name] for name in theirs if name != "pk"} == {
        name: value for name, value in filled.model_dump().items() if name in theirs
    }
    assert type(theirs["filled_notional"]) is Decimal


def test_our_hash_models_read_every_kind_of_record(lone_desk: Desk, client: redis.Redis) -> None:
    trader, book = lone_desk.trader, lone_desk.book
    book.orders.place(limit(trader))
    result = book.orders.fill(execution(trader))
    for hashes, stored, record in ((OrderHash, ORDERS, result.order), (PositionHash, POSITIONS, result.position)):
        read = _with(hashes, client, lambda: hashes.get(stored.key("", stored.identity_of(record))))  # noqa: B023
        assert _fields(read) == _searched(record)


def _searched(record: Record) -> dict[str, object]:
    """Return the fields of a record that are looked for."""
    return {name: value for name, value in dict(record).items() if name not in NOT_SEARCHED.get(type(record), ())}


def _looked_for(stored: Stored[Record]) -> Iterator[str]:
    return (name for name in stored.model.model_fields if name not in NOT_SEARCHED.get(stored.model, ()))


def _with(hashes: HashClass, client: redis.Redis, work: Callable[[], object]) -> object:
    before = hashes.Meta.database
    hashes.Meta.database = client
    try:
        return work()
    finally:
        hashes.Meta.database = before


def _fields(read: object) -> dict[str, object]:
    return {name: value for name, value in cast(Any, read).model_dump().items() if name != "pk"}


@pytest.mark.parametrize("stored", [ORDERS, POSITIONS, SYMBOLS], ids=lambda stored: stored.kind)
def test_every_record_that_we_write_redis_om_reads_equal(stored: Stored[Record]) -> None:
    from aredis_om.model.model import convert_empty_strings_to_none  # what HashModel.get does before it validates

    hashes = cast(Any, hash_class(stored.model))

    @settings(max_examples=100, suppress_health_check=QUIET)
    @given(MODELS[stored.model])
    def check(values: dict[str, Any]) -> None:
        record = stored.model.model_validate(values)
        document = convert_empty_strings_to_none(encode(record), hashes.model_fields)
        assert _fields(hashes.model_validate(document)) == _searched(record)

    check()


def test_an_order_that_redis_om_saves_is_read_by_us(lone_desk: Desk, client: redis.Redis) -> None:
    model = cast(Any, plain(client, lone_desk.trader))
    lone_desk.vandalise("PING")  # redis-om writes no index
    saved = model(**limit(lone_desk.trader, price="187.25").model_dump(exclude_none=True, exclude={"version"}))
    saved.save()
    assert lone_desk.book.orders.get(lone_desk.trader, "A1") == limit(lone_desk.trader, price="187.25", version=1)


@pytest.mark.parametrize("price", ["1e-9", "0.000001", "123456789012.123456789", "1E+3", "100.10", "0.3"])
def test_a_decimal_that_went_through_a_float_is_read_equal_or_refused_by_name(
    lone_desk: Desk, client: redis.Redis, price: str
) -> None:
    model = cast(Any, plain(client, lone_desk.trader))
    lone_desk.vandalise("PING")
    values = limit(lone_desk.trader).model_dump(exclude_none=True, exclude={"version"}) | {"price": Decimal(price)}
    model(**values).save()
    stored = str(lone_desk.ask("HGET", "%:order:A1", "price"))
    ours = re.fullmatch(r"0|-?(0|[1-9][0-9]*)(\.[0-9]{0,8}[1-9])?", stored) is not None
    if not ours:
        with pytest.raises(CorruptRecord) as refused:
            lone_desk.book.orders.get(lone_desk.trader, "A1")
        assert (refused.value.field, refused.value.key) == ("price", f"{{{lone_desk.trader}}}:order:A1")
        assert stored in str(refused.value)
        return
    found = lone_desk.book.orders.get(lone_desk.trader, "A1")
    assert found is not None
    assert found.price == Decimal(stored)


def test_a_hash_that_redis_om_saved_without_a_field_is_refused_by_name(lone_desk: Desk, client: redis.Redis) -> None:
    model = cast(Any, plain(client, lone_desk.trader))
    lone_desk.vandalise("PING")
    model(**limit(lone_desk.trader).model_dump(exclude_none=True, exclude={"version"})).save()
    lone_desk.vandalise("HDEL", "%:order:A1", "ts_ns")
    with pytest.raises(CorruptRecord) as refused:
        lone_desk.book.orders.get(lone_desk.trader, "A1")
    assert refused.value.field == "ts_ns"


@pytest.mark.parametrize("hashes", [OrderHash, PositionHash, SymbolInfoHash])
def test_our_hash_models_never_connect_by_themselves(hashes: HashClass) -> None:
    model = cast(Any, hashes)
    for use in (lambda: hashes.get(uuid.uuid4().hex), lambda: model.find().all(), lambda: model.delete("x")):
        with pytest.raises(InvalidArgument, match="has no client"):
            use()


def test_every_stored_model_has_a_hash_model_of_the_same_fields() -> None:
    for stored in STORED.values():
        fields = cast(Any, hash_class(stored.model)).model_fields
        assert list(fields)[-len(stored.fields) :] == [*_looked_for(stored)]
        assert set(fields) - set(stored.model.model_fields) <= {"pk"}
    assert next(iter(STORED.values())).model is Order
