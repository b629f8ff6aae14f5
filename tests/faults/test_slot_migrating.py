"""Fault "slot migrating": a slot migrates under traffic."""

from __future__ import annotations

import asyncio
import time

import pytest
from slotbook import Book
from slotbook.models.errors import OutcomeUnknown, SlotbookError, Unavailable

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.history import History
from ..support.faults.load import Load
from ..support.faults.migration import Migration
from ..support.faults.stand import Stand, Stands
from ..support.faults.verbs import VERBS, Verb, content_of
from ..support.faults.watch import heal_and_judge, more, no_error_reached_a_caller
from ..support.make import fresh
from .conftest import Deploy


def test_held_half_way_for_three_seconds_no_error_reaches_a_caller(deploy: Deploy) -> None:
    control, traders = deploy("cluster"), [fresh() for _ in range(3)]
    history = History()
    with Load(control.url(deadline=10), history, traders, threads=4, tasks=4):
        more(history, 150)
        migration = Migration(control, f"{{{traders[0]}}}").begin()
        migration.half()
        time.sleep(3)
        migration.finish()
        more(history, 150)
        migration.back()
        more(history)
    heal_and_judge(control, history)
    no_error_reached_a_caller(history)


def test_key_by_key_under_load(deploy: Deploy) -> None:
    control, trader = deploy("cluster"), fresh()
    history = History()
    with Load(control.url(deadline=20), history, [trader], threads=3, tasks=3):
        more(history, 30)
        migration = Migration(control, f"{{{trader}}}").begin()
        for _ in range(60):
            migration.move(migration.keys()[::-3][:2])
            time.sleep(0.01)
        migration.finish()
        more(history)
    heal_and_judge(control, history)
    no_error_reached_a_caller(history)


@pytest.mark.parametrize("alone", [True, False], ids=["one-key-gone", "one-key-left"])
@pytest.mark.parametrize("verb", [*VERBS[:4], VERBS[6]], ids=lambda verb: verb.name)
def test_at_every_key_it_waits_or_works(stands: Stands, runner: asyncio.Runner, verb: Verb, alone: bool) -> None:
    with Stand(stands.of("cluster"), "sync", runner) as stand:
        book, hurried = stand.open(), stand.hurried()
        at, keys = 0, [""]
        while at < len(keys):
            trader = f"{stand.trader}.{at}"
            verb.prepare(book, trader)
            book.positions.adjust(trader, "AAPL", 1, request_id="P0")
            before = stand.kinds(trader)
            migration = Migration(stand.control, f"{{{trader}}}").begin()
            keys = migration.keys()
            migration.move([keys[at]] if alone else [key for key in keys if key != keys[at]])
            done = _try(hurried, verb, trader)
            migration.finish()
            effects = {True: [[*before, verb.event]], False: [before], None: [before, [*before, verb.event]]}
            assert stand.kinds(trader) in effects[done], keys[at]
            first = verb.call(book, trader)
            assert content_of(verb.call(book, trader)) == content_of(first), keys[at]
            assert stand.kinds(trader) == [*before, verb.event], keys[at]
            migration.back()
            at += 1


def _try(book: Book, verb: Verb, trader: str) -> bool | None:
    """Return True when it was applied, None when the deadline fell between request and reply."""
    try:
        verb.call(book, trader)
    except Unavailable:
        return False
    except OutcomeUnknown:
        return None
    return True


@pytest.mark.parametrize("caller", CALLERS)
def test_reads_go_on_while_a_slot_moves(stands: Stands, runner: asyncio.Runner, caller: Caller) -> None:
    with Stand(stands.of("cluster"), caller, runner) as stand:
        book = stand.open(deadline=5)
        for verb in (VERBS[0], VERBS[1]):
            verb.call(book, stand.trader)
        order, held = book.orders.get(stand.trader, "A1"), book.positions.get(stand.trader, "AAPL")
        migration = Migration(stand.control, f"{{{stand.trader}}}").begin()
        keys = migration.keys()
        for key in keys:
            assert book.orders.get(stand.trader, "A1") == order
            assert book.positions.get(stand.trader, "AAPL") == held
            migration.move([key])
        assert book.orders.get(stand.trader, "A1") == order
        migration.finish()
        assert book.orders.open(stand.trader) == [order]
        migration.back()


@pytest.mark.parametrize("caller", CALLERS)
def test_any_node_will_do_as_the_address(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control = deploy("cluster")
    trader = fresh()
    replica = control.replicas(control.primary())[0]
    url = f"redis+cluster://:{control.deployment.password}@{replica.host}:{replica.port}"
    book = open_book(url, caller, runner)
    try:
        VERBS[0].call(book, trader)
        assert [order.trader for order in book.orders.open(trader)] == [trader]
    except SlotbookError as error:
        pytest.fail(repr(error))
    finally:
        book.close()
