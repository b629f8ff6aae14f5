"""Approximate a condition by others that a server answers exactly, from above and from below.

A server keeps numbers as doubles, so two prices that differ may be one to it (beyond 2**53, or with nine decimals
beyond 8 million); it trims the white space around a tag; and it looks no further than the first 200 names that begin
with a prefix (MAXEXPANSIONS). So a query goes out in two versions: the over-approximation finds every match and perhaps
more, the under-approximation finds nothing but matches. Where they are the same the server's answer is exact; what only
the first finds is compared with the records here.

Negation swaps the two: the over-approximation of ``Not(part)`` is the negated under-approximation of the part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import prod

from ...models.doubles import Numbers, as_double
from ...models.errors import InvalidArgument
from ...models.stored import Field, TextForm, is_one_tag
from ...models.types import check_name
from .condition import ORDERING, PARTIAL, AllOf, AnyOf, Comparison, Node, Not, Operator, compares

EVERYTHING = AllOf()
NOTHING = AnyOf()

_LONGEST_UNION = 500
"""The comparisons to which a query may grow when its parts are multiplied out."""
_TRIMMED = " \t\n\v\f\r"
"""The white space that a server trims from a tag."""
_WIDER: Mapping[Operator, Operator] = {
    Operator.GT: Operator.GE,
    Operator.GE: Operator.GE,
    Operator.LT: Operator.LE,
    Operator.LE: Operator.LE,
}
_NARROWER: Mapping[Operator, Operator] = {
    Operator.GT: Operator.GT,
    Operator.GE: Operator.GT,
    Operator.LT: Operator.LT,
    Operator.LE: Operator.LT,
}
"""The comparison that certainly matches more, or less, than one with a number that is not exact as a double."""


def over_approximation(node: Node) -> Node:
    """Return a condition that a server answers exactly, and that matches at least what the node does."""
    match node:
        case Not(part):
            return negation(under_approximation(part))
        case AllOf(parts):
            return intersection([over_approximation(part) for part in parts])
        case AnyOf(parts):
            return union([over_approximation(part) for part in parts])
        case Comparison():
            if node.operator is Operator.LIKE:
                return node
            if node.operator in PARTIAL or _may_be_default(node):
                return EVERYTHING
            return _text_over(node) if node.field.numbers is None else _number_over(node, node.field.numbers)


def under_approximation(node: Node) -> Node:
    """Return a condition that a server answers exactly, and that matches nothing but what the node does."""
    match node:
        case Not(part):
            return negation(over_approximation(part))
        case AllOf(parts):
            return intersection([under_approximation(part) for part in parts])
        case AnyOf(parts):
            return union([under_approximation(part) for part in parts])
        case Comparison():
            if node.operator is Operator.LIKE:
                return node
            if node.operator in PARTIAL:
                return NOTHING
            return _text_under(node) if node.field.numbers is None else _number_under(node, node.field.numbers)


def negation(node: Node) -> Node:
    """Return a condition for what a node does not match."""
    match node:
        case Not(part):
            return part
        case AllOf(parts):
            return union([negation(part) for part in parts])
        case AnyOf(parts):
            return intersection([negation(part) for part in parts])
        case Comparison():
            return Not(node)


def intersection(nodes: Sequence[Node]) -> Node:
    """Return a condition for what all nodes match, without those that match everything."""
    if NOTHING in nodes:
        return NOTHING
    kept = tuple(node for node in nodes if node != EVERYTHING)
    if len(kept) == 1:
        return kept[0]
    # Search 2.10 loses matches of ((A -B) | C) D, and none of (A -B D) | (C D).
    mixed = [
        node for node in kept if isinstance(node, AnyOf) and not all(isinstance(one, Comparison) for one in node.parts)
    ]
    if mixed and prod(len(node.parts) for node in mixed) * sum(map(_size, kept)) <= _LONGEST_UNION:
        others = [node for node in kept if node is not mixed[0]]
        return union([intersection((*others, part)) for part in mixed[0].parts])
    return AllOf(kept)


def _size(node: Node) -> int:
    """Return the number of comparisons in a condition."""
    match node:
        case AllOf(parts) | AnyOf(parts):
            return sum(map(_size, parts))
        case _:
            return 1


def union(nodes: Sequence[Node]) -> Node:
    """Return a condition for what any node matches, without those that match nothing."""
    if EVERYTHING in nodes:
        return EVERYTHING
    kept = tuple(node for node in nodes if node != NOTHING)
    return kept[0] if len(kept) == 1 else AnyOf(kept)


def _may_be_default(node: Comparison) -> bool:
    """Return True when a record whose hash has nothing for the field may match, because it has a default."""
    field = node.field
    return field.filled and (field.default is None or compares(node.operator, field.default, node.values))


def _text_over(node: Comparison) -> Node:
    if _asks_for_absence(node):
        return EVERYTHING
    if node.field.form is not TextForm.FREE:
        return _one_of(node.field, _storable_texts(node))
    trimmed = [text.strip(_TRIMMED) for text in _texts(node) if _is_writable(text)]
    return _one_of(node.field, trimmed) if all(map(is_one_tag, trimmed)) else EVERYTHING


def _text_under(node: Comparison) -> Node:
    if _asks_for_absence(node) or node.field.form is TextForm.FREE:
        return NOTHING
    return _one_of(node.field, _storable_texts(node))


def _asks_for_absence(node: Comparison) -> bool:
    """Return True when a text may be absent: servers older than INDEXMISSING cannot find records without one."""
    return node.field.optional and None in node.values


def _texts(node: Comparison) -> list[str]:
    return [str(value) for value in node.values if value is not None]


def _storable_texts(node: Comparison) -> list[str]:
    """Return the texts that are asked for and that the field can hold."""
    return [text for text in _texts(node) if node.field.form is not TextForm.NAME or _is_storable(text)]


def _one_of(field: Field, values: Iterable[Decimal | str]) -> Node:
    wanted = tuple(values)
    return Comparison(field, Operator.IN, wanted) if wanted else NOTHING


def _is_storable(name: str) -> bool:
    """Return True for a name that a book stores; no record has another one."""
    try:
        return bool(check_name("", name))
    except InvalidArgument:
        return False


def _is_writable(text: str) -> bool:
    """Return True for a text that can be sent in UTF-8, which lone surrogates cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _number_over(node: Comparison, numbers: Numbers) -> Node:
    if node.operator in ORDERING:
        return _ordering(node, numbers, _WIDER)
    return _number_in(node, _numbers(node, numbers), is_over=True)


def _number_under(node: Comparison, numbers: Numbers) -> Node:
    if node.operator in ORDERING:
        return _ordering(node, numbers, _NARROWER)
    return _number_in(node, [value for value in _numbers(node, numbers) if numbers.is_told_apart(value)], is_over=False)


def _ordering(node: Comparison, numbers: Numbers, if_inexact: Mapping[Operator, Operator]) -> Node:
    (value,) = node.values
    if not isinstance(value, Decimal):
        return NOTHING
    operator = node.operator if numbers.is_told_apart(value) else if_inexact[node.operator]
    return Comparison(node.field, operator, (_double(value),))


def _number_in(node: Comparison, numbers: Iterable[Decimal], *, is_over: bool) -> Node:
    """Return a condition for what has one of the numbers, or no number if that is asked for."""
    found = _one_of(node.field, dict.fromkeys(map(_double, numbers)))
    if None not in node.values or not node.field.optional or (node.field.filled and not is_over):
        return found
    return union([found, Not(Comparison(node.field, Operator.GE, (Decimal("-Infinity"),)))])


def _numbers(node: Comparison, numbers: Numbers) -> list[Decimal]:
    """Return the numbers that are asked for and that the field can hold."""
    return [value for value in node.values if isinstance(value, Decimal) and numbers.holds(value)]


def _double(value: Decimal) -> Decimal:
    """Return the number that a server reads: the nearest double, written out."""
    return Decimal(repr(float(value)))


def sorts_exactly(field: Field, value: Decimal | float | str | None) -> bool:
    """Return True when a server that sorts distinguishes a value of a record from every other one of the field."""
    if isinstance(value, str):
        return "\0" not in value
    return value is None or field.numbers is None or field.numbers.is_told_apart(Decimal(value))


def sort_value(value: Decimal | float | str | None) -> float | str | None:
    """Return a value of a record as a server sorts it: a double, or a text, which it reads to the first NUL."""
    if isinstance(value, str):
        return value.partition("\0")[0]
    return None if value is None else as_double(value)
