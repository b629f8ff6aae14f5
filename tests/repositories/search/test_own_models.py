"""``find`` on a desk's own model returns the same as a plain Python filter over all records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slotbook import Book
from slotbook.repositories import Table
from slotbook.topology.embedded import Topology

from ...support.callers import CALLERS, Blocking, Caller, open_book
from ...support.search.fixtures import SearchFleets
from ...support.search.server import EXPRESSIONS, ORDERS, QUIET, searching
from ...support.search.tickets import Ticket, TicketFilter, in_order, ticket_filters, tickets, tickets_to_sort_by

pytestmark = searching


@dataclass
class Full:
    """A book, and every record in its table."""

    book: Book
    tickets: list[Ticket]

    @property
    def table(self) -> Table[Ticket]:
        """The table of the records."""
        return self.book.table(Ticket)


@pytest.fixture(scope="module")
def known() -> dict[Topology, list[Ticket]]:
    """Return the records in the books of each topology that has been filled."""
    return {}


@pytest.fixture(params=list(product(("standalone", "cluster"), CALLERS)), ids="-".join)
def full(
    request: pytest.FixtureRequest,
    search_fleet: SearchFleets,
    runner: asyncio.Runner,
    known: dict[Topology, list[Ticket]],
) -> Iterator[Full]:
    topology: Topology = request.param[0]
    caller: Caller = request.param[1]
    url = search_fleet(topology).url({"prefix": "own'%s:", "socket_timeout": 30, "deadline": 60})
    book = open_book(url, caller, runner)
    if topology not in known:
        book.indexes.create(Ticket)
        outcomes = book.table(Ticket).insert_many(tickets(ORDERS // 2))
        known[topology] = [record for outcome in outcomes if (record := outcome.result().record)]
    yield Full(book, known[topology])
    book.close()


def _checked(full: Full, count: int, check: Callable[..., None], *more: st.SearchStrategy[object]) -> None:
    """Run a check on random queries; asyncio, which shares all but the driver, gets fewer."""
    examples = max(5, count // 6) if isinstance(full.book, Blocking) else count
    quiet = settings(max_examples=examples, deadline=None, suppress_health_check=QUIET)
    quiet(given(ticket_filters, *more)(check))()


def test_every_query_gives_what_a_filter_gives(full: Full) -> None:
    def check(asked: TicketFilter) -> None:
        wanted = [ticket for ticket in full.tickets if asked.holds(ticket)]
        query = full.table.find(asked.expression)
        assert query.all() == in_order(wanted, [])
        assert query.count() == len(wanted)

    _checked(full, EXPRESSIONS, check)


def test_pages_are_cut_from_what_a_filter_gives_in_order(full: Full) -> None:
    def check(asked: TicketFilter, names: list[str], offset: int, limit: int) -> None:
        wanted = in_order([ticket for ticket in full.tickets if asked.holds(ticket)], names)
        query = full.table.find(asked.expression).sort_by(*names)
        assert query.page(offset, limit) == wanted[offset : offset + limit]
        assert query.first() == (wanted[0] if wanted else None)

    _checked(full, EXPRESSIONS // 2, check, tickets_to_sort_by, st.integers(0, 60), st.integers(0, 25))


def test_every_record_is_in_the_index(full: Full) -> None:
    found = full.book.indexes.info(Ticket)
    assert sum(one.records for one in found) == len(full.tickets)
    assert {(one.kind, one.failures, one.is_used, one.is_current) for one in found} == {("ticket", 0, True, True)}
    assert full.table.find().all() == in_order(full.tickets, [])
    assert full.table.find().count() == len(full.tickets)
