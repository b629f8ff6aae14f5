"""Refusing what a type checker would have refused, before anything is sent. Each raises InvalidArgument."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar, cast

from .errors import InvalidArgument

T = TypeVar("T")
V = TypeVar("V")


def each(what: str, values: Iterable[T]) -> Iterable[T]:
    """What can be gone through; a string is one thing."""
    given = cast("object", values)
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise InvalidArgument(f"{what} {shown(given)} cannot be used: it is a {type(given).__name__}, not a list")
    return values


def several(what: str, values: Iterable[T]) -> Sequence[T]:
    """Many of something, to be gone through more than once."""
    given = each(what, values)
    return cast("Sequence[T]", given) if isinstance(given, (list, tuple)) else list(given)


def identities(what: str, values: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Many records, each by its trader and its id."""
    found = several(what, values)
    for pair in found:
        given = cast("object", pair)
        if not isinstance(given, (tuple, list)) or len(cast("Sequence[object]", given)) != 2:
            raise InvalidArgument(f"{what}: {shown(pair)} cannot be used: it is not a trader and an id")
    return found


def mapping(what: str, values: Mapping[str, V]) -> Mapping[str, V]:
    """Values by name."""
    given = cast("object", values)
    if not isinstance(given, Mapping):
        raise InvalidArgument(f"{what} {shown(given)} cannot be used: it is a {type(given).__name__}, not a mapping")
    return values


def whole(what: str, number: int, least: int = 1, most: int = 2**53 - 1) -> int:
    """A whole number within bounds."""
    if type(number) is not int or not least <= number <= most:
        raise InvalidArgument(f"{what} {shown(number)} cannot be used: it is a whole number from {least:,} to {most:,}")
    return number


def seconds(what: str, number: float, least: float, most: float) -> float:
    """A number of seconds within bounds."""
    if type(number) not in {int, float} or not least <= number <= most:
        raise InvalidArgument(f"{what} {shown(number)} cannot be used: it is {least:g} to {most:,g} seconds")
    return number


def callable_or_none(what: str, value: T) -> T:
    """What can be called, or nothing."""
    if value is not None and not callable(value):
        raise InvalidArgument(f"{what} {shown(value)} cannot be used: it cannot be called")
    return value


def must_be(value: object, *kinds: type) -> None:
    """An instance of one of some classes."""
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise InvalidArgument(f"{shown(value)} is a {type(value).__name__}, not a {wanted}")


def one_of(what: str, value: str, names: Collection[str]) -> str:
    """One of some names."""
    given = cast("object", value)
    if not isinstance(given, str) or given not in names:
        raise InvalidArgument(f"{what} {shown(given)} cannot be used: there are {', '.join(names)}")
    return value


def shown(value: object) -> str:
    """A value for an error's message, however long it is."""
    try:
        text = repr(value)
    except Exception:  # of a type that is not ours, or an integer of thousands of digits
        return f"(a {type(value).__name__} that cannot be shown)"
    return text if len(text) <= 80 else text[:80] + "…"
