"""Fault "reply lost": the reply is lost after the call was applied."""

from __future__ import annotations

import pytest
from slotbook.models.errors import OutcomeUnknown, Unavailable
from slotbook.repositories.changes.engine import STEPS_AT_ONCE
from slotbook.topology.batch.node_request import PIECES_IN_FLIGHT

from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand
from ..support.faults.verbs import VERBS, Verb, content_of
from ..support.make import execution, limit


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_one_effect_and_the_first_result(stand: Stand, verb: Verb) -> None:
    book = stand.open()
    before = verb.prepare(book, stand.trader)
    stand.veil.add(Rule(Do.SWALLOW))
    result = verb.call(book, stand.trader)
    assert stand.veil.plan.idle
    assert stand.kinds() == [*before, verb.event]
    assert content_of(verb.call(book, stand.trader)) == content_of(result)
    assert stand.kinds() == [*before, verb.event]


def test_however_often_it_is_lost(stand: Stand) -> None:
    book = stand.open()
    book.orders.place(limit(stand.trader))
    stand.veil.add(Rule(Do.SWALLOW, times=5))
    result = book.orders.fill(execution(stand.trader))
    assert (result.applied, result.sequence, result.position.quantity) == (False, 2, 40)
    assert stand.kinds() == ["NEW", "TRADE"]


def test_lost_until_the_deadline_it_is_unknown(stand: Stand) -> None:
    patient, book = stand.open(), stand.open(deadline=1)
    patient.orders.place(limit(stand.trader))
    stand.veil.add(Rule(Do.SWALLOW, times=1_000))
    with pytest.raises(OutcomeUnknown, match="fill X1"):
        book.orders.fill(execution(stand.trader))
    stand.veil.heal()
    assert not patient.orders.fill(execution(stand.trader)).applied
    assert stand.kinds() == ["NEW", "TRADE"]


def test_in_a_batch_only_what_was_lost_is_sent_again(stand: Stand) -> None:
    book = stand.open()
    orders = [limit(stand.trader, f"A{number}") for number in range(30 * STEPS_AT_ONCE)]
    stand.veil.add(Rule(Do.SWALLOW, skip=7))
    outcomes = book.orders.place_many(orders)
    assert [outcome.result().order.order_id for outcome in outcomes] == [order.order_id for order in orders]
    assert stand.kinds() == ["NEW"] * len(orders)
    applied = [outcome.result().applied for outcome in outcomes]
    lost, read = 7 * STEPS_AT_ONCE, (7 - PIECES_IN_FLIGHT) * STEPS_AT_ONCE
    assert applied[:read] == [True] * read  # a link that is reset takes answers with it that are not read yet
    assert applied[lost : lost + STEPS_AT_ONCE] == [False] * STEPS_AT_ONCE


def test_of_a_long_batch_few_calls_are_with_a_server_that_does_not_answer(stand: Stand) -> None:
    book = stand.open(deadline=1)
    orders = [limit(stand.trader, f"A{number}") for number in range(30 * STEPS_AT_ONCE)]
    stand.veil.add(Rule(Do.HOLD, times=1_000))
    outcomes = book.orders.place_many(orders)
    sent = PIECES_IN_FLIGHT * STEPS_AT_ONCE
    assert stand.kinds() == ["NEW"] * sent
    assert {type(outcome.error) for outcome in outcomes[:sent]} == {OutcomeUnknown}
    assert {type(outcome.error) for outcome in outcomes[sent:]} == {Unavailable}


@pytest.mark.parametrize("do", [Do.DROP, Do.SWALLOW])
def test_what_follows_a_lost_part_of_a_batch_does_not_overtake_it(stand: Stand, do: Do) -> None:
    book = stand.open()
    orders = [limit(stand.trader, f"A{number}") for number in range(30 * STEPS_AT_ONCE)]
    stand.veil.add(*(Rule(do, skip=skip) for skip in (3, 5, 9)))
    assert all(outcome.error is None for outcome in book.orders.place_many(orders))
    assert [event["order_id"] for event in stand.events()] == [order.order_id for order in orders]
