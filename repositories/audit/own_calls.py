"""Build the calls by which an audit reads a desk's own records. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ...models.keys import TraderKeys
from ...topology.call import Argument, Call, Reply, evaluate
from ..changes.scripts import load
from ..replies import fields, flag, integer, rows, text
from .calls import FIELDS_AT_ONCE, raw
from .own_states import OwnState, UniqueState

RECORDS_AT_ONCE = 200
PLACES_AT_ONCE = 200
ENTRIES_AT_ONCE = 5_000
LARGE = 1_000
"""The entries from which on an index is read page by page."""

_PACKAGE = "slotbook.repositories.audit"
OWN_RECORDS = load(_PACKAGE, "own_records")
OWN_PLACES = load(_PACKAGE, "own_places")


def read_records(keys: TraderKeys, kind: str, wanted: Mapping[str, Collection[str]]) -> Call[list[OwnState]]:
    """Read records of a kind, given the places that name each: not all if they are large, but at least one."""
    words: list[Argument] = []
    for key, places in wanted.items():
        words += [raw(key), str(len(places)), *map(raw, places)]

    def read(reply: Reply) -> list[OwnState]:
        as_of, now_ms, header, *found = rows(reply)
        return [_state(kind, integer(as_of), integer(now_ms), fields(header), rows(one)) for one in found]

    return evaluate(
        f"verify {kind} of {keys.trader}",
        OWN_RECORDS,
        OWN_RECORDS.keys(book=keys.book, events=keys.events),
        OWN_RECORDS.arguments(base=keys.base, kind=kind, enough_fields=str(FIELDS_AT_ONCE), keys_and_places=words),
        decode=read,
        readonly=True,
    )


def read_places(keys: TraderKeys, places: Sequence[str]) -> Call[list[list[str] | None]]:
    """Read which records the first of some indexes and unique values name; None for an index that is large."""

    def read(reply: Reply) -> list[list[str] | None]:
        return [None if isinstance(one, int) else list(map(text, rows(one))) for one in rows(reply)]

    return evaluate(
        f"verify indexes of {keys.trader}",
        OWN_PLACES,
        OWN_PLACES.keys(events=keys.events),
        OWN_PLACES.arguments(
            base=keys.base, enough=str(ENTRIES_AT_ONCE), most=str(LARGE), places=list(map(raw, places))
        ),
        decode=read,
        readonly=True,
    )


def _state(kind: str, as_of: int, now_ms: int, header: dict[str, str], one: list[Reply]) -> OwnState:
    key, expiry, flat, scores, uniques, deleted, deleted_expiry = one
    words = rows(uniques)
    return OwnState(
        kind,
        text(key),
        as_of,
        now_ms,
        header,
        fields(flat),
        integer(expiry),
        fields(scores),
        {text(place): _unique(rows(found)) for place, found in zip(words[::2], words[1::2], strict=True)},
        text(deleted),
        integer(deleted_expiry),
    )


def _unique(found: list[Reply]) -> UniqueState:
    owner, expiry, value, has_value = found
    return UniqueState(text(owner), integer(expiry), text(value) if flag(has_value) else None)
