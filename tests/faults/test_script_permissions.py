"""Fault "access denied": each command of each script that writes, and each of its keys, denied in turn.

The scripts and their commands are read from the package, so that a new one cannot be forgotten. The engine, by which
books change, has tests of its own in ``test_permissions.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from slotbook import Book

from ..support.faults.permissions import User, commands_in, dumps, judged
from ..support.faults.script_cases import CASES, SCRIPTS, UNREACHED, WRITING, Case
from ..support.faults.stand import Stand
from ..support.make import fresh


def test_every_script_that_writes_has_a_case() -> None:
    assert {case.script for case in CASES} == WRITING


def test_every_command_is_written_out() -> None:
    """Else a write would not be known as one; what only reads may be given its command."""
    for name, script in SCRIPTS.items():
        for called in re.findall(r"redis\.p?call\((?!\s*')[^)]*\)", script.source):
            assert re.search(r"\((\w+),", called), name
            assert name not in WRITING or name.startswith("events/"), f"{name}: {called}"


@pytest.fixture
def user(lone_stand: Stand) -> Iterator[User]:
    """Yield a user."""
    found = User(lone_stand)
    yield found
    found.forget()


def _prepared(stand: Stand, case: Case) -> str:
    """Store what is there before a case, and return its name."""
    name = fresh()
    with Book.open(stand.control.url()) as owner:
        case.prepare(owner, name)
    for words in case.before:
        stand.control.ask("", *(word.replace("NAME", name) if isinstance(word, str) else word for word in words))
    return name


def _denied(stand: Stand, user: User, case: Case, *rules: str) -> bool:
    """Make the call of a case without some permission, and return whether it was refused."""
    name = _prepared(stand, case)
    user.set(*[rule.replace("NAME", name) for rule in rules])
    error = judged(lambda: case.call(user.book, name), stand, f"*{name}*", rules, exact=case.exact)
    user.allow()
    return error is not None


def _denied_commands(stand: Stand, user: User, case: Case) -> set[str]:
    commands = commands_in(SCRIPTS[case.script].source) | {"evalsha", "eval"}
    return {one for one in commands if _denied(stand, user, case, "~*", "+@all", f"-{one}")}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_command(lone_stand: Stand, user: User, case: Case) -> None:
    assert "evalsha" in _denied_commands(lone_stand, user, case)


def test_a_consumer_that_cannot_know_what_it_has_pending_does_not_seem_to_leave(lone_stand: Stand, user: User) -> None:
    (case,) = [one for one in CASES if str(one) == "events/leave with nothing"]
    assert "xpending" in _denied_commands(lone_stand, user, case)


@pytest.mark.parametrize("script", sorted(WRITING))
def test_every_command_of_a_script_is_denied_to_some_case(lone_stand: Stand, user: User, script: str) -> None:
    """Else the cases would not reach it."""
    unseen = commands_in(SCRIPTS[script].source) - UNREACHED.get(script, set())
    for case in (one for one in CASES if one.script == script):
        unseen -= _denied_commands(lone_stand, user, case)
    assert not unseen


@pytest.mark.parametrize("allowed", ["", "%R~"], ids=["closed", "read-only"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_key(lone_stand: Stand, user: User, case: Case, allowed: str) -> None:
    name = _prepared(lone_stand, case)
    there = set(dumps(lone_stand, f"*{name}*"))
    case.call(user.book, name)
    touched = {key.replace(name, "NAME") for key in there | set(dumps(lone_stand, f"*{name}*"))}
    touched |= {key for key in case.keys.values() if isinstance(key, str)}
    refused = False
    for key in sorted(touched):
        mine = [f"{allowed}{key}"] if allowed else []
        others = [f"~{other}" for other in touched if other != key]
        refused = _denied(lone_stand, user, case, "+@all", *others, *mine) or refused
    assert refused
