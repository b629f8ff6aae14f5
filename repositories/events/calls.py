"""Build the calls of order events, and read their replies. No I/O, and the same for sync and async."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar, cast

from ...models.arguments import must_be, several, whole
from ...models.errors import CorruptRecord, InvalidArgument
from ...models.event import DeadLetter, OrderEvent, document
from ...models.keys import Keys
from ...models.record import as_stored
from ...models.types import check_name
from ...models.wire import decode, encode, pairs
from ...topology.call import Call, Reply, command, evaluate, pack, slot_of
from ...topology.settings import Settings
from ..changes.scripts import load
from ..replies import rows

T = TypeVar("T")

PAGE = 1_000
"""Events that one call reads, at most."""
DEAD_LETTERS_KEPT = 10_000
"""The number of dead letters that are kept of each trader, approximately."""

_PACKAGE = "slotbook.repositories.events"
TRIM = load(_PACKAGE, "trim")
READ = load(_PACKAGE, "read")
CLAIM = load(_PACKAGE, "claim")
KEEP = load(_PACKAGE, "keep")
DEAD_LETTER = load(_PACKAGE, "dead_letter")


class StreamEntry(NamedTuple):
    """One entry of a trader's stream, not decoded yet."""

    sequence: int
    fields: dict[str, str] | None
    """None for an entry that is no longer kept."""
    deliveries: int = 1
    """The number of times that the entry has been delivered in its group, this time included."""


class GroupRead(NamedTuple):
    """The reply to a read for a consumer of a group."""

    last_delivered: int | None
    """The last event that the group had been given before this read; None as long as the trader has no events."""
    entries: list[StreamEntry]


class GroupClaim(NamedTuple):
    """The reply to a claim of events that consumers have had for too long."""

    next_start: str
    """The id at which the next claim begins; ``0-0`` when all pending events have been gone through."""
    deleted: list[int]
    """Events that were delivered, never acknowledged, and are no longer kept."""
    entries: list[StreamEntry]


class EventCalls:
    """The calls of one book, with its prefix."""

    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings.prefix)

    def range(self, trader: str, after: int, until: int | None, count: int) -> Call[list[StreamEntry]]:
        """Return a call that reads events after a sequence number, up to and including ``until``."""
        key = self.keys.of(trader).events
        last = "+" if until is None else f"{until}-0"
        words = (f"({after}-0", last, "COUNT", count)
        return command(f"events of {trader}", "XRANGE", key, *words, decode=_as_entries)

    def last(self, trader: str) -> Call[list[StreamEntry]]:
        """Return a call that reads the last event; the list is empty when there is none."""
        key = self.keys.of(trader).events
        return command(f"last event of {trader}", "XREVRANGE", key, "+", "-", "COUNT", 1, decode=_as_entries)

    def trim(self, trader: str, before: int) -> Call[int]:
        """Return a call that removes the events before a sequence number, and answers how many it removed."""
        keys = self.keys.of(trader)
        return evaluate(
            f"trim events of {trader}",
            TRIM,
            TRIM.keys(events=keys.events),
            TRIM.arguments(before=check_sequence("before", before)),
            decode=_as_integer,
            touched="sequence",
            touched_in=keys.book,
        )

    def publish(self, event: OrderEvent) -> list[Call[int]]:
        """Return two calls that publish an event, on ``order_events`` and on its symbol's channel.

        Each answers how many subscribers of the server received it.
        """
        must_be(event, OrderEvent)
        event = as_stored(event, OrderEvent)
        key = self.keys.of(event.trader).events
        text = document(encode(event))
        channels = (self.keys.order_events, self.keys.symbol_events(event.symbol, event.type.word))
        name = f"publish event {event.sequence} of {event.trader}"
        return [_publish(f"{name} on {channel}", key, channel, text) for channel in channels]

    def read(
        self, trader: str, group: str, consumer: str, since: int, count: int, after: int | None
    ) -> Call[GroupRead]:
        """Return a call that reads events for a consumer of a group.

        With ``after`` None it reads events that no consumer has been given. Otherwise it reads, after that sequence
        number, events that this consumer was given and has not acknowledged. A new group begins after ``since``.
        """
        keys = READ.keys(events=self.keys.of(trader).events)
        after_id = ">" if after is None else f"{after}-0"
        arguments = READ.arguments(group=group, consumer=consumer, count=count, since=since, after=after_id)
        call = evaluate(f"read events of {trader} for {group}/{consumer}", READ, keys, arguments, decode=_as_read)
        # When the reply to a read of new events is lost, they have been delivered to this consumer all the same. To
        # repeat the read would skip them; they are read as the consumer's own instead.
        return call if after is not None else _not_repeatable(call)

    def claim(self, trader: str, group: str, consumer: str, idle: float, start: str, count: int) -> Call[GroupClaim]:
        """Return a call that claims events which any consumer, this one included, has had for ``idle`` seconds."""
        keys = CLAIM.keys(events=self.keys.of(trader).events)
        min_idle = round(idle * 1000)
        arguments = CLAIM.arguments(group=group, consumer=consumer, min_idle=min_idle, start=start, count=count)
        name = f"claim events of {trader} for {group}/{consumer}"
        return _not_repeatable(evaluate(name, CLAIM, keys, arguments, decode=_as_claim))

    def keep(self, trader: str, group: str, consumer: str, sequences: Sequence[int]) -> Call[set[int]]:
        """Return a call that restarts the idle time of a consumer's events, and answers which are still its own."""
        keys = KEEP.keys(events=self.keys.of(trader).events)
        ids = [f"{sequence}-0" for sequence in sequences]
        arguments = KEEP.arguments(group=group, consumer=consumer, ids=ids)
        name = f"keep events of {trader} for {group}/{consumer}"
        return evaluate(name, KEEP, keys, arguments, decode=lambda reply: {_as_sequence(one) for one in rows(reply)})

    def acknowledge(self, trader: str, group: str, sequence: int) -> Call[bool]:
        """Return a call that acknowledges a delivery, and answers whether it was still pending."""
        key = self.keys.of(trader).events
        name = f"acknowledge event {sequence} of {trader} for {group}"
        packed = pack(("XACK", key, group, f"{sequence}-0"))
        return Call(name, (key,), slot_of((key,)), packed, _is_one, readonly=False, repeatable=True)

    def dead_letter(self, trader: str, group: str, sequence: int, error: str) -> Call[bool]:
        """Return a call that moves a pending event to the dead letters, and answers whether this call did it."""
        of_trader = self.keys.of(trader)
        keys = DEAD_LETTER.keys(events=of_trader.events, dead_letters=of_trader.dead_events)
        arguments = DEAD_LETTER.arguments(
            group=group, id=f"{sequence}-0", max_letters=DEAD_LETTERS_KEPT, error=error[:1_000]
        )
        name = f"dead-letter event {sequence} of {trader} for {group}"
        return evaluate(name, DEAD_LETTER, keys, arguments, decode=_is_one)

    def dead_letters(self, trader: str, count: int) -> Call[list[DeadLetter]]:
        """Return a call that reads the dead letters, the oldest first."""
        key = self.keys.of(trader).dead_events

        def read(reply: Reply) -> list[DeadLetter]:
            return [_as_dead_letter(key, trader, pairs(cast("list[str]", rows(row)[1]))) for row in rows(reply)]

        return command(f"dead letters of {trader}", "XRANGE", key, "-", "+", "COUNT", count, decode=read)


def event_of(key: str, trader: str, entry: StreamEntry) -> OrderEvent:
    """Return the event that an entry holds. Raises CorruptRecord."""
    if entry.fields is None:
        raise CorruptRecord(key, f"{entry.sequence}-0", "is no longer kept")
    return decode(OrderEvent, key, {**entry.fields, "trader": trader, "sequence": str(entry.sequence)})


def check_sequence(what: str, value: int) -> int:
    """Return a sequence number, or raise InvalidArgument."""
    return whole(what, value, 0)


def check_group(what: str, value: str) -> str:
    """Return the name of a group or consumer, or raise InvalidArgument."""
    return check_name(what, value)


def check_traders(traders: str | Iterable[str]) -> list[str]:
    """Return the names of one trader or several, each once; raise InvalidArgument when there is none."""
    names = [traders] if isinstance(traders, str) else list(dict.fromkeys(several("traders", traders)))
    if not names:
        raise InvalidArgument("no trader is named")
    return [check_name("trader", name) for name in names]


def _publish(name: str, key: str, channel: str, text: str) -> Call[int]:
    """Return a call that publishes a text, sent to the server of a key."""
    packed = pack(("PUBLISH", channel, text))
    return Call(name, (key,), slot_of((key,)), packed, _as_integer, readonly=False, repeatable=False)


def _not_repeatable(call: Call[T]) -> Call[T]:
    """Return the same call, never to be sent again when its reply is lost."""
    return Call(
        call.name,
        call.keys,
        call.slot,
        call.packed,
        call.decode,
        readonly=False,
        repeatable=False,
        script=call.script,
    )


def _as_integer(reply: Reply) -> int:
    return int(str(reply))


def _is_one(reply: Reply) -> bool:
    return reply == 1


def _as_sequence(entry_id: Reply) -> int:
    return int(str(entry_id).partition("-")[0])


def _as_fields(flat: Reply) -> dict[str, str] | None:
    return None if flat is None else pairs(cast("list[str]", flat))


def _as_delivered_entry(row: Reply) -> StreamEntry:
    entry_id, fields, deliveries = rows(row)
    return StreamEntry(_as_sequence(entry_id), _as_fields(fields), int(str(deliveries)))


def _as_entries(reply: Reply) -> list[StreamEntry]:
    return [StreamEntry(_as_sequence(rows(row)[0]), _as_fields(rows(row)[1])) for row in rows(reply)]


def _as_read(reply: Reply) -> GroupRead:
    found = rows(reply)
    if not found:
        return GroupRead(None, [])
    return GroupRead(_as_integer(found[0]), [_as_delivered_entry(row) for row in found[1:]])


def _as_claim(reply: Reply) -> GroupClaim:
    next_start, deleted, *found = rows(reply)
    return GroupClaim(
        str(next_start), [_as_sequence(one) for one in rows(deleted)], [_as_delivered_entry(row) for row in found]
    )


def _as_dead_letter(key: str, trader: str, fields: dict[str, str]) -> DeadLetter:
    own = {name: fields.pop(name, "") for name in ("group", "consumer", "deliveries", "error")}
    event = decode(OrderEvent, key, {**fields, "trader": trader})
    return DeadLetter.model_validate({"event": event, **own})
