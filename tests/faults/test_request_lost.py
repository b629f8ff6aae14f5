"""Fault "request lost": the request never reaches the server."""

from __future__ import annotations

import pytest
from slotbook.models.errors import OutcomeUnknown

from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand
from ..support.faults.verbs import BY_NAME, VERBS, Verb


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_one_effect(stand: Stand, verb: Verb) -> None:
    book = stand.open()
    before = verb.prepare(book, stand.trader)
    stand.veil.add(Rule(Do.DROP, times=2))
    verb.call(book, stand.trader)
    assert stand.veil.plan.idle
    assert stand.kinds() == [*before, verb.event]


def test_lost_until_the_deadline_it_is_unknown_and_not_there(stand: Stand) -> None:
    book = stand.open(deadline=1)
    stand.veil.add(Rule(Do.DROP, times=1_000))
    with pytest.raises(OutcomeUnknown):  # the book cannot know that it was the request
        BY_NAME["adjust"].call(book, stand.trader)
    assert stand.contents() == {}
