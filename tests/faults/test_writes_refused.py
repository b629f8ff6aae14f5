"""Fault "writes refused": the server refuses writes, because its snapshots fail or too few replicas are connected."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal, TypeAlias

import pytest
from slotbook.models.errors import WritesDisabled

from ..support.faults.control import info, wait_until
from ..support.faults.stand import Stand
from ..support.faults.verbs import VERBS, Verb

Reason: TypeAlias = Literal["MISCONF", "NOREPLICAS"]


@contextmanager
def refusing(stand: Stand, reason: Reason) -> Generator[None, None, None]:
    """Make the trader's primary refuse writes."""
    server = stand.control.primary(f"{{{stand.trader}}}")
    if reason == "NOREPLICAS":
        server.ask("CONFIG", "SET", "min-replicas-to-write", 9)
        yield
        server.ask("CONFIG", "SET", "min-replicas-to-write", 0)
        return
    obstacle = server.folder / "dump.rdb"
    obstacle.unlink(missing_ok=True)
    obstacle.mkdir()  # where a snapshot should go, a folder stands in its way
    try:
        server.ask("CONFIG", "SET", "save", "3600 1000000")
        server.ask("BGSAVE")
        wait_until(lambda: info(server, "persistence")["rdb_last_bgsave_status"] == "err", "the snapshot fails")
        yield
    finally:
        obstacle.rmdir()
        server.ask("CONFIG", "SET", "save", "")
        server.ask("SAVE")
        obstacle.unlink(missing_ok=True)


@pytest.mark.parametrize("reason", ["MISCONF", "NOREPLICAS"])
@pytest.mark.parametrize("verb", VERBS[:2] + VERBS[6:7], ids=lambda verb: verb.name)
def test_bounded_typed_and_nothing_changed(stand: Stand, verb: Verb, reason: Reason) -> None:
    book = stand.open(deadline=60)
    before = verb.prepare(book, stand.trader)
    there = stand.contents()
    with refusing(stand, reason):
        started, sent = time.monotonic(), stand.veil.requests("EVALSHA", "EVAL")
        with pytest.raises(WritesDisabled, match=reason):
            verb.call(book, stand.trader)
        assert time.monotonic() - started < 30  # and not the deadline
        scripts = 2 if verb.event == "TRADE_CANCEL" else 1  # a bust reads by one of its own
        assert stand.veil.requests("EVALSHA", "EVAL") <= sent + 2 * scripts  # at most once more, with its source
        assert stand.contents() == there
        assert book.orders.get(stand.trader, "A9") is None
    verb.call(book, stand.trader)
    assert stand.kinds() == [*before, verb.event]
