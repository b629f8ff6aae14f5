"""Fault "read-only": the server is made a replica under traffic."""

from __future__ import annotations

import threading
import time

import pytest
from slotbook.models.errors import Unavailable
from slotbook.topology.embedded import Topology

from ..support.faults.control import Control, wait_until
from ..support.faults.history import History
from ..support.faults.load import Load
from ..support.faults.stand import Stand
from ..support.faults.verbs import VERBS, Verb
from ..support.faults.watch import heal_and_judge, more, no_error_reached_a_caller
from ..support.make import fresh
from .conftest import Deploy


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_not_applied_and_sent_again_when_it_is_a_primary_again(lone_stand: Stand, verb: Verb) -> None:
    stand = lone_stand
    book, hurried = stand.open(), stand.open(deadline=0.8)
    before = verb.prepare(book, stand.trader)
    stand.ask("REPLICAOF", "127.0.0.1", 1)
    back = threading.Timer(0.3, lambda: stand.ask("REPLICAOF", "NO", "ONE"))
    try:
        with pytest.raises(Unavailable, match="not applied"):
            verb.call(hurried, stand.trader)
        back.start()
        verb.call(book, stand.trader)
    finally:
        back.cancel()
        stand.ask("REPLICAOF", "NO", "ONE")
    assert stand.kinds() == [*before, verb.event]


@pytest.mark.parametrize("topology", ["standalone", "sentinel"])
def test_rediscovered_under_load(deploy: Deploy, topology: Topology) -> None:
    control = deploy(topology)
    history = History()
    with Load(control.url(deadline=20), history, [fresh(), fresh()]):
        for _ in range(2):
            more(history)
            _demote(control)
        more(history)
    heal_and_judge(control, history)
    no_error_reached_a_caller(history)


def _demote(control: Control) -> None:
    """Make the primary a replica for a moment, without a word to its clients; whoever is to blame, it comes back."""
    primary = control.primary()
    primary.ask("REPLICAOF", "127.0.0.1", 1)
    time.sleep(0.3)
    wait_until(lambda: primary.ask("REPLICAOF", "NO", "ONE") == "OK", "it is a primary again")
