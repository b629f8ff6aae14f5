"""Orders are found by the last ids of their chains; by any other one they are read, for all traders if need be."""

from __future__ import annotations

from slotbook import Book
from slotbook.models import Order
from slotbook.models.hashes import OrderHash

from ...support.make import limit
from ...support.search.server import searching
from .conftest import OpenBook

FIRST, LAST = ("C1", "V1"), ("C2", "V2")
"""The ids that a replace has brought to each order, and those that the next one has brought."""


def with_chains(book: Book) -> list[Order]:
    """Place an order each for three traders, of which one has no other ids, and return those of the others."""
    found: list[Order] = []
    for trader in ("T1", "T2", "T3"):
        book.orders.place(limit(trader, f"A-{trader}"))
        if trader == "T3":
            continue
        for number, (client, venue) in enumerate((FIRST, LAST), 1):
            book.orders.replace(
                trader,
                f"A-{trader}",
                quantity=100 + number,
                client_order_id=f"{client}-{trader}",
                venue_order_id=f"{venue}-{trader}",
            )
        order = book.orders.get(trader, f"A-{trader}")
        assert order is not None
        found.append(order)
    return found


@searching
def test_the_last_ids_find_an_order_among_all_traders(opened: OpenBook) -> None:
    book = opened()
    orders = with_chains(book)
    for order in orders:
        assert (order.client_order_id, order.venue_order_id, order.aliases) == (
            f"C2-{order.trader}",
            f"V2-{order.trader}",
            4,
        )
        for condition in (
            OrderHash.order_id == order.order_id,
            OrderHash.client_order_id == order.client_order_id,
            OrderHash.venue_order_id == order.venue_order_id,
        ):
            assert book.orders.find(condition).all() == [order]
            assert book.orders.find(condition).count() == 1


@searching
def test_an_id_before_the_last_is_compared_as_it_is_and_read_by_get(opened: OpenBook) -> None:
    """A condition says what a field holds now, so none of them is true of it; the alias finds it, for every trader."""
    book = opened()
    for order in with_chains(book):
        for name in (f"C1-{order.trader}", f"V1-{order.trader}"):
            is_named = (
                (OrderHash.order_id == name) | (OrderHash.client_order_id == name) | (OrderHash.venue_order_id == name)
            )
            assert book.orders.find(is_named).all() == []
            assert book.orders.find(~is_named).count() == 3
            asked = [(trader, name) for trader in book.audit.traders()]
            assert [outcome.result() for outcome in book.orders.get_many(asked)] == [
                order if trader == order.trader else None for trader, _ in asked
            ]
            assert len(asked) == 3
