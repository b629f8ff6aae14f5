"""Fill a book with a random history, and the oracle with the same one."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from slotbook.models import (
    Accept,
    Calculate,
    Cancel,
    CancelReject,
    DoneForDay,
    Expire,
    Fill,
    Order,
    PendingCancel,
    PendingReplace,
    PositionChange,
    Reject,
    Replace,
    Restate,
    Roll,
    Split,
    Stop,
    Suspend,
)
from slotbook.models.errors import SlotbookError
from slotbook.models.numbers import plain

from ..desk import Desk
from ..make import TS
from ..raw import mapping
from ..reference import ReferenceBook, Request
from ..totals import open_quantities
from .image import Image, image_of

SYMBOLS = ("AAPL", "MSFT", "TSLA")
ACCOUNTS = ("ACC 1", "a:b")
PARTS = ("0", "0", "0.25", "0.12345678", "0.000000000000000001")
"""What is added to a whole quantity: mostly nothing."""


def _quantity(random: Random, least: int, most: int) -> Decimal:
    return Decimal(random.randint(least, most)) + Decimal(random.choice(PARTS))


class RandomBook:
    """One trader's book after a random history, with everything that a book can have in it."""

    def __init__(self, desk: Desk, seed: int, trimmed: float = 0, changes: int = 50) -> None:
        """Fill a book; ``trimmed`` is the part of its events that is no longer kept."""
        self.desk = desk
        self.is_whole = not trimmed
        """True when all events are kept, so that everything that is recorded twice is known to be found."""
        self.reference = ReferenceBook()
        self._random = Random(seed)
        self._number = 0
        for _ in range(changes):
            self._change()
        self._delete()
        for _ in range(10):
            self._change()
        self._check()
        first = 1 + round(trimmed * len(desk.events()))
        desk.vandalise("XTRIM", "%:events", "MINID", f"{first}-0")
        self.image = image_of(desk)

    def _change(self) -> None:
        request = self._request()
        try:
            self.reference.copy().apply(request)
        except SlotbookError:
            return
        self.reference.apply(request)
        is_of_position = isinstance(request, (PositionChange, Split, Roll))
        repository = self.desk.book.positions if is_of_position else self.desk.book.orders
        [outcome] = repository.apply_many([request])  # type: ignore[list-item,arg-type]
        outcome.result()

    def _request(self) -> Request:
        random, trader = self._random, self.desk.trader
        self._number += 1
        orders = [key[1] for key in sorted(self.reference.orders)]
        order_id = random.choice(orders) if orders else "A0"
        named = {"trader": trader, "order_id": order_id, "ts_ns": TS + self._number * 1_000}
        text = random.choice([None, None, "why not"])
        kinds = {"place": 3, "fill": 7, "replace": 3, "close": 2, "report": 4, "move": 3}
        [kind] = random.choices([*kinds], [*kinds.values()])
        if kind == "place" or not orders:
            return self._order(f"A{self._number}", text)
        if kind == "fill":
            quantity, price = _quantity(random, 0, 40) or 1, f"{random.randint(-5, 300)}.{random.randint(0, 99)}"
            given = {**named, "exec_id": f"X{self._number}", "quantity": quantity, "price": price}
            return Fill.model_validate(given)
        if kind == "replace":
            order = self.reference.orders[trader, order_id].now
            prices = {
                "price": "190.5" if order.type.has_price else None,
                "stop_price": random.choice([None, "180"]) if order.type.has_stop_price else None,
                "revision": random.choice([None, self._number]),
            }
            given = {**named, "request_id": f"R{self._number}", "quantity": _quantity(random, 20, 150), "text": text}
            return Replace.model_validate(given | prices)
        if kind in ("close", "report"):
            return self._report({**named, "request_id": f"R{self._number}", "text": text}, ends=kind == "close")
        given = {"trader": trader, "symbol": random.choice(SYMBOLS), "request_id": f"P{self._number}"}
        given |= {"ts_ns": named["ts_ns"]}
        turn = random.randrange(10)
        if turn < 2:
            return Split.model_validate({**given, "new": 2}) if turn else Roll.model_validate(given)
        action, quantity = random.choice(["SET", "ADJUST"]), random.choice([1, -1]) * _quantity(random, 1, 50)
        cost = random.choice([None, "99.5"]) if action == "SET" else None
        more = {"action": action, "cost": cost, "account": random.choice([None, None, *ACCOUNTS])}
        return PositionChange.model_validate({**given, "quantity": quantity, **more})

    def _report(self, named: dict[str, object], *, ends: bool) -> Request:
        random = self._random
        kinds = [Accept, PendingCancel, PendingReplace, CancelReject, DoneForDay, Stop, Suspend, Restate]
        kind = random.choice([Cancel, Cancel, Expire, Reject, Calculate] if ends else kinds)
        may_say = {
            "client_order_id": f"{named['order_id']}-{self._number % 3}",
            "original_client_order_id": random.choice([None, "C1"]),
            "reason": random.choice([None, "1"]),
            "quantity": random.choice([None, 50]),
        }
        return kind.model_validate({**named, **{name: may_say[name] for name in may_say if name in kind.model_fields}})

    def _order(self, order_id: str, text: str | None) -> Order:
        random = self._random
        kind = random.choice(["LIMIT", "LIMIT", "MARKET", "STOP", "STOP_LIMIT"])
        price = f"{random.randint(1, 300)}.25" if kind in ("LIMIT", "STOP_LIMIT") else None
        return Order.model_validate(
            {
                **{"trader": self.desk.trader, "order_id": order_id, "symbol": random.choice(SYMBOLS)},
                **{"side": random.choice(["BUY", "SELL"]), "type": kind, "quantity": _quantity(random, 20, 120)},
                **{"time_in_force": random.choice(["DAY", "GTC", "IOC"]), "price": price, "text": text},
                "stop_price": "150" if kind.startswith("STOP") else None,
                "account": random.choice([None, *ACCOUNTS]),
                "status": random.choice(["NEW", "NEW", "NEW", "PENDING_NEW"]),
                "ts_ns": TS + self._number * 1_000,
            }
        )

    def _delete(self) -> None:
        """Delete some orders that have ended, and place one of them again."""
        ended = [key for key, entry in sorted(self.reference.orders.items()) if not entry.now.status.is_open]
        for key in ended[:2]:
            self.desk.book.orders.delete(*key)
            del self.reference.orders[key]
            names = self.reference.names
            self.reference.names = {name: order_id for name, order_id in names.items() if order_id != key[1]}
        if ended:
            order = self._order(ended[0][1], None)
            self.reference.apply(order)
            self.desk.book.orders.place(order)

    def _check(self) -> None:
        """Check that the book is as the oracle says, so that its image is what the oracle says."""
        desk, orders = self.desk, [entry.now for entry in self.reference.orders.values()]
        stored = [desk.book.orders.get(order.trader, order.order_id) for order in orders]
        assert stored == orders
        held = [one for _, one in sorted(self.reference.positions.items())]
        assert desk.book.positions.all(desk.trader) == held
        parts = sorted(self.reference.accounts.values(), key=lambda one: (one.symbol, str(one.account)))
        assert desk.book.positions.by_account(desk.trader) == parts
        events = [event.model_copy(update={"writer": None}) for event in desk.events()]
        assert events == self.reference.events[desk.trader]
        for symbol, (buy, sell) in open_quantities(orders).items():
            fields = mapping(desk.ask("HGETALL", f"%:position:{symbol}"))
            assert (fields["open_buy_quantity"], fields["open_sell_quantity"]) == (plain(buy), plain(sell))


def differing(image: Image, other: Image) -> set[tuple[str, str]]:
    """Return the parts in which two images differ."""
    return {part for part in image.keys() | other.keys() if image.get(part) != other.get(part)}
