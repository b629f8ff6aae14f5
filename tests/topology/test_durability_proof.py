"""What counts as a proof that replicas have a change: not every number that WAIT answers."""

from __future__ import annotations

import asyncio
import threading

import pytest
from slotbook import Book
from slotbook.models import Cancel, OrderResult, Outcome
from slotbook.models.errors import OrderNotFound, UnderReplicated
from slotbook.topology.embedded import Server

from ..faults.conftest import Deploy
from ..support.callers import COLOURS, Colour, open_book
from ..support.faults.control import info, wait_until
from ..support.make import fresh, limit


def has_order(server: Server, trader: str) -> bool:
    """Whether a server's own copy has the trader's order; a replica would send any other question away."""
    return bool(server.ask("KEYS", f"{{{trader}}}:order:A1"))


def blocked(server: Server) -> bool:
    """Whether somebody waits on the server."""
    return info(server, "clients").get("blocked_clients") != "0"


@pytest.mark.parametrize("colour", COLOURS)
def test_a_primary_that_was_replaced_meanwhile_proves_nothing(
    deploy: Deploy, runner: asyncio.Runner, colour: Colour
) -> None:
    """Valkey 9.1 lets a WAIT sleep through demotion, a full resynchronisation and promotion, and then answers it."""
    control, trader = deploy("cluster"), fresh()
    url = control.url(durability="replicated=1", replication_wait=20, deadline=60, socket_timeout=30)
    was = control.primary(f"{{{trader}}}")
    (heir,) = control.replicas(was)
    with open_book(url, colour, runner) as book:
        book.orders.place(limit(trader, "A0"))  # the server has the script from now on
    heir.ask("CONFIG", "SET", "masterauth", "not the password")  # it cannot follow any more
    was.ask("CLIENT", "KILL", "TYPE", "replica")
    results: list[Outcome[OrderResult]] = []

    def place() -> None:
        with asyncio.Runner() as own, open_book(url, colour, own) as book:
            results.extend(book.orders.place_many([limit(trader)]))

    caller = threading.Thread(target=place)
    caller.start()
    wait_until(lambda: blocked(was), "the change waits for its replica")
    assert has_order(was, trader)
    assert not has_order(heir, trader)
    heir.ask("CLUSTER", "FAILOVER", "TAKEOVER")
    wait_until(lambda: control.primary(f"{{{trader}}}") is heir, "the heir is in charge")
    heir.ask("CONFIG", "SET", "masterauth", control.deployment.password)
    wait_until(lambda: info(was).get("master_link_status") == "up", "the old primary follows it")
    with open_book(control.url(deadline=20), colour, runner) as book:  # more than was written to the old primary alone
        for number in range(20):
            book.orders.place(limit(trader, f"B{number}"))
    was.ask("CLUSTER", "FAILOVER", "TAKEOVER")
    caller.join(60)
    (outcome,) = results
    assert outcome.result().replicas == 1
    control.heal()
    with open_book(control.url(deadline=20), colour, runner) as book:
        assert book.orders.get(trader, "A1") is not None, "acknowledged as replicated, and gone"


@pytest.mark.parametrize("colour", COLOURS)
def test_a_repeat_before_a_refusal_is_proven_by_itself(deploy: Deploy, runner: asyncio.Runner, colour: Colour) -> None:
    """The last record of a batch is the one that is written again, and here there is none."""
    control, trader = deploy("cluster"), fresh()
    url = control.url(replication_wait=0.3, deadline=10)

    def both(book: Book) -> None:
        repeat, refused = book.orders.apply_many(
            [limit(trader), Cancel(trader=trader, order_id="NONE")], durability="replicated=1"
        )
        assert isinstance(refused.error, OrderNotFound)
        repeat.result()

    with open_book(url, colour, runner) as book:
        for replica in control.replicas(control.primary(f"{{{trader}}}")):
            control.freeze(replica)
        book.orders.place(limit(trader))
    with open_book(url, colour, runner) as book:
        with pytest.raises(UnderReplicated, match="applied, but 0 of 1"):
            both(book)
        control.heal()
        both(book)
