"""Every error of Slotbook, in one tree.

::

    SlotbookError
    ├── InvalidArgument (ValueError)  an argument that no book could accept; nothing was sent
    │   ├── InvalidSettings           a URL, setting or credential file that cannot be used
    │   └── CrossSlot                 keys of one call that live in different hash slots
    ├── Refused                       the book said no and changed nothing
    │   ├── OrderNotFound             no such order, or it has expired
    │   ├── DuplicateOrder            the order id is taken by an order with other content
    │   ├── DuplicateRequest          an exec_id or request_id that was used with other content
    │   ├── OrderClosed               the order's status does not allow the change
    │   ├── Overfill                  more than the order's open quantity
    │   ├── AmountOverflow            a total would pass 2**53 - 1
    │   ├── LockTimeout               the lock stayed someone else's for as long as one would wait
    │   ├── LockLost                  the lock's lease has run out, or it was released
    │   ├── FenceRefused              a change under a lock that is no longer held
    │   └── SessionNotFound           no such session, or it has expired or was revoked
    ├── CorruptRecord                 a stored field is missing or does not parse
    ├── SourceFailed                  the database behind a cache failed; nothing wrong was cached
    ├── ServerError                   the server, or the way to it
    │   ├── Unavailable               not applied: no server took the call before the deadline
    │   │   └── PoolExhausted         not applied: no free connection within the pool's wait
    │   ├── OutcomeUnknown            the reply was lost; the call may have been applied
    │   ├── AccessDenied              wrong user, password or permission
    │   ├── OutOfMemory               not applied: the server is at its maxmemory
    │   ├── WritesDisabled            not applied: failing snapshots, or too few replicas
    │   ├── WrongType                 not applied: a key of the book holds another type
    │   ├── SearchUnavailable         not answered: no search on the server, or no index yet
    │   ├── UnexpectedReply           any other error reply, with its text
    │   ├── UnderReplicated           applied, but by fewer replicas (or not on disk) than asked for
    │   └── StateLost                 the server has lost changes that it had acknowledged
    └── EmbeddedError                 a private server could not be started

A ``Refused`` and an ``Unavailable`` are proof that nothing changed. After ``OutcomeUnknown`` the same call with the
same identity (order id, exec_id, request_id) may be sent again: it is applied at most once.
"""

from __future__ import annotations


class SlotbookError(Exception):
    """The root of every error that Slotbook raises."""


class InvalidArgument(SlotbookError, ValueError):
    """An argument that no book could accept; nothing was sent."""


class InvalidSettings(InvalidArgument):
    """A URL, setting or credential file that cannot be used."""


class CrossSlot(InvalidArgument):
    """The keys of one call live in different hash slots, so no cluster could run it."""


class Refused(SlotbookError):
    """The book said no and changed nothing."""


class OrderNotFound(Refused):
    """There is no such order: never placed, deleted, or expired."""


class DuplicateOrder(Refused):
    """The order id is taken by an order that was placed with other content (FIX OrdRejReason 103=6)."""


class DuplicateRequest(Refused):
    """An exec_id or request_id was already used with other content."""


class OrderClosed(Refused):
    """The order's status does not allow the change (FIX CxlRejReason 102=0, too late)."""


class Overfill(Refused):
    """The change would leave more filled than ordered."""


class AmountOverflow(Refused):
    """A total would pass 2**53 - 1, past which the server's scripts do not count exactly."""


class LockTimeout(Refused):
    """The lock stayed someone else's for as long as one would wait."""


class LockLost(Refused):
    """The lock is no longer held: its lease has run out, or it was released; someone else may hold it by now."""


class FenceRefused(Refused):
    """The change came under a lock that is no longer held: its lease has run out, or it was released."""


class SessionNotFound(Refused):
    """There is no such session: never created, expired, or revoked."""


class CorruptRecord(SlotbookError):
    """A stored field is missing or does not parse; no default was put in its place."""

    def __init__(self, key: str, field: str, problem: str) -> None:
        super().__init__(f"{key}, field {field!r}: {problem}")
        self.key = key
        self.field = field


class SourceFailed(SlotbookError):
    """The database behind a cache failed, for this caller or for the one that it waited for; nothing was cached."""


class ServerError(SlotbookError):
    """The server, or the way to it, failed."""


class Unavailable(ServerError):
    """Not applied: no server took the call before the deadline."""


class PoolExhausted(Unavailable):
    """Not applied: every connection of the pool stayed busy."""


class OutcomeUnknown(ServerError):
    """The reply was lost: the call may have been applied; repeat it with the same identity to find out."""


class AccessDenied(ServerError):
    """Not applied: the server refused the user, the password or the command (NOAUTH, WRONGPASS, NOPERM)."""


class OutOfMemory(ServerError):
    """Not applied: the server is at its maxmemory and its policy evicts nothing."""


class WritesDisabled(ServerError):
    """Not applied: the server refuses writes (MISCONF, NOREPLICAS)."""


class WrongType(ServerError):
    """Not applied: a key of the book holds a value of another type."""


class SearchUnavailable(ServerError):
    """Not answered: a server has no search, or no index of these records; nothing partial was returned."""


class UnexpectedReply(ServerError):
    """The server answered with an error that has no meaning of its own here."""


class UnderReplicated(ServerError):
    """Applied, but fewer replicas than asked for have it, or the primary's disk does not; ``result`` has what it
    did."""

    def __init__(self, message: str, result: object, replicas: int, wanted: int) -> None:
        super().__init__(message)
        self.result = result
        self.replicas = replicas
        self.wanted = wanted


class StateLost(ServerError):
    """The server has lost changes of the trader's book, ``first`` to ``last`` among them, which it had acknowledged.

    It was replaced by a replica that did not have them. The call itself was applied, and ``result`` has what it did; or
    it was refused, and ``refusal`` says why, which may come of the loss. Apply the journal again (``reconcile``) to
    bring back what was lost.
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


class EmbeddedError(SlotbookError):
    """A private server could not be found or started."""
