"""Fault "reply lost": for longer than anything is set to be remembered, but within the deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Final

import pytest
from slotbook import Book
from slotbook.models import Algorithm
from slotbook.models.coordination import new_session_id
from slotbook.models.errors import SessionNotFound
from slotbook.repositories.changes.scripts import BOOK_STEPS, engine
from slotbook.repositories.coordination.limit_calls import SCRIPTS as LIMITS
from slotbook.repositories.coordination.session_calls import CREATE, TOUCH
from slotbook.repositories.coordination.value_calls import SWAP

from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand
from ..support.faults.verbs import VERBS, Verb, content_of
from ..support.make import execution, limit

SILENCE: Final = 0.6
"""The socket timeout, in seconds: a reply that is held back is given up on after it, and the call is sent again."""
BRIEF: Final = {"order_ttl": 0.1, "request_ttl": 0.1, "deadline": 8, "socket_timeout": SILENCE}
"""Settings by which everything would be forgotten when the call comes again."""
SCRIPTS: Final = (engine(), engine(*BOOK_STEPS), SWAP, CREATE, TOUCH, *LIMITS.values())


@contextmanager
def reply_held(stand: Stand, silence: float = SILENCE) -> Generator[None]:
    """Hold back the reply to the next write, whose script the server knows; fail if there is none."""
    for script in SCRIPTS:
        stand.control.ask(f"{{{stand.trader}}}", "SCRIPT", "LOAD", script.source)
    stand.veil.add(Rule(Do.HOLD))
    began = time.monotonic()
    yield
    assert stand.veil.plan.idle
    assert time.monotonic() - began >= silence * 0.9


@contextmanager
def meanwhile(stand: Stand, is_time: Callable[[], object], work: Callable[[Book], object]) -> Generator[None]:
    """Do something with another book, past the proxies, while the block runs, once a condition holds."""

    def wait_and_work() -> None:
        while not is_time():
            time.sleep(0.01)
        work(other)

    with Book.open(stand.control.url(**BRIEF)) as other, ThreadPoolExecutor(1) as executor:
        other.ping()
        done = executor.submit(wait_and_work)
        yield
        done.result()


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_change_is_made_once(lone_stand: Stand, verb: Verb) -> None:
    stand = lone_stand
    book = stand.open(**BRIEF)
    before = verb.prepare(book, stand.trader)
    with reply_held(stand):
        result = verb.call(book, stand.trader)
    assert stand.kinds() == [*before, verb.event]
    assert content_of(verb.call(book, stand.trader)) == content_of(result)
    assert stand.kinds() == [*before, verb.event]


def test_an_adjustment_is_added_once(stand: Stand) -> None:
    positions = stand.open(**BRIEF).positions
    with reply_held(stand):
        result = positions.adjust(stand.trader, "AAPL", 100)
    assert (result.position.quantity, result.applied) == (100, False)
    assert positions.get(stand.trader, "AAPL").quantity == 100


def test_a_fill_that_makes_its_order_filled_is_not_of_an_unknown_order(stand: Stand) -> None:
    book = stand.open(**BRIEF)
    book.orders.place(limit(stand.trader))
    with reply_held(stand):
        result = book.orders.fill(execution(stand.trader, quantity=100))
    assert (result.order.status, result.position.quantity, result.applied) == ("FILLED", 100, False)
    assert stand.kinds() == ["NEW", "TRADE"]


def test_an_order_that_another_caller_ends_is_not_placed_again(stand: Stand) -> None:
    book = stand.open(**BRIEF)
    is_there = partial(stand.ask, "EXISTS", "%:order:A1")
    with reply_held(stand), meanwhile(stand, is_there, lambda other: other.orders.cancel(stand.trader, "A1")):
        result = book.orders.place(limit(stand.trader))
    assert (result.order.status, result.applied) == ("CANCELED", False)
    assert stand.kinds() == ["NEW", "CANCELED"]


def test_many_changes_are_made_once(stand: Stand) -> None:
    book = stand.open(**BRIEF)
    orders = [limit(stand.trader, f"A{number}") for number in range(5)]
    fills = [execution(stand.trader, "X1", 100, order_id=order.order_id) for order in orders]
    with reply_held(stand):
        outcomes = book.orders.apply_many([*orders, *fills])
    assert all(outcome.error is None for outcome in outcomes)
    assert book.positions.get(stand.trader, "AAPL").quantity == 500
    assert stand.kinds() == ["NEW"] * 5 + ["TRADE"] * 5


def test_a_unit_is_made_once(stand: Stand) -> None:
    book = stand.open(**BRIEF)
    with reply_held(stand):
        placed, filled = book.commit([limit(stand.trader), execution(stand.trader, quantity=100)])
    assert (placed.applied, filled.applied) == (False, False)
    assert stand.kinds() == ["NEW", "TRADE"]


@pytest.mark.parametrize("ttl", [None, 0.1])
def test_a_swap_says_that_it_was_made(stand: Stand, ttl: float | None) -> None:
    values = stand.open(**BRIEF).values
    with reply_held(stand):
        swap = values.swap(stand.trader, 0, "one", ttl=ttl)
    assert (swap.swapped, swap.value) == (True, "one")
    if ttl is None:
        assert values.get(stand.trader).version == swap.version


def test_a_session_that_expired_meanwhile_is_not_created_again(stand: Stand) -> None:
    sessions = stand.open(**BRIEF).sessions
    with reply_held(stand):
        session = sessions.create(stand.trader, 0.1)
    assert session.expires_ms - session.created_ms == 100
    assert session.id is not None
    assert sessions.get(session.id) is None
    assert sessions.by_trader(stand.trader) == []


def test_a_session_that_was_revoked_meanwhile_stays_revoked(stand: Stand) -> None:
    silence, ttl = 1.5, 1.2  # it is revoked before it expires, and has expired when the call is sent again
    sessions, chosen = stand.open(**BRIEF | {"socket_timeout": silence}).sessions, new_session_id(stand.trader)
    is_there = partial(stand.ask, "EXISTS", "%:sessions")
    revoked = meanwhile(stand, is_there, lambda other: other.sessions.revoke_all(stand.trader))
    with reply_held(stand, silence), revoked, pytest.raises(SessionNotFound):
        sessions.create(stand.trader, ttl, session_id=chosen)
    assert sessions.get(chosen) is None


def test_a_session_that_is_touched_stays_revoked(stand: Stand) -> None:
    sessions, chosen = stand.open(**BRIEF).sessions, new_session_id(stand.trader)
    sessions.create(stand.trader, 0.4, session_id=chosen)
    is_sent = partial(vars(stand.veil.plan).get, "met")
    revoked = meanwhile(stand, is_sent, lambda other: other.sessions.revoke(chosen))
    with reply_held(stand), revoked, pytest.raises(SessionNotFound):
        sessions.touch(chosen)
    assert sessions.get(chosen) is None


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_permit_is_counted_once(stand: Stand, algorithm: Algorithm) -> None:
    book = stand.open(**BRIEF)
    limiter = book.limiter(10, 60.0, algorithm)
    with reply_held(stand):
        permit = limiter.acquire(stand.trader, 3)
    assert (permit.allowed, permit.remaining) == (True, 7)
    assert limiter.acquire(stand.trader, 1).remaining == 6


def test_a_server_that_froze_after_the_change_answers_with_it(lone_stand: Stand) -> None:
    stand = lone_stand
    book = stand.open(**BRIEF)

    server = stand.control.primary()

    def freeze(_: Book) -> None:
        stand.control.freeze(server)
        time.sleep(SILENCE)
        stand.control.thaw(server)

    with reply_held(stand), meanwhile(stand, stand.events, freeze):
        result = book.positions.adjust(stand.trader, "AAPL", 100)
    assert result.position.quantity == book.positions.get(stand.trader, "AAPL").quantity == 100


def test_a_book_of_the_longest_times_can_be_opened(stand: Stand) -> None:
    longest: dict[str, object] = dict.fromkeys(("deadline", "order_ttl", "request_ttl"), 86_400 * 366 * 10)
    book: Book = stand.open(**longest)
    assert book.positions.adjust(stand.trader, "AAPL", 100).applied
