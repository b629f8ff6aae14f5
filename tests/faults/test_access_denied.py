"""Fault "access denied": the server begins to refuse the user, the password or the command."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from slotbook.models.errors import AccessDenied, OutcomeUnknown

from ..support.callers import open_book
from ..support.faults.stand import Stand
from ..support.faults.verbs import VERBS, Verb
from ..support.make import fresh

FIRST = "first"
SOME = (VERBS[0], VERBS[1], VERBS[6])
AT_ONCE = 30.0
"""Seconds; what is tried again ends with the deadline of 60."""


def user_of(stand: Stand) -> tuple[str, Callable[..., None]]:
    """Return a user of the test's own, and a way to change it on every server."""
    user = fresh("u")

    def change(*rules: str) -> None:
        for server in stand.control.data:
            server.ask("ACL", "SETUSER", user, *rules)

    change("on", ">first", "~*", "&*", "+@all")
    return user, change


def forget(stand: Stand, user: str) -> None:
    """Remove the user everywhere."""
    for server in stand.control.data:
        server.ask("ACL", "DELUSER", user)


@pytest.mark.parametrize("verb", SOME, ids=lambda verb: verb.name)
def test_noperm_in_mid_traffic(stand: Stand, verb: Verb) -> None:
    user, change = user_of(stand)
    book = stand.open(username=user, password=FIRST, deadline=60)
    before = verb.prepare(book, stand.trader)
    sent = stand.veil.requests("EVALSHA", "EVAL")
    change("-evalsha", "-eval")
    started = time.monotonic()
    with pytest.raises(AccessDenied, match=r"NOPERM|permission"):
        verb.call(book, stand.trader)
    assert time.monotonic() - started < AT_ONCE
    assert stand.veil.requests("EVALSHA", "EVAL") == sent + 1
    change("+@all")
    verb.call(book, stand.trader)
    assert stand.kinds() == [*before, verb.event]
    forget(stand, user)


@pytest.mark.parametrize("verb", SOME, ids=lambda verb: verb.name)
def test_wrongpass_in_mid_traffic(stand: Stand, verb: Verb) -> None:
    user, change = user_of(stand)
    book = stand.open(username=user, password=FIRST, deadline=60)
    before = verb.prepare(book, stand.trader)
    change("resetpass", ">second")
    for server in stand.control.data:
        server.ask("CLIENT", "KILL", "USER", user)
    started = time.monotonic()
    with pytest.raises((AccessDenied, OutcomeUnknown), match="credentials"):
        verb.call(book, stand.trader)  # unknown, if it went into a socket that the server had already closed
    with pytest.raises(AccessDenied, match="credentials"):
        verb.call(book, stand.trader)
    assert time.monotonic() - started < AT_ONCE
    assert stand.kinds() == before
    change("resetpass", ">first")
    verb.call(book, stand.trader)
    assert stand.kinds() == [*before, verb.event]
    forget(stand, user)


def test_noauth(stand: Stand) -> None:
    started = time.monotonic()
    password = stand.control.deployment.password
    with pytest.raises(AccessDenied):
        open_book(stand.veil.url({"deadline": 60}).replace(f":{password}@", ""), stand.caller, stand.runner)
    assert time.monotonic() - started < AT_ONCE


def test_wrong_from_the_start(stand: Stand) -> None:
    started = time.monotonic()
    with pytest.raises(AccessDenied, match="credentials"):
        stand.open(password=f"not {FIRST}", deadline=60)
    assert time.monotonic() - started < AT_ONCE


def test_a_key_that_the_user_may_not_touch(stand: Stand) -> None:
    user, change = user_of(stand)
    book = stand.open(username=user, password=FIRST)
    VERBS[0].call(book, stand.trader)
    there = stand.contents()
    change("resetkeys", f"~{{{stand.trader}}}:order:*", f"~{{{stand.trader}}}:events")
    with pytest.raises(AccessDenied):
        VERBS[1].call(book, stand.trader)
    assert stand.contents() == there
    forget(stand, user)
