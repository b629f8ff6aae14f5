"""Build the calls of order events, and read their replies. No I/O, and the same for sync and async."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ...models.arguments import must_be, several, whole
from ...models.errors import CorruptRecord, InvalidArgument
from ...models.event import OrderEvent, document
from ...models.keys import Keys
from ...models.record import as_stored
from ...models.types import check_name
from ...models.wire import decode, encode
from ...topology.call import Call, Reply, command, evaluate, pack, slot_of
from ...topology.settings import Settings
from ..changes.scripts import load
from ..replies import entry_id, fields, integer, rows

PAGE = 1_000
"""Events that one call reads, at most."""

_PACKAGE = "slotbook.repositories.events"
TRIM = load(_PACKAGE, "trim")


class StreamEntry(NamedTuple):
    """One entry of a trader's stream, not decoded yet."""

    sequence: int
    fields: dict[str, str] | None
    """None for an entry that is no longer kept."""
    hand_overs: int = 0
    """The number of times that consumers of a group have handed the entry over to a handler so far."""


class EventCalls:
    """The calls of one book, with its prefix."""

    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings.prefix)

    def range(self, trader: str, after: int, until: int | None, count: int) -> Call[list[StreamEntry]]:
        """Return a call that reads events after a sequence number, up to and including ``until``."""
        key = self.keys.of(trader).events
        last = "+" if until is None else f"{until}-0"
        words = (f"({after}-0", last, "COUNT", str(count))

        def read(reply: Reply) -> list[StreamEntry]:
            entries, before = _as_entries(reply), after
            for entry in entries:
                if not before < entry.sequence or (until is not None and entry.sequence > until):
                    raise ValueError(entry.sequence)  # it was not asked for
                before = entry.sequence
            return entries

        return command(f"events of {trader}", "XRANGE", key, *words, decode=read)

    def last(self, trader: str) -> Call[list[StreamEntry]]:
        """Return a call that reads the last event; the list is empty when there is none."""
        key = self.keys.of(trader).events
        return command(f"last event of {trader}", "XREVRANGE", key, "+", "-", "COUNT", "1", decode=_as_entries)

    def trim(self, trader: str, before: int) -> Call[int]:
        """Return a call that removes the events before a sequence number, and answers how many it removed."""
        keys = self.keys.of(trader)
        return evaluate(
            f"trim events of {trader}",
            TRIM,
            TRIM.keys(events=keys.events),
            TRIM.arguments(before=str(check_sequence("before", before))),
            decode=integer,
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
        channels = [self.keys.order_events]
        if event.symbol is not None:  # a change of a record of the desk's own has none
            channels.append(self.keys.symbol_events(event.symbol, event.type.word))
        name = f"publish event {event.sequence} of {event.trader}"
        return [_publish(f"{name} on {channel}", key, channel, text) for channel in channels]


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
    names = [traders] if isinstance(traders, (str, int)) else several("traders", traders)
    if not names:
        raise InvalidArgument("no trader is named")
    return list(dict.fromkeys([check_name("trader", name) for name in names]))


def _publish(name: str, key: str, channel: str, text: str) -> Call[int]:
    """Return a call that publishes a text, sent to the server of a key."""
    packed = pack(("PUBLISH", channel, text))
    return Call(name, (key,), slot_of((key,)), packed, integer, readonly=False, repeatable=False)


def as_sequence(reply: Reply) -> int:
    """Return the sequence number in the id of an entry of a trader's stream. Raises ValueError for what is no id."""
    return int(entry_id(reply).partition("-")[0])


def as_fields(flat: Reply) -> dict[str, str] | None:
    """Return the fields of an entry; None for one that is no longer kept. Raises ValueError for anything else."""
    return None if flat is None else fields(flat)


def _as_entries(reply: Reply) -> list[StreamEntry]:
    entries: list[StreamEntry] = []
    for row in rows(reply):
        number, flat = rows(row)
        entries.append(StreamEntry(as_sequence(number), fields(flat)))
    return entries
