"""Fault "out of memory": the server is out of memory."""

from __future__ import annotations

import pytest
from slotbook.models.errors import OutOfMemory

from ..support.faults.stand import Stand
from ..support.faults.verbs import VERBS, Verb


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_no_storm_and_nothing_half_done(stand: Stand, verb: Verb) -> None:
    book = stand.open()
    before = verb.prepare(book, stand.trader)
    there = stand.contents()
    sent = stand.veil.requests("EVALSHA", "EVAL")
    stand.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(OutOfMemory, match="maxmemory"):
            verb.call(book, stand.trader)
        assert stand.veil.requests("EVALSHA", "EVAL") <= sent + 2  # at most once more, with its source
        assert stand.contents() == there
    finally:
        stand.ask("CONFIG", "SET", "maxmemory", "0")
    verb.call(book, stand.trader)
    assert stand.kinds() == [*before, verb.event]


def test_reads_go_on(stand: Stand) -> None:
    book = stand.open()
    VERBS[0].call(book, stand.trader)
    stand.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        assert book.orders.get(stand.trader, "A1") is not None
        assert len(book.orders.open(stand.trader)) == 1
        assert book.orders.count(stand.trader) == 1
        assert book.positions.all(stand.trader) == []
    finally:
        stand.ask("CONFIG", "SET", "maxmemory", "0")
