"""Fault "writes lost": a replica is promoted without the last writes."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import cast

import pytest
from slotbook import Book
from slotbook.models import Cancel, PositionChange
from slotbook.models.errors import OrderNotFound, SlotbookError, StateLost
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.repositories.positions.calls import PositionCalls
from slotbook.topology._sync.opening import open_backend
from slotbook.topology.call import Call
from slotbook.topology.embedded import Server, Topology

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import Control, info, wait_until
from ..support.faults.proxy import Proxy
from ..support.faults.watch import replicated
from ..support.make import execution, fresh, limit
from .conftest import Deploy


def lose(control: Control, trader: str, write: list[str], book: Book) -> Server:
    """Have orders acknowledged that no replica gets, and a replica promoted; the new primary."""
    primary = control.primary(f"{{{trader}}}")
    replicas = control.strand(primary)
    for order_id in write:
        book.orders.place(limit(trader, order_id))
    control.kill(primary)
    for replica in replicas:
        control.thaw(replica)
    return control.take_over(primary, f"{{{trader}}}")


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_reported_with_its_range(deploy: Deploy, runner: asyncio.Runner, topology: Topology, caller: Caller) -> None:
    control, trader = deploy(topology), fresh()
    book = open_book(control.url(deadline=20), caller, runner)
    book.orders.place(limit(trader, "A1"))
    replicated(control, f"{{{trader}}}")
    lose(control, trader, ["A2", "A3"], book)
    with pytest.raises(StateLost) as caught:
        book.orders.place(limit(trader, "A4"))
    assert (caught.value.trader, caught.value.first, caught.value.last) == (trader, 2, 3)
    assert {order.order_id for order in book.orders.open(trader)} == {"A1", "A4"}  # its own change was applied
    for order_id in ("A2", "A3", "A4", "A1"):
        book.orders.place(limit(trader, order_id))
    assert book.orders.count(trader) == 4
    book.close()


@pytest.mark.parametrize("caller", CALLERS)
def test_another_writer_does_not_hide_it(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    """Another program uses the lost numbers again, and more, before this one comes back."""
    control, trader = deploy("sentinel"), fresh()
    book, another = (open_book(control.url(deadline=20), caller, runner) for _ in range(2))
    book.orders.place(limit(trader, "A1"))
    replicated(control, f"{{{trader}}}")
    lose(control, trader, ["A2", "A3"], book)
    for number in range(5):
        another.orders.place(limit(trader, f"B{number}"))
    (loss,) = book.losses()
    assert (loss.trader, loss.first, loss.last, loss.result, loss.refusal) == (trader, 2, 3, None, None)
    assert book.losses() == another.losses() == []  # told once
    for order_id in ("A2", "A3"):
        book.orders.place(limit(trader, order_id))
    assert book.orders.count(trader) == 8
    another.close()
    book.close()


@pytest.mark.parametrize("caller", CALLERS)
def test_a_trader_that_cannot_be_asked_hides_no_loss_of_another(
    deploy: Deploy, runner: asyncio.Runner, caller: Caller
) -> None:
    control, trader = deploy("cluster"), fresh()
    home = control.primary(f"{{{trader}}}")
    elsewhere = next(name for name in iter(fresh, "") if control.primary(f"{{{name}}}") is not home)
    book = open_book(control.url(deadline=1, socket_timeout=0.3), caller, runner)
    for name in (trader, elsewhere):
        book.orders.place(limit(name))
    control.ask(f"{{{trader}}}", "UNLINK", f"{{{trader}}}:events", f"{{{trader}}}:book")
    frozen = control.primary(f"{{{elsewhere}}}")
    control.freeze(frozen)
    (loss,) = book.losses()
    assert (loss.trader, loss.first, loss.last) == (trader, 1, 1)
    with pytest.raises(SlotbookError):
        book.losses()
    control.thaw(frozen)
    book.close()


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_a_change_on_its_way_does_not_hide_it(deploy: Deploy, topology: Topology) -> None:
    """It was packed before the lost ones were acknowledged, and gets the number of the first of them."""
    control, trader = deploy(topology), fresh()
    loss_detector = LossDetector()
    with Book(open_backend(control.url(deadline=20)), loss_detector) as book:
        book.orders.place(limit(trader, "A1"))
        replicated(control, f"{{{trader}}}")
        on_its_way = OrderCalls(book.backend.settings, loss_detector).change(limit(trader, "B1"))
        lose(control, trader, ["A2", "A3"], book)
        with pytest.raises(StateLost) as caught:
            book.backend.run(on_its_way)
        assert (caught.value.trader, caught.value.first, caught.value.last) == (trader, 2, 3)
        assert book.losses() == []  # told once
        for order_id in ("A2", "A3", "B1", "A1"):
            book.orders.place(limit(trader, order_id))
        assert book.orders.count(trader) == 4


@pytest.mark.parametrize("request_", ["place", "fill", "adjust", "cancel"])
def test_what_was_acknowledged_as_a_repeat_is_missed_too(deploy: Deploy, request_: str) -> None:
    """The first reply never came, the second said that it was a repeat, and then the server lost it."""
    control, trader = deploy("sentinel"), fresh()
    loss_detector = LossDetector()
    with Book(open_backend(control.url(deadline=20)), loss_detector) as book:
        book.orders.place(limit(trader, "A1"))
        replicated(control, f"{{{trader}}}")
        change = {
            "place": limit(trader, "A2"),
            "fill": execution(trader),
            "adjust": PositionChange(trader=trader, symbol="AAPL", quantity=3, request_id="P1"),
            "cancel": Cancel(trader=trader, order_id="A1"),
        }[request_]
        primary = control.primary()
        replicas = control.strand(primary)
        if isinstance(change, PositionChange):
            unread = cast("Call[object]", PositionCalls(book.backend.settings, loss_detector).change(change))
            again = partial(book.positions.apply_many, [change])
        else:
            unread = cast("Call[object]", OrderCalls(book.backend.settings, loss_detector).change(change))
            again = partial(book.orders.apply_many, [change])
        unread.decode = lambda _: None
        book.backend.run(unread)
        assert [outcome.result().applied for outcome in again()] == [False]
        control.kill(primary)
        for replica in replicas:
            control.thaw(replica)
        control.take_over(primary)
        assert [(loss.first, loss.last) for loss in book.losses()] == [(2, 2)]
        assert [outcome.result().applied for outcome in again()] == [True]
        assert book.losses() == []


@pytest.mark.parametrize("caller", CALLERS)
def test_a_refusal_that_comes_of_it_says_so(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("sentinel"), fresh()
    book = open_book(control.url(deadline=20), caller, runner)
    book.orders.place(limit(trader, "A1"))
    replicated(control, f"{{{trader}}}")
    lose(control, trader, ["A2"], book)
    with pytest.raises(StateLost, match="there is no such order") as caught:
        book.orders.cancel(trader, "A2")
    assert (caught.value.first, caught.value.last) == (2, 2)
    assert isinstance(caught.value.refusal, OrderNotFound)
    with pytest.raises(OrderNotFound):
        book.orders.cancel(trader, "A2")
    journal = [limit(trader, "A1"), limit(trader, "A2"), Cancel(trader=trader, order_id="A2")]
    done = book.reconcile(journal)
    assert (done.applied, done.repeated, done.refused, done.losses) == (2, 1, 0, [])
    book.close()


@pytest.mark.parametrize("caller", CALLERS)
def test_what_was_trimmed_is_not_taken_for_lost(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("standalone"), fresh()
    key = f"{{{trader}}}:events"
    with open_book(control.url(), caller, runner) as book, open_book(control.url(), caller, runner) as another:
        book.orders.place(limit(trader, "A1"))
        control.ask(key, "XTRIM", key, "MAXLEN", 0)
        book.orders.place(limit(trader, "A2"))
        for number in range(3):
            another.orders.place(limit(trader, f"B{number}"))
        control.ask(key, "XTRIM", key, "MAXLEN", 2)
        book.orders.place(limit(trader, "A3"))
        assert book.losses() == []


@pytest.mark.parametrize("caller", CALLERS)
def test_a_server_that_restarts_empty(deploy: Deploy, runner: asyncio.Runner, caller: Caller) -> None:
    control, trader = deploy("standalone"), fresh()
    book = open_book(control.url(deadline=10), caller, runner)
    for number in range(3):
        book.orders.place(limit(trader, f"A{number}"))
    control.kill(control.data[0])
    control.restart(control.data[0])
    with pytest.raises(StateLost) as caught:
        book.orders.place(limit(trader, "A3"))
    assert (caught.value.first, caught.value.last) == (1, 3)
    book.close()


def test_the_link_to_the_replica_is_a_black_hole(deploy: Deploy) -> None:
    control, trader = deploy("sentinel", replicas=1), fresh()
    primary = control.primary()
    (replica,) = control.replicas(primary)
    with Proxy(primary.host, primary.port) as proxy, Book.open(control.url(deadline=20)) as book:
        replica.ask("REPLICAOF", proxy.host, proxy.port)
        wait_until(lambda: info(replica).get("master_link_status") == "up", "the replica is linked by way of the proxy")
        book.orders.place(limit(trader, "A1"))
        wait_until(lambda: replica.ask("EXISTS", f"{{{trader}}}:order:A1"), "the replica has the first order")
        proxy.blackhole()
        book.orders.place(limit(trader, "A2"))
        control.kill(primary)
        control.take_over(primary)
        with pytest.raises(StateLost) as caught:
            book.orders.place(limit(trader, "A3"))
        assert (caught.value.first, caught.value.last) == (2, 2)
