"""Enumerations with the names of FIX 4.4.

Each member's value is its name, which is stored and shown by ``redis-cli``; ``fix`` is its code in a FIX message.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class _FixEnum(StrEnum):
    fix: str
    """The member's code in a FIX message."""

    def __new__(cls, value: str, fix: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.fix = fix
        return member


class Side(_FixEnum):
    """The side of an order (FIX Side, tag 54)."""

    BUY = "BUY", "1"
    SELL = "SELL", "2"


class OrderType(_FixEnum):
    """The type of an order, which decides the prices that it carries (FIX OrdType, tag 40)."""

    MARKET = "MARKET", "1"
    LIMIT = "LIMIT", "2"
    STOP = "STOP", "3"
    STOP_LIMIT = "STOP_LIMIT", "4"

    has_price: bool
    """True when an order of this type carries a limit price (FIX Price, tag 44)."""
    has_stop_price: bool
    """True when an order of this type carries a trigger price (FIX StopPx, tag 99)."""

    def __init__(self, value: str, fix: str) -> None:
        self.has_price = value in ("LIMIT", "STOP_LIMIT")
        self.has_stop_price = value in ("STOP", "STOP_LIMIT")


class TimeInForce(_FixEnum):
    """The time in force of an order (FIX TimeInForce, tag 59); Slotbook records it, the desk acts on it."""

    DAY = "DAY", "0"
    """Until the end of the trading day."""
    GTC = "GTC", "1"
    """Good till cancel."""
    OPG = "OPG", "2"
    """At the opening."""
    IOC = "IOC", "3"
    """Immediate or cancel."""
    FOK = "FOK", "4"
    """Fill or kill."""


class OrderStatus(_FixEnum):
    """The status of an order (FIX 4.4 OrdStatus, tag 39, in which a replaced order is NEW or PARTIALLY_FILLED)."""

    NEW = "NEW", "0"
    PARTIALLY_FILLED = "PARTIALLY_FILLED", "1"
    FILLED = "FILLED", "2"
    CANCELED = "CANCELED", "4"
    REJECTED = "REJECTED", "8"
    EXPIRED = "EXPIRED", "C"

    is_open: bool
    """True when an order can still be filled, replaced or canceled; every other status is terminal."""

    def __init__(self, value: str, fix: str) -> None:
        self.is_open = value in ("NEW", "PARTIALLY_FILLED")


class EventType(_FixEnum):
    """The type of a change of a book (FIX ExecType, tag 150; those from POSITION on are Slotbook's own)."""

    NEW = "NEW", "0"
    TRADE = "TRADE", "F"
    REPLACED = "REPLACED", "5"
    CANCELED = "CANCELED", "4"
    REJECTED = "REJECTED", "8"
    EXPIRED = "EXPIRED", "C"
    POSITION = "POSITION", ""
    """A position was set or adjusted without an order."""
    INSERT = "INSERT", ""
    """A record of the desk's own was inserted."""
    PUT = "PUT", ""
    """A record of the desk's own was stored, whether there was one or not."""
    UPDATE = "UPDATE", ""
    """Some fields of a record of the desk's own were changed."""
    DELETE = "DELETE", ""
    """A record of the desk's own was removed."""

    @property
    def is_own(self) -> bool:
        """True for a change of a record of the desk's own, which has no symbol."""
        return self in (EventType.INSERT, EventType.PUT, EventType.UPDATE, EventType.DELETE)

    @property
    def word(self) -> str:
        """Name in the channel ``events.<symbol>.<type>``: ``fill`` for a TRADE, else the type in lower case."""
        return "fill" if self is EventType.TRADE else self.value.lower()


class PositionAction(StrEnum):
    """The kind of a change of a position without an order."""

    ADJUST = "ADJUST"
    """Add the given quantity, which may be negative."""
    SET = "SET"
    """Replace the quantity by the given one."""
