"""Fault "access denied": each command of each script that writes, and each of its keys, denied in turn.

The scripts and their commands are read from the package, so that a new one cannot be forgotten. The engine, by which
books change, has tests of its own in ``test_permissions.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ..support.faults.permissions import User, commands_in, dumps, forget, judged
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


def _prepared(stand: Stand, user: User, case: Case) -> str:
    """Store what is there before a case, and return its name."""
    name = fresh()
    case.prepare(user.owner, name)
    for words in case.before:
        stand.control.ask("", *(word.replace("NAME", name) if isinstance(word, str) else word for word in words))
    return name


def _denied(stand: Stand, user: User, case: Case, *rules: str) -> bool:
    """Make the call of a case without some permission, and return whether it was refused."""
    name = _prepared(stand, user, case)
    user.set(*[rule.replace("NAME", name) for rule in rules])
    error = judged(lambda: case.call(user.book, name), stand, f"*{name}*", rules, exact=case.exact)
    user.allow()
    forget(stand, f"*{name}*")
    return error is not None


def _denied_commands(stand: Stand, user: User, case: Case) -> set[str]:
    commands = commands_in(SCRIPTS[case.script].source) | {"evalsha", "eval"}
    return {one for one in commands if _denied(stand, user, case, "~*", "+@all", f"-{one}")}


@pytest.mark.parametrize("script", sorted(WRITING))
def test_each_command(lone_stand: Stand, user: User, script: str) -> None:
    reached: set[str] = set()
    for case in (one for one in CASES if one.script == script):
        denied = _denied_commands(lone_stand, user, case)
        assert "evalsha" in denied, case
        reached |= denied
    unseen = commands_in(SCRIPTS[script].source) - UNREACHED.get(script, set()) - reached
    assert not unseen, "the cases reach every command"


@pytest.mark.parametrize("allowed", ["", "%R~"], ids=["closed", "read-only"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_key(lone_stand: Stand, user: User, case: Case, allowed: str) -> None:
    name = _prepared(lone_stand, user, case)
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
