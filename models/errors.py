"""Every error that Slotbook raises, in one tree.

::

    SlotbookError
    ├── InvalidArgument (ValueError)  an argument that no book could accept; nothing was sent
    │   ├── InvalidSettings           a URL, setting or credential file that cannot be used
    │   ├── UnknownField              a model has no such field to search by (AttributeError)
    │   └── CrossSlot                 keys of one call that live in different hash slots
    ├── Refused                       the book refused the call and changed nothing
    │   ├── OrderNotFound             no such order, or it has expired
    │   ├── ExecutionNotFound         no such execution of the order, or it was busted
    │   ├── DuplicateOrder            the order id is taken by an order with other content
    │   ├── AmbiguousId               an id that a request gives an order is another order's
    │   ├── DuplicateRecord           a record of the desk's own with this key has other content
    │   ├── NotUnique                 another record of the trader has the value of a unique field
    │   ├── RecordNotFound            no such record to update, or it has expired
    │   ├── SchemaMismatch            a model says otherwise what its records are found by, or has no way to theirs
    │   ├── DuplicateRequest          an exec_id or request_id that was used with other content
    │   ├── OrderMismatch             the order has another symbol or side, or no such price
    │   ├── MultiplierMismatch        the position has another multiplier
    │   ├── OrderClosed               the order's status does not allow the change
    │   ├── VersionConflict           a change expected another version or sequence
    │   ├── Overfill                  more than the order's open quantity
    │   ├── InexactSplit              a split that does not result in a quantity
    │   ├── AmountOverflow            a total would pass what is counted exactly
    │   ├── LimitExceeded             an order would pass a limit of its trader
    │   ├── TradingHalted             the switch of trading does not let the order pass
    │   ├── LockTimeout               another owner kept the lock for as long as the caller would wait
    │   ├── LockLost                  the lock's lease has run out, or it was released
    │   ├── FenceRefused              a change that names a lock which is no longer held
    │   └── SessionNotFound           no such session, or it has expired or was revoked
    ├── CorruptRecord                 a stored field is missing or does not parse
    ├── SchemaTooNew                  a record, or all of a trader's, is of a newer schema than the model
    ├── HistoryTrimmed                events that were asked for are no longer kept
    ├── SourceFailed                  the database behind a cache failed; nothing was cached
    │   └── RowsFailed                some of its rows cannot be read; the others are fine
    ├── ServerError                   the server failed, or the connection to it
    │   ├── Unavailable               not applied: no server took the call before the deadline
    │   │   └── PoolExhausted         not applied: no free connection within the pool's wait
    │   ├── OutcomeUnknown            the reply was lost; the call may have been applied
    │   ├── AccessDenied              wrong user, password or permission
    │   ├── OutOfMemory               not applied: the server is at its maxmemory
    │   ├── WritesDisabled            not applied: failing snapshots, or too few replicas
    │   ├── WrongType                 not applied: a key of the book holds another type
    │   ├── SearchUnavailable         not answered: no search on the server, or no index yet
    │   ├── UnexpectedReply           any other error reply, or what is no reply to the call
    │   ├── UnderReplicated           applied, but by fewer replicas (or not on disk) than asked for
    │   └── StateLost                 the server has lost changes that it had acknowledged
    ├── BookClosed                    the book was closed; nothing was sent
    ├── BelongsElsewhere              what was called is of another event loop or process; nothing was sent
    ├── MissingExtra (ImportError)    what was called needs an extra that is not installed; nothing was sent
    └── EmbeddedError                 a private server could not be started

``Refused`` and ``Unavailable`` mean that nothing was changed. After ``OutcomeUnknown`` the same call with the
same identity (order id, exec_id, request_id) may be sent again: it is applied at most once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from .error_base import Refused as Refused
from .error_base import SlotbookError as SlotbookError
from .limit_errors import LimitExceeded as LimitExceeded
from .limit_errors import TradingHalted as TradingHalted
from .record_errors import DuplicateRecord as DuplicateRecord
from .record_errors import NotUnique as NotUnique
from .record_errors import RecordNotFound as RecordNotFound
from .record_errors import SchemaMismatch as SchemaMismatch
from .record_errors import SchemaTooNew as SchemaTooNew


def printable(text: str) -> str:
    r"""Return a text with what cannot be seen escaped as in JSON, so that nothing that is stored can steer a terminal.

    >>> print(printable("L1\x1b[31m\n"), printable("é 日本"))
    L1\u001b[31m\n é 日本
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


class InvalidArgument(SlotbookError, ValueError):
    """An argument cannot be accepted by any book; nothing was sent."""


class InvalidSettings(InvalidArgument):
    """A URL, a setting or a credential file cannot be used."""


class UnknownField(InvalidArgument, AttributeError):
    """A model has no such field to search by; the message has the nearest name."""


class CrossSlot(InvalidArgument):
    """The keys of one call are in different hash slots, so that no cluster could run it."""


class OrderNotFound(Refused):
    """There is no such order: it was never placed, was deleted, or has expired."""


class ExecutionNotFound(Refused):
    """The order has no such execution, or it was busted."""


class DuplicateOrder(Refused):
    """The order id is taken (FIX OrdRejReason 103=6): by an order with other content, or as another id of an order."""


class AmbiguousId(Refused):
    """A request names an order by an id of its own, a ClOrdID or the venue's OrderID, that another order has.

    Attributes:
        id: The id.
        order_id: The order that has it.
    """

    def __init__(self, message: str = "", id: str = "", order_id: str = "") -> None:
        super().__init__(message)
        self.id = id
        self.order_id = order_id


class DuplicateRequest(Refused):
    """An exec_id or request_id was already used with other content."""


class OrderMismatch(Refused):
    """The request contradicts its order: another symbol or side, or a price that an order of its type does not have."""


class MultiplierMismatch(Refused):
    """The order's multiplier, or the one to set, is not the position's, which keeps its own; the message has both."""


class OrderClosed(Refused):
    """The order's status does not allow the change (FIX CxlRejReason 102=0, too late)."""


class VersionConflict(Refused):
    """A change expected another version of an order or a record, or another sequence of the book, than there is.

    Attributes:
        expected: The version that was expected of a record of the desk's own; else None.
        actual: The version that it has, 0 for one that is not there; else None.
    """

    def __init__(self, message: str = "", expected: int | None = None, actual: int | None = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class Overfill(Refused):
    """The change would leave the order with more filled than ordered."""


class InexactSplit(Refused):
    """A split makes no quantity that can be held, and none was given, or the one given is on the other side."""


class AmountOverflow(Refused):
    """A quantity would reach 10**18, a total of them 10**36, or an amount 10**36; the message says what to do."""


class LockTimeout(Refused):
    """Another owner kept the lock for as long as the caller would wait."""


class LockLost(Refused):
    """The lock is no longer held: its lease has run out, or it was released. Another owner may hold it now."""


class FenceRefused(Refused):
    """The change names a lock that is no longer held: its lease has run out, or it was released."""


class SessionNotFound(Refused):
    """There is no such session: it was never created, has expired, or was revoked."""


class CorruptRecord(SlotbookError):
    """A stored field is missing or cannot be parsed; no default takes its place.

    Attributes:
        key: The key of the record.
        field: The name of the field.
        applied: True when a change was applied, and only the record that it answers cannot be read.
    """

    applied: bool = False

    def __init__(self, key: str, field: str, problem: str) -> None:
        super().__init__(f"{printable(key)}, field {printable(field)!r}: {problem}")
        self.key = key
        self.field = field


def never_written(key: str, field: str, value: object) -> CorruptRecord:
    """Return the error of a field whose value no version of Slotbook has written."""
    return CorruptRecord(key, field, f"{str(value)[:80]!r} is not a value that was ever written")


class HistoryTrimmed(SlotbookError):
    """Events ``first`` to ``last`` of the trader's book are no longer kept, or were deleted.

    Attributes:
        trader: The trader whose events they were.
        first: The sequence number of the first missing event.
        last: The sequence number of the last missing event; reading can go on after it.
    """

    def __init__(self, trader: str, first: int, last: int) -> None:
        super().__init__(
            f"events {first} to {last} of {trader}'s book are no longer kept; go on after {last}, "
            "and raise events_kept if readers may be so far behind"
        )
        self.trader = trader
        self.first = first
        self.last = last


class SourceFailed(SlotbookError):
    """The database behind a cache failed, for this caller or for the caller it waited for; nothing was cached."""


class RowsFailed(SourceFailed):
    """Some rows of the database behind a cache cannot be read; a source raises it, and a cache keeps the others.

    Attributes:
        found: The values of the rows that could be read, by key.
        errors: The error of each other row, by key.
    """

    def __init__(self, message: str, found: Mapping[str, object], errors: Mapping[str, SourceFailed]) -> None:
        super().__init__(message)
        self.found = found
        self.errors = errors


class ServerError(SlotbookError):
    """The server failed, or the connection to it."""


class Unavailable(ServerError):
    """Not applied: no server took the call before the deadline."""


class PoolExhausted(Unavailable):
    """Not applied: every connection of the pool stayed in use."""


class OutcomeUnknown(ServerError):
    """The reply was lost, and the call may have been applied; repeat it with the same identity to find out."""


class AccessDenied(ServerError):
    """Not applied: the server refused the user, the password or the command (NOAUTH, WRONGPASS, NOPERM)."""


class OutOfMemory(ServerError):
    """Not applied: the server is at its maxmemory and its policy evicts nothing."""


class WritesDisabled(ServerError):
    """Not applied: the server refuses writes (MISCONF, NOREPLICAS)."""


class WrongType(ServerError):
    """Not applied: a key of the book holds a value of another type."""


class SearchUnavailable(ServerError):
    """Not answered: a server has no search, or no index of these records; no partial result is returned."""


class UnexpectedReply(ServerError):
    """The server answered with an error for which there is no class here, or with what is no answer to the call.

    The message has its text. After what is no answer to a change, that may have been applied.
    """


class UnderReplicated(ServerError):
    """Applied, but on fewer replicas than asked for, or not on the primary's disk.

    Attributes:
        result: The result of the call.
        replicas: The number of replicas (or disks) that have confirmed the change.
        wanted: The number that was asked for.
    """

    def __init__(self, message: str, result: object, replicas: int, wanted: int) -> None:
        super().__init__(message)
        self.result = result
        self.replicas = replicas
        self.wanted = wanted


class StateLost(ServerError):
    """The server has lost changes of the trader's book, ``first`` to ``last`` among them, which it had acknowledged.

    A replica that did not have them has taken the server's place. Apply the journal again (``reconcile``) to bring back
    what was lost.

    Attributes:
        trader: The trader whose book lost changes.
        first: The sequence number of the first lost change.
        last: The sequence number of the last lost change that is known.
        result: The result of the call, when it was applied.
        refusal: The reason when the call was refused, which may follow from the loss; else None.
    """

    def __init__(self, trader: str, first: int, last: int, result: object, refusal: Refused | None = None) -> None:
        what = f"the server has lost changes {first} to {last} of {trader}'s book, which it had acknowledged"
        refused = f"; this call was refused: {refusal}" if refusal else ""
        super().__init__(f"{what}; apply the journal again to bring them back{refused}")
        self.trader = trader
        self.first = first
        self.last = last
        self.result = result
        self.refusal = refusal


class BookClosed(SlotbookError):
    """The book was closed, before the call or during it; a change that may have been sent is OutcomeUnknown instead."""


class BelongsElsewhere(SlotbookError):
    """A book of asyncio is used in two event loops that are open, or what listens is used in a forked child."""


class MissingExtra(SlotbookError, ImportError):
    """An extra is needed that is not installed; the message says which, and nothing was sent."""


class EmbeddedError(SlotbookError):
    """A private server could not be found or started."""
