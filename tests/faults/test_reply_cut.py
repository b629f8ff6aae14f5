"""Fault "reply cut": the reply is cut at every byte offset."""

from __future__ import annotations

import pytest

from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand
from ..support.faults.verbs import BY_NAME, content_of
from ..support.make import limit

READS = frozenset({"HGETALL"})


@pytest.mark.parametrize("do", [Do.CUT, Do.RESET], ids=["closed", "reset"])
@pytest.mark.parametrize("name", ["place", "fill", "adjust", "cancel"])
def test_one_effect_and_the_next_caller_gets_its_own_reply(lone_stand: Stand, name: str, do: Do) -> None:
    stand, verb = lone_stand, BY_NAME[name]
    book = stand.open(pool_size=1)
    other = book.orders.place(limit(stand.trader, "B1", quantity=7)).order
    at, sizes = 0, [1]
    while at < max(sizes):  # a repeat may answer more than the first
        trader = f"{stand.trader}.{at}"
        before = verb.prepare(book, trader)
        stand.veil.add(Rule(do, at=at))
        first = verb.call(book, trader)
        sizes += [stand.veil.plan.size]
        assert stand.veil.plan.idle
        assert book.orders.get(stand.trader, "B1") == other, at
        assert content_of(verb.call(book, trader)) == content_of(first), at
        assert stand.kinds(trader) == [*before, verb.event], at
        at += 1 if do is Do.CUT else 7
    assert at > 20


def test_a_read_that_is_cut_is_read_again(stand: Stand) -> None:
    book = stand.open(pool_size=1)
    placed = book.orders.place(limit(stand.trader)).order
    for at in range(0, 200, 7):
        stand.veil.add(Rule(Do.CUT, verbs=READS, at=at))
        assert book.orders.get(stand.trader, "A1") == placed
        assert book.orders.get(stand.trader, "A2") is None
    assert stand.veil.plan.idle
