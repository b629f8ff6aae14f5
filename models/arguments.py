"""Checks of arguments at run time, for callers without a type checker, before anything is sent.

Each function returns the value that it was given, or raises InvalidArgument with a message that names it. ``what`` is
the name of the argument in that message.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar, cast

from .errors import InvalidArgument
from .numbers import exact_integer, is_nan, number_of

T = TypeVar("T")
V = TypeVar("V")


def each(what: str, values: Iterable[T]) -> Iterable[T]:
    """Return an iterable of values; a string or bytes counts as one value and is refused."""
    given = cast("object", values)
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise InvalidArgument(f"{what} {shown(given)} cannot be used: it is a {type(given).__name__}, not a list")
    return values


def several(what: str, values: Iterable[T]) -> Sequence[T]:
    """Return values that can be iterated over more than once: a list or tuple as it is, anything else as a list."""
    given = each(what, values)
    return cast("Sequence[T]", given) if isinstance(given, (list, tuple)) else list(given)


def identities(what: str, values: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Return pairs that name records, each a trader and an id."""
    found = several(what, values)
    for pair in found:
        if not _is_row(pair, 2):
            raise InvalidArgument(f"{what}: {shown(pair)} cannot be used: it is not a trader and an id")
    return found


def position_identities(
    what: str, values: Iterable[tuple[str, str] | tuple[str, str, str | None]]
) -> Sequence[tuple[str, str, str | None]]:
    """Return what names positions: of each the trader, the symbol, and the account, None where it is the whole."""
    found: list[tuple[str, str, str | None]] = []
    for names in several(what, values):
        if not _is_row(names, 2, 3):
            raise InvalidArgument(
                f"{what}: {shown(names)} cannot be used: it is not a trader and a symbol, and an account behind them"
            )
        trader, symbol, *account = names
        found.append((trader, symbol, account[0] if account else None))
    return found


def _is_row(value: object, *lengths: int) -> bool:
    return isinstance(value, (tuple, list)) and len(cast("Sequence[object]", value)) in lengths


def request_ids_of(number: int, request_ids: Iterable[str] | None) -> Sequence[str | None]:
    """Return an identity for each of so many requests, None for a random one; they are given for all, or for none."""
    if request_ids is None:
        return [None] * number
    found = several("request_ids", request_ids)
    if len(found) != number:
        raise InvalidArgument(f"request_ids has {len(found)} for {number} records: give one for each")
    return found


def mapping(what: str, values: Mapping[str, V]) -> Mapping[str, V]:
    """Return a mapping of names to values."""
    given = cast("object", values)
    if not isinstance(given, Mapping):
        raise InvalidArgument(f"{what} {shown(given)} cannot be used: it is a {type(given).__name__}, not a mapping")
    return values


def whole(what: str, number: int, least: int = 1, most: int = 2**53 - 1) -> int:
    """Return a whole number from ``least`` to ``most``, in any form that is exactly one; booleans and texts are not."""
    try:
        found = least - 1 if isinstance(number, str) else exact_integer(number)
    except ValueError:
        found = least - 1
    if not least <= found <= most:
        raise InvalidArgument(f"{what} {shown(number)} cannot be used: it is a whole number from {least:,} to {most:,}")
    return found


def seconds(what: str, number: float, least: float, most: float) -> float:
    """Return a number of seconds from ``least`` to ``most``; booleans and NaN are refused."""
    found = number_of(number)
    if found is None or is_nan(found) or not least <= found <= most:
        raise InvalidArgument(f"{what} {shown(number)} cannot be used: it is {least:g} to {most:,g} seconds")
    return float(found)


def callable_or_none(what: str, value: T) -> T:
    """Return a callable, or None."""
    if value is not None and not callable(value):
        raise InvalidArgument(f"{what} {shown(value)} cannot be used: it cannot be called")
    return value


def must_be(value: object, *kinds: type) -> None:
    """Raise InvalidArgument unless a value is an instance of one of the classes."""
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise InvalidArgument(f"{shown(value)} is {_one(type(value).__name__)}, not {_one(wanted)}")


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOaeiou' else 'a'} {name}"


def one_of(what: str, value: str, names: Collection[str]) -> str:
    """Return a string that is one of ``names``."""
    given = cast("object", value)
    if not isinstance(given, str) or given not in names:
        raise InvalidArgument(f"{what} {shown(given)} cannot be used: there are {', '.join(names)}")
    return value


def shown(value: object) -> str:
    """Return the repr of a value for an error message, cut to 80 characters; never raises."""
    try:
        text = repr(value)
    except Exception:  # a foreign type's __repr__ failed, or an int has more digits than Python converts
        return f"(a {type(value).__name__} that cannot be shown)"
    return text if len(text) <= 80 else text[:80] + "…"


def without_none(values: Mapping[str, T]) -> dict[str, T]:
    """Return the arguments that were given: the others are None, and a request has a default for them.

    >>> without_none({"request_id": "R1", "ts_ns": None})
    {'request_id': 'R1'}
    """
    return {name: value for name, value in values.items() if value is not None}
