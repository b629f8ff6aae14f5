"""Gather what other records say of the own fields of one order. Nothing here does I/O.

The event that placed it has them all, the digest covers them, and the indexes name those that orders are found by.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import cast

from ...models.keys import TraderKeys
from ...models.own_fields import OWN_NAMES, SIGN, own_digest
from ..changes.digest import LENGTH
from .findings import Fields, OrderState
from .order_events import Change
from .statements import Statement

_MOST_JSON = 8
"""The fields that may be JSON of which every combination is tried."""


def own_texts(fields: Fields) -> Fields:
    """Return the own fields of an order, by the names that its class has for them."""
    return {name.removeprefix(SIGN): value for name, value in fields.items() if name.startswith(SIGN)}


def marked_names(fields: Fields) -> list[str]:
    """Return the names of the own fields of an order that have an index."""
    return fields.get(OWN_NAMES, "").split()


def own_indexes(keys: TraderKeys, fields: Fields) -> dict[str, str]:
    """Return the indexes of an order's own fields in which it belongs, with the name of the field that each is of."""
    texts = own_texts(fields)
    marked = [name for name in marked_names(fields) if name in texts]
    return {keys.own_order_index(name, texts[name]): SIGN + name for name in marked}


def field_of_index(keys: TraderKeys, index: str) -> str | None:
    """Return the field of an order that an index of own fields is of; None for any other index."""
    base = f"{keys.base}orders_by_{SIGN}"
    return SIGN + index.removeprefix(base).partition(":")[0] if index.startswith(base) else None


def own_statements(keys: TraderKeys, state: OrderState, changes: Sequence[Change]) -> dict[str, list[Statement]]:
    """Return what other records say of the own fields of an order, by the name of the field."""
    texts, says = own_texts(state.fields), dict[str, list[Statement]]()
    first = changes[0] if changes and changes[0].is_placing else None
    if first is not None:
        said = own_texts_of_event(first.own)
        for name in sorted(texts.keys() | said.keys()):
            says.setdefault(SIGN + name, []).append(Statement(f"event {first.sequence}", said.get(name)))
    for index in state.scores:
        field = field_of_index(keys, index)
        if field is not None and sum(field_of_index(keys, one) == field for one in state.scores) == 1:
            text = index.removeprefix(keys.own_order_index(field.removeprefix(SIGN), ""))
            says.setdefault(field, []).append(Statement("index", text))
    return _with_digest(says, state, texts)


def own_texts_of_event(own: str | None) -> Fields:
    """Return the own fields that an event says."""
    return cast("Fields", json.loads(own)) if own else {}


def is_digest_of(digest: str, texts: Mapping[str, str]) -> bool:
    """Return True when a digest is that of written own fields, whichever of them are JSON."""
    return digest in _digests_of(texts)


def _with_digest(says: dict[str, list[Statement]], state: OrderState, texts: Fields) -> dict[str, list[Statement]]:
    digest = state.fields.get("digest", "")
    own = digest[LENGTH:]
    others = {name.removeprefix(SIGN): {one.value for one in found} for name, found in says.items()}
    fitting = [one for one in (texts, *_changed(texts, others)) if is_digest_of(own, one)]
    if len(fitting) == 1 or (fitting and fitting[0] == texts):
        for name in sorted(texts.keys() | fitting[0].keys()):
            says.setdefault(SIGN + name, []).append(Statement("digest", fitting[0].get(name), 2))
    else:
        expected = digest[:LENGTH] + next(iter(_digests_of(texts)))
        says["digest"] = [Statement("own fields", expected)]
    return says


def _changed(texts: Fields, others: Mapping[str, Iterable[str | None]]) -> Iterator[Fields]:
    """Yield the own fields with one of them changed to what others say."""
    for name, values in others.items():
        for value in values:
            if value != texts.get(name):
                yield {one: text for one, text in {**texts, name: value}.items() if text is not None}


def _digests_of(texts: Mapping[str, str]) -> Iterator[str]:
    """Yield the digests that written own fields may have: it is not stored which of them are JSON."""
    possible = [name for name, text in texts.items() if "{" in text and _is_json(text)]
    choices: Iterable[Sequence[str]] = ([], possible)
    if len(possible) <= _MOST_JSON:
        pairs = product((False, True), repeat=len(possible))
        choices = [[name for name, chosen in zip(possible, one, strict=True) if chosen] for one in pairs]
    for json_names in choices:
        yield own_digest(texts, json_names)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
