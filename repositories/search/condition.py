"""What a query asks, as a small tree; and whether a record answers it, exactly.

An absent field is unequal to everything and neither above nor below anything, as None is in Python; ``Not`` turns
around whatever it stands before.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import TypeAlias, cast

from ...models.errors import InvalidArgument
from ...models.record import Record
from ...models.stored import Field
from ...models.types import exact_decimal

Value: TypeAlias = Decimal | str | None
Identity: TypeAlias = tuple[str, ...]


class Op(StrEnum):
    """How a field is compared; the members are named as redis-om's."""

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


_COMPARISONS: Mapping[Op, Callable[..., bool]] = {
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.STARTSWITH: str.startswith,
    Op.ENDSWITH: str.endswith,
    Op.CONTAINS: operator.contains,
}
ORDERING = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
PARTIAL = frozenset({Op.STARTSWITH, Op.ENDSWITH, Op.CONTAINS})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field compared with values: one, for IN any number, for LIKE the words that must all be there."""

    field: Field
    op: Op
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """What the part does not match."""

    part: Node


@dataclass(frozen=True, slots=True)
class All:
    """What every part matches; without parts, everything."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Any:
    """What at least one part matches; without parts, nothing."""

    parts: tuple[Node, ...] = ()


Node: TypeAlias = Leaf | Not | All | Any
Hits: TypeAlias = Mapping[Leaf, Set[Identity]]
"""Which records the server's full text search finds for a LIKE."""


@dataclass(frozen=True, slots=True)
class Written:
    """A query in the servers' language, and the values of its parameters ``$v0``, ``$v1``, …"""

    text: str
    parameters: tuple[str, ...]


def leaf(field: Field, op: Op, value: object) -> Leaf:
    """A comparison whose values are such as the field can hold. Raises InvalidArgument."""
    if op is Op.IN:
        if not isinstance(value, list | tuple | set | frozenset):
            raise InvalidArgument(f"{field.name} << {_shown(value)}: give a list of values")
        several = cast("Sequence[object]", value)
        return Leaf(field, op, tuple(dict.fromkeys(_value(field, Op.EQ, one) for one in several)))
    if op is Op.LIKE:
        words = re.findall(r"\w+", value) if isinstance(value, str) else []
        if not field.full_text or not words:
            raise InvalidArgument(
                f"{field.name} % {_shown(value)}: "
                + ("give words to look for" if field.full_text else "its words are not indexed; use == or contains")
            )
        return Leaf(field, op, tuple(words))
    return Leaf(field, op, (_value(field, op, value),))


def _value(field: Field, op: Op, value: object) -> Value:
    what = f"{field.name} {op} {_shown(value)}"
    if value is None:
        if op is not Op.EQ:
            raise InvalidArgument(f"{what}: None can only be asked for with == and !=")
        return None
    if field.step is not None:
        if op in PARTIAL:
            raise InvalidArgument(f"{what}: {field.name} is a number")
        try:
            return exact_decimal(value.value if isinstance(value, Enum) else value)
        except ValueError as error:
            raise InvalidArgument(f"{what}: {error}") from None
    if op in ORDERING:
        raise InvalidArgument(f"{what}: {field.name} is not a number; use ==, <<, startswith, endswith or contains")
    if not isinstance(value, str):
        raise InvalidArgument(f"{what}: {field.name} is compared with strings")
    names = field.names
    if names is not None and op is Op.EQ and value not in list(names):
        raise InvalidArgument(f"{what}: there are {', '.join(names)}")
    return str(value)


def matches(node: Node, record: Record, identity: Identity, hits: Hits) -> bool | None:
    """Whether a record is what is asked for; None when only the server's full text search could tell."""
    match node:
        case Not(part):
            found = matches(part, record, identity, hits)
            return None if found is None else not found
        case All(parts):
            answers = {matches(part, record, identity, hits) for part in parts}
            return False if False in answers else None if None in answers else True
        case Any(parts):
            answers = {matches(part, record, identity, hits) for part in parts}
            return True if True in answers else None if None in answers else False
        case Leaf(_, Op.LIKE, _):
            return identity in hits[node] if node in hits else None
        case Leaf(field, op, values):
            return _compares(op, getattr(record, field.name), values)


def _compares(op: Op, held: Decimal | int | str | None, values: Sequence[Value]) -> bool:
    if op in (Op.EQ, Op.IN):
        return held in values
    return held is not None and _COMPARISONS[op](held, values[0])


def likes(node: Node) -> list[Leaf]:
    """Every full text comparison in a tree."""
    match node:
        case Leaf(_, op, _):
            return [node] if op is Op.LIKE else []
        case Not(part):
            return likes(part)
        case All(parts) | Any(parts):
            return [one for part in parts for one in likes(part)]


def pinned(node: Node) -> dict[str, str]:
    """The fields that every match has one known value of, for telling which index of our own would answer."""
    match node:
        case Leaf(field, Op.EQ, (str() as value,)):
            return {field.name: value}
        case All(parts):
            return {name: value for part in parts for name, value in pinned(part).items()}
        case _:
            return {}


def _shown(value: object) -> str:
    shown = repr(value) if isinstance(value, str | int | float | Decimal | Enum | None) else type(value).__name__
    return shown if len(shown) <= 60 else shown[:60] + "…"
