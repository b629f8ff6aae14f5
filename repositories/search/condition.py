"""The condition of a query as a small tree, and the exact test of a record against it.

An absent field is unequal to everything and neither above nor below anything, as None is in Python; ``Not`` negates
whatever it contains. How a tree becomes a query in the servers' language is in ``bounds`` and ``language``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from operator import contains, ge, gt, le, lt
from typing import TypeAlias, cast

from ...models.errors import InvalidArgument
from ...models.record import Record
from ...models.stored import Field

Value: TypeAlias = Decimal | str | None
Identity: TypeAlias = tuple[str, ...]
"""The values of the fields that a record's key is made of."""


class Operator(StrEnum):
    """The ways to compare a field; the members are named as redis-om's."""

    EQ = "=="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "<<"
    STARTSWITH = "startswith"
    ENDSWITH = "endswith"
    CONTAINS = "contains"
    LIKE = "%"


_COMPARISONS: Mapping[Operator, Callable[..., bool]] = {
    Operator.LT: lt,
    Operator.LE: le,
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.STARTSWITH: str.startswith,
    Operator.ENDSWITH: str.endswith,
    Operator.CONTAINS: contains,
}
ORDERING = frozenset({Operator.LT, Operator.LE, Operator.GT, Operator.GE})
PARTIAL = frozenset({Operator.STARTSWITH, Operator.ENDSWITH, Operator.CONTAINS})
"""Comparisons with a part of a text, for which servers look no further than their first 200 expansions."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field compared with values: one value, for IN any number, for LIKE the words that must all be there."""

    field: Field
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition that matches what its part does not match."""

    part: Node


@dataclass(frozen=True, slots=True)
class AllOf:
    """The condition that matches what every part matches; without parts, everything."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The condition that matches what at least one part matches; without parts, nothing."""

    parts: tuple[Node, ...] = ()


Node: TypeAlias = Comparison | Not | AllOf | AnyOf
FullTextMatches: TypeAlias = Mapping[Comparison, Set[Identity]]
"""The records that the servers' full text search finds for each LIKE."""


@dataclass(frozen=True, slots=True)
class WrittenQuery:
    """A query in the servers' language, and the values of its parameters ``$v0``, ``$v1``, …."""

    text: str
    parameters: tuple[str, ...]
    needs: tuple[str, ...] = ()
    """The fields of a desk's own in it: a server would find nothing for one that its index does not have."""


def comparison(field: Field, operator: Operator, value: object) -> Comparison:
    """Return a comparison with a value from a caller. Raises InvalidArgument for one that the field cannot hold."""
    if operator is Operator.IN:
        if not isinstance(value, list | tuple | set | frozenset):
            raise InvalidArgument(f"{field.name} << {_shown(value)}: give a list of values")
        several = cast("Sequence[object]", value)
        return Comparison(field, operator, tuple(dict.fromkeys(_value(field, Operator.EQ, one) for one in several)))
    if operator is Operator.LIKE:
        words = re.findall(r"\w+", value) if isinstance(value, str) else []
        if not field.full_text or not words:
            raise InvalidArgument(
                f"{field.name} % {_shown(value)}: "
                + ("give words to look for" if field.full_text else "its words are not indexed; use == or contains")
            )
        return Comparison(field, operator, tuple(words))
    return Comparison(field, operator, (_value(field, operator, value),))


def _value(field: Field, operator: Operator, value: object) -> Value:
    what = f"{field.name} {operator} {_shown(value)}"
    if value is None:
        if operator is not Operator.EQ:
            raise InvalidArgument(f"{what}: None can only be asked for with == and !=")
        return None
    if field.numbers is not None:
        if operator in PARTIAL:
            raise InvalidArgument(f"{what}: {field.name} is a number")
        try:
            return field.numbers.wanted(value.value if isinstance(value, Enum) else value)
        except ValueError as error:
            raise InvalidArgument(f"{what}: {error}") from None
    if operator in ORDERING:
        raise InvalidArgument(f"{what}: {field.name} is not a number; {field.instead}")
    if operator in PARTIAL and not field.has_parts:
        raise InvalidArgument(f"{what}: parts of {field.name} cannot be looked for; use == or <<")
    if operator is Operator.EQ and field.encode is not None:
        return field.encode(value)
    if not isinstance(value, str):
        raise InvalidArgument(f"{what}: {field.name} is compared with strings")
    if field.choices and operator is Operator.EQ and value not in field.choices:
        raise InvalidArgument(f"{what}: there are {', '.join(field.choices)}")
    return str(value)


def matches(node: Node, record: Record, identity: Identity, full_text: FullTextMatches) -> bool | None:
    """Return whether a record matches a condition; None when only the servers' full text search could decide it."""
    match node:
        case Not(part):
            found = matches(part, record, identity, full_text)
            return None if found is None else not found
        case AllOf(parts):
            answers = {matches(part, record, identity, full_text) for part in parts}
            return False if False in answers else None if None in answers else True
        case AnyOf(parts):
            answers = {matches(part, record, identity, full_text) for part in parts}
            return True if True in answers else None if None in answers else False
        case Comparison(_, Operator.LIKE, _):
            return identity in full_text[node] if node in full_text else None
        case Comparison(field, compare_by, values):
            return compares(compare_by, field.value_of(record), values)


def compares(operator: Operator, stored: Decimal | float | str | None, values: Sequence[Value]) -> bool:
    """Return True when a value of a record compares so with the values that are asked for."""
    if operator in (Operator.EQ, Operator.IN):
        return stored in values
    return stored is not None and _COMPARISONS[operator](stored, values[0])


def full_text_comparisons(node: Node) -> list[Comparison]:
    """Return every full text comparison in a condition."""
    match node:
        case Comparison():
            return [node] if node.operator is Operator.LIKE else []
        case Not(part):
            return full_text_comparisons(part)
        case AllOf(parts) | AnyOf(parts):
            return [one for part in parts for one in full_text_comparisons(part)]


def required_values(node: Node) -> dict[str, str]:
    """Return the fields that must have one certain text in every match, by name, with that text."""
    match node:
        case Comparison(field, Operator.EQ, (str() as value,)):
            return {field.name: value}
        case AllOf(parts):
            return {name: value for part in parts for name, value in required_values(part).items()}
        case _:
            return {}


def _shown(value: object) -> str:
    shown = repr(value) if isinstance(value, str | int | float | Decimal | Enum | None) else type(value).__name__
    return shown if len(shown) <= 60 else shown[:60] + "…"
