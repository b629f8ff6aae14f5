"""Test fills that a script makes in its shortest way: they leave, answer and publish what the engine does."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import pytest
from slotbook import Book
from slotbook.models import Fill, Message, Order
from slotbook.models.errors import DuplicateRequest, SlotbookError, StateLost

from ...support.desk import Desk, on_one_server
from ...support.make import NIGHTLY, TS, execution, fresh, limit
from ...support.raw import Reply, Word, mapping

pytestmark = on_one_server

CHANNELS = "traders,order_events,symbols"


@dataclass
class Side:
    """A book under a prefix of its own; without ``is_short`` it fills under a lock, which the engine decides."""

    desk: Desk
    book: Book
    prefix: str
    is_short: bool

    def __post_init__(self) -> None:
        self.orders = self.book.orders
        self.lock = self.book.lock("L", trader=self.desk.trader, lease=600)
        self.held = None if self.is_short else self.lock.acquire()
        self.heard = self.book.events.subscribe("order_events")
        self.heard.__enter__()

    def fill(self, fills: list[Fill]) -> list[object]:
        """Make fills, one alone or several together; return what was answered, with the reports of refusals."""
        filling = self.orders if self.held is None else self.held.orders
        if len(fills) == 1:
            try:
                return [filling.fill(fills[0])]
            except SlotbookError as error:
                return [(type(error), str(error))]
        return [
            one.value if one.error is None else (type(one.error), str(one.error)) for one in filling.fill_many(fills)
        ]

    def stored(self) -> dict[str, object]:
        """Return all that is stored, without writers and the server's times."""
        found: dict[str, object] = {}
        head = f"{self.prefix}{{{self.desk.trader}}}:"
        for name in sorted(self.names(head)):
            key, kind = head + name, self.ask("TYPE", head + name)
            if name.startswith(("lock", "fence")):
                continue
            if kind == "zset":
                found[name] = self.scores(key)
            elif name == "book":
                found[name] = {
                    k: v for k, v in mapping(self.ask("HGETALL", key)).items() if k not in ("writer", "count")
                }
            elif kind == "stream":
                found[name] = [
                    event[4:] for _, event in cast("list[tuple[str, list[str]]]", self.ask("XRANGE", key, "-", "+"))
                ]
            else:
                found[name] = (self.ask("DUMP", key), int(str(self.ask("PTTL", key))) > 0)
        return found

    def names(self, head: str) -> list[str]:
        return [key.removeprefix(head) for key in cast("list[str]", self.ask("KEYS", f"{head}*"))]

    def scores(self, key: str) -> list[object]:
        """Return the members of an index, each with whether it expires, and whether the index does."""
        flat = cast("list[str]", self.ask("ZRANGE", key, 0, -1, "WITHSCORES"))
        members = sorted((one, score == "inf") for one, score in zip(flat[::2], flat[1::2], strict=True))
        return [members, int(str(self.ask("PTTL", key))) > 0]

    def ask(self, *command: Word) -> Reply:
        return self.desk.fleet.ask(f"{{{self.desk.trader}}}", *command)

    def said(self, count: int) -> list[object]:
        """Return what the messages say, without the writer's mark."""
        texts = [cast("Message", self.heard.get(30)).text for _ in range(count)]
        return [text.partition('","writer":')[0] for text in texts]


@pytest.fixture
def sides(desk: Desk) -> tuple[Side, Side]:
    made: list[Side] = []
    for is_short in (True, False):
        prefix = fresh("p") + ":"
        made.append(Side(desk, desk.open(publish=CHANNELS, prefix=prefix), prefix, is_short))
    return made[0], made[1]


def agree(sides: tuple[Side, Side], fills: list[Fill]) -> list[object]:
    short, engine = sides
    answers = short.fill(fills)
    assert answers == engine.fill(fills)
    assert short.stored() == engine.stored()
    return answers


def place(sides: tuple[Side, Side], orders: list[Order]) -> None:
    for side in sides:
        for order in orders:
            side.orders.place(order)


def random_orders(dice: random.Random, trader: str, count: int) -> list[Order]:
    orders: list[Order] = []
    for number in range(count):
        odd = {"price": None, "type": "MARKET"} if dice.random() < 0.2 else {}
        odd |= {"text": "why"} if dice.random() < 0.1 else {}
        odd |= {"account": "ACC"} if dice.random() < 0.1 else {}
        odd |= {"stop_price": "180", "type": "STOP_LIMIT"} if dice.random() < 0.1 and not odd else {}
        side = dice.choice(["BUY", "SELL", "SELL_SHORT"])
        quantity = dice.choice(["100", "37", "0.5", "12.75", "1000000", "99999999999999"])
        symbol = dice.choice(["AAPL", 'B"C', "MSFT", "FUT"])
        odd |= {"multiplier": "50"} if symbol == "FUT" else {}
        orders.append(limit(trader, f"A{number}", symbol=symbol, side=side, quantity=quantity, **odd))
    return orders


def random_fill(dice: random.Random, orders: list[Order]) -> Fill:
    order = dice.choice(orders)
    share = dice.choice(["1", "0.5", "0.25", "0.125", "0.1"])
    quantity = order.quantity * Decimal(share)
    price = dice.choice(["187.22", "187", "0.000001", "-3.5", "187.2212345", "12345.678"])
    fill = execution(order.trader, f"X{dice.randrange(200)}", quantity, price, order.order_id, TS + dice.randrange(9))
    details = {"fee": "0.25", "fee_currency": "USD"} if dice.random() < (0.3 if order.symbol == "MSFT" else 0) else {}
    details |= {"overfill": "record"} if dice.random() < 0.2 else {}
    return Fill.model_validate({**fill.model_dump(), **details})


@pytest.mark.parametrize("seed", range(40 if NIGHTLY else 4))
def test_random_fills_leave_and_answer_what_the_engine_does(desk: Desk, sides: tuple[Side, Side], seed: int) -> None:
    dice = random.Random(seed)
    orders = random_orders(dice, desk.trader, 25)
    place(sides, orders)
    applied = 0
    for _ in range(40):
        count = dice.choice([1, 1, 1, 5])
        answers = agree(sides, [random_fill(dice, orders) for _ in range(count)])
        applied += sum(getattr(one, "applied", False) for one in answers)
    assert applied > 20
    assert sides[0].said(25 + applied) == sides[1].said(25 + applied)


def test_usual_fills_take_the_short_way(desk: Desk, sides: tuple[Side, Side]) -> None:
    place(sides, [limit(desk.trader, f"A{n}", side="SELL" if n % 2 else "BUY", price="187.23") for n in range(6)])
    for fills in (
        [execution(desk.trader, "X1", 40, order_id="A0")],
        [execution(desk.trader, "X1", 100, order_id="A1")],
        [execution(desk.trader, "X2", 10, "187.5", order_id="A0")],
        [execution(desk.trader, "X1", 40, "190", order_id=f"A{n}") for n in (2, 3, 4)],
    ):
        agree(sides, fills)
    before = desk.fleet.calls().get("zcount", 0)  # which the engine does not call
    sides[0].orders.fill(execution(desk.trader, "X9", 1, order_id="A5"))
    assert desk.fleet.calls().get("zcount", 0) > before


CORRUPT = {
    "order": {
        "quantity": "0",
        "status": "OPEN",
        "filled_quantity": "-1",
        "filled_notional": "1.0",
        "version": "x",
        "price": "1e3",
        "side": "X",
    },
    "position": {
        "quantity": "-07.5",
        "bought_quantity": "1.50",
        "sold_quantity": "-0",
        "bought_notional": " 1",
        "sold_notional": "0x1",
        "version": "1.5",
        "open_cost": "nan",
        "realized_profit": "1e3",
        "open_buy_quantity": "-1",
        "open_sell_quantity": "",
    },
}


@pytest.mark.parametrize(("record", "name"), [(record, name) for record in CORRUPT for name in CORRUPT[record]])
def test_what_no_book_writes_is_refused_as_ever(desk: Desk, record: str, name: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    key = "%:order:A1" if record == "order" else "%:position:AAPL"
    desk.vandalise("HSET", key, name, CORRUPT[record][name])
    before = desk.contents()
    with pytest.raises(SlotbookError, match=name):
        desk.book.orders.fill(execution(desk.trader))
    assert desk.contents() == before


@pytest.mark.parametrize("place", ["order:A1", "applied:A1", "position:AAPL", "orders_by_status:PARTIALLY_FILLED"])
def test_a_key_of_another_type_refuses_it_and_nothing_is_written(desk: Desk, place: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.fill(execution(desk.trader, "X0", 1)) if place == "applied:A1" else None
    desk.vandalise("DEL", f"%:{place}")
    desk.vandalise("SADD", f"%:{place}", "x")
    before = desk.contents()
    with pytest.raises(SlotbookError, match="WRONGTYPE"):
        desk.book.orders.fill(execution(desk.trader))
    assert desk.contents() == before
    desk.vandalise("DEL", f"%:{place}")


def test_a_repeat_has_the_first_result_and_other_content_is_refused(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader))
    first = desk.book.orders.fill(execution(desk.trader, "X1", 40))
    desk.book.orders.fill(execution(desk.trader, "X2", 60))
    before = desk.contents()
    again = desk.book.orders.fill(execution(desk.trader, "X1", 40))
    assert (first.applied, again.applied, again.sequence) == (True, False, first.sequence)
    assert not desk.book.orders.fill(execution(desk.trader, "X2", 60)).applied
    for exec_id in ("X1", "X2"):
        with pytest.raises(DuplicateRequest):
            desk.book.orders.fill(execution(desk.trader, exec_id, 41))
    assert desk.contents() == before


@pytest.mark.parametrize(
    ("kept", "writer"), [(1, "ab"), (3, "ab"), (3, None)], ids=["fewer events", "another's event", "another count"]
)
def test_a_loss_behind_what_others_have_added_is_reported(desk: Desk, kept: int, writer: str | None) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.fill(execution(desk.trader, "X1", 40))
    own, count = (str(desk.ask("HGET", "%:book", name)) for name in ("writer", "count"))
    instead = (writer or own, count if writer else f"1{count}")
    desk.vandalise("DEL", "%:events")
    for number in range(1, kept + 1):  # as a copy that lacks the second event, to which others have written since
        event = ("writer", instead[0], "count", instead[1], "type", "CANCELED", "ts_ns", "1")
        desk.vandalise("XADD", "%:events", f"{number}-0", *event)
    desk.vandalise("HSET", "%:book", "sequence", str(kept), "writer", instead[0], "count", instead[1])
    with pytest.raises(StateLost):
        desk.book.orders.fill(execution(desk.trader, "X2", 10))
    desk.trader = desk.another()


def test_what_is_published_is_json(desk: Desk, sides: tuple[Side, Side]) -> None:
    place(sides, [limit(desk.trader, 'A"\\', symbol="é\\")])
    agree(sides, [execution(desk.trader, 'X"\\', 10, order_id='A"\\')])
    texts = [cast("Message", sides[0].heard.get(30)).text for _ in range(2)]
    assert json.loads(texts[1])["exec_id"] == 'X"\\'
