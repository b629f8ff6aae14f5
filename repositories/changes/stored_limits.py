"""Read limits and the switch of trading as they are stored. Nothing here does I/O."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from ...models.errors import CorruptRecord, never_written
from ...models.keys import TraderKeys
from ...models.limits import Limits, Trading, limits_of
from ...topology.call import Reply
from ..replies import text

TRADER, SYMBOL = "trader", "symbol:"
"""The field of the trader's own limits, and the beginning of those of symbols."""
BESIDE = "limits"
"""The field of the header, and of a symbol's position, that has limits as doubles."""
_CERTAIN_DIGITS = 15
_WHOLE, _LONG, _DOUBLE = 24, 48, 8


class Doubles(NamedTuple):
    """Limits as they lie beside what an order reads anyway, which nearly all orders are decided by."""

    passed: tuple[float, float]
    """A second of the server's clock, and how many orders were let pass in it."""
    limits: bytes
    """The part that follows from the limits themselves."""
    change: float | None
    """The number of the event that last changed those of any symbol; None where none has."""
    limits_position: bool
    """True in a header when the limits of a symbol may bound its position."""


def read_trading(keys: TraderKeys, written: Reply) -> Trading:
    """Return the switch that a header has. Raises CorruptRecord."""
    if written is None:
        return Trading.ACTIVE
    if text(written) not in Trading.__members__:
        raise never_written(keys.book, "trading", written)
    return Trading[text(written)]


def read_limits(keys: TraderKeys, field: str, written: str) -> Limits | None:
    """Return the limits in a field of the hash; None for empty ones. Raises CorruptRecord."""
    try:
        found = limits_of(keys.trader, None if field == TRADER else field.removeprefix(SYMBOL), written)
    except ValueError:
        raise never_written(keys.limits, field, written) from None
    return None if found.is_empty else found


def limits_in_hash(keys: TraderKeys, found: Mapping[str, str]) -> list[Limits]:
    """Return all limits of a trader: the trader's own first, then by symbol. Raises CorruptRecord."""
    some: list[Limits] = []
    for field in sorted(found, key=lambda one: (one != TRADER, one)):
        if field == TRADER or field.startswith(SYMBOL):
            limits = read_limits(keys, field, found[field])
            some += [] if limits is None else [limits]
        else:
            raise CorruptRecord(keys.limits, field, "is not a field of limits")
    return some


def _doubles(written: str) -> bytes:
    """Return a text of doubles as bytes; what is not UTF-8 is a surrogate in a reply."""
    return written.encode("utf-8", "surrogateescape")


def doubles_in_header(written: str) -> Doubles | None:
    """Return the limits that a header has; None for what was never written."""
    found = _doubles(written)
    behind = len(found) % _WHOLE
    size = len(found) - behind
    if (
        size not in (0, _WHOLE, _LONG)
        or behind not in (0, _DOUBLE, _DOUBLE + 1)
        or found[size + _DOUBLE :] not in (b"", b"+")
    ):
        return None
    change: float | None = struct.unpack_from("<d", found, size)[0] if behind else None
    passed: tuple[float, float] = struct.unpack_from("<2d", found) if size else (0.0, 0.0)
    return Doubles(passed, found[16:size], change, behind > _DOUBLE)


def doubles_in_position(written: str) -> Doubles | None:
    """Return the limits of a symbol that its position has; None for what was never written."""
    found = _doubles(written)
    if len(found) not in (_WHOLE + _DOUBLE, _LONG + _DOUBLE):
        return None
    second, passed, _, change = struct.unpack_from("<4d", found)
    return Doubles((second, passed), found[16:24] + found[32:], change, limits_position=False)


def doubles_of(words: str) -> bytes:
    """Return what follows from limits in their stored form: orders per second, then the others where one is set.

    >>> struct.unpack("<4d", doubles_of("100 - 5000 -"))
    (inf, 100.0, inf, 5000.0)
    """
    order, notional, position, rate = map(_double_of, words.split(" "))
    others = struct.pack("<3d", order, notional * 0.999999, position)
    return struct.pack("<d", rate) + (others if words.split(" ")[:3] != ["-"] * 3 else b"")


def shown(written: str | None) -> str:
    """Return a text of doubles so that it can be read.

    >>> shown(struct.pack("<3d", 1_700_000_000, 2, 50).decode("utf-8", "surrogateescape") + "+")
    '1700000000 2 50 +'
    """
    if written is None:
        return "nothing"
    found = _doubles(written)
    rest = found[len(found) // _DOUBLE * _DOUBLE :]
    values: tuple[float, ...] = struct.unpack(f"<{len(found) // _DOUBLE}d", found[: len(found) - len(rest)])
    words = [f"{value:.16g}" for value in values] + ([repr(rest)[2:-1]] if rest else [])
    return " ".join(words)


def _double_of(word: str) -> float:
    if word == "-":
        return float("inf")
    return float(word) if len(word) <= _CERTAIN_DIGITS else -1.0
