"""Make the digest of an order, by which a repeat of placing it is known."""

from __future__ import annotations

import binascii
import hashlib
import json
from collections.abc import Iterable

from ...models.numbers import plain
from ...models.order import Order

LENGTH = 11
"""The length of the digest of what every order has; behind it is that of the own fields, where an order has any."""


def digest_of(order: Order) -> str:
    """Return a digest of what an order is, as first given: a repeat of placing it has the same, another order has not.

    >>> order = Order(trader="T001", order_id="A1", symbol="AAPL", side="BUY", quantity=100, price="187.23")
    >>> digest_of(order) == digest_of(order.model_copy(update={"ts_ns": 1})), len(digest_of(order))
    (True, 11)
    """
    terms = order.terms
    content = f"{order.symbol} {order.side} {order.type} {order.time_in_force} "
    content += f"{plain(order.quantity)} {_prices(order)}"
    if order.reference_price is not None:
        content += f" reference {plain(order.reference_price)}"
    if terms:
        content = f"{content} {terms}"
    return _digest(content)


def digest_of_words(words: Iterable[str | None]) -> str:
    """Return a digest of what a request says, each word in its place."""
    return _digest(json.dumps([word or "" for word in words]))


def _digest(content: str) -> str:
    return binascii.b2a_base64(hashlib.blake2b(content.encode(), digest_size=8).digest())[:LENGTH].decode()


def _prices(order: Order) -> str:
    price, stop_price = order.price, order.stop_price
    return f"{'' if price is None else plain(price)} {'' if stop_price is None else plain(stop_price)}"
