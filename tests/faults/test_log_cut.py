"""Fault "log cut": a server is killed while it writes a change to its append-only file, and starts again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from slotbook import Book
from slotbook.topology.embedded import Server

from ..support.faults.control import Control, info
from ..support.make import fresh, limit
from .conftest import Deploy

CUTS = (1, 30, 100, 400, 700)
"""How many bytes are missing: of the last command of the change, and of those before it."""


def cut(control: Control, server: Server, missing: int) -> None:
    """Kill a server, and cut the end off its append-only file, as a kill amid a write does."""
    control.kill(server)
    [log] = Path(server.folder).glob("appendonlydir/*.incr.aof")
    os.truncate(log, log.stat().st_size - missing)


@pytest.mark.parametrize("rewritten", [True, False], ids=["written anew", "kept"])
def test_the_change_is_not_there_and_the_others_are_whole(deploy: Deploy, rewritten: bool) -> None:
    control = deploy("standalone", options={"appendonly": "yes", "appendfsync": "always"})
    [server], trader, ids = control.data, fresh(), list[str]()
    with Book.open(control.url(deadline=20)) as reader:
        for missing in CUTS:
            place(control, trader, f"A{missing}", f"B{missing}")
            cut(control, server, missing)
            control.restart(server, rewrite=rewritten)
            ids.append(f"A{missing}")
            assert [one.order_id for one in reader.orders.open(trader)] == sorted(ids), missing
            assert reader.audit.verify(trader) == []
            place(control, trader, f"C{missing}")
            control.kill(server)
            control.restart(server, rewrite=rewritten)
            if keeps_half_changes(server) and not rewritten:
                assert reader.audit.verify(trader), "Redis 7.0 does better than it did"
                return
            ids.append(f"C{missing}")
            assert [one.order_id for one in reader.orders.open(trader)] == sorted(ids), missing
            assert reader.audit.verify(trader) == []


def place(control: Control, trader: str, *order_ids: str) -> None:
    """Place orders from a program of its own, which ends then and asks for no losses."""
    with Book.open(control.url(deadline=20)) as book:
        for order_id in order_ids:
            book.orders.place(limit(trader, order_id))


def keeps_half_changes(server: Server) -> bool:
    """Return True for Redis 7.0, which takes the beginning of a change for a part of the next one."""
    found = info(server, "server")
    return found["redis_version"].startswith("7.0.") and found.get("server_name") != "valkey"
