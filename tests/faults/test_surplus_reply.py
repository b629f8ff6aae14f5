"""Fault "surplus reply": one more than was asked for, at any time, and no caller ever gets another's reply."""

from __future__ import annotations

import asyncio
import select
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import NoneType
from typing import cast

import pytest
from slotbook import AsyncBook, Book
from slotbook.models import Order
from slotbook.models.errors import CorruptRecord, SlotbookError, UnexpectedReply
from slotbook.models.wire import encode

from ..support.faults.between import Between
from ..support.faults.odd import Kept, Other, Surplus
from ..support.make import execution, fresh, limit

PUSHES = (b">2\r\n+invalidate\r\n*1\r\n+k\r\n", b">3\r\n+message\r\n+c\r\n+m\r\n", b">0\r\n", b">2\r\n+x\r\n:1\r\n")


def flat(words: Sequence[str]) -> bytes:
    """Return a list of words as a server sends it."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words)


def hash_of(order: Order) -> bytes:
    """Return the reply that has an order."""
    return flat([word for pair in encode(order).items() for word in pair])


ANOTHER = hash_of(limit("T-another", "A1"))


def placed(book: Book, count: int) -> list[str]:
    """Place the order A1 of some traders, and return their names."""
    traders = [fresh() for _ in range(count)]
    for outcome in book.orders.place_many([limit(trader) for trader in traders]):
        outcome.result()
    return traders


def check(book: Book, traders: list[str]) -> None:
    """Assert that each read is answered with its own order."""
    for trader in traders:
        order = book.orders.get(trader, "A1")
        assert order is not None
        assert order.trader == trader
        assert book.orders.get(trader, "A2") is None


@pytest.mark.parametrize("surplus", [ANOTHER, b"*0\r\n", b":1\r\n", b"+OK\r\n", b"-ERR no\r\n", b"$-1\r\n"], ids=repr)
def test_one_that_comes_while_the_connection_rests(proxied: Between, surplus: bytes) -> None:
    book = proxied.book()
    traders = placed(book, 4)
    for trader in traders:
        proxied.proxy.send(surplus)
        check(book, [trader])
    check(book, traders)


def test_one_that_has_come_and_was_not_read_yet(proxied: Between) -> None:
    """An event loop may write what was asked just now before it reads what has come before."""
    book = proxied.book()
    (trader,) = placed(book, 1)
    asked = proxied.async_book
    if asked is None:
        proxied.proxy.send(ANOTHER)
        check(book, [trader])
        return

    async def scenario() -> Order | None:
        (pool,) = asked.backend._nodes.pools.values()  # pyright: ignore[reportPrivateUsage]
        assert pool.connection is not None
        waiting = pool.connection._transport.get_extra_info("socket")  # pyright: ignore[reportPrivateUsage]
        proxied.proxy.send(ANOTHER)
        assert select.select([waiting], [], [], 5)[0]
        return await asked.orders.get(trader, "A1")

    assert proxied.runner.run(scenario()) == limit(trader).model_copy(update={"version": 1})


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("surplus", [ANOTHER, b"*0\r\n", b"*2\r\n+x"], ids=["whole", "none", "half"])
def test_one_beside_the_reply(proxied: Between, surplus: bytes, first: bool) -> None:
    if first and surplus == b"*2\r\n+x":
        return
    book = proxied.book()
    traders = placed(book, 3)
    proxied.swap.arm(Surplus(surplus, first=first))
    check(book, traders)
    proxied.swap.arm(Surplus(surplus, first=first))
    assert book.orders.place(limit(traders[0], "A2")).sequence in (0, 2)
    check(book, traders[1:])


def test_one_too_many_in_a_batch(proxied: Between) -> None:
    book = proxied.book()
    traders = placed(book, 30)
    for at in (0, 11, 29):
        proxied.swap.arm(Surplus(ANOTHER, first=True), at)
        found = book.orders.get_many([(trader, "A1") for trader in traders])
        for trader, one in zip(traders, found, strict=True):  # the last may come when the batch is over
            assert isinstance(one.error, CorruptRecord) or one.result() == limit(trader).model_copy(
                update={"version": 1}
            )
        proxied.swap.arm(Surplus(b"*3\r\n+\r\n+7 x 1\r\n*2\r\n+applied\r\n+7\r\n", first=True), at)
        outcomes = book.orders.place_many([limit(trader, f"B{at}") for trader in traders])
        for trader, outcome in zip(traders, outcomes, strict=True):
            assert isinstance(outcome.error, UnexpectedReply) or outcome.result().order.trader == trader
        for _ in range(100):  # the last of the replies may be under way when the next is asked for
            again = book.orders.place_many([limit(trader, f"B{at}") for trader in traders])
            # What was left over may be the record of another order.
            assert {type(outcome.error) for outcome in again} <= {UnexpectedReply, CorruptRecord, NoneType}
            assert not any(outcome.result().applied for outcome in again if outcome.error is None)
            if all(outcome.error is None for outcome in again):
                break
        else:
            pytest.fail("the surplus stays")
    check(book, traders)


def test_one_amid_many_callers(proxied: Between) -> None:
    """Each is answered with its own, or with one of our errors; those that come later, with their own."""
    book = proxied.book()
    traders = placed(book, 60)
    wrong: list[str] = []

    def judge(trader: str, order: Order | None) -> None:
        if order is None or order.trader != trader:
            wrong.append(trader)

    for at in (0, 5, 30):
        proxied.swap.arm(Surplus(ANOTHER, first=True), at)
        if (asked := proxied.async_book) is not None:
            proxied.runner.run(_all_at_once(asked, traders, judge))
        else:
            _in_threads(book, traders, judge)
        assert not wrong
        for _ in range(100):  # the last of the replies may be under way when the next is asked for
            with suppress(CorruptRecord):
                judge(traders[0], book.orders.get(traders[0], "A1"))
                break
        assert not wrong


async def _all_at_once(book: AsyncBook, traders: list[str], judge: Callable[[str, Order | None], None]) -> None:
    async def ask(trader: str) -> None:
        for _ in range(3):
            try:
                judge(trader, await book.orders.get(trader, "A1"))
            except SlotbookError:
                continue

    await asyncio.gather(*(ask(trader) for trader in traders))


def _in_threads(book: Book, traders: list[str], judge: Callable[[str, Order | None], None]) -> None:
    def ask(some: list[str]) -> None:
        for trader in some:
            try:
                judge(trader, book.orders.get(trader, "A1"))
            except SlotbookError:
                continue

    threads = [threading.Thread(target=ask, args=(traders[number::6],)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("push", PUSHES, ids=repr)
def test_what_a_server_pushes_is_no_reply(proxied: Between, push: bytes) -> None:
    book = proxied.book()
    traders = placed(book, 2)
    for first in (True, False):
        opened = proxied.proxy.opened
        proxied.swap.arm(Surplus(push, first=first))
        check(book, traders)
        assert proxied.proxy.opened == opened  # nothing was in doubt
    proxied.proxy.send(push)
    check(book, traders)


def test_a_record_of_another_is_refused(proxied: Between) -> None:
    book, trader = proxied.book(), fresh()
    other = limit(fresh(), "A7")
    book.orders.place(limit(trader))
    position = b"*4\r\n$6\r\ntrader\r\n$1\r\nX\r\n$6\r\nsymbol\r\n$4\r\nAAPL\r\n"
    book.orders.fill(execution(trader))
    whole = cast("list[str]", proxied.raw.ask("HGETALL", f"{{{trader}}}:position:AAPL"))
    position = flat([word if word != trader else "T-other" for word in whole])
    for reply, ask in (
        (hash_of(other), lambda: book.orders.get(trader, "A1")),
        (hash_of(limit(trader, "A2")), lambda: book.orders.get(trader, "A1")),
        (position, lambda: book.positions.get(trader, "AAPL")),
        (b"*1\r\n" + position, lambda: book.positions.all(trader)),
        (b"*2\r\n" + hash_of(other) + b"*0\r\n", lambda: book.orders.open(trader)),
    ):
        proxied.swap.arm(Other(reply))
        with pytest.raises(CorruptRecord, match="record of another"):
            ask()
        check(book, [trader])


def test_events_that_were_not_asked_for_are_refused(proxied: Between) -> None:
    book, trader = proxied.book(), fresh()
    for number in range(3):
        book.orders.place(limit(trader, f"A{number}"))
    for entry in (b"1-0", b"4-0"):
        proxied.swap.arm(Other(b"*1\r\n*2\r\n$3\r\n%s\r\n*2\r\n+type\r\n+NEW\r\n" % entry))
        with pytest.raises(UnexpectedReply):
            book.events.history(trader, since=1, until=3)


def test_the_answer_to_anothers_change_is_refused(proxied: Between) -> None:
    """The engine answers with the record as it is after the change, and says which call has written the last event."""
    book, trader, other, warm = proxied.book(), fresh(), fresh(), fresh()
    changes: list[tuple[type[SlotbookError], Callable[[str], object]]] = [
        (UnexpectedReply, lambda name: book.orders.place(limit(name))),
        (UnexpectedReply, lambda name: book.orders.fill(execution(name))),
        (CorruptRecord, lambda name: book.orders.fill(execution(name))),  # both have been applied, and are repeats now
        (UnexpectedReply, lambda name: book.orders.cancel(name, "A1", request_id="R1")),
        (CorruptRecord, lambda name: book.orders.cancel(name, "A1", request_id="R1")),
        (UnexpectedReply, lambda name: book.positions.adjust(name, "AAPL", 5, request_id="R2")),
        (CorruptRecord, lambda name: book.positions.adjust(name, "AAPL", 5, request_id="R2")),
    ]
    for error, change in changes:
        change(warm)
        proxied.swap.arm(Kept())
        change(other)
        proxied.swap.arm(Other(proxied.swap.kept))
        with pytest.raises(error):
            change(trader)
    assert [event.type for event in book.events.history(trader)] == ["NEW", "TRADE", "CANCELED", "POSITION"]
    assert book.losses() == []
