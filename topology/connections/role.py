"""Know whether the server at the end of a connection is still a primary, without I/O.

A name or a balancer may lead to a new primary while the old one lives on as a replica. Connections to the old one stay
open, it answers every read, and what it answers grows old. So a connection asks for the role when it is opened, and
again with the next command when it has been used for ``ROLE_INTERVAL``. HELLO tells it: every user may send that.
"""

from __future__ import annotations

import time

from redis.exceptions import RedisError

from ..call import Reply, pack
from ..error_mapping import NotPrimary, OutOfStep, code_of
from ..misreadings import shortened

ROLE_INTERVAL = 1.0
"""The longest time in seconds for which the role that a server has told is relied on."""
ASK_ROLE = pack(("HELLO",))
"""The question for the role, which is part of the reply."""

_PRIMARY = "master"
_ROLES = frozenset({_PRIMARY, "slave", "replica", "sentinel"})
_OF_REPLICAS = frozenset({"READONLY", "MASTERDOWN"})
"""The codes of errors that only a replica answers."""


class Doubt:
    """The time at which it came into doubt who is a primary, for all connections of one target.

    When one of them finds a replica, the others ask anew before anything that they answer is believed. So a program
    that has left an old primary with a change does not read from it afterwards.
    """

    __slots__ = ("since",)

    def __init__(self) -> None:
        self.since = 0.0
        """By the monotonic clock."""

    def rise(self) -> None:
        """Doubt from now on what servers have told before."""
        self.since = time.monotonic()

    def is_due(self, asked: float) -> bool:
        """Return True when a server that was asked for its role at some time has to be asked again."""
        return asked < self.since or asked < time.monotonic() - ROLE_INTERVAL


def demotion_told(name: str, reply: Reply | RedisError) -> NotPrimary | None:
    """Return the error of a server that is no primary, given its reply to ``ASK_ROLE``.

    Raises OutOfStep for what is no reply to that.

    Args:
        name: The server's name in the error's text.
        reply: The reply; an error says nothing against the server.
    """
    if isinstance(reply, RedisError):
        return None
    words = reply if isinstance(reply, list) else []
    role = words[words.index("role") + 1] if "role" in words[:-1] else None
    if role is None and "mode" in words[:-1]:  # a Sentinel tells its mode, and no role
        role = words[words.index("mode") + 1]
    if not isinstance(role, str) or role not in _ROLES:
        raise OutOfStep(f"{name} answered {shortened(reply)} to the question for its role")
    return None if role == _PRIMARY else NotPrimary(f"{name} is not a primary but a {role}")


def demotion_shown(name: str, error: RedisError) -> NotPrimary | None:
    """Return the error of a server that is no primary, given an error that it has answered to any command."""
    return NotPrimary(f"{name} is not a primary but a replica") if code_of(error) in _OF_REPLICAS else None
