"""Ask servers which of them is the primary: the questions, the answers, and the error when there is no answer."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ...models.errors import AccessDenied, BelongsElsewhere, BookClosed, InvalidSettings, PoolExhausted
from ..address import Address
from ..call import Reply
from ..error_mapping import Failure, RetryAction, Unanswered, Unsent, report, retry_action


@dataclass(frozen=True, slots=True)
class Questions:
    """The same commands for several servers, which are asked at the same time."""

    addresses: Sequence[Address]
    packed: bytes
    """The commands, ready to be sent."""
    commands: int = 1
    """The number of commands, and so of replies from each server."""
    of_sentinels: bool = False
    """True when the servers are Sentinels, which have credentials of their own."""
    timeout: float = math.inf
    """Seconds to wait for an answer; never more than the socket timeout."""


Answers: TypeAlias = "Sequence[Sequence[Reply | Failure]]"
"""For each server that was asked, its reply to each command."""
Discovery: TypeAlias = Generator[Questions, Answers, None]
"""A generator of questions, which is sent their answers."""


class DiscoveryError(Exception):
    """Raised when no server could say which one is the primary; ``causes`` has one exception for each one asked."""

    def __init__(self, causes: Sequence[Exception], summary: str) -> None:
        super().__init__(summary)
        self.causes = tuple(causes)


def not_a_cluster(scheme: str) -> InvalidSettings:
    """Return the error for a server of a cluster at a URL of another scheme."""
    return InvalidSettings(f"the server belongs to a cluster: use redis+cluster:// in place of {scheme}:// in the URL")


def note_failure(address: Address, failure: Failure, causes: list[Exception]) -> None:
    """Append to ``causes`` why one server could not answer.

    Raises AccessDenied, InvalidSettings, PoolExhausted, BookClosed or BelongsElsewhere at once: against these no other
    server would help.
    """
    if retry_action(failure) is RetryAction.REPORT:
        error = report(f"asking {address} for the primary", failure)
        if isinstance(error, (AccessDenied, InvalidSettings, PoolExhausted, BookClosed, BelongsElsewhere)):
            raise error
        causes.append(error)
    else:
        causes.append(failure.cause if isinstance(failure, (Unsent, Unanswered)) else failure)


def summary_of(what: str, causes: Sequence[Exception]) -> str:
    """Return one line that says what failed and, each only once, why."""
    shown = "; ".join(dict.fromkeys(str(cause).rstrip(".") for cause in causes))
    return f"{what}: {shown}"
