"""A user of a server who may do everything but what a test denies, and what a denied call leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import cast

from slotbook import Book
from slotbook.bench.monitor import Monitor
from slotbook.models.errors import AccessDenied, OutcomeUnknown, SlotbookError
from slotbook.topology.address import Address

from ..make import fresh
from .stand import Stand

WORD = "first"
_DUMP_ALL = """
local found = {}
for i, key in ipairs(redis.call('KEYS', ARGV[1])) do
  found[i] = { key, redis.call('DUMP', key), redis.call('PEXPIRETIME', key) }
end
return found
"""
_REMOVE_ALL = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('UNLINK', key) end"
_COMMAND = re.compile(r"redis\.p?call[(,]\s*'([A-Z]+)'")


def commands_in(source: str) -> set[str]:
    """Return every command that a script calls, in small letters."""
    return {found.lower() for found in _COMMAND.findall(source)}


class User:
    """A user of the test's own, who may do everything but what is denied, and a book of that user's.

    ``owner`` is the book of one who may do everything.
    """

    def __init__(self, stand: Stand) -> None:
        self.owner = Book.open(stand.control.url())
        self._stand = stand
        self._name = fresh("u")
        self.allow()
        self.book = stand.open(username=self._name, password=WORD, publish="traders,order_events", deadline=5)

    def set(self, *rules: str) -> None:
        """Let the user do what the rules say, and nothing else."""
        for server in self._stand.control.data:
            self._stand.control.tell(server, "ACL", "SETUSER", self._name, "reset", "on", f">{WORD}", "&*", *rules)

    def allow(self) -> None:
        """Let the user do everything."""
        self.set("~*", "+@all")

    def forget(self) -> None:
        """Remove the user."""
        self.owner.close()
        for server in self._stand.control.data:
            self._stand.control.tell(server, "ACL", "DELUSER", self._name)


Dumps = Mapping[str, tuple[object, object]]


def dumps(stand: Stand, pattern: str) -> Dumps:
    """Return the content of each key that matches a pattern, with the time at which it expires."""
    found = cast("list[tuple[str, object, object]]", stand.control.ask("", "EVAL", _DUMP_ALL, 0, pattern))
    return {key: (content, expiry) for key, content, expiry in found}


def forget(stand: Stand, pattern: str) -> None:
    """Remove every key that matches a pattern: each key that stays makes it longer to look for others."""
    stand.control.ask("", "EVAL", _REMOVE_ALL, 0, pattern)


def run_by(call: Callable[[], object], stand: Stand) -> list[tuple[str, ...]]:
    """Make a call that nothing denies, and return the commands that its server has run, by scripts as well."""
    (server,) = stand.control.data
    with closing(Monitor(Address(server.host, server.port), stand.control.deployment.password)) as monitor:
        call()
        stand.control.tell(server, "ECHO", stand.trader)
        return [tuple(word.decode("latin-1") for word in words) for _, words in monitor.until(stand.trader)]


def judged(
    call: Callable[[], object], stand: Stand, pattern: str, about: object, *, exact: bool = True
) -> SlotbookError | None:
    """Make a call that may be denied, compare what is stored with what the caller was told; return the error.

    Without ``exact``, the outcome may be called unknown though nothing was changed.
    """
    before = dumps(stand, pattern)
    error: SlotbookError | None = None
    try:
        call()
    except SlotbookError as caught:
        error = caught
    after = dumps(stand, pattern)
    changed = [key for key in {*before, *after} if before.get(key) != after.get(key)]
    kind = OutcomeUnknown if changed else AccessDenied
    allowed = {kind} if exact else {kind, OutcomeUnknown}
    assert error is None or type(error) in allowed, (about, changed, repr(error))
    return error
