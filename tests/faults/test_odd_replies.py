"""Fault "odd reply": whatever comes in place of a reply becomes one of our errors, of its own call only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slotbook import Book, SlotbookError
from slotbook.models.errors import UnexpectedReply

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.between import Between
from ..support.faults.methods import TRADER, Asked, call, calls
from ..support.faults.odd import CHANGES, Change, Other, Part
from ..support.faults.scripted import Scripted
from ..support.make import fresh, limit

T = TypeVar("T")

REPLIES = int(os.environ.get("SLOTBOOK_REPLIES", "25"))
"""Replies that are changed, in each way of calling and each test."""
usual = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
fuzz = settings(usual, max_examples=REPLIES)
a_few = settings(usual, max_examples=max(3, REPLIES // 10))
ODD = (
    *(b"-MOVED x\r\n", b"-ASK\r\n", b"*3\r\n+a\r\n+b\r\n+c\r\n", b"$-1\r\n", b":0\r\n"),
    *(b"*1\r\n-ERR no\r\n", b"%0\r\n", b"#t\r\n", b"*2\r\n*0\r\n+x\r\n"),
)
"""Replies that no server gives to a read of an order."""


@fuzz
@given(asked=calls(st.nothing()), change=CHANGES, skip=st.integers(0, 3))
def test_every_method_returns_or_raises_one_of_ours(proxied: Between, asked: Asked, change: Change, skip: int) -> None:
    proxied.raw.ask("FLUSHALL")
    book = proxied.book()
    book.orders.place(limit(TRADER))
    proxied.swap.arm(change, skip)
    try:
        call(book, asked)
    except SlotbookError:
        pass
    finally:
        proxied.swap.disarm()
    each_gets_its_own(book)


def each_gets_its_own(book: Book) -> None:
    """Assert that the next calls are answered with what was asked for."""
    name = fresh()
    assert book.orders.place(limit(name)).order.trader == name
    found = book.orders.get(name, "A1")
    assert found is not None
    assert found.trader == name
    assert book.orders.get(name, "A2") is None
    assert book.positions.get(name, "AAPL").quantity == 0
    book.values.swap(name, 0, "v")
    assert book.values.get(name).value == "v"


@fuzz
@given(change=CHANGES, number=st.integers(0, 5))
def test_in_a_batch_only_its_own_call_fails(proxied: Between, change: Change, number: int) -> None:
    book, traders = proxied.book(), [fresh() for _ in range(6)]
    book.orders.place_many([limit(trader) for trader in traders])
    proxied.swap.arm(change, number)
    outcomes = book.orders.get_many([(trader, "A1") for trader in traders])
    proxied.swap.disarm()
    for trader, outcome in zip(traders, outcomes, strict=True):
        assert outcome.error is None or isinstance(outcome.error, SlotbookError)
        assert outcome.value is None or outcome.value.trader == trader
    assert sum(outcome.value is None for outcome in outcomes) <= 1


@fuzz
@given(change=CHANGES, number=st.integers(0, 5))
def test_of_many_changes_only_its_own_fails_or_is_repeated(proxied: Between, change: Change, number: int) -> None:
    book, traders = proxied.book(), [fresh() for _ in range(6)]
    proxied.swap.arm(change, number)
    outcomes = book.orders.place_many([limit(trader) for trader in traders])
    proxied.swap.disarm()
    for trader, outcome in zip(traders, outcomes, strict=True):
        assert outcome.error is None or isinstance(outcome.error, SlotbookError)
        assert outcome.value is None or outcome.value.order == limit(trader).model_copy(update={"version": 1})
    assert sum(outcome.value is None for outcome in outcomes) <= 1
    again = book.orders.place_many([limit(trader) for trader in traders])
    assert all(outcome.result().sequence in (0, 1) for outcome in again)


def begun(begin: Callable[[], T]) -> T:
    """Begin something, once more if the change of a reply made it fail."""
    try:
        return begin()
    except SlotbookError:
        return begin()


def takes(get: Callable[[], T | None], wanted: Callable[[T], object], tries: int) -> bool:
    """Get something until it is the wanted one, or there is nothing more; errors are ours."""
    for _ in range(tries):
        with suppress(SlotbookError):
            found = get()
            if found is not None and wanted(found):
                return True
    return False


@a_few
@given(change=CHANGES, skip=st.integers(0, 8))
def test_a_consumer_goes_on_after_it(proxied: Between, change: Change, skip: int) -> None:
    book, trader = proxied.book(), fresh()
    book.orders.place_many([limit(trader, f"A{number}") for number in range(3)])
    proxied.swap.arm(change, skip)
    consumer = begun(lambda: book.events.consume("g", "c", trader, min_idle=0.05, poll=0.01).start())
    takes(lambda: consumer.get(0.02), lambda delivery: delivery.acknowledge() and delivery.event.sequence == 3, 6)
    proxied.swap.disarm()
    book.orders.place(limit(trader, "A9"))
    assert takes(lambda: consumer.get(0.2), lambda delivery: delivery.event.order_id == "A9", 50)
    consumer.stop()


@a_few
@given(change=CHANGES, skip=st.integers(0, 8))
def test_a_follower_goes_on_after_it(proxied: Between, change: Change, skip: int) -> None:
    book, trader = proxied.book(), fresh()
    book.orders.place_many([limit(trader, f"A{number}") for number in range(3)])
    proxied.swap.arm(change, skip)
    follower = begun(lambda: book.events.follow(trader, since=0, poll=0.01).start())
    takes(lambda: follower.get(0.02), lambda event: event.sequence == 3, 6)
    proxied.swap.disarm()
    book.orders.place(limit(trader, "A9"))
    assert takes(lambda: follower.get(0.2), lambda event: event.order_id == "A9", 50)
    follower.stop()


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_reply_costs_one_order_of_many(proxied: Between, odd: bytes) -> None:
    book, traders = proxied.book(), [fresh() for _ in range(5)]
    book.orders.place_many([limit(trader) for trader in traders])
    proxied.swap.arm(Other(odd), 2)
    outcomes = book.orders.get_many([(trader, "A1") for trader in traders])
    assert [outcome.error is None for outcome in outcomes] == [True, True, False, True, True]
    assert isinstance(outcomes[2].error, UnexpectedReply)
    proxied.swap.arm(Other(odd))
    with pytest.raises(UnexpectedReply):
        book.orders.get(traders[0], "A1")


def test_an_odd_answer_costs_one_change_of_a_call(proxied: Between) -> None:
    """The changes of one trader go in one call, whose reply has an answer for each."""
    book, trader = proxied.book(), fresh()
    book.orders.place_many([limit(trader, f"A{number}") for number in range(3)])
    sequence_of_the_second = 8  # of the parts of [lost, tip, [applied, 4], [applied, 5], [applied, 6]]
    proxied.swap.arm(Part(sequence_of_the_second, b"$1\r\nx\r\n"))
    outcomes = book.orders.place_many([limit(trader, f"B{number}") for number in range(3)])
    assert [type(outcome.error) for outcome in outcomes] == [type(None), UnexpectedReply, type(None)]
    assert [outcome.result().sequence for outcome in outcomes[::2]] == [4, 6]


@pytest.mark.parametrize(
    "odd", ["-MOVED x", "-ASK", "-MOVED 99999 127.0.0.1:1", "-ASK 5 a..b:1", "-MOVED 5 127.0.0.1:x"]
)
@pytest.mark.parametrize("caller", CALLERS)
def test_a_redirect_to_nowhere_costs_one_read_of_many(caller: Caller, runner: asyncio.Runner, odd: str) -> None:
    """On a cluster, where redirects are followed."""
    with Scripted() as server:
        book = open_book(server.cluster_url(deadline=2), caller, runner)
        for reply in ("*0", odd, "*0"):
            server.answer("HGETALL", f"{reply}\r\n")
        outcomes = book.orders.get_many([(f"T{number}", "A1") for number in range(3)])
        assert [type(outcome.error) for outcome in outcomes] == [type(None), UnexpectedReply, type(None)]
        book.close()
