"""Find own records that do not agree with their indexes and unique values, whatever their models are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from .fleet import Fleet
from .raw import mapping


def kinds_among(trader: str, keys: Sequence[str]) -> set[str]:
    """Return the kinds of own records that a trader has, or has had and remembers."""
    heads = {key.partition(f"{{{trader}}}:")[2].partition(":")[0] for key in keys}
    return {head.removesuffix(end) for end in ("_keys", "_deleted") for head in heads if head.endswith(end)}


def is_own(head: str, kinds: set[str]) -> bool:
    """Return True for the first part of a key of an own record, or of an index or a unique value."""
    return any(
        head == kind or head.startswith((f"{kind}_by_", f"{kind}_unique_", f"{kind}_keys", f"{kind}_deleted"))
        for kind in kinds
    )


def own_disagreements(fleet: Fleet, trader: str, keys: Sequence[str]) -> list[str]:
    """Return a line for each entry of an index or unique value whose record has another value or expiry, or is not."""
    tag, kinds, found = f"{{{trader}}}:", kinds_among(trader, keys), list[str]()
    for key in keys:
        prefix, _, rest = key.partition(tag)
        head, _, name = rest.partition(":")
        for kind in kinds:
            field, value = _field_of(head, kind), name
            if field is None:
                continue
            held = _entries(fleet, key, "unique" in head)
            for owner, score in held.items():
                record = f"{prefix}{tag}{kind}:{owner}"
                fields = mapping(fleet.ask(key, "HGETALL", record))
                expiry = cast(int, fleet.ask(key, "PEXPIRETIME", record))
                if fields and ((field and fields.get(field) != value) or str(expiry).replace("-1", "inf") != score):
                    found.append(f"{key} has {owner} with {score}, whose record is {fields} until {expiry}")
                elif not fields and score == "inf":
                    found.append(f"{key} has {owner}, which is not there")
    return found


def _field_of(head: str, kind: str) -> str | None:
    """Return the field of an index or unique value, '' for the index of all; None for another key."""
    for start in (f"{kind}_by_", f"{kind}_unique_"):
        if head.startswith(start):
            return head.removeprefix(start)
    return "" if head == f"{kind}_keys" else None


def _entries(fleet: Fleet, key: str, is_unique: bool) -> dict[str, str]:
    """Return the keys of the records that a key names, each with its expiry."""
    if not is_unique:
        return mapping(fleet.ask(key, "ZRANGE", key, 0, -1, "WITHSCORES"))
    owner, expiry = fleet.ask(key, "GET", key), fleet.ask(key, "PEXPIRETIME", key)
    return {} if owner is None else {str(owner): str(expiry).replace("-1", "inf")}
