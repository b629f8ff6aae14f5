"""What each verb of events sends, and what its answer means. No I/O and no colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar, cast

from ...models.arguments import must_be, whole
from ...models.errors import CorruptRecord
from ...models.event import DeadLetter, OrderEvent, document
from ...models.keys import Keys
from ...models.types import check_name
from ...models.wire import decode, encode, pairs
from ...topology.call import Argument, Call, Reply, command, evaluate, pack, slot_of
from ...topology.settings import Settings
from ..changes.scripts import load
from ..replies import rows

T = TypeVar("T")

PAGE = 1_000
"""Events that one read brings along."""
DEAD_KEPT = 10_000
"""About how many dead letters a trader's stream of them keeps."""

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
    """None for one that is no longer kept."""
    deliveries: int = 1


class GroupRead(NamedTuple):
    """What a group had been given before, and what it is given now."""

    before: int | None
    """None as long as there are no events."""
    entries: list[StreamEntry]


class GroupClaim(NamedTuple):
    """What was taken over from consumers that had it for too long."""

    cursor: str
    gone: list[int]
    """Events that were delivered, never acknowledged, and are no longer kept."""
    entries: list[StreamEntry]


def event_of(key: str, trader: str, entry: StreamEntry) -> OrderEvent:
    """The event that an entry holds. Raises CorruptRecord."""
    if entry.fields is None:
        raise CorruptRecord(key, f"{entry.sequence}-0", "is no longer kept")
    return decode(OrderEvent, key, {**entry.fields, "trader": trader, "sequence": str(entry.sequence)})


class EventCalls:
    """The calls of one book, with its prefix."""

    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings.prefix)

    def range(self, trader: str, after: int, until: int | None, count: int) -> Call[list[StreamEntry]]:
        """Some of the events after a number."""
        key = self.keys.of(trader).events
        last = "+" if until is None else f"{until}-0"
        words = (f"({after}-0", last, "COUNT", count)
        return command(f"events of {trader}", "XRANGE", key, *words, decode=_entries)

    def last(self, trader: str) -> Call[list[StreamEntry]]:
        """The last event, or nothing."""
        key = self.keys.of(trader).events
        return command(f"last event of {trader}", "XREVRANGE", key, "+", "-", "COUNT", 1, decode=_entries)

    def trim(self, trader: str, before: int) -> Call[int]:
        """The removal of everything before an event."""
        key = self.keys.of(trader).events
        before = check_sequence("before", before)
        return evaluate(f"trim events of {trader}", TRIM, (key,), (before,), decode=_number)

    def publish(self, event: OrderEvent) -> list[Call[int]]:
        """An event, told on both channels that are not its trader's own: how many heard it there."""
        must_be(event, OrderEvent)
        key = self.keys.of(event.trader).events
        text = document(encode(event))
        channels = (self.keys.order_events, self.keys.symbol_events(event.symbol, event.type.word))
        name = f"publish event {event.sequence} of {event.trader}"
        return [_told(f"{name} on {channel}", key, ("PUBLISH", channel, text)) for channel in channels]

    def read(
        self, trader: str, group: str, consumer: str, since: int, count: int, after: int | None
    ) -> Call[GroupRead]:
        """For a consumer of a group, events that nobody has been given; or its own, after a number."""
        key = self.keys.of(trader).events
        words = (group, consumer, count, since, ">" if after is None else f"{after}-0")
        name = f"read events of {trader} for {group}/{consumer}"

        def read(reply: Reply) -> GroupRead:
            found = rows(reply)
            if not found:
                return GroupRead(None, [])
            return GroupRead(int(str(found[0])), [_delivered(row) for row in found[1:]])

        # Not to be sent again when the reply is lost: what it gave is then read as the consumer's own.
        call = evaluate(name, READ, (key,), words, decode=read)
        return call if after is not None else _once(call)

    def claim(self, trader: str, group: str, consumer: str, idle: float, cursor: str, count: int) -> Call[GroupClaim]:
        """Events that others, or this consumer, have had for longer than ``idle`` seconds."""
        key = self.keys.of(trader).events
        words = (group, consumer, round(idle * 1000), cursor, count)

        def read(reply: Reply) -> GroupClaim:
            following, gone, *found = rows(reply)
            return GroupClaim(
                str(following), [_sequence(one) for one in rows(gone)], [_delivered(row) for row in found]
            )

        name = f"claim events of {trader} for {group}/{consumer}"
        return _once(evaluate(name, CLAIM, (key,), words, decode=read))

    def keep(self, trader: str, group: str, consumer: str, sequences: Sequence[int]) -> Call[set[int]]:
        """Which events are still this consumer's own; their time begins again."""
        key = self.keys.of(trader).events
        words = (group, consumer, *(f"{sequence}-0" for sequence in sequences))
        name = f"keep events of {trader} for {group}/{consumer}"
        return evaluate(name, KEEP, (key,), words, decode=lambda reply: {_sequence(one) for one in rows(reply)})

    def acknowledge(self, trader: str, group: str, sequence: int) -> Call[bool]:
        """The end of one delivery; whether it was still open."""
        key = self.keys.of(trader).events
        name = f"acknowledge event {sequence} of {trader} for {group}"
        words = ("XACK", key, group, f"{sequence}-0")
        return Call(name, (key,), slot_of((key,)), pack(words), lambda reply: reply == 1, False, True)

    def dead_letter(self, trader: str, group: str, sequence: int, error: str) -> Call[bool]:
        """The removal of an event that cannot be handled to the dead letters; whether this call did it."""
        keys = self.keys.of(trader)
        words = (group, f"{sequence}-0", DEAD_KEPT, error[:1_000])
        name = f"dead_letter event {sequence} of {trader} for {group}"
        return evaluate(name, DEAD_LETTER, (keys.events, keys.dead_events), words, decode=lambda reply: reply == 1)

    def dead(self, trader: str, count: int) -> Call[list[DeadLetter]]:
        """The dead letters, the oldest first."""
        key = self.keys.of(trader).dead_events

        def read(reply: Reply) -> list[DeadLetter]:
            return [_letter(key, trader, pairs(cast("list[str]", rows(row)[1]))) for row in rows(reply)]

        return command(f"dead events of {trader}", "XRANGE", key, "-", "+", "COUNT", count, decode=read)


def check_sequence(what: str, value: int) -> int:
    """Return a sequence number, or raise InvalidArgument."""
    return whole(what, value, 0)


def check_group(what: str, value: str) -> str:
    """Return the name of a group or consumer, or raise InvalidArgument."""
    return check_name(what, value)


def _letter(key: str, trader: str, fields: dict[str, str]) -> DeadLetter:
    own = {name: fields.pop(name, "") for name in ("group", "consumer", "deliveries", "error")}
    event = decode(OrderEvent, key, {**fields, "trader": trader})
    return DeadLetter.model_validate({"event": event, **own})


def _told(name: str, key: str, words: Sequence[Argument]) -> Call[int]:
    return Call(name, (key,), slot_of((key,)), pack(words), _number, readonly=False, repeatable=False)


def _once(call: Call[T]) -> Call[T]:
    return Call(call.name, call.keys, call.slot, call.packed, call.decode, False, False, call.script)


def _number(reply: Reply) -> int:
    return int(str(reply))


def _sequence(identity: Reply) -> int:
    return int(str(identity).partition("-")[0])


def _fields(flat: Reply) -> dict[str, str] | None:
    return None if flat is None else pairs(cast("list[str]", flat))


def _delivered(row: Reply) -> StreamEntry:
    identity, fields, deliveries = rows(row)
    return StreamEntry(_sequence(identity), _fields(fields), int(str(deliveries)))


def _entries(reply: Reply) -> list[StreamEntry]:
    return [StreamEntry(_sequence(rows(row)[0]), _fields(rows(row)[1])) for row in rows(reply)]
