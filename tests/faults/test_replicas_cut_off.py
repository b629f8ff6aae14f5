"""Fault "replicas cut off": no replica gets what the primary applies, and one of them takes over later."""

from __future__ import annotations

import asyncio

import pytest
from slotbook import Book
from slotbook.models.coordination import new_session_id
from slotbook.models.errors import UnderReplicated
from slotbook.topology.embedded import Topology

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import Control, wait_until
from ..support.make import fresh
from .conftest import Deploy

WAYS = ["revoke", "revoke_all"]


def revoke(book: Book, way: str, trader: str, session_id: str) -> None:
    """Revoke a session in one of two ways."""
    if way == "revoke":
        book.sessions.revoke(session_id)
    else:
        book.sessions.revoke_all(trader)


def fail_over(control: Control, trader: str) -> None:
    """Kill the primary of a trader, and wait for its successor."""
    primary = control.primary(f"{{{trader}}}")
    control.kill(primary)
    for replica in list(control.frozen):
        control.thaw(replica)
    control.take_over(primary, f"{{{trader}}}")


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_a_session_whose_end_is_confirmed_stays_ended(
    deploy: Deploy, runner: asyncio.Runner, topology: Topology, caller: Caller
) -> None:
    control, traders = deploy(topology), {way: fresh() for way in WAYS}
    first = traders["revoke"]
    for way in WAYS:  # both on one primary
        while control.primary(f"{{{traders[way]}}}") is not control.primary(f"{{{first}}}"):
            traders[way] = fresh()
    primary = control.primary(f"{{{first}}}")
    everyone = len(control.replicas(primary))
    ids = {way: new_session_id(trader) for way, trader in traders.items()}
    with open_book(control.url(deadline=20, durability=f"replicated={everyone}"), caller, runner) as book:
        for way, trader in traders.items():
            book.sessions.create(trader, 600, session_id=ids[way])
            revoke(book, way, trader, ids[way].get_secret_value())
        kept = book.sessions.create(first, 600)
        fail_over(control, first)
        assert [book.sessions.get(one) for one in ids.values()] == [None, None]
        assert book.sessions.get(kept.id or "") == kept


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_a_session_whose_end_is_lost_was_not_confirmed(
    deploy: Deploy, runner: asyncio.Runner, topology: Topology, caller: Caller
) -> None:
    control, trader = deploy(topology), fresh()
    session_id = new_session_id(trader)
    url = control.url(deadline=20, durability="replicated=1", replication_wait=0.2)
    with open_book(url, caller, runner) as book:
        session = book.sessions.create(trader, 600, session_id=session_id)
        replicas = control.replicas(control.primary(f"{{{trader}}}"))
        for replica in replicas:
            wait_until(lambda at=replica: at.ask("KEYS", f"{{{trader}}}:session:*"), "each replica has the session")
        control.strand(control.primary(f"{{{trader}}}"))
        for way in WAYS:
            with pytest.raises(UnderReplicated, match="applied, but 0 of 1"):
                revoke(book, way, trader, session_id.get_secret_value())
        fail_over(control, trader)
        assert book.sessions.get(session_id) == session  # as was said: nobody had confirmed its end
