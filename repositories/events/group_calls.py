"""Build the calls of consumer groups, and read their replies. No I/O, and the same for sync and async.

The server counts how often a pending event was handed over to a handler, in the place where it would count deliveries:
what a consumer has only read ahead, or claimed, has not been tried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from ...models.errors import CorruptRecord
from ...models.event import DeadLetter, OrderEvent
from ...models.keys import Keys
from ...models.results import Lag
from ...models.wire import decode
from ...topology.call import Call, Reply, command, evaluate, pack, slot_of
from ...topology.settings import Settings
from ..changes.scripts import load
from ..replies import entry_id, fields, flag, integer, rows, rows_of, text
from .calls import StreamEntry, as_fields, as_sequence

T = TypeVar("T")

DEAD_LETTERS_KEPT = 10_000
"""The number of dead letters that are kept of each trader, approximately."""

_PACKAGE = "slotbook.repositories.events"
READ = load(_PACKAGE, "read")
CLAIM = load(_PACKAGE, "claim")
HAND_OVER = load(_PACKAGE, "hand_over")
LEAVE = load(_PACKAGE, "leave")
DEAD_LETTER = load(_PACKAGE, "dead_letter")
REQUEUE = load(_PACKAGE, "requeue")
LAG = load(_PACKAGE, "lag")
REMOVE_CONSUMERS = load(_PACKAGE, "remove_consumers")


class KnownEvent(NamedTuple):
    """An event that a consumer has read, by which it finds out whether the stream is still the same."""

    sequence: int
    digest: str
    """The SHA-1 of its fields, as a script computes it."""


class GroupStart(NamedTuple):
    """The state of a group when it was read."""

    before: int
    """The last event that the group had been given before this read."""
    position: int
    """The event after which the group goes on: the same, or 0 when the stream ends before it."""
    last: int
    """The stream's last event."""
    created: bool
    """True when there was no such group."""
    intact: bool
    """False when the number of the event that the consumer knows has another content."""


class GroupRead(NamedTuple):
    """The reply to a read for a consumer of a group."""

    start: GroupStart | None
    """None as long as the trader has no events."""
    entries: list[StreamEntry]


class GroupClaim(NamedTuple):
    """The reply to a claim of events that consumers have had for too long."""

    next_start: str
    """The id at which the next claim begins; ``0-0`` when all pending events have been gone through."""
    deleted: list[int]
    """Events that were delivered, never acknowledged, and are no longer kept."""
    entries: list[StreamEntry]


class StoredLetter(NamedTuple):
    """A dead letter, and the id of its entry."""

    entry_id: str
    letter: DeadLetter

    def is_of(self, group: str, sequences: Collection[int] | None) -> bool:
        """Return True for a letter of a group, about one of these events; None for any event."""
        return self.letter.group == group and (sequences is None or self.letter.event.sequence in sequences)


class GroupCalls:
    """The calls of one consumer, or with no consumer named, of a group."""

    def __init__(self, settings: Settings, group: str, consumer: str = "") -> None:
        self.keys = Keys(settings.prefix)
        self._group = group
        self._consumer = consumer

    def create(self, trader: str) -> Call[GroupRead]:
        """Return a call that creates the group, to begin with the next event, unless there is such a group."""
        return self.read(trader, since=None, count=0, after=None, known=None)

    def read(
        self, trader: str, *, since: int | None, count: int, after: int | None, known: KnownEvent | None
    ) -> Call[GroupRead]:
        """Return a call that reads events.

        With ``after`` None it reads events that no consumer has, else those, after that sequence number, that this
        consumer has and has not acknowledged. A new group begins after ``since``, or after the last event.
        """
        arguments = READ.arguments(
            group=self._group,
            consumer=self._consumer,
            count=str(count),
            since="" if since is None else str(since),
            after=">" if after is None else f"{after}-0",
            known="" if known is None else f"{known.sequence}-0",
            digest="" if known is None else known.digest,
        )
        keys = READ.keys(events=self.keys.of(trader).events)
        call = evaluate(self._name("read events", trader), READ, keys, arguments, decode=_as_read)
        # When the reply to a read of new events is lost, this consumer has them all the same. To repeat the read would
        # skip them; they are read as the consumer's own instead.
        return replace(call, repeatable=count == 0 or after is not None)

    def claim(self, trader: str, idle: float, start: str, count: int) -> Call[GroupClaim]:
        """Return a call that claims events which any consumer, this one included, has had for ``idle`` seconds."""
        arguments = CLAIM.arguments(
            group=self._group,
            consumer=self._consumer,
            min_idle=str(max(1, round(idle * 1000))),
            start=start,
            count=str(count),
        )
        keys = CLAIM.keys(events=self.keys.of(trader).events)
        call = evaluate(self._name("claim events", trader), CLAIM, keys, arguments, decode=_as_claim)
        return replace(call, repeatable=False)

    def hand_over(self, trader: str, sequence: int, hand_overs: int) -> Call[bool]:
        """Return a call that counts a hand-over to a handler, and answers whether the consumer still has the event."""
        events = self.keys.of(trader).events
        arguments = HAND_OVER.arguments(
            group=self._group, consumer=self._consumer, id=f"{sequence}-0", hand_overs=str(hand_overs)
        )
        name = self._name(f"hand over event {sequence}", trader)
        # Its own subject: it goes out in one write with the acknowledgement of the event before.
        about = (f"{events}/{sequence}/handed over",)
        return evaluate(name, HAND_OVER, HAND_OVER.keys(events=events), arguments, decode=flag, about=about)

    def acknowledge(self, trader: str, sequence: int) -> Call[bool]:
        """Return a call that acknowledges an event, and answers whether it was still pending."""
        key = self.keys.of(trader).events
        packed = pack(("XACK", key, self._group, f"{sequence}-0"))
        about = (f"{key}/{sequence}/acknowledged",)
        name = self._name(f"acknowledge event {sequence}", trader)
        return Call(name, (key,), slot_of((key,)), packed, flag, readonly=False, repeatable=True, about=about)

    def leave(self, trader: str, unhandled: Mapping[int, int]) -> Call[int]:
        """Return a call that gives events back, each with its number of hand-overs, and leaves the group.

        A consumer with other events that it has not acknowledged stays in the group.
        """
        words = [word for sequence, hand_overs in unhandled.items() for word in (f"{sequence}-0", str(hand_overs))]
        arguments = LEAVE.arguments(group=self._group, consumer=self._consumer, unhandled=words)
        keys = LEAVE.keys(events=self.keys.of(trader).events)
        return evaluate(self._name("give back events", trader), LEAVE, keys, arguments, decode=integer)

    def dead_letter(self, trader: str, sequence: int, error: str) -> Call[bool]:
        """Return a call that moves an event of this consumer to the dead letters, and answers whether it did."""
        of_trader = self.keys.of(trader)
        keys = DEAD_LETTER.keys(events=of_trader.events, dead_letters=of_trader.dead_events)
        arguments = DEAD_LETTER.arguments(
            group=self._group,
            consumer=self._consumer,
            id=f"{sequence}-0",
            max_letters=str(DEAD_LETTERS_KEPT),
            error=error[:1_000],
        )
        name = self._name(f"dead-letter event {sequence}", trader)
        return evaluate(name, DEAD_LETTER, keys, arguments, decode=flag)

    def lag(self, trader: str, since: int) -> Call[Lag]:
        """Return a call that counts what the group has still to handle."""
        keys = LAG.keys(events=self.keys.of(trader).events)
        arguments = LAG.arguments(group=self._group, since=str(since))
        return evaluate(self._name("lag", trader), LAG, keys, arguments, decode=_as_lag, readonly=True)

    def remove_consumers(self, trader: str, idle: float) -> Call[int]:
        """Return a call that removes consumers that have nothing pending and were not seen for ``idle`` seconds."""
        keys = REMOVE_CONSUMERS.keys(events=self.keys.of(trader).events)
        arguments = REMOVE_CONSUMERS.arguments(group=self._group, idle=str(round(idle * 1000)))
        name = self._name("remove consumers", trader)
        return evaluate(name, REMOVE_CONSUMERS, keys, arguments, decode=integer)

    def _name(self, what: str, trader: str) -> str:
        return f"{what} of {trader} for {self._group}" + (f"/{self._consumer}" if self._consumer else "")


class DeadLetterCalls:
    """The calls that read dead letters, and put them back."""

    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings.prefix)

    def read(self, trader: str, count: int, after: str | None = None) -> Call[list[StoredLetter]]:
        """Return a call that reads dead letters, the oldest first, from the beginning or after an entry."""
        key = self.keys.of(trader).dead_events
        start = "-" if after is None else f"({after}"

        def read(reply: Reply) -> list[StoredLetter]:
            return [_as_letter(key, trader, row) for row in rows(reply)]

        return command(f"dead letters of {trader}", "XRANGE", key, start, "+", "COUNT", str(count), decode=read)

    def requeue(self, trader: str, entry_ids: Sequence[str]) -> Call[list[bool]]:
        """Return a call that puts letters back into their groups, and answers for each whether it is there now."""
        of_trader = self.keys.of(trader)
        keys = REQUEUE.keys(events=of_trader.events, dead_letters=of_trader.dead_events)
        arguments = REQUEUE.arguments(letters=entry_ids)
        name = f"put back dead letters of {trader}"
        return evaluate(
            name, REQUEUE, keys, arguments, decode=lambda reply: list(map(flag, rows_of(len(entry_ids), reply)))
        )


def known_event(sequence: int, fields: Mapping[str, str]) -> KnownEvent:
    """Return what is remembered of an event that was read, of its fields in the stream's order."""
    text = "\n".join(word for pair in fields.items() for word in pair)
    return KnownEvent(sequence, hashlib.sha1(text.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest())


def _as_pending_entries(found: Iterable[Reply]) -> list[StreamEntry]:
    entries: list[StreamEntry] = []
    for row in found:
        number, flat, hand_overs = rows(row)
        entries.append(StreamEntry(as_sequence(number), as_fields(flat), integer(hand_overs)))
    return entries


def _as_read(reply: Reply) -> GroupRead:
    found = rows(reply)
    if not found:
        return GroupRead(None, [])
    before, position, last = map(integer, found[:3])
    created, intact = map(flag, found[3:5])
    start = GroupStart(before, position, last, created, intact)
    return GroupRead(start, _as_pending_entries(found[5:]))


def _as_claim(reply: Reply) -> GroupClaim:
    next_start, deleted, *found = rows(reply)
    return GroupClaim(entry_id(next_start), [as_sequence(one) for one in rows(deleted)], _as_pending_entries(found))


def _as_lag(reply: Reply) -> Lag:
    undelivered, pending = map(integer, rows(reply))
    return Lag(undelivered=undelivered, pending=pending)


def _as_letter(key: str, trader: str, row: Reply) -> StoredLetter:
    number, flat = rows(row)
    written = fields(flat)
    own = {name: written.pop(name, "") for name in ("group", "consumer", "deliveries", "error")}
    event = decode(OrderEvent, key, {**written, "trader": trader})
    try:
        return StoredLetter(entry_id(number), DeadLetter.model_validate({"event": event, **own}))
    except ValidationError as error:
        raise CorruptRecord(key, text(number), f"is no dead letter: {error.errors()[0]['msg']}") from None
