"""Map every answer that is not a value to what is to be done, and to the error that the caller gets.

A call whose reply never came may have been applied: its outcome is *unknown*. A call that a server answered with an
error in place of running it was *not applied*. For scripts this holds because ours read every key before they write the
first, and because a server checks memory, role, persistence and replicas no later than at a script's first write
(``scriptVerifyWriteCommandAllow`` and ``scriptVerifyOOM`` in Redis 7.0's ``script.c``). Only permissions are checked at
every command: a script that was denied one after it has written says ``UNFINISHED``, and its outcome is unknown.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from enum import Enum, auto

from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from ..models.errors import (
    AccessDenied,
    CrossSlot,
    InvalidSettings,
    OutcomeUnknown,
    OutOfMemory,
    PoolExhausted,
    ServerError,
    SlotbookError,
    UnexpectedReply,
    WritesDisabled,
    WrongType,
)


class NotPrimary(RedisError):
    """Raised when a server says that it is not, or no longer, a primary."""


class OutOfStep(RedisConnectionError):
    """Raised when a connection has a reply that nobody asked for: none of its replies can be believed."""


class RetryAction(Enum):
    """The ways to go on after an answer that is not a value."""

    MOVED = auto()
    """The slot is served elsewhere: remember that, and send the call there at once."""
    ASK = auto()
    """The slot is migrating: send the call to the node that imports it, or wait."""
    LOAD = auto()
    """The server does not know the script: send it with its source, at once."""
    WAIT_FOR_MIGRATION = auto()
    """A key has not arrived with its slot yet: wait. Where slots do not migrate, the book is damaged."""
    WAIT = auto()
    """The same server will take the call later."""
    REDISCOVER = auto()
    """Another server is, or will be, the primary: find it."""
    REPORT = auto()
    """Waiting would not help: report the error to the caller."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """A call that never reached a server: not applied."""

    cause: Exception


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A call that was sent, at least in part, and whose reply never came: its outcome is unknown."""

    cause: Exception


Failure = Unsent | Unanswered | RedisError
"""An answer that is not a value: the connection failed, or the server replied with an error."""

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
    "UNFINISHED": (RetryAction.REPORT, OutcomeUnknown),
}
"""For the first word of an error reply, the action and the error if it is reported.

Each of them means that the call was not applied, except UNFINISHED: then it may have been applied in part.
"""

_REMEDIES: dict[type[SlotbookError], str] = {
    AccessDenied: "check the user, the password and the user's permissions (ACL WHOAMI, ACL GETUSER)",
    OutOfMemory: "raise the server's maxmemory, or let old orders expire sooner",
    WritesDisabled: "see the server's log: its snapshots fail, or too few of its replicas are connected",
    WrongType: "another program wrote to a key of this book; give the book a prefix of its own",
    OutcomeUnknown: "it stopped amid the writes, which may be there in part; see what the user may do (ACL GETUSER)",
}


_TOO_MANY_CLIENTS = "max number of clients"
_DENIED_IN_SCRIPT = ("ACL failure in script", "The user executing the script can't")
"""The texts of a reply to a script that was denied a command or a key; its code is ERR."""


_NO_DATABASE = ("DB index is out of range", "invalid DB index", "SELECT is not allowed in cluster mode")
"""The texts of a reply to SELECT with the number of a database that the server does not have; its code is ERR."""


def code_of(error: RedisError) -> str:
    """Return the first word of an error reply, which is its code; NOPERM for a script that was denied something."""
    status: object = getattr(error, "status_code", None)
    code = status if isinstance(status, str) else str(error).partition(" ")[0]
    return "NOPERM" if code == "ERR" and any(text in str(error) for text in _DENIED_IN_SCRIPT) else code


def is_reply(error: RedisError) -> bool:
    """Return True for an error that is a reply; redis-py makes some replies, such as LOADING, connection errors."""
    return isinstance(error, ResponseError) or getattr(error, "status_code", None) is not None


def retry_action(failure: Failure) -> RetryAction:
    """Return what is to be done about an answer that is not a value."""
    if isinstance(failure, (Unsent, Unanswered)):
        if isinstance(failure.cause, ResponseError):  # the reply to HELLO or AUTH, when the connection was made
            return retry_action(failure.cause)
        return RetryAction.REPORT if _is_permanent(failure.cause) else RetryAction.REDISCOVER
    if "non local key" in str(failure):  # a script touched a key that has not arrived with its slot yet
        return RetryAction.WAIT_FOR_MIGRATION
    return ERROR_ACTIONS.get(code_of(failure), (RetryAction.REPORT, None))[0]


def report(name: str, failure: Failure) -> SlotbookError:
    """Return the error that the caller of a call with this name gets."""
    if isinstance(failure, (Unsent, Unanswered)):
        if isinstance(failure.cause, ResponseError):
            return report(name, failure.cause)
        return _connection_error(name, failure.cause)
    if any(text in str(failure) for text in _NO_DATABASE):
        return InvalidSettings(f"{name}: the server has no database of the URL's number ({failure})")
    kind = ERROR_ACTIONS.get(code_of(failure), (RetryAction.REPORT, None))[1] or UnexpectedReply
    remedy = _REMEDIES.get(kind)
    if code_of(failure) == "TRYAGAIN":
        remedy = "slotbook verify --repair repairs an index that names what is not there"
    reply = f"{code_of(failure)} {failure}" if getattr(failure, "status_code", None) else str(failure)
    return kind(f"{name}: the server answered {reply!r}" + (f"; {remedy}" if remedy else ""))


def _connection_error(name: str, cause: Exception) -> SlotbookError:
    """Return the error for a connection that cannot be made, however long one waits."""
    if isinstance(cause, SlotbookError):
        return cause
    if isinstance(cause, AuthenticationError):
        return AccessDenied(f"{name}: the server refused the credentials ({cause}); {_REMEDIES[AccessDenied]}")
    if _TOO_MANY_CLIENTS in str(cause):
        return PoolExhausted(f"{name}: the server has all the clients it allows; raise its maxclients")
    root = _os_error_behind(cause)
    if isinstance(root, ssl.SSLError):
        return InvalidSettings(
            f"{name}: TLS failed ({root.reason or root}); check that the port speaks TLS and that tls_ca_file is the "
            "authority that signed its certificate"
        )
    return ServerError(f"{name}: {cause}")


def _os_error_behind(error: BaseException) -> BaseException:
    """Return the operating system's error behind one of redis-py's; the error itself when there is none."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, OSError):
        inner = inner.__cause__ or inner.__context__
    return inner or error


def is_unreachable(error: Exception) -> bool:
    """Return True when nothing listens at the address, or its host does not exist."""
    return isinstance(_os_error_behind(error), (ConnectionRefusedError, FileNotFoundError, socket.gaierror))


def _is_permanent(cause: Exception) -> bool:
    """Return True for a failure against which waiting does not help."""
    if isinstance(cause, (AuthenticationError, SlotbookError)) or _TOO_MANY_CLIENTS in str(cause):
        return True
    root = _os_error_behind(cause)
    return isinstance(root, ssl.SSLError) and not isinstance(root, ssl.SSLEOFError)
