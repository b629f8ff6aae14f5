"""Make the digest of an order, by which a repeat of placing it is known."""

from __future__ import annotations

import binascii
import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal

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
    return digest_of_texts(
        order,
        plain(order.quantity),
        optional(order.price),
        optional(order.stop_price),
        optional(order.reference_price),
        order.terms,
    )


def digest_of_texts(order: Order, quantity: str, price: str, stop_price: str, reference: str, terms: str) -> str:
    """Return ``digest_of`` of an order some of whose fields are written already."""
    content = f"{order.symbol} {order.side} {order.type} {order.time_in_force} {quantity} {price} {stop_price}"
    if reference:
        content += f" reference {reference}"
    if terms:
        content = f"{content} {terms}"
    return _digest(content)


def optional(number: Decimal | None) -> str:
    """Return the written form of a number, '' for none."""
    return "" if number is None else plain(number)


def digest_of_words(words: Iterable[str | None]) -> str:
    """Return a digest of what a request says, each word in its place."""
    return _digest(json.dumps([word or "" for word in words]))


def _digest(content: str) -> str:
    return binascii.b2a_base64(hashlib.blake2b(content.encode(), digest_size=8).digest())[:LENGTH].decode()
