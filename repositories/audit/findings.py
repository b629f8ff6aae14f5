"""What an audit finds, and the pictures of the store that it compares. No I/O and no colour."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from ...models.errors import InvalidArgument
from ...models.types import check_name

Fields: TypeAlias = dict[str, str]


class FindingKind(StrEnum):
    """What a finding is about."""

    CORRUPT = "CORRUPT"
    """Something stored that cannot be read, so nothing that rests on it was compared."""
    ORDER = "ORDER"
    """A field of an order that its fills or its last event contradict."""
    FILL = "FILL"
    """What is recorded of an order and what the events say of it are two stories."""
    INDEX = "INDEX"
    """An order that is not in an index where it belongs, or an entry that should not be there."""
    EXPIRY = "EXPIRY"
    """A key that lives longer or shorter than what it belongs to."""
    EVENTS = "EVENTS"
    """Events that are missing from the stream."""
    POSITION = "POSITION"
    """A field of a position, or a whole one, that is not the fold of its events."""
    LISTING = "LISTING"
    """The set of a trader's symbols and the positions that are there do not agree."""
    UNCHECKED = "UNCHECKED"
    """Not a difference: what is too old, or gone, and could not be compared."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between what is stored and what orders, fills and events make of it; or what has no evidence."""

    trader: str
    kind: FindingKind
    key: str
    entry: str | None
    """The field of a hash, the member of an index or set, or the number of an event; None for the key itself."""
    stored: str | None
    expected: str | None
    repairable: bool
    message: str

    @property
    def is_difference(self) -> bool:
        """False for what could not be checked."""
        return self.kind is not FindingKind.UNCHECKED


class RepairOutcome(StrEnum):
    """What became of a difference when it was to be repaired."""

    REPAIRED = "REPAIRED"
    IN_ORDER = "IN_ORDER"
    """Nothing was left to repair when it was looked at again."""
    CHANGING = "CHANGING"
    """The book changed each time between the look and the repair, so nothing was written."""
    LEFT = "LEFT"
    """Not repairable: orders and events are evidence, and never written; or the evidence is not enough."""

    @property
    def is_settled(self) -> bool:
        """Whether the difference is gone."""
        return self in (RepairOutcome.REPAIRED, RepairOutcome.IN_ORDER)


@dataclass(frozen=True, slots=True)
class Repair:
    """A difference and what became of it."""

    finding: Finding
    outcome: RepairOutcome


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some entries of a stream, each its id and fields, and where the stream began and ended at that moment."""

    first: str
    """The oldest entry's id, "" when there is none."""
    last: int
    """The number of the last event that was ever appended."""
    entries: list[tuple[str, Fields]]


@dataclass(frozen=True, slots=True)
class SeenOrder:
    """All that is stored of one order, at one moment; expiries as PEXPIRETIME tells them (-1 never, -2 no key)."""

    order_id: str
    moment: int
    """The number of the book's last event then."""
    now: int
    fields: Fields
    expiry: int
    applied: Fields
    applied_expiry: int
    scores: Fields
    """By index: all statuses', its own symbol's, and those of the symbols where it was seen."""


@dataclass(frozen=True, slots=True)
class SeenPosition:
    """One position and whether it is listed, at one moment."""

    symbol: str
    moment: int
    fields: Fields
    listed: bool


@dataclass(frozen=True, slots=True)
class SeenIndex:
    """When an index expires (PEXPIRETIME), and the highest score in it."""

    index: str
    expiry: int
    highest: str


@dataclass(slots=True)
class Differences:
    """The findings of one trader as they are collected."""

    trader: str
    found: list[Finding] = field(default_factory=list[Finding])

    def add(
        self,
        kind: FindingKind,
        key: str,
        entry: str | None,
        message: str,
        *,
        stored: str | None = None,
        expected: str | None = None,
        repairable: bool = False,
    ) -> None:
        """Take one more."""
        self.found.append(Finding(self.trader, kind, key, entry, stored, expected, repairable, message))


def is_name(value: str) -> bool:
    """Whether a book would have taken this for a name, of a trader, order or symbol."""
    try:
        check_name("name", value)
    except InvalidArgument:
        return False
    return True
