"""How much of a query a server can answer: what surely matches, and what may.

A server keeps numbers as doubles, so two prices that differ may be one to it (beyond 2**53, or with nine decimals
beyond 8 million); it cuts the spaces around a text; and it looks no further than the first 200 names that begin with
something. So a query goes out in two versions, one that finds every match and perhaps more, one that finds nothing but
matches. Where they are the same the server's answer is exact; what only the first finds is looked at here.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ...models.errors import InvalidArgument
from ...models.stored import Field
from ...models.types import EXACT, check_name
from .condition import ORDERING, PARTIAL, All, Any, Leaf, Node, Not, Op

EVERYTHING = All()
NOTHING = Any()

_TRIMMED = " \t\n\v\f\r"
"""What a server cuts off a tag."""


def bound(node: Node, upper: bool) -> Node:
    """A tree that a server answers exactly: with ``upper`` it matches at least, else at most, what the node does."""
    match node:
        case Not(part):
            return negation(bound(part, not upper))
        case All(parts):
            return intersection([bound(part, upper) for part in parts])
        case Any(parts):
            return union([bound(part, upper) for part in parts])
        case Leaf(_, op, _) if op is Op.LIKE:
            return node
        case Leaf(_, op, _) if op in PARTIAL:
            return EVERYTHING if upper else NOTHING
        case Leaf(field, _, _):
            return _of_words(node, upper) if field.step is None else _of_numbers(node, field.step, upper)


def negation(node: Node) -> Node:
    """What a node does not match."""
    if node in (EVERYTHING, NOTHING):
        return NOTHING if node == EVERYTHING else EVERYTHING
    return node.part if isinstance(node, Not) else Not(node)


def intersection(nodes: Sequence[Node]) -> Node:
    """What all of them match, without those that match everything."""
    if NOTHING in nodes:
        return NOTHING
    kept = tuple(node for node in nodes if node != EVERYTHING)
    return kept[0] if len(kept) == 1 else All(kept)


def union(nodes: Sequence[Node]) -> Node:
    """What any of them matches, without those that match nothing."""
    if EVERYTHING in nodes:
        return EVERYTHING
    kept = tuple(node for node in nodes if node != NOTHING)
    return kept[0] if len(kept) == 1 else Any(kept)


def _of_words(node: Leaf, upper: bool) -> Node:
    field, unsure = node.field, EVERYTHING if upper else NOTHING
    wanted: list[str] = []
    for value in node.values:
        if value is None:
            if field.optional:  # no server before INDEXMISSING can tell who has no word
                return unsure
        elif not field.full_text:
            if _is_storable(str(value)):
                wanted.append(str(value))
        elif upper and _is_writable(str(value)):
            cut = str(value).strip(_TRIMMED)
            if not cut:
                return EVERYTHING
            wanted.append(cut)
    return Leaf(field, Op.IN, tuple(wanted)) if wanted else NOTHING


def _is_storable(name: str) -> bool:
    try:
        return bool(check_name("", name))
    except InvalidArgument:
        return False


def _is_writable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _of_numbers(node: Leaf, step: Decimal, upper: bool) -> Node:
    field = node.field
    if node.op in ORDERING:
        (value,) = node.values
        if not isinstance(value, Decimal):
            return NOTHING
        above = node.op in (Op.GT, Op.GE)
        if _is_exact(value, step):
            return Leaf(field, node.op, (_double(value),))
        wide, narrow = (Op.GE, Op.GT) if above else (Op.LE, Op.LT)
        return Leaf(field, wide if upper else narrow, (_double(value),))
    parts: list[Node] = []
    numbers = [value for value in node.values if isinstance(value, Decimal) and not EXACT.remainder(value, step)]
    kept = dict.fromkeys(_double(value) for value in numbers if upper or _is_exact(value, step))
    if kept:
        parts.append(Leaf(field, Op.IN, tuple(kept)))
    if None in node.values and field.optional:
        parts.append(Not(Leaf(field, Op.GE, (Decimal("-Infinity"),))))
    return union(parts)


def _double(value: Decimal) -> Decimal:
    """The number that a server reads: a double, written out."""
    return Decimal(repr(float(value)))


def _is_exact(value: Decimal, step: Decimal) -> bool:
    """Whether a server tells the number from every other that the field can hold."""
    towards_zero = EXACT.subtract(value, EXACT.remainder(value, step))
    below = above = towards_zero
    if value <= towards_zero:
        below = EXACT.subtract(towards_zero, step)
    if value >= towards_zero:
        above = EXACT.add(towards_zero, step)
    return float(below) < float(value) < float(above)


def is_told_apart(field: Field, value: object) -> bool:
    """Whether a server, when it sorts, tells a stored value from every other one of the field."""
    return field.step is None or value is None or _is_exact(Decimal(str(value)), field.step)


def coarse(field: Field, value: object) -> float | str | None:
    """A stored value as a server sorts it."""
    if value is None or field.step is None:
        return None if value is None else str(value)
    return float(str(value))
