"""Compare a value with what was read back of it, type by type. No I/O.

``==`` is not enough: ``True == 1``, an instance of a subclass may equal one of its base, and a model may define what it
likes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from operator import eq
from typing import Any, TypeAlias, cast
from uuid import UUID

from pydantic import BaseModel

from .numbers import is_nan

_Compare: TypeAlias = Callable[[Any, Any], bool]


def is_same(value: object, other: object) -> bool:
    """Return True when two values are equal and of the same types throughout; NaN is the same as NaN.

    A whole number in a field of floats or decimals may come back as one, and a time zone as its offset from UTC.

    >>> is_same([1, {"a": 2.0}], [1, {"a": 2.0}]), is_same([True], [1]), is_same(0, 0.0)
    (True, False, True)
    """
    kind = type(value)
    if kind is not type(other):
        return kind is int and type(other) in (float, Decimal) and value == other
    compare = _known.get(kind) or _comparison_of(kind)
    return compare(value, other)


def _same_numbers(value: float | Decimal, other: float | Decimal) -> bool:
    return value == other or (is_nan(value) and is_nan(other))


def _same_lists(value: Sequence[object], other: Sequence[object]) -> bool:
    if len(value) != len(other):
        return False
    kinds = list(map(type, value))
    if _ATOMS.issuperset(kinds) and kinds == list(map(type, other)) and value == other:
        return True  # most lists, at once
    return all(map(is_same, value, other))


def _same_queues(value: deque[object], other: deque[object]) -> bool:
    return value.maxlen == other.maxlen and _same_lists(value, other)


def _same_mappings(value: Mapping[object, object], other: Mapping[object, object]) -> bool:
    return _same_lists(list(value), list(other)) and _same_lists(list(value.values()), list(other.values()))


def _same_sets(value: Set[object], other: Set[object]) -> bool:
    return value == other and _kinds(value) == _kinds(other)


def _kinds(values: Iterable[object]) -> Counter[type]:
    return Counter(map(type, values))


def _same_times(value: datetime, other: datetime) -> bool:
    if value.tzinfo is None:
        return value == other and value.fold == other.fold
    return value == other and value.utcoffset() == other.utcoffset()


def _same_objects(value: object, other: object) -> bool:
    return bool(value == other)


_ATOMS = frozenset((str, int, bool, type(None), bytes, date, timedelta, UUID, float, Decimal))
"""Types whose values are the same when they are equal."""
_known: dict[type, _Compare] = {
    **dict.fromkeys((str, int, bool, type(None), bytes, date, timedelta, UUID), eq),
    **dict.fromkeys((float, Decimal), _same_numbers),
    **dict.fromkeys((datetime, time), _same_times),
    **dict.fromkeys((list, tuple), _same_lists),
    **dict.fromkeys((set, frozenset), _same_sets),
    dict: _same_mappings,
    deque: _same_queues,
}
"""The comparison of each type; of types of the caller's it is looked for each time, so that they can be freed."""


def _comparison_of(kind: type) -> _Compare:
    if is_dataclass(kind):
        return _same_dataclasses
    if issubclass(kind, BaseModel):
        return _same_models
    bases: tuple[tuple[type, _Compare], ...] = (
        (Mapping, _same_mappings), (deque, _same_queues), (list, _same_lists), (tuple, _same_lists),
        (Set, _same_sets), (datetime, _same_times), (time, _same_times),
    )  # fmt: skip
    return next((compare for base, compare in bases if issubclass(kind, base)), _same_objects)


def _same_models(value: BaseModel, other: BaseModel) -> bool:
    mine, its = value.__dict__, other.__dict__
    if mine.keys() == its.keys():
        same = _same_lists(list(mine.values()), [its[name] for name in mine])
    else:  # one of them has what a cached_property has kept
        same = all(is_same(mine.get(name), its.get(name)) for name in type(value).model_fields)
    return (
        same
        and is_same(value.__pydantic_extra__, other.__pydantic_extra__)
        and is_same(value.__pydantic_private__, other.__pydantic_private__)
    )


def _same_dataclasses(value: object, other: object) -> bool:
    names = [field.name for field in fields(cast("Any", value))]
    return all(is_same(getattr(value, name, None), getattr(other, name, None)) for name in names)
