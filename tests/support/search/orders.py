"""Orders that are hard to distinguish: prices that are one double, names that are syntax, texts in spaces."""

from __future__ import annotations

import random
from decimal import Decimal

from slotbook import Book
from slotbook.models import Cancel, Fill, Order
from slotbook.repositories import OrderRepository

from ..make import TS
from .server import TRADERS

SYMBOLS = (
    *("AAPL", "aapl", "MSFT", "BRK.B", "A|B", "A", "B", "Z*?", "$v0", "placeholder0stands", "x:order:y", "-AAPL"),
    *("@symbol:AAPL", "a\\b", "\\", "ÄÖ-Ü", "日本", '"q"', "'", "(AAPL)", "~A", "A,B", "inf", "None", "*"),
)
TEXTS = (
    *("halted", "the order was Halted", " halted ", "  ", "limit | breached", "a\\ b", "x", "X", "{y}", "$v0"),
    *("no, it's * not ?", "ends with backslash\\", "Ünïcode wörds", "word " * 51, "order"),
)
PRICES = (
    *map(Decimal, ("187.23", "187.24", "187.230000001", "0", "-0.5", "-37.63", "0.000000001", "100")),
    *map(Decimal, ("999999999999.999999999", "999999999999.999999998", "999999999999.99999", "1000000.000000001")),
    *map(Decimal, ("9007199254.740993", "9007199254.740992", "-999999999999.999999999", "8388608.000000001")),
)
QUANTITIES = (1, 2, 100, 101, 10_000, 2**53 - 1, 2**53 - 2)


def orders(count: int, seed: int = 1) -> list[Order]:
    """Return new orders of 64 traders."""
    draw = random.Random(seed)
    made: list[Order] = []
    for number in range(count):
        kind = draw.choice(("LIMIT", "LIMIT", "LIMIT", "MARKET", "STOP", "STOP_LIMIT"))
        price = draw.choice(PRICES) if draw.random() < 0.4 else Decimal(draw.randrange(1, 50_000)) / 100
        values: dict[str, object] = {
            "trader": f"T{number % TRADERS:02d}",
            "order_id": f"A{number}" if draw.random() < 0.9 else f"A{number}|{draw.choice(SYMBOLS)}",
            "symbol": draw.choice(SYMBOLS),
            "side": draw.choice(("BUY", "SELL")),
            "type": kind,
            "time_in_force": draw.choice(("DAY", "GTC", "IOC")),
            "quantity": draw.choice(QUANTITIES) if draw.random() < 0.5 else draw.randrange(1, 1_000),
            "price": price if kind in ("LIMIT", "STOP_LIMIT") else None,
            "stop_price": draw.choice(PRICES) if kind in ("STOP", "STOP_LIMIT") else None,
            "text": draw.choice(TEXTS) if draw.random() < 0.3 else None,
            "ts_ns": TS + draw.randrange(2_000),
        }
        made.append(Order.model_validate(values))
    return made


def fill_book(book: Book, count: int) -> list[Order]:
    """Place orders, fill some, cancel others; return them as the book has them afterwards."""
    draw = random.Random(2)
    placed = orders(count)
    repository: OrderRepository = book.orders
    for outcome in repository.place_many(placed):
        outcome.result()
    requests: list[Fill | Cancel] = []
    for order in placed:
        choice = draw.random()
        if choice < 0.25:
            quantity = order.quantity if choice < 0.05 else max(1, order.quantity // 3)
            price = order.price or Decimal("10.000000001")
            if quantity > 10**6 or abs(price) * quantity > 10**9:  # more than a position can count
                continue
            values = {"quantity": quantity, "price": price, "ts_ns": order.ts_ns + 1}
            requests.append(
                Fill.model_validate({"trader": order.trader, "order_id": order.order_id, "exec_id": "X", **values})
            )
        elif choice < 0.4:
            requests.append(Cancel(trader=order.trader, order_id=order.order_id, ts_ns=order.ts_ns + 2))
    for outcome in repository.apply_many(requests):
        outcome.result()
    stored = [outcome.result() for outcome in repository.get_many([(one.trader, one.order_id) for one in placed])]
    return [order for order in stored if order is not None]
