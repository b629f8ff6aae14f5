"""Test that orders which are replaced in the short way leave, publish and answer to the byte what the engine does."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Annotated, Final, cast

import pytest
from slotbook.models import Accept, Cancel, Index, Limits, Order, PendingReplace, Replace, Restate, Trading
from slotbook.models import TradingChange as Turn
from slotbook.models.errors import SlotbookError
from slotbook.models.types import Name
from slotbook.repositories.changes.fence import NO_FENCE, Fence
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.repositories.orders.verbs import OrderRequest
from slotbook.topology.call import Call
from slotbook.topology.settings import Published, Settings

from ...support.desk import Desk
from ...support.make import TS, execution, limit
from ...support.two_ways import TwoWays

CHANNELS: Final[frozenset[Published]] = frozenset(("traders", "order_events", "symbols"))
LIMITS: dict[str, list[dict[str, object]]] = {
    "none": [],
    "one": [{"max_position": 520}],
    "three": [{"max_order": 120, "max_notional": "22300", "max_position": 600}],
    "orders per second": [{"orders_per_second": 30}],
    "of a symbol": [{"symbol": "AAPL", "max_order": 110, "max_position": "500.5"}],
    "all": [{"max_notional": "22300", "orders_per_second": 40}, {"symbol": "MSFT", "orders_per_second": 25}],
}


class Noted(Order):
    note: str
    """A field of the desk's own, which has no index."""


class Indexed(Order):
    strategy: Annotated[Name, Index]
    """A field of the desk's own, which has an index."""


class Writer:
    """A writer whose replaces are made both ways, each refused or not."""

    def __init__(self, ways: TwoWays, fence: Fence = NO_FENCE) -> None:
        self._ways = ways
        self._calls = OrderCalls[Order](Settings(publish=CHANNELS), LossDetector(), fence)

    def make(self, *requests: OrderRequest) -> None:
        """Make requests, each with an answer of its own where there are several."""
        if len(requests) == 1:
            self._ways.make(cast("Call[object]", self._calls.change(requests[0])))
        else:
            self._ways.make(cast("Call[object]", self._calls.grouped(self._calls.checked(requests)).calls[0].build()))

    def commit(self, *requests: OrderRequest, expected: int | None = None) -> None:
        """Make requests all or nothing."""
        self._ways.make(cast("Call[object]", self._calls.unit(requests, expected)))

    def make_twice(self, desk: Desk, *requests: OrderRequest) -> None:
        """Make requests of one call that is sent again, once the orders that were missing are there."""
        (pending,) = self._calls.grouped(self._calls.checked(requests)).calls
        self._ways.make(cast("Call[object]", pending.build()))
        for name in ("L1", "L2"):
            desk.book.orders.place(limit(desk.trader, name))
        self._ways.make(cast("Call[object]", pending.build()))


@pytest.fixture
def ways(lone_desk: Desk) -> Iterator[TwoWays]:
    """Yield the two ways of a replace, on a book with two orders in each of three symbols."""
    for number, symbol in enumerate(("AAPL", "MSFT", 'A"B') * 2):
        side = "BUY" if number < 3 else "SELL"
        lone_desk.book.orders.place(limit(lone_desk.trader, f"A{number}", symbol=symbol, side=side))
    found = TwoWays(lone_desk, "replace")
    yield found
    found.close()


def a_replace(desk: Desk, order_id: str = "A0", request_id: str = "R0", /, **fields: object) -> Replace:
    about = {"trader": desk.trader, "order_id": order_id, "request_id": request_id, "ts_ns": TS + 9}
    return Replace.model_validate({**about, **(fields or {"quantity": 120, "price": "187.25"})})


def random_order(desk: Desk, chance: random.Random, order_id: str) -> Order:
    """Return an order that short ways take, more often than not."""
    odd = chance.choice(
        [
            *([{}] * 20),
            {"type": "MARKET", "price": None},
            {"type": "MARKET", "price": None, "reference_price": "150"},
            {"type": "STOP_LIMIT", "stop_price": "187"},
            {"account": "ACC"},
            {"symbol": "ES", "multiplier": "50"},
            {"symbol": "BIG", "quantity": chance.choice([2**31, 10**17, 99_999_999_999_999, "0.000000000000000001"])},
            {"text": "a text"},
            {"display_quantity": 5},
            {"status": "PENDING_NEW"},
            {"order_id": f'"{order_id}\\'},
        ]
    )
    quantity = chance.choice([100, 100, 50, "0.5", "12.75"])
    symbol, side = chance.choice(["AAPL", "MSFT", 'A"B', "NEW"]), chance.choice(["BUY", "SELL", "SELL_SHORT"])
    return limit(desk.trader, order_id, **{"symbol": symbol, "side": side, "quantity": quantity, **odd})


def random_replace(desk: Desk, chance: random.Random, names: list[str]) -> Replace | Restate:
    """Return a replace of one of some orders, plain more often than not."""
    more = chance.choice(
        [
            *([{}] * 50),
            {"text": "why"},
            {"client_order_id": f"C{chance.randrange(30)}"},
            {"venue_order_id": f"V{chance.randrange(30)}"},
            {"reason": "1"},
            {"revision": chance.randrange(1, 5)},
            {"symbol": "AAPL"},
            {"side": "BUY"},
            {"stop_price": "186"},
        ]
    )
    common = [None, 100, 101, 102, 120, 40, 41, 39, 1, "0.25", "12.7", "40.5"]
    quantity = chance.choice([*common, *common, *common, *common, 10**15, 10**17, 2**31 + 1])
    price = chance.choice([None, "187.25", "187.25", "190", "-1.5", "0"])
    asked = {"quantity": quantity, "price": price} if quantity or price or "stop_price" in more else {"quantity": 90}
    name = chance.choice([*names, *names[:6], *names[:6], "NONE"])
    request = a_replace(desk, name, f"R{chance.randrange(120)}", **asked, **more)
    if chance.random() < 0.02:
        return Restate.model_validate({"trader": desk.trader, "order_id": name, "quantity": 70, "reason": "0"})
    return request.model_copy(update={"ts_ns": TS + chance.randrange(5)})


def change_beside(desk: Desk, chance: random.Random, number: int, names: list[str]) -> None:
    """Change orders, positions or the switch as another writer does."""
    name, trader = chance.choice(names), desk.trader
    about = {"trader": trader, "order_id": name, "ts_ns": TS + 2}
    request = chance.choice(
        [
            *[execution(trader, f"X{number}", chance.choice([1, 40, "0.25"]), "187.2", name)] * 3,
            Cancel.model_validate(about),
            Accept.model_validate({**about, "venue_order_id": f"V{number + 100}"}),
            PendingReplace.model_validate({**about, "client_order_id": f"P{number}", "quantity": 50}),
            Replace.model_validate({**about, "quantity": 110, "request_id": f"R{chance.randrange(60)}"}),
            Replace.model_validate({**about, "quantity": 90, "client_order_id": f"Q{number}", "revision": 1}),
            *[Turn(trader=trader, trading=chance.choice([*Trading]))] * (chance.random() < 0.3),
            *[Turn(trader=trader, trading=Trading.ACTIVE)] * 4,
        ]
    )
    with contextlib.suppress(SlotbookError):
        desk.book.commit([request])


@pytest.mark.parametrize("kinds", LIMITS)
def test_any_replace_leaves_what_the_engine_leaves(lone_desk: Desk, ways: TwoWays, kinds: str) -> None:
    chance, book, trader = random.Random(kinds), lone_desk.book, lone_desk.trader
    names = [f"A{number}" for number in range(6)]
    for number in range(10):
        order = random_order(lone_desk, chance, f"B{number}")
        book.orders.place(order)
        names.append(order.order_id)
    for limits in LIMITS[kinds]:
        book.limits.set(Limits.model_validate({"trader": trader, **limits}))
    writers = [Writer(ways), Writer(ways)]
    for number in range(60):
        writer = chance.choice(writers)
        some = [random_replace(lone_desk, chance, names) for _ in range(3)]
        match chance.randrange(10):
            case 0:
                writer.commit(*some[:2])
            case 1 | 2:
                writer.make(*some)
            case 3:
                writer.commit(some[0], expected=chance.choice([number, 10**6]))
            case 4 | 5:
                change_beside(lone_desk, chance, number, names)
            case _:
                writer.make(some[0])
    assert ways.taken >= 4


def test_usual_replaces_take_the_short_way(lone_desk: Desk, ways: TwoWays) -> None:
    """One that went the long way would cost more than before, and no other test would tell."""
    writer, orders, made = Writer(ways), lone_desk.book.orders, 0
    orders.fill(execution(lone_desk.trader, "X1", 40, order_id="A1"))
    orders.place(limit(lone_desk.trader, "market", type="MARKET", price=None))
    orders.place(limit(lone_desk.trader, "fine", quantity="1.25"))
    for order_id, fields in [
        *(("A0", {"quantity": 120, "price": "187.25"}), ("A0", {"quantity": 121}), ("A0", {"price": "-3"})),
        *(("A1", {"quantity": 41}), ("A3", {"quantity": 1}), ("A5", {"price": "1"}), ("market", {"quantity": 7})),
        *(
            ("fine", {"quantity": "1.5"}),
            ("fine", {"quantity": 2}),
            ("fine", {"price": "2"}),
            ("A4", {"quantity": "2.5"}),
        ),
    ]:
        writer.make(a_replace(lone_desk, order_id, f"R{made}", **fields))
        made += 1
        assert ways.taken == made, (order_id, fields)
    writer.make(*[a_replace(lone_desk, f"A{number}", "many", quantity=50 + number) for number in range(6)])
    writer.commit(*[a_replace(lone_desk, f"A{number}", "unit", quantity=60 + number) for number in range(6)])
    assert ways.taken == made + 2


@pytest.mark.parametrize(
    "limits", [{"max_position": 10**6}, {"orders_per_second": 10**6}, {"symbol": "AAPL", "max_order": 150}]
)
def test_usual_replaces_take_the_short_way_within_limits(
    lone_desk: Desk, ways: TwoWays, limits: dict[str, object]
) -> None:
    lone_desk.book.limits.set(Limits.model_validate({"trader": lone_desk.trader, **limits}))
    lone_desk.book.orders.place(limit(lone_desk.trader, "B0"))  # writes a symbol's limits beside its position
    writer = Writer(ways)
    for number in range(3):
        writer.make(a_replace(lone_desk, "A0", f"R{number}", quantity=101 + number))
        writer.make(*[a_replace(lone_desk, name, f"M{number}", quantity=102 + number) for name in ("A0", "A3", "B0")])
    assert ways.taken == 6


def test_an_order_without_a_price_is_within_limits_by_its_reference_price(lone_desk: Desk, ways: TwoWays) -> None:
    lone_desk.book.limits.set(Limits.model_validate({"trader": lone_desk.trader, "max_notional": 1_000}))
    order = limit(lone_desk.trader, "referred", type="MARKET", price=None, reference_price="5", quantity=10)
    lone_desk.book.orders.place(order)
    for number, quantity in enumerate((199, 201, "150.5")):
        Writer(ways).make(a_replace(lone_desk, "referred", f"R{number}", quantity=quantity))
    assert ways.taken == 2


def test_what_says_more_and_what_is_known_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    writer, trader = Writer(ways), lone_desk.trader
    for number, fields in enumerate(
        [
            *(
                {"text": "why"},
                {"symbol": "AAPL"},
                {"side": "BUY"},
                {"revision": 1},
                {"reason": "1"},
                {"client_order_id": "C1"},
            ),
            *({"venue_order_id": "V1"}, {"original_client_order_id": "A0"}, {"stop_price": "3"}),
        ]
    ):
        lone_desk.book.orders.place(limit(trader, f"M{number}"))
        writer.make(a_replace(lone_desk, f"M{number}", quantity=120, **fields))
        writer.make(*[a_replace(lone_desk, name, f"R{number}", quantity=9, **fields) for name in ("A1", f"M{number}")])
    writer.make(Restate.model_validate({"trader": trader, "order_id": "A0", "quantity": 70}))
    writer.make(a_replace(lone_desk, "C1", "by alias"))
    assert ways.taken == 0
    for fields in ({}, {}, {"quantity": 121}):
        writer.make(a_replace(lone_desk, **fields))
    writer.make(*[a_replace(lone_desk, name) for name in ("A0", "A1")])
    assert ways.taken == 1
    writer.make(*[a_replace(lone_desk, "A1", request_id) for request_id in ("R1", "R2")])
    writer.commit(a_replace(lone_desk, "A1", "R3"), expected=7)
    assert ways.taken == 1


def test_a_call_that_is_sent_again_and_one_under_a_lock_are_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    Writer(ways).make_twice(lone_desk, *[a_replace(lone_desk, name) for name in ("L1", "L2")])
    Writer(ways, Fence(f"{{{lone_desk.trader}}}:lock:L", lone_desk.trader, 5)).make(a_replace(lone_desk, "A1"))
    assert ways.taken == 0
    Writer(ways).make_twice(lone_desk, *[a_replace(lone_desk, name, "again") for name in ("A0", "A1")])
    assert ways.taken == 1


@pytest.mark.parametrize("trading", [Trading.HALTED, Trading.REDUCING])
def test_while_the_switch_is_turned_it_is_the_engines(lone_desk: Desk, ways: TwoWays, trading: Trading) -> None:
    lone_desk.book.commit([Turn(trader=lone_desk.trader, trading=trading)])
    Writer(ways).make(a_replace(lone_desk))
    assert ways.taken == 0


@pytest.mark.parametrize("quantity", [39, 40, 41])
def test_a_quantity_up_to_what_is_filled_is_the_engines(lone_desk: Desk, ways: TwoWays, quantity: int) -> None:
    for order_id in ("A0", "A1"):
        lone_desk.book.orders.fill(execution(lone_desk.trader, "X1", 40, order_id=order_id))
    Writer(ways).make(a_replace(lone_desk, quantity=quantity))
    Writer(ways).make(*[a_replace(lone_desk, order_id, "R1", quantity=quantity) for order_id in ("A0", "A1")])
    assert ways.taken == (2 if quantity > 40 else 0)


def test_an_order_with_fields_of_the_desks_own_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    plain = limit(lone_desk.trader).model_dump(exclude_none=True)
    lone_desk.book.orders.of(Noted).place(Noted.model_validate({**plain, "order_id": "noted", "note": "x"}))
    lone_desk.book.orders.of(Indexed).place(Indexed.model_validate({**plain, "order_id": "indexed", "strategy": "y"}))
    for order_id in ("noted", "indexed"):
        Writer(ways).make(a_replace(lone_desk, order_id))
    assert ways.taken == 0


CORRUPT = {
    "order:A0": {
        "quantity": ["0", "007", "1e2", "5"],
        "filled_quantity": ["00", "-1", "100", "x"],
        "status": ["OPEN", "PARTIALLY_FILLED", "FILLED"],
        "side": ["X"],
        "version": ["x", "01", "999999999999999", "9007199254740991"],
        "price": ["1e3", ""],
        "symbol": ["NONE"],
        "marks": ["STOPPED"],
        "pending": ["[]"],
        "placed_price": ["5"],
        "placed_quantity": ["x/y", "5"],
    },
    "position:AAPL": {
        "open_buy_quantity": ["5", "-1", "0100", "", "999999999999990", "100.50"],
        "open_sell_quantity": ["0100", "x", "-1", "1.0"],
    },
    "applied:A0": {"request:R0": ["1 REPLACED 120 187.25  |", "x"]},
}
CASES = [(key, name, value) for key, fields in CORRUPT.items() for name, values in fields.items() for value in values]


@pytest.mark.parametrize(
    ("key", "name", "value"), [*CASES, ("order:A0", "filled_quantity", "110 status PARTIALLY_FILLED")]
)
def test_what_no_book_writes_is_answered_as_by_the_engine(
    lone_desk: Desk, ways: TwoWays, key: str, name: str, value: str
) -> None:
    lone_desk.vandalise("HSET", f"%:{key}", name, *(value.split(" ", 2) if "status" in value else [value]))
    Writer(ways).make(a_replace(lone_desk, "A0", "R9", quantity=50))
    Writer(ways).make(a_replace(lone_desk))
    Writer(ways).make(*[a_replace(lone_desk, order_id, "R1") for order_id in ("A0", "A3")])


@pytest.mark.parametrize("key", ["order:A0", "applied:A0", "position:AAPL"])
def test_a_key_of_another_type_is_the_engines(lone_desk: Desk, ways: TwoWays, key: str) -> None:
    lone_desk.vandalise("DEL", f"%:{key}")
    lone_desk.vandalise("SADD", f"%:{key}", "x")
    Writer(ways).make(a_replace(lone_desk))
    lone_desk.vandalise("DEL", f"%:{key}")
    assert ways.taken == 0


def test_a_fill_comes_after_a_replace_and_a_replace_after_that(lone_desk: Desk, ways: TwoWays) -> None:
    for number in range(3):
        Writer(ways).make(a_replace(lone_desk, "A0", f"R{number}", quantity=120 + number))
        made = lone_desk.book.orders.fill(execution(lone_desk.trader, f"X{number}", 10, order_id="A0"))
        assert made.order.filled_quantity == 10 * (number + 1)
    assert ways.taken == 3
