"""Test that orders which are ended in the short way leave, publish and answer to the byte what the engine does."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, cast

import pytest
from slotbook.models import Calculate, Cancel, Expire, Fill, Index, Order, PendingCancel, Reject, Replace
from slotbook.models.errors import SlotbookError
from slotbook.models.types import Name
from slotbook.repositories.changes.fence import NO_FENCE, Fence
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.repositories.orders.verbs import Closing
from slotbook.topology.call import Call
from slotbook.topology.settings import Published, Settings

from ...support.desk import Desk
from ...support.make import TS
from ...support.two_ways import TwoWays

CHANNELS: Final[frozenset[Published]] = frozenset(("traders", "order_events", "symbols"))
SYMBOLS = ("AAPL", "AAPL", "MSFT", 'A"B')


class Indexed(Order):
    strategy: Annotated[Name, Index] = "pairs"
    """A field of the desk's own, which has an index."""


class Writer:
    """A writer whose requests are made both ways, each refused or not."""

    def __init__(self, ways: TwoWays, fence: Fence = NO_FENCE, **settings: object) -> None:
        policy = Settings.model_validate({"publish": CHANNELS, **settings})
        self._ways = ways
        self.calls: OrderCalls[Order] = OrderCalls(policy, LossDetector(), fence)

    def end(self, *requests: Closing) -> None:
        """End orders, each alone."""
        for request in requests:
            self._ways.make(cast("Call[object]", self.calls.change(request)))

    def commit(self, requests: Sequence[Closing], expected: int | None = None) -> None:
        """End orders all or nothing."""
        self._ways.make(cast("Call[object]", self.calls.unit(requests, expected)))

    def end_many(self, requests: Sequence[Closing]) -> None:
        """End orders in calls of many, each order with an answer of its own."""
        for pending in self.calls.grouped(self.calls.checked(requests)).calls:
            self._ways.make(cast("Call[object]", pending.build()))


@pytest.fixture
def ways(lone_desk: Desk) -> Iterator[TwoWays]:
    """Yield the two ways of ending an order, on a book with three orders."""
    place(lone_desk, *(an_order(lone_desk, f"A{number}") for number in range(3)))
    found = TwoWays(lone_desk, "close")
    yield found
    found.close()


def an_order(desk: Desk, order_id: str, model: type[Order] = Order, /, **fields: object) -> Order:
    values = {"symbol": "AAPL", "side": "BUY", "quantity": 10, "price": "187.23", "ts_ns": TS, **fields}
    return model.model_validate({"trader": desk.trader, "order_id": order_id, **values})


def place(desk: Desk, *orders: Order) -> None:
    """Place orders, those with own fields alone."""
    for order in orders:
        if isinstance(order, Indexed):
            desk.book.orders.of(Indexed).place(order)
    for outcome in desk.book.orders.place_many([order for order in orders if not isinstance(order, Indexed)]):
        outcome.result()


def cancel(desk: Desk, order_id: str, request_id: str | None = None, **fields: object) -> Cancel:
    known = {} if request_id is None else {"request_id": request_id}
    return Cancel.model_validate({"trader": desk.trader, "order_id": order_id, "ts_ns": TS + 1, **known, **fields})


def random_order(desk: Desk, chance: random.Random, order_id: str) -> Order:
    """Return an order, plain more often than not."""

    def seldom(*values: object) -> object:
        return chance.choice(values) if chance.random() < 0.03 else None

    kind = chance.choice(["LIMIT", "LIMIT", "LIMIT", "MARKET", "STOP"])
    model = Indexed if chance.random() < 0.05 else Order
    symbol = chance.choice(SYMBOLS)
    large = [10**14, 10**17, "1.00000001", "0.000000000000000001"] if symbol == "MSFT" else []
    return an_order(
        *(desk, order_id, model),
        **{"symbol": symbol, "side": chance.choice(["BUY", "SELL", "SELL_SHORT"]), "type": kind},
        quantity=chance.choice([2, 10, 21, *(large or ["0.25"])]),
        price=chance.choice(["187.23", "-1.5", "0"]) if kind == "LIMIT" else None,
        **{"stop_price": "187" if kind == "STOP" else None, "reference_price": seldom("100"), "text": seldom("a text")},
        **{"account": seldom("ACC"), "display_quantity": seldom(0), "currency": seldom("USD")},
        **{"status": seldom("PENDING_NEW") or "NEW", "ts_ns": TS + chance.randrange(5)},
    )


def random_end(desk: Desk, chance: random.Random, order_id: str) -> Closing:
    """Return a request that ends an order, plain more often than not."""

    def seldom(*values: object) -> object:
        return chance.choice(values) if chance.random() < 0.015 else None

    kind = chance.choice([*[Cancel] * 5, *[Expire] * 3, Reject, Calculate])
    names = [*[f"R{chance.randrange(9)}", f"R {order_id}"] * 4, 'a "request"', "R" * 40, "R" * 41]
    fields = {
        **{"text": seldom("why"), "client_order_id": seldom("C1", "C2"), "venue_order_id": seldom("V1")},
        **{"symbol": seldom("AAPL", "MSFT"), "side": seldom("BUY"), "reason": seldom("99")},
    }
    given = {name: value for name, value in fields.items() if value is not None and name in kind.model_fields}
    about = {"trader": desk.trader, "order_id": order_id, "request_id": chance.choice(names)}
    return kind.model_validate({**about, **given, "ts_ns": TS + 10 + chance.randrange(5)})


def change_beside(desk: Desk, chance: random.Random, order_id: str) -> None:
    """Fill or change an order as another writer does."""
    about = {"trader": desk.trader, "order_id": order_id, "ts_ns": TS + chance.randrange(20)}
    request = chance.choice(
        [
            *[Fill.model_validate({**about, "exec_id": f"X{chance.randrange(9)}", "quantity": 1, "price": "5"})] * 2,
            Fill.model_validate({**about, "exec_id": f"X{chance.randrange(9)}", "quantity": "0.125", "price": "5"}),
            Replace.model_validate({**about, "quantity": 9, "client_order_id": f"{order_id} again"}),
            PendingCancel.model_validate({**about, "client_order_id": f"{order_id} pending"}),
        ]
    )
    with contextlib.suppress(SlotbookError):
        desk.book.commit([request])


@pytest.mark.parametrize("seed", range(4))
def test_any_end_leaves_what_the_engine_leaves(lone_desk: Desk, ways: TwoWays, seed: int) -> None:
    chance, names = random.Random(seed), [f"N{number}" for number in range(90)]
    place(lone_desk, *(random_order(lone_desk, chance, name) for name in names))
    writers = [Writer(ways), Writer(ways), Writer(ways, order_ttl=9 * 86_400)]
    for _ in range(50):
        writer, ends = chance.choice(writers), [random_end(lone_desk, chance, chance.choice(names)) for _ in range(3)]
        match chance.randrange(10):
            case 0:
                writer.commit(ends, expected=chance.choice([None, None, 5]))
            case 1:
                writer.end_many([random_end(lone_desk, chance, name) for name in chance.sample(names, 5)])
            case 2 | 3:
                change_beside(lone_desk, chance, chance.choice(names))
            case 4:
                writer.end(ends[0], ends[0])
            case _:
                writer.end(ends[0])
    assert ways.taken >= 9


def test_plain_orders_take_the_short_way(lone_desk: Desk, ways: TwoWays) -> None:
    """One that went the long way would cost more than before, and no other test would tell."""
    writer, made = Writer(ways), 0
    for fields in [{}, {"quantity": "0.5"}, {"side": "SELL_SHORT", "reference_price": "1"}, {"symbol": 'A"B'}]:
        place(lone_desk, an_order(lone_desk, f"S{made}", **fields))
        writer.end(cancel(lone_desk, f"S{made}"))
        made += 1
        assert ways.taken == made, fields
    place(lone_desk, an_order(lone_desk, "filled"), an_order(lone_desk, "finely"))
    for order_id, quantity in (("filled", "4"), ("finely", "0.5")):
        about = {"trader": lone_desk.trader, "order_id": order_id, "exec_id": "X1", "ts_ns": TS}
        lone_desk.book.orders.fill(Fill.model_validate({**about, "quantity": quantity, "price": 5}))
        writer.end(cancel(lone_desk, order_id))
    writer.end(Expire(trader=lone_desk.trader, order_id="A0"), Reject(trader=lone_desk.trader, order_id="A1"))
    assert ways.taken == made + 4
    place(lone_desk, *(an_order(lone_desk, f"many {number}", symbol="MSFT") for number in range(24)))
    writer.end_many([cancel(lone_desk, f"many {number}") for number in range(24)])
    assert ways.taken == made + 5


def test_a_request_that_says_more_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    state = ways.state()
    for fields in (
        *({"text": "why"}, {"client_order_id": "C1"}, {"venue_order_id": "V1"}, {"reason": "99"}),
        *({"symbol": "MSFT"}, {"side": "SELL"}, {"request_id": "R" * 41}, {"order_id": "none"}),
    ):
        writer, request = Writer(ways), Cancel.model_validate({"trader": lone_desk.trader, "order_id": "A0", **fields})
        writer.end(request)
        writer.end_many([cancel(lone_desk, "A1"), request])
        assert ways.taken == 0, fields
        ways.restore(state)


def test_a_request_that_is_known_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    writer, trader, state = Writer(ways), lone_desk.trader, ways.state()
    writer.end_many([cancel(lone_desk, "A2", "R1"), cancel(lone_desk, "A2", "R1")])
    assert ways.taken == 0
    ways.restore(state)
    writer = Writer(ways)
    for order_id in ("A0", "A1"):
        writer.end(cancel(lone_desk, order_id, "R1"), cancel(lone_desk, order_id, "R1"))
        writer.end(cancel(lone_desk, order_id, "R2"), Expire(trader=trader, order_id=order_id, request_id="R1"))
    assert ways.taken == 2


def test_a_request_that_is_remembered_beside_an_open_order_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    about = {"trader": lone_desk.trader, "order_id": "A0", "exec_id": "X1", "quantity": 1, "price": 5}
    lone_desk.book.orders.fill(Fill.model_validate(about))
    lone_desk.vandalise("HSET", "%:applied:A0", "request:R1", "2 CANCELED|")
    Writer(ways).end(cancel(lone_desk, "A0", "R1"))
    assert ways.taken == 0


def test_a_reject_of_what_is_filled_in_part_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    about = {"trader": lone_desk.trader, "order_id": "A0"}
    lone_desk.book.orders.fill(Fill.model_validate({**about, "exec_id": "X1", "quantity": 1, "price": 5}))
    Writer(ways).end(Reject.model_validate(about), Calculate.model_validate({**about, "order_id": "A1"}))
    assert ways.taken == 0


@pytest.mark.parametrize("fills", [0, 1, 2])
def test_a_long_request_id_is_remembered_where_the_engine_looks(lone_desk: Desk, ways: TwoWays, fills: int) -> None:
    for number in range(fills):
        about = {"trader": lone_desk.trader, "order_id": "A0", "exec_id": f"X{number}", "ts_ns": TS}
        lone_desk.book.orders.fill(Fill.model_validate({**about, "quantity": 1, "price": 5}))
    state = ways.state()
    for size in (39, 40, 41):
        writer, request, taken = Writer(ways), cancel(lone_desk, "A0", "R" * size), ways.taken
        writer.end(request, request)
        assert ways.taken - taken == (size < 41)
        assert int(str(lone_desk.ask("PTTL", "%:order:A0"))) > 0
        assert (int(str(lone_desk.ask("PTTL", "%:applied:A0"))) > 0) == (fills > 0 or size == 41)
        if size < 41:
            ways.restore(state)


@pytest.mark.parametrize("name", ["order:A0", "position:AAPL", "orders_by_symbol:AAPL", "orders_by_status:NEW"])
def test_a_key_of_another_type_refuses_its_own_orders_alone(lone_desk: Desk, ways: TwoWays, name: str) -> None:
    place(lone_desk, an_order(lone_desk, "other", symbol="MSFT"))
    for one in (name, "orders_by_status:EXPIRED", "applied:A1"):
        lone_desk.vandalise("DEL", f"%:{one}")
        lone_desk.vandalise("SADD", f"%:{one}", "x")
    writer = Writer(ways)
    writer.end(cancel(lone_desk, "A0"), Expire(trader=lone_desk.trader, order_id="A1"))
    writer.end_many([cancel(lone_desk, "A0"), cancel(lone_desk, "other")])
    assert ways.taken == 0
    for one in (name, "orders_by_status:EXPIRED", "applied:A1"):
        lone_desk.vandalise("DEL", f"%:{one}")


ODD = [
    *("x", "", "-1", "1.50", "1e3", "007", "0", "9", "9" * 16, "9" * 36, "9" * 37, "10.5", "0.5", "999999999999999"),
    "1" * 17,
]


@pytest.mark.parametrize("key", ["open_buy_quantity", "open_sell_quantity", "quantity", "filled_quantity", "version"])
def test_an_odd_number_is_answered_as_ever(lone_desk: Desk, ways: TwoWays, key: str) -> None:
    state = ways.state()
    for value in ODD:
        writer = Writer(ways)
        lone_desk.vandalise("HSET", "%:position:AAPL" if key.startswith("open") else "%:order:A0", key, value)
        writer.end(cancel(lone_desk, "A0"), cancel(lone_desk, "A1"))
        writer.end_many([cancel(lone_desk, "A2"), cancel(lone_desk, "A0")])
        ways.restore(state)


def test_an_odd_order_is_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    state = ways.state()
    for name, value in (
        *(("side", "LEFT"), ("status", "FILLED"), ("status", "CANCELED"), ("status", "x"), ("price", "x")),
        *(("marks", "STOPPED"), ("pending", "[]"), ("text", "t"), ("placed_price", "1"), ("revision", "1")),
        *(("own", ""), ("+note", "x"), ("account", "ACC"), ("request:R1", "9 CANCELED|"), ("symbol", "NONE")),
    ):
        lone_desk.vandalise("HSET", "%:order:A0", name, value)
        writer = Writer(ways)
        writer.end(cancel(lone_desk, "A0", "R1"))
        writer.end_many([cancel(lone_desk, "A1"), cancel(lone_desk, "A0", "R1")])
        assert ways.taken == 0, (name, value)
        ways.restore(state)


def test_what_has_expired_leaves_the_indexes(lone_desk: Desk, ways: TwoWays) -> None:
    """The time of both ways is days later; what is stored is as it was when the test ends."""
    state = ways.state()
    brief, writer = Writer(ways, order_ttl=300), Writer(ways)
    place(lone_desk, *(an_order(lone_desk, f"B{number}") for number in range(3)))
    brief.end(cancel(lone_desk, "A0"), cancel(lone_desk, "A1"))
    ways.ahead = 600_000
    writer.end(cancel(lone_desk, "A2"))
    brief.end(cancel(lone_desk, "B0"))
    assert lone_desk.ask("ZCARD", "%:orders_by_status:CANCELED") == 2
    ways.ahead = 1_200_000
    writer.end(Expire(trader=lone_desk.trader, order_id="B1"))
    writer.end_many([cancel(lone_desk, "B2")])
    assert ways.taken == 6
    assert lone_desk.ask("ZCARD", "%:orders_by_symbol:AAPL") == 3
    ways.restore(state)


def test_the_index_of_a_symbol_expires_once_its_last_order_has_ended(lone_desk: Desk, ways: TwoWays) -> None:
    writer = Writer(ways)
    place(lone_desk, an_order(lone_desk, "sold", side="SELL"))
    for order_id, persists in (("A0", True), ("A1", True), ("A2", True), ("sold", False)):
        writer.end(cancel(lone_desk, order_id))
        assert (lone_desk.ask("PTTL", "%:orders_by_symbol:AAPL") == -1) == persists, order_id
    assert ways.taken == 4


def test_calls_that_the_header_has_more_to_say_of_are_the_engines(lone_desk: Desk, ways: TwoWays) -> None:
    trader = lone_desk.trader
    Writer(ways, Fence(f"{{{trader}}}:lock:L", trader, 5)).end(cancel(lone_desk, "A0"))
    writer = Writer(ways)
    writer.commit([cancel(lone_desk, "A0")], expected=7)
    (pending,) = writer.calls.grouped(writer.calls.checked([cancel(lone_desk, "none"), cancel(lone_desk, "no")])).calls
    ways.make(cast("Call[object]", pending.build()))
    place(lone_desk, an_order(lone_desk, "none"))
    ways.make(cast("Call[object]", pending.build()))
    assert ways.taken == 0
