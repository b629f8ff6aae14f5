"""The findings and repairs of an audit, and the states of stored records that it compares. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from ...models.errors import InvalidArgument
from ...models.types import check_name

Fields: TypeAlias = dict[str, str]
"""A hash as it is stored: values by field, in their written form."""


class FindingKind(StrEnum):
    """The subject of a finding."""

    CORRUPT = "CORRUPT"
    """Something stored that cannot be read, so nothing that depends on it was compared."""
    ORDER = "ORDER"
    """An order, or a field of one, of which other records say something else."""
    FILL = "FILL"
    """A fill or request that is remembered in another way than it is in the events."""
    INDEX = "INDEX"
    """An order, or an own record, that is not in an index where it belongs, or an entry that should not be there."""
    ALIAS = "ALIAS"
    """An id of an order that does not find it, or that finds an order which does not have it."""
    EXPIRY = "EXPIRY"
    """A key that lives longer or shorter than what it belongs to, or expires although it never should."""
    EVENTS = "EVENTS"
    """Events that are missing from the stream, contradict each other, or are not as many as the header says."""
    POSITION = "POSITION"
    """A field of a position, or a whole position, of which its events or its orders say something else."""
    RECORD = "RECORD"
    """A record of the desk's own, or a field of one, of which its key, its events or the header say something else."""
    UNIQUE = "UNIQUE"
    """A unique value that is not its record's, or is that of several."""
    LISTING = "LISTING"
    """A symbol in the set of the trader's symbols without a position, or a position whose symbol is not in the set."""
    UNCHECKED = "UNCHECKED"
    """Not a difference: something too old, or gone, that could not be compared."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact of which the records of a book say different things, or that could not be compared.

    ::

        for finding in book.audit.verify("T001"):
            print(finding.kind, finding.message)
    """

    trader: str
    kind: FindingKind
    key: str
    entry: str | None
    """The field of a hash, the member of an index or set, or the number of an event; None for the key itself."""
    stored: str | None
    expected: str | None
    repairable: bool
    message: str
    says: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """Each record that speaks of the fact, and its value; "nothing" where the value is missing. Records are named
    "order", "applied", "digest", "index", "position", "record", "header", "key", "request", "events", "orders",
    "event 7"."""

    @property
    def is_difference(self) -> bool:
        """False for what could not be checked."""
        return self.kind is not FindingKind.UNCHECKED


class RepairOutcome(StrEnum):
    """The result of trying to repair a difference."""

    REPAIRED = "REPAIRED"
    IN_ORDER = "IN_ORDER"
    """Nothing was left to repair when it was read again."""
    CHANGING = "CHANGING"
    """The book changed each time between the comparison and the repair, so nothing was written."""
    LEFT = "LEFT"
    """Not repairable: no two records agree on what it should be, or it is an event or the header, which are never
    written."""

    @property
    def is_settled(self) -> bool:
        """True when the difference is gone."""
        return self in (RepairOutcome.REPAIRED, RepairOutcome.IN_ORDER)


@dataclass(frozen=True, slots=True)
class Repair:
    """A difference, and the result of repairing it.

    ::

        repairs = book.audit.repair("T001")
        left = [repair.finding for repair in repairs if not repair.outcome.is_settled]
    """

    finding: Finding
    outcome: RepairOutcome


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some entries of a stream, each its id and fields; and the stream's ends and the book's header at that moment."""

    first_id: str
    """The oldest entry's id; empty when there is none."""
    last_sequence: int
    """The number of the last event that was ever appended."""
    deleted: int
    """The highest number of an event that was deleted by hand; 0 for none."""
    header: Fields
    """The header of the book at that moment; empty when there is none."""
    entries: list[tuple[str, Fields]]


@dataclass(frozen=True, slots=True)
class AliasState:
    """The key of an order's other id, at one moment."""

    order_id: str
    """The order that it names; empty when there is no such key."""
    expiry: int
    """The time in milliseconds since the epoch, -1 for never, -2 when there is no key."""
    is_recorded: bool = True
    """True when the order that it names has it recorded."""
    is_order: bool = False
    """True when there is an order whose own id it is."""


@dataclass(frozen=True, slots=True)
class OrderState:
    """Everything that is stored about one order, at one moment.

    Expiries are in milliseconds since the epoch, as PEXPIRETIME answers them: -1 for never, -2 when there is no key.
    """

    order_id: str
    as_of: int
    """The number of the book's last event at that moment."""
    now_ms: int
    """The server's clock at that moment."""
    fields: Fields
    expiry: int
    recorded: Fields
    """The fills and requests that were applied to the order, as they are recorded with it, or in it."""
    recorded_expiry: int
    scores: Fields
    """Its score by index: of all statuses, of its own symbol, and of the symbols in whose index it was seen."""
    aliases: Mapping[str, AliasState] = field(default_factory=dict[str, AliasState])
    """The keys of its other ids, as far as these are recorded with it."""


@dataclass(frozen=True, slots=True)
class PositionState:
    """One position and whether it is listed, at one moment."""

    symbol: str
    as_of: int
    """The number of the book's last event at that moment."""
    fields: Fields
    is_listed: bool
    request: str = ""
    """The remembered text of the request that was asked for with it; empty when there is none."""
    account: str = ""
    """The account whose position it is; empty for the trader's."""
    listed_as: str = ""
    """The member of the set by which an account's is listed; empty for the trader's, which its symbol lists."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """The expiry of an index (PEXPIRETIME), and its highest score, which is the time at which it should expire."""

    index: str
    expiry: int
    highest_score: str
    """Empty when there is no such index."""


@dataclass(frozen=True, slots=True)
class RequestState:
    """The remembered text of one request for a change of a position, at one moment."""

    request_id: str
    as_of: int
    """The number of the book's last event at that moment."""
    value: str
    """Empty when nothing is."""
    expiry: int
    """The time in milliseconds since the epoch, -1 for never, -2 when it is gone."""


@dataclass(slots=True)
class Report:
    """The findings about one trader as they are collected."""

    trader: str
    findings: list[Finding] = field(default_factory=list[Finding])

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
        says: Mapping[str, str | None] | None = None,
    ) -> None:
        """Append one finding; a value of None in ``says`` is a value that is missing."""
        named = {record: "nothing" if value is None else value for record, value in (says or {}).items()}
        self.findings.append(Finding(self.trader, kind, key, entry, stored, expected, repairable, message, named))


def is_valid_name(value: str) -> bool:
    """Return True for a name that a book accepts for a trader, order or symbol."""
    try:
        check_name("name", value)
    except InvalidArgument:
        return False
    return True
