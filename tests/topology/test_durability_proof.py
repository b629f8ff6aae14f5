"""Test the proof that replicas have a change, for which a number that WAIT answers is not always enough."""

from __future__ import annotations

import asyncio
import threading

import pytest
from slotbook import Book
from slotbook.models import Cancel, OrderResult, Outcome
from slotbook.models.errors import OrderNotFound, UnderReplicated
from slotbook.topology.address import Address
from slotbook.topology.batch.proof import read_proof
from slotbook.topology.call import Reply, pack
from slotbook.topology.durability import PROOF_REPLIES, Durability
from slotbook.topology.embedded import Server

from ..faults.conftest import Deploy
from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import info, wait_until
from ..support.make import fresh, limit


def has_order(server: Server, trader: str) -> bool:
    """Return True when a server's own copy has the trader's order; a replica would redirect any other question."""
    return bool(server.ask("KEYS", f"{{{trader}}}:order:A1"))


def has_blocked_clients(server: Server) -> bool:
    """Return True when a client of the server is blocked, as in WAIT."""
    return info(server, "clients").get("blocked_clients") != "0"


@pytest.mark.parametrize(
    ("durability", "words"),
    [
        ("replicated=2", ("WAIT", 2, 1_500)),  # replicas, and milliseconds
        ("fsynced", ("WAITAOF", 1, 0, 1_500)),  # this server's disk, those of replicas, and milliseconds
    ],
)
def test_what_a_server_waits_for(durability: str, words: tuple[str | int, ...]) -> None:
    proof = Durability.parse(durability).proof("{T}:book", "sequence", 1.5)
    assert proof.count(pack([str(word) for word in words])) == 1
    assert proof.count(b"\r\nEVAL\r\n") == PROOF_REPLIES - 1


@pytest.mark.parametrize(
    ("reply", "confirmed"), [(0, 0), (2, 2), ([1, 0], 1), ([0, 2], 0), ([], 0), ("OK", 0)], ids=str
)
def test_how_many_have_confirmed_it(reply: Reply, confirmed: int) -> None:
    """WAIT answers a number, and WAITAOF this server's disk and those of replicas, of which only the first counts."""
    assert read_proof(["id", reply, "id"], Address("127.0.0.1", 1)).replicas == confirmed
    assert read_proof(["id", reply, "other"], Address("127.0.0.1", 1)).doubt is not None


@pytest.mark.parametrize("caller", CALLERS)
def test_a_primary_that_was_replaced_meanwhile_proves_nothing(
    deploy: Deploy, runner: asyncio.Runner, caller: Caller
) -> None:
    """Valkey 9.1 keeps a WAIT blocked through demotion, a full resynchronisation and promotion, and then answers it."""
    control, trader = deploy("cluster", options={"cluster-node-timeout": "30000"}), fresh()  # none else is to take over
    url = control.url(durability="replicated=1", replication_wait=20, deadline=60, socket_timeout=30)
    old = control.primary(f"{{{trader}}}")
    (successor,) = control.replicas(old)
    with open_book(url, caller, runner) as book:
        book.orders.place(limit(trader, "A0"))  # the server has the script from now on
    successor.ask("CONFIG", "SET", "masterauth", "not the password")  # it cannot follow any more
    old.ask("CLIENT", "KILL", "TYPE", "replica")
    results: list[Outcome[OrderResult]] = []

    def place() -> None:
        with asyncio.Runner() as own, open_book(url, caller, own) as book:
            results.extend(book.orders.place_many([limit(trader)]))

    thread = threading.Thread(target=place)
    thread.start()
    wait_until(lambda: has_blocked_clients(old), "the change waits for its replica")
    assert has_order(old, trader)
    assert not has_order(successor, trader)
    successor.ask("CLUSTER", "FAILOVER", "TAKEOVER")
    wait_until(lambda: control.primary(f"{{{trader}}}") is successor, "the successor is the primary")
    successor.ask("CONFIG", "SET", "masterauth", control.deployment.password)
    wait_until(lambda: info(old).get("master_link_status") == "up", "the old primary follows it")
    with open_book(control.url(deadline=20), caller, runner) as book:  # more than was written to the old primary alone
        for number in range(20):
            book.orders.place(limit(trader, f"B{number}"))
    old.ask("CLUSTER", "FAILOVER", "TAKEOVER")
    thread.join(60)
    (outcome,) = results
    assert outcome.result().replicas == 1
    control.heal()
    with open_book(control.url(deadline=20), caller, runner) as book:
        assert book.orders.get(trader, "A1") is not None, "acknowledged as replicated, and gone"


@pytest.mark.parametrize("caller", CALLERS)
def test_a_repeat_before_a_refusal_is_proven_by_itself(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    """Send a batch whose last record, which would be written back as proof, does not exist."""
    control, trader = deploy("cluster"), fresh()
    url = control.url(replication_wait=0.3, deadline=10)

    def send_both(book: Book) -> None:
        repeat, refused = book.orders.apply_many(
            [limit(trader), Cancel(trader=trader, order_id="NONE")], durability="replicated=1"
        )
        assert isinstance(refused.error, OrderNotFound)
        repeat.result()

    with open_book(url, caller, runner) as book:
        for replica in control.replicas(control.primary(f"{{{trader}}}")):
            control.freeze(replica)
        book.orders.place(limit(trader))
    with open_book(url, caller, runner) as book:
        with pytest.raises(UnderReplicated, match="applied, but 0 of 1"):
            send_both(book)
        control.heal()
        send_both(book)
