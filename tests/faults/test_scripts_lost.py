"""Fault "scripts lost": the server loses its scripts."""

from __future__ import annotations

import pytest

from ..support.faults.history import History
from ..support.faults.load import Load
from ..support.faults.stand import Stand
from ..support.faults.verbs import VERBS, Verb
from ..support.faults.watch import heal_and_judge, more, no_error_reached_a_caller
from ..support.make import fresh, limit
from .conftest import Deploy


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_loaded_again_and_run_once(stand: Stand, verb: Verb) -> None:
    book = stand.open()
    before = verb.prepare(book, stand.trader)
    stand.ask("SCRIPT", "FLUSH")
    sent = stand.veil.requests("EVAL")
    verb.call(book, stand.trader)
    reads = verb.event in {"TRADE_CANCEL", "TRADE_CORRECT"}  # by a script of its own, before the change
    assert stand.veil.requests("EVAL") == sent + 1 + reads
    assert stand.kinds() == [*before, verb.event]
    sent = stand.veil.requests("EVAL")
    verb.call(book, stand.trader)
    assert stand.veil.requests("EVAL") == sent


def test_a_batch_is_applied_once_in_its_order(stand: Stand) -> None:
    book = stand.open()
    stand.ask("SCRIPT", "FLUSH")
    outcomes = book.orders.place_many([limit(stand.trader, f"A{number}") for number in range(100)])
    assert all(outcome.result().applied for outcome in outcomes)
    assert [event["order_id"] for event in stand.events()] == [f"A{number}" for number in range(100)]


def test_flushed_again_and_again_under_load(deploy: Deploy) -> None:
    control = deploy("standalone", options={"appendonly": "yes", "appendfsync": "always"})
    history = History()
    with Load(control.url(deadline=20), history, [fresh()], pause=0.001):
        for _ in range(20):
            more(history, 15)
            control.data[0].ask("SCRIPT", "FLUSH")
        control.kill(control.data[0])  # a restart loses the scripts as well
        control.restart(control.data[0])
        more(history)
    heal_and_judge(control, history)
    no_error_reached_a_caller(history)
