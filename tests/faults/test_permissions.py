"""Fault "access denied": each command and each key pattern that changes of a book use, denied in turn."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence

import pytest
from slotbook.models.enums import OrderStatus
from slotbook.models.errors import AccessDenied
from slotbook.repositories.changes.scripts import engine

from ..support.faults.denied import CHANGES, Change
from ..support.faults.permissions import User, commands_in, dumps, forget, judged, run_by
from ..support.faults.stand import Stand
from ..support.make import fresh, limit

COMMANDS = sorted(commands_in(engine().source) | {"evalsha", "eval"})
"""Every command that the engine calls; a new one is found."""
NEVER_FAIL = {"publish", "spublish"}
"""Commands without which every change succeeds: the stream has the events."""
KEYS = (
    *[
        f"{{TRADER}}:{name}"
        for name in (
            *("book", "events", "positions", "limits", "order:*", "alias:*", "applied:*", "position:*", "request:*"),
            *("account_position:*", "account_positions"),
        )
    ],
    "{TRADER}:orders_by_symbol:*",
    "{TRADER}:orders_by_+*",
    *[
        f"{{TRADER}}:{kind}{rest}"
        for kind in ("note", "brief")
        for rest in (":*", "_keys*", "_by_*", "_sorted_*", "_unique_*", "_deleted:*")
    ],
    *["{TRADER}:orders_by_status:" + status for status in OrderStatus],
)
"""The patterns of a trader's keys, none of which is a part of another."""


@pytest.fixture
def user(lone_stand: Stand) -> Iterator[User]:
    """Yield a user."""
    found = User(lone_stand)
    yield found
    found.forget()


def keys_of(trader: str) -> str:
    """Return the pattern of a trader's keys."""
    return f"{{{trader}}}:*"


def prepared(stand: Stand, user: User, change: Change) -> str:
    """Return a trader who has what a change needs."""
    trader = fresh()
    change.prepare(user.owner, trader)
    if change.removed:
        stand.control.ask("", "UNLINK", f"{{{trader}}}:{change.removed}")
    for status in ("NEW", "FILLED", "CANCELED", "EXPIRED"):  # an entry of an order that has expired
        stand.control.ask("", "ZADD", f"{{{trader}}}:orders_by_status:{status}", 1, "gone")
    return trader


def run_for(stand: Stand, user: User, change: Change) -> list[tuple[str, ...]]:
    """Return the commands that a change runs when nothing is denied: what it does not use, need not be denied."""
    trader = prepared(stand, user, change)
    commands = run_by(lambda: change.call(user.book, trader), stand)
    forget(stand, keys_of(trader))
    return [tuple(word.replace(trader, "TRADER") for word in words) for words in commands]


def refused(stand: Stand, user: User, change: Change, denials: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the denials under which a change is refused, each with its rules.

    After each, compare what is stored with what the caller was told.
    """
    found: set[str] = set()
    trader = ""
    for denied, rules in denials.items():
        trader = trader or prepared(stand, user, change)
        user.set(*[rule.replace("TRADER", trader) for rule in rules])
        error = judged(lambda name=trader: change.call(user.book, name), stand, keys_of(trader), rules)
        if error:
            found.add(denied)
        if not isinstance(error, AccessDenied):  # otherwise nothing has changed, and all is prepared for the next
            forget(stand, keys_of(trader))
            trader = ""
    forget(stand, keys_of(trader))
    user.allow()
    return found


def test_each_command(lone_stand: Stand, user: User) -> None:
    reached: set[str] = set()
    for change in CHANGES:
        run = {words[0].lower() for words in run_for(lone_stand, user, change)}
        denials = {command: ("~*", "+@all", f"-{command}") for command in COMMANDS if command in run}
        denied = refused(lone_stand, user, change, denials)
        seldom = NEVER_FAIL | {"eval"}  # that is for a script which the server does not have
        assert denied - {"eval"} == set(denials) - seldom, f"what it runs it needs: {change.name}"
        reached |= denied
    unseen = set(COMMANDS) - NEVER_FAIL - {"eval", "xrevrange"} - reached
    assert not unseen, "the list of changes reaches every command"


@pytest.mark.parametrize("allowed", ["", "%R~"], ids=["closed", "read-only"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_each_key_pattern(lone_stand: Stand, user: User, change: Change, allowed: str) -> None:
    words = {word for words in run_for(lone_stand, user, change) for word in words if word.startswith("{TRADER}:")}
    strange = [word for word in words if not any(fnmatch.fnmatchcase(word, pattern) for pattern in KEYS)]
    assert not strange, "with a key that no pattern allows, every change would be refused"
    denials: dict[str, Sequence[str]] = {}
    for pattern in (one for one in KEYS if fnmatch.filter(words, one)):
        others = [f"~{one}" for one in KEYS if one != pattern]
        denials[pattern] = ["+@all", *others, *([f"{allowed}{pattern}"] if allowed else [])]
    found = refused(lone_stand, user, change, denials)
    assert found == set(denials) if not allowed else set(KEYS[:2]) <= found, "what it touches it needs"


def test_a_loss_that_may_not_be_looked_into(lone_stand: Stand, user: User) -> None:
    """The stream may not be read backwards: nothing is changed, and the loss is told when it may."""
    trader = lone_stand.trader
    user.book.orders.place(limit(trader))
    lone_stand.ask("UNLINK", *dumps(lone_stand, keys_of(trader)))
    user.set("~*", "+@all", "-xrevrange")
    with pytest.raises(AccessDenied):
        user.book.orders.place(limit(trader, "A2"))
    assert dumps(lone_stand, keys_of(trader)) == {}
    user.allow()
    (loss,) = user.book.losses()
    assert (loss.first, loss.last) == (1, 1)
