"""Lost replies and lost scripts: a call has one effect all the same, and returns its first result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
from slotbook import Book
from slotbook.models import Algorithm

from ...support.callers import open_book
from ...support.desk import Desk
from ...support.make import limit
from ...support.relay import Relay

Verb: TypeAlias = "Callable[[Book, str], object]"


def _limiter(algorithm: Algorithm) -> Verb:
    return lambda book, name: book.limiter(5, 60, algorithm).acquire(name, 2)


def _session(book: Book, trader: str) -> object:
    return [book.sessions.create(trader, 60, {"a": "b"}).data, len(book.sessions.by_trader(trader))]


def _release(book: Book, trader: str) -> object:
    book.lock("L", trader=trader).acquire().release()
    return book.lock("L", trader=trader, wait=0).acquire().fence > 0


def _fenced(book: Book, trader: str) -> object:
    return book.lock("L", trader=trader).acquire().orders.place(limit(trader))


VERBS: dict[str, Verb] = {
    **{algorithm.value: _limiter(algorithm) for algorithm in Algorithm},
    "swap": lambda book, name: book.values.swap(name, 0, "one").swapped,
    "swap_value": lambda book, name: book.values.swap_value(name, None, "one").swapped,
    "acquire": lambda book, trader: book.lock("L", trader=trader, wait=0).acquire().fence > 0,
    "release": _release,
    "fenced": _fenced,
    "session": _session,
}


@pytest.fixture
def relay(lone_desk: Desk) -> Iterator[Relay]:
    with Relay(lone_desk.fleet) as running:
        yield running


@pytest.fixture
def behind(lone_desk: Desk, relay: Relay) -> Iterator[Book]:
    """Yield a book behind the relay, with an open connection."""
    with open_book(relay.url, lone_desk.caller, lone_desk.runner) as book:
        book.values.get(lone_desk.another())
        yield book


@pytest.mark.parametrize("lost", ["lose_replies", "lose_requests"])
@pytest.mark.parametrize("verb", VERBS)
def test_one_effect_and_the_first_result(lone_desk: Desk, relay: Relay, behind: Book, verb: str, lost: str) -> None:
    trader, twin = lone_desk.trader, lone_desk.another()
    undisturbed = VERBS[verb](behind, twin)
    setattr(relay, lost, 1)
    disturbed = VERBS[verb](behind, trader)
    assert getattr(relay, lost) == 0
    if verb != "fenced":
        assert disturbed == undisturbed
    assert [_shape(key, trader) for key in lone_desk.contents()] == [
        _shape(key, twin) for key in lone_desk.contents(twin)
    ]


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_lost_permit_is_counted_once(lone_desk: Desk, relay: Relay, behind: Book, algorithm: Algorithm) -> None:
    limiter = behind.limiter(10, 60, algorithm)
    for left in range(9, -1, -1):
        relay.lose_replies = 1
        permit = limiter.acquire(lone_desk.trader)
        assert (permit.allowed, permit.remaining) == (True, left)


def test_of_many_lost_swaps_each_is_one_version(lone_desk: Desk, relay: Relay, behind: Book) -> None:
    version = 0
    for number in range(5):
        relay.lose_replies = 1
        done = behind.values.swap(lone_desk.trader, version, str(number))
        assert done.swapped
        assert behind.values.get(lone_desk.trader).version == done.version > version
        version = done.version


@pytest.mark.parametrize("verb", VERBS)
def test_scripts_that_a_server_forgot_are_sent_again(desk: Desk, verb: str) -> None:
    first = VERBS[verb](desk.book, desk.another())
    for raw in desk.fleet.raws.values():
        raw.ask("SCRIPT", "FLUSH")
    again = VERBS[verb](desk.book, desk.trader)
    assert again == first or verb == "fenced"


def _shape(key: str, trader: str) -> str:
    """Return a key without the trader, and without what follows the type of its record."""
    return ":".join(key.replace(trader, "").split(":")[:2])
