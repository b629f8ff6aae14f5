"""What an answer that is not a value means: was the call applied, and what is to be done. One table for all of it.

A reply that never came is *unknown*: the call may have been applied. Everything that a server answers in place of
running the call is *not applied*. Where a script is concerned this holds because our scripts read every key before
they write the first, and because a server checks memory, role, persistence and replicas no later than at a script's
first write (``scriptVerifyWriteCommandAllow`` and ``scriptVerifyOOM`` in Redis 7.0's ``script.c``).
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from enum import Enum, auto

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from ..models.errors import (
    AccessDenied,
    CrossSlot,
    InvalidSettings,
    OutOfMemory,
    PoolExhausted,
    ServerError,
    SlotbookError,
    UnexpectedReply,
    WritesDisabled,
    WrongType,
)


class NotPrimary(RedisError):
    """The server says that it is not, or no longer, a primary."""


class RetryAction(Enum):
    """What is to be done about an answer that is not a value."""

    MOVED = auto()
    """The slot lives elsewhere: learn it, send there at once."""
    ASK = auto()
    """The slot is on its way: ask the importing node, or wait."""
    LOAD = auto()
    """The server does not know the script: send it with its source, at once."""
    WAIT_FOR_MIGRATION = auto()
    """A key has not arrived with its slot yet, where slots move; else the book is damaged."""
    WAIT = auto()
    """The same server will take it later."""
    REDISCOVER = auto()
    """Another server is, or will be, in charge: find it."""
    REPORT = auto()
    """Nothing that waiting would action: tell the caller."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """Never reached a server: not applied."""

    cause: Exception


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Sent, at least in part, and the reply never came: unknown."""

    cause: Exception


Failure = Unsent | Unanswered | RedisError
"""An answer that is not a value: the way failed, or the server replied with an error."""

ERROR_ACTIONS: dict[str, tuple[RetryAction, type[SlotbookError] | None]] = {
    "MOVED": (RetryAction.MOVED, None),
    "ASK": (RetryAction.ASK, None),
    "NOSCRIPT": (RetryAction.LOAD, None),
    "TRYAGAIN": (RetryAction.WAIT_FOR_MIGRATION, None),
    "LOADING": (RetryAction.REDISCOVER, None),
    "BUSY": (RetryAction.WAIT, None),
    "CLUSTERDOWN": (RetryAction.REDISCOVER, None),
    "MASTERDOWN": (RetryAction.REDISCOVER, None),
    "READONLY": (RetryAction.REDISCOVER, None),
    "NOAUTH": (RetryAction.REPORT, AccessDenied),
    "WRONGPASS": (RetryAction.REPORT, AccessDenied),
    "NOPERM": (RetryAction.REPORT, AccessDenied),
    "OOM": (RetryAction.REPORT, OutOfMemory),
    "MISCONF": (RetryAction.REPORT, WritesDisabled),
    "NOREPLICAS": (RetryAction.REPORT, WritesDisabled),
    "WRONGTYPE": (RetryAction.REPORT, WrongType),
    "CROSSSLOT": (RetryAction.REPORT, CrossSlot),
}
"""By the first word of an error reply; every one of these means: not applied."""

_REMEDIES: dict[type[SlotbookError], str] = {
    AccessDenied: "check the user, the password and the user's permissions (ACL WHOAMI, ACL GETUSER)",
    OutOfMemory: "raise the server's maxmemory, or let old orders expire sooner",
    WritesDisabled: "see the server's log: its snapshots fail, or too few of its replicas are connected",
    WrongType: "another program wrote to a key of this book; give the book a prefix of its own",
}


_TOO_MANY_CLIENTS = "max number of clients"


def code_of(error: RedisError) -> str:
    """The first word of an error reply."""
    known: object = getattr(error, "status_code", None)
    return known if isinstance(known, str) else str(error).partition(" ")[0]


def is_reply(error: RedisError) -> bool:
    """Whether the server said it; redis-py makes some replies, such as LOADING, errors of the connection."""
    return isinstance(error, ResponseError) or getattr(error, "status_code", None) is not None


def retry_action(failure: Failure) -> RetryAction:
    """What is to be done."""
    if isinstance(failure, (Unsent, Unanswered)):
        if isinstance(failure.cause, ResponseError):  # the server's answer to a greeting of ours
            return retry_action(failure.cause)
        return RetryAction.REPORT if _is_permanent(failure.cause) else RetryAction.REDISCOVER
    if "non local key" in str(failure):  # a script met a key that has not moved with its slot yet
        return RetryAction.WAIT_FOR_MIGRATION
    return ERROR_ACTIONS.get(code_of(failure), (RetryAction.REPORT, None))[0]


def report(name: str, failure: Failure) -> SlotbookError:
    """The error that a caller gets for failure that is to be reported."""
    if isinstance(failure, (Unsent, Unanswered)):
        if isinstance(failure.cause, ResponseError):
            return report(name, failure.cause)
        return explain(failure.cause, name)
    kind = ERROR_ACTIONS.get(code_of(failure), (RetryAction.REPORT, None))[1] or UnexpectedReply
    remedy = _REMEDIES.get(kind)
    if code_of(failure) == "TRYAGAIN":
        remedy = "slotbook verify --repair mends an index that names what is not there"
    said = f"{code_of(failure)} {failure}" if getattr(failure, "status_code", None) else str(failure)
    return kind(f"{name}: the server answered {said!r}" + (f"; {remedy}" if remedy else ""))


def explain(cause: Exception, name: str) -> SlotbookError:
    """The error for a way to a server that will not open, however long one waits."""
    if isinstance(cause, SlotbookError):
        return cause
    if isinstance(cause, AuthenticationError):
        return AccessDenied(f"{name}: the server refused the credentials ({cause}); {_REMEDIES[AccessDenied]}")
    if _TOO_MANY_CLIENTS in str(cause):
        return PoolExhausted(f"{name}: the server has all the clients it allows; raise its maxclients")
    root = origin(cause)
    if isinstance(root, ssl.SSLError):
        return InvalidSettings(
            f"{name}: TLS failed ({root.reason or root}); check that the port speaks TLS and that tls_ca_file is the "
            "authority that signed its certificate"
        )
    return ServerError(f"{name}: {cause}")


def origin(error: BaseException) -> BaseException:
    """The operating system's error behind one of redis-py's; the error itself when there is none."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, OSError):
        inner = inner.__cause__ or inner.__context__
    return inner or error


def nobody_there(error: Exception) -> bool:
    """Whether nothing listens at the address, there is no such host, or what listens does not speak TLS."""
    root = origin(error)
    return (
        isinstance(root, (ConnectionRefusedError, FileNotFoundError, socket.gaierror))
        or "handshake" in f"{root}{error}"
    )


def _is_permanent(cause: Exception) -> bool:
    if isinstance(cause, (AuthenticationError, SlotbookError)) or _TOO_MANY_CLIENTS in str(cause):
        return True
    return isinstance(origin(cause), ssl.SSLError) and not isinstance(origin(cause), ssl.SSLEOFError)
