"""``find`` returns the same as a plain Python filter over all orders, with prices compared exactly.

``SLOTBOOK_SEARCH_ORDERS=100000 SLOTBOOK_SEARCH_EXPRESSIONS=200`` is the full size.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slotbook import Book
from slotbook.models import Order
from slotbook.topology.embedded import Topology

from ...support.callers import CALLERS, Blocking, Caller, open_book
from ...support.search.expressions import Filter, expressions, in_order, orders_to_sort_by
from ...support.search.fixtures import SearchFleets
from ...support.search.orders import fill_book
from ...support.search.server import EXPRESSIONS, ORDERS, QUIET, searching

pytestmark = searching


@dataclass
class Full:
    """A book and every order in it."""

    book: Book
    orders: list[Order]


@pytest.fixture(scope="module")
def known() -> dict[Topology, list[Order]]:
    """Return the orders in the books of each topology that has been filled."""
    return {}


@pytest.fixture(params=list(product(("standalone", "cluster"), CALLERS)), ids="-".join)
def full(
    request: pytest.FixtureRequest,
    search_fleet: SearchFleets,
    runner: asyncio.Runner,
    known: dict[Topology, list[Order]],
) -> Iterator[Full]:
    topology: Topology = request.param[0]
    caller: Caller = request.param[1]
    url = search_fleet(topology).url({"prefix": "exact:", "socket_timeout": 30, "deadline": 60})
    book = open_book(url, caller, runner)
    if topology not in known:
        book.indexes.create()
        known[topology] = fill_book(book, ORDERS)
        gc.freeze()  # a collector that looks through 100,000 orders again and again doubles the time
    yield Full(book, known[topology])
    book.close()


def _checked(full: Full, count: int, check: Callable[..., None], *more: st.SearchStrategy[object]) -> None:
    """Run a check on random queries; asyncio, which shares all but the driver, gets fewer."""
    examples = max(5, count // 6) if isinstance(full.book, Blocking) else count
    quiet = settings(max_examples=examples, deadline=None, suppress_health_check=QUIET)
    quiet(given(expressions, *more)(check))()


def test_every_query_gives_what_a_filter_gives(full: Full) -> None:
    def check(asked: Filter) -> None:
        wanted = [order for order in full.orders if asked.holds(order)]
        query = full.book.orders.find(asked.expression)
        assert query.all() == in_order(wanted, [])
        assert query.count() == len(wanted)

    _checked(full, EXPRESSIONS, check)


def test_pages_are_cut_from_what_a_filter_gives_in_order(full: Full) -> None:
    def check(asked: Filter, names: list[str], offset: int, limit: int) -> None:
        wanted = in_order([order for order in full.orders if asked.holds(order)], names)
        query = full.book.orders.find(asked.expression).sort_by(*names)
        assert query.page(offset, limit) == wanted[offset : offset + limit]
        assert query.first() == (wanted[0] if wanted else None)

    _checked(full, EXPRESSIONS // 2, check, orders_to_sort_by, st.integers(0, 60), st.integers(0, 25))


def test_pages_put_together_are_everything(full: Full) -> None:
    wanted = in_order([order for order in full.orders if order.price is not None], ["price"])[:1000]
    query = full.book.orders.find().sort_by("price")
    pages = [order for offset in range(0, 1000, 100) for order in query.page(offset, 100)]
    assert pages == wanted


def test_without_a_condition_everything_is_found(full: Full) -> None:
    assert full.book.orders.find().count() == len(full.orders)
    assert full.book.orders.find().all() == in_order(full.orders, [])
