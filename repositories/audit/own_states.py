"""The states of a desk's own records that an audit compares. Nothing here does I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .findings import Fields


class UniqueState(NamedTuple):
    """A unique value that is taken."""

    owner: str
    """The key of the record that has it."""
    expiry: int
    """The time in milliseconds since the epoch, -1 for never."""
    owner_has: str | None
    """The value that its owner has in the field, where the owner is another record; None without one."""


@dataclass(frozen=True, slots=True)
class OwnState:
    """Everything that is stored about one own record, at one moment.

    Expiries are in milliseconds since the epoch, as PEXPIRETIME answers them: -1 for never, -2 when there is no key.
    """

    kind: str
    key: str
    as_of: int
    """The number of the book's last event at that moment."""
    now_ms: int
    """The server's clock at that moment."""
    header: Fields
    """The header of the book."""
    fields: Fields
    expiry: int
    scores: Fields
    """When its entry expires, by index: of all records of the kind, of its own values, and of those in which it was
    seen. A sorted index is named with a colon and the order text of the value behind it."""
    uniques: dict[str, UniqueState]
    """The unique values that are its own, or that name it."""
    deleted: str
    """The text that is remembered of its deletion; empty for none."""
    deleted_expiry: int

    @property
    def label(self) -> str:
        """The name of the record in messages."""
        return f"{self.kind} {self.key}"

    @property
    def is_expired(self) -> bool:
        """True when the record has expired, though the server still has it."""
        return 0 <= self.expiry <= self.now_ms


def beside(index: str) -> str:
    """Return the name of the set beside an index.

    >>> beside("lot_by_account:ACC:1"), beside("lot_keys")
    ('lot_by_account@expiry:ACC:1', 'lot_keys@expiry')
    """
    head, colon, value = index.partition(":")
    return f"{head}@expiry{colon}{value}"


def beside_which(name: str) -> str:
    """Return the name of the index beside which a set is; an index's own name stays.

    >>> beside_which("lot_by_account@expiry:ACC:1"), beside_which("lot_keys@expiry"), beside_which("lot_keys")
    ('lot_by_account:ACC:1', 'lot_keys', 'lot_keys')
    """
    head, colon, value = name.partition(":")
    return head.removesuffix("@expiry") + colon + value


def entry_of(index: str, kind: str, key: str) -> tuple[str, str]:
    """Return the name of an index without an order text, and the member of a record there.

    >>> entry_of("lot_sorted_price:dp011.", "lot", "L1"), entry_of("lot_by_account:ACC1", "lot", "L1")
    (('lot_sorted_price', 'dp011.:L1'), ('lot_by_account:ACC1', 'L1'))
    """
    if not index.startswith(f"{kind}_sorted_"):
        return index, key
    name, _, order = index.partition(":")
    return name, f"{order}:{key}"


def named_by(place: str, kind: str, member: str) -> tuple[str, str]:
    """Return the index that a member of a place is an entry of, a sorted one with the order text, and the record's key.

    >>> named_by("lot_sorted_price@expiry", "lot", "dp011.:L1"), named_by("lot_keys", "lot", "L1")
    (('lot_sorted_price:dp011.', 'L1'), ('lot_keys', 'L1'))
    """
    index = beside_which(place)
    if not index.startswith(f"{kind}_sorted_"):
        return index, member
    order, _, key = member.partition(":")
    return f"{index}:{order}", key


def field_of(place: str, kind: str) -> str:
    """Return the field whose values an index or unique value is of; '' for the index of all records.

    >>> field_of("lot_by_account:ACC1", "lot"), field_of("lot_unique_reference:R:1", "lot"), field_of("lot_keys", "lot")
    ('account', 'reference', '')
    """
    head = place.partition(":")[0].removeprefix(kind)
    for part in ("_by_", "_unique_", "_sorted_"):
        if head.startswith(part):
            return head.removeprefix(part)
    return ""
