"""Build the calls by which an audit corrects a book: each writes only what is as it was compared. No I/O here."""

from __future__ import annotations

from ...models.errors import UnexpectedReply
from ...models.keys import TraderKeys
from ...topology.call import Call, Reply, evaluate
from ..changes.scripts import load
from .calls import raw
from .findings import Fields, Finding, FindingKind, PositionState
from .own_states import OwnState, beside, field_of

_PACKAGE = "slotbook.repositories.audit"
REPAIR_ALIAS = load(_PACKAGE, "repair_alias")
REPAIR_ENTRY = load(_PACKAGE, "repair_entry")
REPAIR_EXPIRY = load(_PACKAGE, "repair_expiry")
REPAIR_LIFETIME = load(_PACKAGE, "repair_lifetime")
REPAIR_LISTING = load(_PACKAGE, "repair_listing")
REPAIR_ORDER = load(_PACKAGE, "repair_order")
REPAIR_OWN = load(_PACKAGE, "repair_own")
REPAIR_POSITION = load(_PACKAGE, "repair_position")


def repair_alias(keys: TraderKeys, finding: Finding) -> Call[bool]:
    """Let another id of an order name it, or nothing, unless that or the order is not what was compared."""
    return evaluate(
        f"repair {finding.key}",
        REPAIR_ALIAS,
        REPAIR_ALIAS.keys(alias=finding.key),
        REPAIR_ALIAS.arguments(
            base=keys.base,
            id=raw(finding.key.removeprefix(keys.alias(""))),
            stored=raw(finding.stored or ""),
            expected=raw(finding.expected or ""),
        ),
        decode=_is_applied,
    )


def repair_entry(keys: TraderKeys, finding: Finding) -> Call[bool]:
    """Put an index entry right, unless the entry or its order is not what was compared."""
    return evaluate(
        f"repair {finding.key}",
        REPAIR_ENTRY,
        REPAIR_ENTRY.keys(index=finding.key),
        REPAIR_ENTRY.arguments(
            base=keys.base,
            order_id=raw(finding.entry or ""),
            stored=finding.stored or "",
            expected=finding.expected or "",
        ),
        decode=_is_applied,
    )


def repair_expiry(key: str, index: str, beside_it: str) -> Call[bool]:
    """Give an index, or the set beside it, the expiry of its longest-lived entry."""
    return evaluate(
        f"repair {key}",
        REPAIR_EXPIRY,
        REPAIR_EXPIRY.keys(index=key),
        REPAIR_EXPIRY.arguments(counted=index, beside=beside_it),
        decode=_is_applied,
    )


def repair_position(keys: TraderKeys, state: PositionState, changes: Fields) -> Call[bool]:
    """Write fields of a position and list it, unless the position is not what was compared."""
    key, listing, name = keys.position(state.symbol), keys.positions, state.symbol
    if state.account:
        key, listing = keys.account_position(state.account, state.symbol), keys.account_positions
        name = state.listed_as
    return evaluate(
        f"repair {key}",
        REPAIR_POSITION,
        REPAIR_POSITION.keys(position=key, positions=listing),
        REPAIR_POSITION.arguments(
            name=name, stored_size=str(len(state.fields)), fields=_compared(state.fields, changes)
        ),
        decode=_is_applied,
    )


def repair_listing(keys: TraderKeys, state: PositionState, *, listed: bool) -> Call[bool]:
    """List a position, or remove it from the list, unless it came or went meanwhile."""
    base, listing, name = keys.position(""), keys.positions, state.symbol
    if state.listed_as:
        base, listing, name = f"{keys.base}account_position:", keys.account_positions, state.listed_as
    return evaluate(
        f"repair {listing}",
        REPAIR_LISTING,
        REPAIR_LISTING.keys(positions=listing),
        REPAIR_LISTING.arguments(base=base, name=raw(name), listed="1" if listed else "0"),
        decode=_is_applied,
    )


def repair_order(keys: TraderKeys, order_id: str, stored: Fields, changes: Fields) -> Call[bool]:
    """Write fields of an order, unless the order is not what was compared."""
    key = keys.order(order_id)
    # The id is written as well, because a script cannot only clear fields.
    changes = {"order_id": order_id, **changes}
    return evaluate(
        f"repair {key}",
        REPAIR_ORDER,
        REPAIR_ORDER.keys(order=key),
        REPAIR_ORDER.arguments(stored_size=str(len(stored)), fields=_compared(stored, changes)),
        decode=_is_applied,
    )


def repair_own(keys: TraderKeys, state: OwnState, finding: Finding) -> Call[bool]:
    """Put an index entry or a unique value of an own record right, unless it or the record is not what was compared."""
    place = finding.key.removeprefix(keys.base)
    field = field_of(place, state.kind)
    unique, value = state.uniques.get(place), state.fields.get(field)
    return evaluate(
        f"repair {finding.key}",
        REPAIR_OWN,
        REPAIR_OWN.keys(record=keys.own_record(state.kind, state.key), place=finding.key, book=keys.book),
        REPAIR_OWN.arguments(
            kind=state.kind,
            key=raw(state.key),
            is_unique="1" if finding.kind is FindingKind.UNIQUE else "0",
            field=field,
            version=raw(state.fields.get("version", "")),
            value=raw("" if value is None else f"={value}"),
            member=raw(finding.entry or ""),
            beside=raw(keys.base + beside(place)),
            stored=raw(finding.stored or ""),
            stored_expiry="" if unique is None else str(unique.expiry),
            expected="0" if finding.expected is None else "1",
        ),
        decode=_is_applied,
    )


def repair_lifetime(finding: Finding) -> Call[bool]:
    """Let a key expire when it should, unless that is not as it was compared."""
    return evaluate(
        f"repair {finding.key}",
        REPAIR_LIFETIME,
        REPAIR_LIFETIME.keys(key=finding.key),
        REPAIR_LIFETIME.arguments(stored=finding.stored or "", expected=finding.expected or ""),
        decode=_is_applied,
    )


def _compared(stored: Fields, changes: Fields) -> list[bytes]:
    """Return the fields of a hash as they were compared, then those to write."""
    return [raw(part) for fields in (stored, changes) for pair in fields.items() for part in pair]


def _is_applied(reply: Reply) -> bool:
    """Return True when a repair wrote something. Raises UnexpectedReply."""
    if reply in ("applied", "repeat", "changed"):
        return reply == "applied"
    raise UnexpectedReply(f"repair: the script answered {reply!r}")
