"""Describe what is found out about each server of a deployment: who it is, and what it answers. No I/O here.

Calls go to the primary of a slot, and are tried again until the deadline. An inspection is something else: it asks each
server by itself, replicas and Sentinels too, once, and takes whatever comes back for an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from redis.exceptions import RedisError

from .address import Address, address_told
from .call import Reply
from .error_mapping import Failure, Unanswered, Unsent, code_of


class ServerKind(StrEnum):
    """The part that a server has in its deployment."""

    PRIMARY = "primary"
    REPLICA = "replica"
    SENTINEL = "sentinel"


@dataclass(frozen=True, slots=True)
class Member:
    """One server of a deployment."""

    address: Address
    kind: ServerKind

    @property
    def name(self) -> str:
        """The host and port, or the path of its socket."""
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a server to one command: a reply, or the reason why there is none."""

    reply: Reply = None
    failure: str | None = None
    """The error that the server replied with, or the failure of the connection; None when there is a reply."""
    denied: bool = False
    """True when the user may not run the command (ACL)."""
    unreached: bool = False
    """True when the server did not answer at all."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The clock of a server, read over a connection that is open already."""

    before: float
    """Our time just before it was asked, in seconds since 1970."""
    server: float
    """The time that the server told."""
    after: float
    """Our time just after its answer came."""
    seconds: float
    """The length of the round trip, by a clock that does not jump."""

    @property
    def ahead(self) -> float:
        """Seconds by which the server's clock is certainly ahead of ours; negative when it is behind, else 0."""
        if self.server > self.after:
            return self.server - self.after
        return min(0.0, self.server - self.before)


def answer_of(answer: Reply | Failure) -> Answer:
    """Return what a connection pool has given for one command as an Answer."""
    if isinstance(answer, (Unsent, Unanswered)):
        return Answer(failure=str(answer.cause) or type(answer.cause).__name__, unreached=True)
    if isinstance(answer, RedisError):
        return Answer(failure=str(answer), denied=code_of(answer) == "NOPERM")
    return Answer(answer)


def time_of(answer: Answer) -> float | None:
    """Return the seconds since 1970 in the answer to TIME; None for any other answer."""
    match answer.reply:
        case [str(seconds), str(micros)] if seconds.isdecimal() and micros.isdecimal():
            return int(seconds) + int(micros) / 1e6
        case _:
            return None


def replicas_of_role(reply: Reply) -> list[Address]:
    """Return the replicas that a primary names in its reply to ROLE.

    >>> replicas_of_role(["master", 7, [["10.0.0.2", "6379", "7"]]])
    [Address(host='10.0.0.2', port=6379)]
    """
    match reply:
        case ["master", _, [*rows]]:
            told = [address_told(*row[:2]) for row in rows if isinstance(row, list) and len(row) > 1]
            return [address for address in told if address is not None]
        case _:
            return []


def replicas_of_sentinel(reply: Reply) -> list[Address]:
    """Return the replicas that a Sentinel names in its reply to SENTINEL REPLICAS, also those that are down."""
    found: list[Address] = []
    for row in reply if isinstance(reply, list) else []:
        words = [word for word in row if isinstance(word, str)] if isinstance(row, list) else []
        fields = dict(zip(words[::2], words[1::2], strict=False))
        if (address := address_told(fields.get("ip"), fields.get("port"))) is not None:
            found.append(address)
    return found


def replicas_of_nodes(reply: Reply) -> list[Address]:
    """Return the replicas in a reply to CLUSTER NODES, also those that are down.

    >>> replicas_of_nodes("f1 10.0.0.2:7001@17001,db2 slave,fail a0 0 0 1 disconnected")
    [Address(host='10.0.0.2', port=7001)]
    """
    found: list[Address] = []
    for line in reply.splitlines() if isinstance(reply, str) else []:
        words = line.split()
        if len(words) > 2 and "slave" in words[2].split(","):
            host, _, port = words[1].partition("@")[0].rpartition(":")
            if (address := address_told(host, port)) is not None:
                found.append(address)
    return found
