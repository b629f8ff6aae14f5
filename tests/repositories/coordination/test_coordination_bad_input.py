"""Bad arguments: methods of coordination and of caches accept a value or raise a SlotbookError, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from slotbook import SlotbookError

from ...support.desk import Desk

Use: TypeAlias = Callable[[Any, str, Any], object]
"""Call a method with a book, a valid name and a value that may be invalid; Any, for its type is wrong on purpose."""

ANYTHING: list[object] = [
    *(None, 5, 1.5, b"x", [], {}, "", " ab", "x" * 300, "\ud800", float("nan"), -1, True, 10**30, object()),
]


def load_nothing(key: str) -> None:
    """Return None, like a source that has no record of the key."""


VERBS: dict[str, Use] = {
    "lock name": lambda book, name, given: book.lock(given, wait=0),
    "lock trader": lambda book, name, given: book.lock(name, trader=given),
    "lock lease": lambda book, name, given: book.lock(name, lease=given),
    "lock wait": lambda book, name, given: book.lock(name, wait=given),
    "token": lambda book, name, given: book.lock(name, trader=name, wait=0).acquire(token=given).release(),
    "limit": lambda book, name, given: book.limiter(given),
    "window": lambda book, name, given: book.limiter(1, given),
    "algorithm": lambda book, name, given: book.limiter(1, 1.0, given),
    "burst": lambda book, name, given: book.limiter(1, 1.0, "token_bucket", given),
    "limited": lambda book, name, given: book.limiter(5).acquire(given),
    "cost": lambda book, name, given: book.limiter(5).acquire(name, given),
    "permit": lambda book, name, given: book.limiter(5).acquire(name, request_id=given),
    "value": lambda book, name, given: book.values.get(given),
    "version": lambda book, name, given: book.values.swap(name, given, "v"),
    "new value": lambda book, name, given: book.values.swap(name, 7, given),
    "old value": lambda book, name, given: book.values.swap_value(name, given, "v"),
    "value ttl": lambda book, name, given: book.values.swap(name, 7, "v", ttl=given),
    "swap": lambda book, name, given: book.values.swap(name, 7, "v", request_id=given),
    "session ttl": lambda book, name, given: book.sessions.create(name, given),
    "session data": lambda book, name, given: book.sessions.create(name, 60, given),
    "session": lambda book, name, given: book.sessions.create(name, 60, session_id=given),
    "get session": lambda book, name, given: book.sessions.get(given),
    "touch": lambda book, name, given: book.sessions.touch(given),
    "revoke": lambda book, name, given: book.sessions.revoke(given),
    "sessions": lambda book, name, given: book.sessions.by_trader(given),
    "symbol": lambda book, name, given: book.symbols.get(given),
    "symbols": lambda book, name, given: book.symbols.get_many([given]),
    "put": lambda book, name, given: book.symbols.put(given),
    "put_many": lambda book, name, given: book.symbols.put_many([given]),
    "get_or_load": lambda book, name, given: book.symbols.get_or_load(given, load_nothing),
    "loader": lambda book, name, given: book.symbols.get_or_load(name, given),
    "invalidate": lambda book, name, given: book.symbols.invalidate(given),
    "invalidate_matching": lambda book, name, given: book.symbols.invalidate_matching(given) and None,
    "near size": lambda book, name, given: book.symbols.near(given),
    "near bound": lambda book, name, given: book.symbols.near(bound=given),
    "warm": lambda book, name, given: book.symbols.warm([], batch=given),
    "cache": lambda book, name, given: book.cache(int, given),
}


@pytest.mark.parametrize("lone_desk", ["sync"], indirect=True)
@pytest.mark.parametrize("verb", VERBS)
def test_no_other_error_comes_out(lone_desk: Desk, verb: str) -> None:
    refused = 0
    with lone_desk.open(prefix="bad:", deadline=5) as book:
        for given in ANYTHING:
            try:
                VERBS[verb](book, lone_desk.trader, given)
            except SlotbookError:
                refused += 1
    assert refused > 0 or verb == "get session"  # an invalid id finds no session
