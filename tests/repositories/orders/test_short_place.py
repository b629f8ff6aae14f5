"""Test that orders which are placed in the short way leave, publish and answer to the byte what the engine does."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Annotated, Final, cast

import pytest
from slotbook.models import (
    Cancel,
    Fill,
    Index,
    Limits,
    Order,
    OrderType,
    Replace,
    Side,
    TimeInForce,
    Trading,
    TradingChange,
)
from slotbook.models.errors import SlotbookError
from slotbook.models.types import Name
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.topology.call import Call
from slotbook.topology.settings import Published, Settings

from ...support.desk import Desk
from ...support.make import TS
from ...support.two_ways import TwoWays

CHANNELS: Final[frozenset[Published]] = frozenset(("traders", "order_events", "symbols"))
LIMITS: dict[str, list[dict[str, object]]] = {
    "none": [],
    "one": [{"max_position": 60}],
    "three": [{"max_order": 20, "max_notional": "3000", "max_position": 60}],
    "orders per second": [{"orders_per_second": 12}],
    "of a symbol": [{"symbol": "AAPL", "max_order": 20, "max_position": "40.5"}],
    "a symbol's per second": [{"symbol": "AAPL", "orders_per_second": 12}],
    "per second of both": [{"symbol": "AAPL", "orders_per_second": 12}, {"orders_per_second": 9}],
    "per second beside a symbol": [{"symbol": "IBM", "max_order": 5}, {"orders_per_second": 40}],
    "a symbol's that are gone": [{"symbol": "AAPL", "orders_per_second": 12}, {"symbol": "AAPL"}],
    "all": [
        {"max_notional": "9000", "orders_per_second": 20},
        {"symbol": "MSFT", "max_position": 30, "orders_per_second": 12},
    ],
}


class Noted(Order):
    note: str | None = None
    """A field of the desk's own, which has no index."""


class Indexed(Order):
    strategy: Annotated[Name, Index]
    """A field of the desk's own, which has an index."""


class Writer:
    """A writer whose places are made both ways, each refused or not."""

    def __init__(self, ways: TwoWays) -> None:
        policy, detector = Settings(publish=CHANNELS, record_refusals=False), LossDetector()
        self._ways = ways
        self._calls = OrderCalls[Order](policy, detector)
        self._noted: OrderCalls[Order] = OrderCalls(policy, detector, model=Noted)
        self._indexed: OrderCalls[Order] = OrderCalls(policy, detector, model=Indexed)

    def place(self, order: Order) -> None:
        """Place one order alone."""
        noted = self._noted if isinstance(order, Noted) else self._calls
        calls = self._indexed if isinstance(order, Indexed) else noted
        self._ways.make(cast("Call[object]", calls.change(order)))

    def commit(self, orders: list[Order], expected: int | None = None) -> None:
        """Place orders all or nothing."""
        self._ways.make(cast("Call[object]", self._calls.unit(orders, expected)))

    def place_many(self, orders: list[Order]) -> None:
        """Place orders in calls of many, each order with an answer of its own."""
        for pending in self._calls.grouped(self._calls.checked(orders)).calls:
            self._ways.make(cast("Call[object]", pending.build()))


@pytest.fixture
def ways(lone_desk: Desk) -> Iterator[TwoWays]:
    """Yield the two ways of a place, on a book in which two symbols have been traded."""
    for number, symbol in enumerate(("AAPL", "MSFT", 'A"B')):
        place_by_engine(lone_desk, an_order(lone_desk, f"first{number}", symbol=symbol, quantity=1))
    found = TwoWays(lone_desk, "place")
    yield found
    found.close()


def an_order(desk: Desk, order_id: str, model: type[Order] = Order, /, **fields: object) -> Order:
    values = {"symbol": "AAPL", "side": "BUY", "quantity": 10, "price": "187.23", "ts_ns": TS, **fields}
    return model.model_validate({"trader": desk.trader, "order_id": order_id, **values})


def place_by_engine(desk: Desk, order: Order) -> None:
    desk.book.orders.place(order)


def random_order(desk: Desk, chance: random.Random, order_id: str) -> Order:
    """Return an order of any kind that models know, plain more often than not."""

    def seldom(*values: object) -> object:
        return chance.choice(values) if chance.random() < 0.15 else None

    kind = chance.choice([OrderType.LIMIT] * 8 + list(OrderType))
    force = chance.choice([TimeInForce.DAY] * 4 + list(TimeInForce))
    return an_order(
        desk,
        order_id,
        **{"symbol": chance.choice(["AAPL", "AAPL", "MSFT", 'A"B', "NEW"]), "side": chance.choice([*Side])},
        **{"type": kind, "time_in_force": force, "expire_at": TS if force is TimeInForce.GTD else None},
        quantity=chance.choice([1, 2, 10, 10, 21, 2**31, 10**17, "0.25", "1.00000001", "0.000000000000000001"]),
        price=chance.choice(["187.23", "-1.5", "0"]) if kind.has_price or kind.takes_price else None,
        stop_price="187" if kind.has_stop_price or kind.takes_stop_price else None,
        **{"text": seldom("a text", 'with "quotes"', "back\\slash"), "reference_price": seldom("100")},
        **{
            "account": seldom("ACC"),
            "display_quantity": seldom(0, 5),
            "currency": seldom("USD"),
            "multiplier": seldom("50"),
        },
        **{"status": seldom("PENDING_NEW") or "NEW", "ts_ns": TS + chance.randrange(5)},
    )


@pytest.mark.parametrize("kinds", LIMITS)
def test_any_place_leaves_what_the_engine_leaves(lone_desk: Desk, ways: TwoWays, kinds: str) -> None:
    chance, book, trader = random.Random(kinds), lone_desk.book, lone_desk.trader
    for limits in LIMITS[kinds]:
        book.limits.set(Limits.model_validate({"trader": trader, **limits}))
    writers = [Writer(ways), Writer(ways)]
    for number in range(40):
        writer, name = chance.choice(writers), f"A{chance.randrange(60)}"
        order = random_order(lone_desk, chance, name)
        match chance.randrange(12):
            case 0:
                writer.commit([random_order(lone_desk, chance, f"U{number} {each}") for each in range(3)])
            case 1:
                writer.place_many(
                    [random_order(lone_desk, chance, f"M{number} {chance.randrange(30)}") for _ in range(26)]
                )
            case 2:
                writer.commit([order], expected=chance.choice([number, 10**6]))
            case 3:
                plain = order.model_dump(exclude_none=True)
                writer.place(Noted.model_validate({**plain, "note": chance.choice(["x", 'a "note"', None])}))
            case 4:
                change_beside(lone_desk, chance, number)
            case _:
                writer.place(order)
    assert ways.taken >= 3


def change_beside(desk: Desk, chance: random.Random, number: int) -> None:
    """Change orders, positions or the switch as another writer does."""
    about = {"trader": desk.trader, "order_id": f"first{chance.randrange(3)}"}
    request = chance.choice(
        [
            Cancel.model_validate({**about, "client_order_id": f"A{number}"}),
            Replace.model_validate({**about, "quantity": 2, "client_order_id": f"A{number + 1}"}),
            Fill.model_validate({**about, "exec_id": f"X{number}", "quantity": 1, "price": "5", "ts_ns": TS}),
            TradingChange(trader=desk.trader, trading=chance.choice([Trading.ACTIVE, Trading.ACTIVE, *Trading])),
        ]
    )
    with contextlib.suppress(SlotbookError):
        desk.book.commit([request])


def test_plain_orders_take_the_short_way_with_limits_of_each_kind(lone_desk: Desk, ways: TwoWays) -> None:
    """An order that went the long way would cost more than before, and no other test would tell."""
    writer, made = Writer(ways), 0
    for limits in [
        {},
        {"max_position": 10**6},
        {"orders_per_second": 10**6},
        {"symbol": "AAPL", "orders_per_second": 10**6},
    ]:
        if limits:
            lone_desk.book.limits.set(Limits.model_validate({"trader": lone_desk.trader, **limits}))
            place_by_engine(
                lone_desk, an_order(lone_desk, f"after{made}")
            )  # writes a symbol's limits beside its position
        for fields in [{}, {"quantity": "0.5"}, {"side": "SELL_SHORT", "text": 'a "text"'}, {"display_quantity": 5}]:
            writer.place(an_order(lone_desk, f"S{made}", **fields))
            made += 1
            assert ways.taken == made, (limits, fields)
    writer.place(an_order(lone_desk, "S noted", Noted, note="x"))
    writer.place_many([an_order(lone_desk, f"many {number}", side=Side.SELL) for number in range(24)])
    lone_desk.book.commit(
        [Cancel(trader=lone_desk.trader, order_id="S0")]
    )  # the index of the symbol has one that expires
    writer.place(an_order(lone_desk, "S last"))
    assert ways.taken == made + 3


def test_positions_with_a_multiplier_and_ids_that_are_taken_are_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    writer, trader = Writer(ways), lone_desk.trader
    lone_desk.book.positions.set(trader, "ES", 1, cost="5", multiplier="50")
    lone_desk.book.commit([Cancel(trader=trader, order_id="first0", client_order_id="alias")])
    for order_id, symbol in [("a", "ES"), ("b", "NONE"), ("alias", "AAPL"), ("first1", "AAPL"), ("first0", "AAPL")]:
        writer.place(an_order(lone_desk, order_id, symbol=symbol))
    assert ways.taken == 0


def test_an_index_whose_orders_have_all_ended_stays_once_an_order_is_placed(lone_desk: Desk, ways: TwoWays) -> None:
    place_by_engine(lone_desk, an_order(lone_desk, "only", symbol="ONLY"))
    lone_desk.book.commit([Cancel(trader=lone_desk.trader, order_id="only")])
    Writer(ways).place(an_order(lone_desk, "next", symbol="ONLY"))
    assert ways.taken == 1


def test_an_id_twice_and_own_fields_with_an_index_are_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    writer = Writer(ways)
    writer.place_many([an_order(lone_desk, "twice"), an_order(lone_desk, "twice")])
    writer.place(an_order(lone_desk, "indexed", Indexed, strategy="pairs"))
    assert ways.taken == 0


@pytest.mark.parametrize("side", ["open_buy_quantity", "open_sell_quantity"])
@pytest.mark.parametrize("value", ["x", "", "-1", "1.50", "1e3", "9" * 36, "9" * 37, "1.5", "999999999999999"])
def test_an_odd_quantity_on_either_side_is_answered_as_ever(
    lone_desk: Desk, ways: TwoWays, side: str, value: str
) -> None:
    lone_desk.vandalise("HSET", "%:position:AAPL", side, value)
    writer = Writer(ways)
    writer.place(an_order(lone_desk, "whole"))
    writer.place(an_order(lone_desk, "part", quantity="0.5"))
    writer.place_many([an_order(lone_desk, "one of two"), an_order(lone_desk, "other", symbol="MSFT")])


@pytest.mark.parametrize("name", ["position:AAPL", "orders_by_symbol:AAPL", "orders_by_status:NEW", "order:one"])
def test_a_key_of_another_type_refuses_its_own_orders_alone(lone_desk: Desk, ways: TwoWays, name: str) -> None:
    lone_desk.vandalise("DEL", f"%:{name}")
    lone_desk.vandalise("SADD", f"%:{name}", "x")
    writer = Writer(ways)
    writer.place(an_order(lone_desk, "one"))
    writer.place(an_order(lone_desk, "shown", display_quantity=5))
    other = an_order(lone_desk, "other", symbol="MSFT", status="PENDING_NEW")
    writer.place_many([an_order(lone_desk, "one"), other])
    assert lone_desk.ask("EXISTS", "%:order:other")
    lone_desk.vandalise("DEL", f"%:{name}")


def test_a_call_that_is_sent_again_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    """The call before has recorded a refusal, by a limit that has been raised since."""
    trader, limits = lone_desk.trader, lone_desk.book.limits
    limits.set(Limits(trader=trader, max_order=5))
    settings = Settings(publish=frozenset(CHANNELS), record_refusals=True)
    call = OrderCalls[Order](settings, LossDetector()).change(an_order(lone_desk, "again"))
    ways.check(cast("Call[object]", call))
    limits.set(Limits(trader=trader, max_order=10**6))
    assert call.builder is not None
    ways.check(call.builder.change(call.request))
    assert ways.taken == 0
