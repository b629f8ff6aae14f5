"""Fault "writes lost": what comes after a loss and is answered as a repeat, and what a fork hides, prove nothing."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias, cast

import pytest
from slotbook import AsyncBook, Book
from slotbook.models import Fill, Order, PositionChange
from slotbook.models.errors import StateLost
from slotbook.repositories.changes.scripts import BOOK_STEPS, engine
from slotbook.repositories.changes.verb import ChangeResult
from slotbook.topology.embedded import Server, Topology

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.control import SERVICE, Control
from ..support.faults.watch import replicated
from ..support.make import execution, fresh, limit
from .conftest import Deploy

Request: TypeAlias = Order | Fill | PositionChange
TOPOLOGIES: tuple[Topology, ...] = ("sentinel", "cluster")


@dataclass(frozen=True)
class Form:
    """A way to send changes of one trader, each of which is acknowledged or raises."""

    name: str
    requests: Callable[[str, int, int], list[Request]]
    """Return a number of new requests of a trader, given the number of the first."""
    send: Callable[[Book, list[Request]], list[bool]]
    """Send them, and return whether each was applied now. Raises StateLost with the result of the one that has it."""


def fills(trader: str, first: int, count: int) -> list[Request]:
    return [execution(trader, f"X{number}", 10 + number) for number in range(first, first + count)]


def places(trader: str, first: int, count: int) -> list[Request]:
    return [limit(trader, f"B{number}") for number in range(first, first + count)]


def adjustments(trader: str, first: int, count: int) -> list[Request]:
    return [
        PositionChange(trader=trader, symbol="AAPL", quantity=10 + number, request_id=f"P{number}")
        for number in range(first, first + count)
    ]


def _one(book: Book, requests: list[Request]) -> list[bool]:
    return [
        book.positions.apply_many([one])[0].result().applied
        if isinstance(one, PositionChange)
        else book.orders.apply(one).applied
        for one in requests
    ]


FORMS = (
    Form("fill", lambda trader, first, _: fills(trader, first, 1), _one),
    Form("adjust", lambda trader, first, _: adjustments(trader, first, 1), _one),
    Form(
        "fill_many",
        fills,
        lambda book, requests: [one.result().applied for one in book.orders.fill_many(cast("list[Fill]", requests))],
    ),
    Form(
        "place_many",
        places,
        lambda book, requests: [one.result().applied for one in book.orders.place_many(cast("list[Order]", requests))],
    ),
    Form(
        "apply_many",
        lambda trader, first, count: [*places(trader, first, count), *fills(trader, first, count)],
        lambda book, requests: [
            one.result().applied for one in book.orders.apply_many(cast("list[Order | Fill]", requests))
        ],
    ),
    Form(
        "commit",
        lambda trader, first, count: [*places(trader, first, count), *adjustments(trader, first, count)],
        lambda book, requests: [one.applied for one in book.commit(requests)],
    ),
)


def prepare(control: Control, primary: Server) -> None:
    """Teach a new primary the scripts, and let the servers take a freeze of some seconds for no failure."""
    for script in (engine(*BOOK_STEPS), *[engine(step) for step in ("place", "fill", "change")]):
        primary.ask("SCRIPT", "LOAD", script.source)
    for server in control.data:
        if control.deployment.topology == "cluster" and server not in control.dead:
            server.ask("CONFIG", "SET", "cluster-node-timeout", 15_000)
    for server in control.sentinels:
        server.ask("SENTINEL", "SET", SERVICE, "down-after-milliseconds", 15_000)


def replace_the_primary(control: Control, trader: str, primary: Server, replicas: list[Server]) -> Server:
    """Kill a primary whose replicas were cut off; the new one, which has nothing of what came after the cut."""
    control.kill(primary)
    for replica in replicas:
        control.thaw(replica)
    return control.take_over(primary, f"{{{trader}}}")


@contextmanager
def frozen(control: Control, server: Server, seconds: float) -> Generator[None, None, None]:
    """Freeze a server now, and thaw it after a time."""
    control.freeze(server)
    timer = threading.Timer(seconds, control.thaw, (server,))
    timer.start()
    try:
        yield
    finally:
        timer.join()


def events_of(control: Control, trader: str) -> list[str]:
    """Return the identities of a trader's events, in order."""
    key = f"{{{trader}}}:events"
    found: list[str] = []
    for entry in cast("list[tuple[str, list[str]]]", control.ask(key, "XRANGE", key, "-", "+")):
        fields = dict(zip(entry[1][::2], entry[1][1::2], strict=True))
        found.append(fields.get("exec_id") or fields.get("request_id") or fields["order_id"])
    return found


def identity(request: Request) -> str:
    fields = request.model_dump()
    return str(fields.get("exec_id") or fields.get("request_id") or fields["order_id"])


def traders_of_one_primary(control: Control, count: int) -> list[str]:
    """Return new traders whose books are on the same primary."""
    first = fresh()
    home = control.primary(f"{{{first}}}")
    found = [first]
    while len(found) < count:
        if control.primary(f"{{{(trader := fresh())}}}") is home:
            found.append(trader)
    return found


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_repeat_in_place_of_a_lost_change(
    deploy: Deploy, runner: asyncio.Runner, topology: Topology, caller: Caller
) -> None:
    """The change has the number of a lost one; its reply comes too late, and the same is sent again."""
    control = deploy(topology)
    book = open_book(control.url(deadline=20, socket_timeout=0.5), caller, runner)
    traders = dict(zip(traders_of_one_primary(control, len(FORMS)), FORMS, strict=True))
    for trader in traders:
        _one(book, _opened(trader))
        replicated(control, f"{{{trader}}}")
    anyone = next(iter(traders))
    primary = control.primary(f"{{{anyone}}}")
    replicas = control.strand(primary)
    lost = {trader: form.requests(trader, 2, 2) for trader, form in traders.items()}
    for trader, form in traders.items():
        assert all(form.send(book, lost[trader])), form.name
    new = replace_the_primary(control, anyone, primary, replicas)
    prepare(control, new)
    for trader, form in traders.items():
        assert book.orders.get(trader, "A1") is not None  # the book has found the new primary
        _repeat_in_place_of(control, book, new, form, trader, lost[trader])
    assert book.losses() == []  # each was told once
    book.close()


def _opened(trader: str) -> list[Request]:
    return [limit(trader, "A1", quantity=1_000), execution(trader, "X1", 10)]


def _repeat_in_place_of(
    control: Control, book: Book, new: Server, form: Form, trader: str, lost: list[Request]
) -> None:
    sent = form.requests(trader, 4, len(lost) if form.name != "commit" else 2)
    with frozen(control, new, 0.75), pytest.raises(StateLost) as caught:
        form.send(book, sent)
    loss = caught.value
    assert (loss.trader, loss.first, loss.last) == (trader, 3, 2 + len(lost)), form.name
    results = cast("list[ChangeResult]", result if isinstance(result := loss.result, list) else [result])
    assert [result.applied for result in results] == [False] * len(results), f"it was no repeat: {form.name}"
    assert events_of(control, trader) == ["A1", "X1", *map(identity, sent)], form.name
    assert form.send(book, sent) == [False] * len(sent), form.name
    assert form.send(book, lost) == [True] * len(lost), form.name
    assert events_of(control, trader) == ["A1", "X1", *map(identity, [*sent, *lost])], form.name
    opened = _opened(trader)
    journal = [one for one in (*opened, *lost, *sent) if isinstance(one, Order | Fill)]
    done = book.reconcile(journal)
    assert (done.applied, done.repeated, done.refused) == (0, len(journal), 0), form.name
    moved = [one.quantity for one in (*opened, *lost, *sent) if not isinstance(one, Order)]
    assert book.positions.get(trader, "AAPL").quantity == sum(moved), form.name


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_reconcile_brings_the_position_back(
    deploy: Deploy, runner: asyncio.Runner, topology: Topology, caller: Caller
) -> None:
    control, trader = deploy(topology), fresh()
    book = open_book(control.url(deadline=20, socket_timeout=1), caller, runner)
    journal = [limit(trader, "A1"), *[execution(trader, f"X{n}", size) for n, size in ((1, 10), (2, 30), (3, 6))]]
    for request in journal[:2]:
        book.orders.apply(request)
    replicated(control, f"{{{trader}}}")
    primary = control.primary(f"{{{trader}}}")
    replicas = control.strand(primary)
    assert book.orders.apply(journal[2]).sequence == 3
    new = replace_the_primary(control, trader, primary, replicas)
    prepare(control, new)
    book.orders.get(trader, "A1")
    with frozen(control, new, 1.5), pytest.raises(StateLost) as caught:
        book.orders.apply(journal[3])
    assert (caught.value.first, caught.value.last) == (3, 3)
    assert book.positions.get(trader, "AAPL").quantity == 16
    done = book.reconcile(journal)
    assert (done.applied, done.repeated, done.refused, done.losses) == (1, 3, 0, [])
    assert book.positions.get(trader, "AAPL").quantity == 46
    assert book.losses() == []
    book.close()


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_change_of_a_child_in_place_of_a_lost_one(deploy: Deploy, topology: Topology) -> None:
    """The book was open before the fork; the parent's change is lost, and the child's has its number."""
    control = deploy(topology)
    traders = dict(zip(traders_of_one_primary(control, len(FORMS)), FORMS, strict=True))
    with Book.open(control.url(deadline=20)) as book:
        for trader in traders:
            _one(book, _opened(trader))
            replicated(control, f"{{{trader}}}")
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            code = 1
            try:
                os.close(writing)
                os.read(reading, 1)  # until the parent's changes are lost
                wrong = [form.name for trader, form in traders.items() if not _in_the_child(book, form, trader)]
                print("not right in the child:", wrong, flush=True)
                code = 1 if wrong else 0
            finally:
                os._exit(code)
        anyone = next(iter(traders))
        primary = control.primary(f"{{{anyone}}}")
        replicas = control.strand(primary)
        lost = {trader: form.requests(trader, 2, 2) for trader, form in traders.items()}
        try:
            assert all(all(form.send(book, lost[trader])) for trader, form in traders.items())
            prepare(control, replace_the_primary(control, anyone, primary, replicas))
        finally:
            os.write(writing, b".")
            status = os.waitpid(child, 0)[1]
        assert os.waitstatus_to_exitcode(status) == 0
        for trader, form in traders.items():
            assert len(events_of(control, trader)) == 2 + len(lost[trader]), form.name
        losses = {loss.trader: (loss.first, loss.last) for loss in book.losses()}
        assert losses == {trader: (3, 2 + len(requests)) for trader, requests in lost.items()}
        for trader, form in traders.items():
            assert form.send(book, lost[trader]) == [True] * len(lost[trader]), form.name
            assert len(events_of(control, trader)) == 2 + 2 * len(lost[trader]), form.name
        assert book.losses() == []


def _in_the_child(book: Book, form: Form, trader: str) -> bool:
    """Change the same book; nothing that was acknowledged to this process is lost.

    It reads first, for a change that is sent again to the new primary would have another count than the lost one.
    """
    assert book.orders.get(trader, "A1") is not None
    return all(form.send(book, form.requests(trader, 4, 2))) and book.losses() == []


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_an_asyncio_book_in_a_child(deploy: Deploy, topology: Topology) -> None:
    control, trader = deploy(topology), fresh()
    reading, writing = os.pipe()

    async def parent() -> None:
        book = await AsyncBook.open(control.url(deadline=20))
        await book.orders.place(limit(trader, "A1"))
        replicated(control, f"{{{trader}}}")
        child = os.fork()
        if not child:
            code = 1
            try:
                os.close(writing)
                os.read(reading, 1)
                asyncio.events._set_running_loop(None)  # pyright: ignore[reportPrivateUsage]
                asyncio.run(_place_in_the_child(book, trader))
                code = 0
            finally:
                os._exit(code)
        primary = control.primary(f"{{{trader}}}")
        replicas = control.strand(primary)
        try:
            assert (await book.orders.place(limit(trader, "A2"))).sequence == 2
            prepare(control, replace_the_primary(control, trader, primary, replicas))
        finally:
            os.write(writing, b".")
            _, status = await asyncio.to_thread(os.waitpid, child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        with pytest.raises(StateLost) as caught:
            await book.orders.place(limit(trader, "A3"))
        assert (caught.value.first, caught.value.last) == (2, 2)
        assert await book.losses() == []
        await book.close()

    asyncio.run(parent())


async def _place_in_the_child(book: AsyncBook, trader: str) -> None:
    assert await book.orders.get(trader, "A1") is not None
    assert (await book.orders.place(limit(trader, "C1"))).sequence == 2
    assert await book.losses() == []
