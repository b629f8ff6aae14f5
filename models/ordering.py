"""The order texts of sorted indexes: texts whose bytes are in the order of the numbers or times that they stand for.

A server keeps the members of a sorted index in the order of their bytes. Order texts are made of written texts, here
and in ``repositories/changes/lua/order_text.lua``, exactly and for any size:

>>> order_text("number", "-5"), order_text("number", "0"), order_text("number", "187.23")
('bn9884', 'c', 'dp01318723.')
>>> order_text("time", "2026-11-27T14:30:00Z"), order_text("time", "2026-11-27")
('z20261127143000000000', 'd20261127')

A number has a letter for its sign; the length and the digits of its exponent, behind ``p`` or for a negative one behind
``n``; and its digits from the first to the last that is not 0. What falls as the number grows is written in the nines'
complement. Times without a zone and times with one are not comparable: the latter come after the former.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from .errors import InvalidArgument
from .numbers import is_nan, number_of

SortValue: TypeAlias = int | float | Decimal | date | str
"""A number, a date or a datetime, or the text of one: a bound of a range."""

_NUMBER = re.compile(r"(-?)([0-9]+)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?", re.ASCII).fullmatch
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII).fullmatch
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.?([0-9]*)(Z?)", re.ASCII
).fullmatch
_INFINITIES = {"-inf": "a", "inf": "e"}
_NINES = str.maketrans("0123456789", "9876543210")


def order_text(form: str, written: str) -> str | None:
    """Return the order text of a written number or time; None for what is neither.

    Args:
        form: ``number`` or ``time``.
        written: The text that a record's field has.
    """
    return _of_number(written) if form == "number" else _of_time(written)


def _of_number(written: str) -> str | None:
    if infinite := _INFINITIES.get(written):
        return infinite
    if not (parts := _NUMBER(written)):
        return None
    minus, whole, part, exponent = parts.groups()
    digits = (whole + part).lstrip("0")
    if not digits:
        return "c"
    power = len(digits) - len(part) + int(exponent or 0)
    size = f"{len(str(abs(power))):02d}{abs(power)}"
    grows = (power >= 0) is not bool(minus)
    head, digits = "p" + size if grows else "n" + size.translate(_NINES), digits.rstrip("0")
    return f"b{head}{digits.translate(_NINES)}" if minus else f"d{head}{digits}."


def _of_time(written: str) -> str | None:
    if day := _DATE(written):
        return "d" + "".join(day.groups())
    if not (parts := _TIME(written)):
        return None
    *moment, fraction, zone = parts.groups()
    return ("z" if zone else "l") + "".join(moment) + fraction.ljust(6, "0")


def written_number(value: object) -> str | None:
    """Return the text of any number, whatever a field takes; None for what is no number, or for an inexact float.

    >>> written_number(0), written_number("-1.50"), written_number(2.5), written_number(0.1)
    ('0', '-1.50', '2.5', None)
    """
    if isinstance(value, str):
        return value if _NUMBER(value) else None
    number = number_of(value)
    if number is None or is_nan(number):
        return None
    text = str(number).lower().replace("infinity", "inf")
    return text if not isinstance(number, float) or Decimal(number) == Decimal(text) else None


def lowest(least: str | None, above: str | None, beside: str | None) -> str:
    """Return the lower bound of a range in the server's form, from order texts: of the first value, or of one below it.

    Args:
        least: The first value that is in the range; None for any.
        above: A value after which the range begins; None for any.
        beside: The other bound, with whose kind of time the range begins where it has no bound here.
    """
    if least is not None:
        return f"[{least}:"
    if above is not None:
        return f"[{above};"
    return "-" if beside is None or beside[0] not in "lz" else f"[{beside[0]}"


def highest(most: str | None, below: str | None, beside: str | None) -> str:
    """Return the upper bound of a range in the server's form, as ``lowest`` does the lower one."""
    if most is not None:
        return f"({most};"
    if below is not None:
        return f"({below}:"
    return "+" if beside is None or beside[0] not in "lz" else f"({chr(ord(beside[0]) + 1)}"


def check_comparable(what: str, low: str | None, high: str | None) -> None:
    """Raise InvalidArgument for bounds of which one is a time with a zone, and the other one without."""
    if low and high and {low[0], high[0]} == {"l", "z"}:
        raise InvalidArgument(f"{what}: a time with a zone and one without cannot be compared; give both the same")
