"""The closed vocabularies of a desk, named as FIX names them.

Each member's value is its name, which is what is stored and what `redis-cli` shows; ``fix`` is its code on the FIX
wire.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class _FixEnum(StrEnum):
    fix: str

    def __new__(cls, value: str, fix: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.fix = fix
        return member


class Side(_FixEnum):
    """Which way an order trades (FIX Side, tag 54)."""

    BUY = "BUY", "1"
    SELL = "SELL", "2"


class OrderType(_FixEnum):
    """How an order is priced (FIX OrdType, tag 40)."""

    MARKET = "MARKET", "1"
    LIMIT = "LIMIT", "2"
    STOP = "STOP", "3"
    STOP_LIMIT = "STOP_LIMIT", "4"

    has_price: bool
    """Whether such an order carries a limit price."""
    has_stop_price: bool
    """Whether such an order carries a trigger price."""

    def __init__(self, value: str, fix: str) -> None:
        self.has_price = value in ("LIMIT", "STOP_LIMIT")
        self.has_stop_price = value in ("STOP", "STOP_LIMIT")


class TimeInForce(_FixEnum):
    """How long an order works (FIX TimeInForce, tag 59); Slotbook records it and leaves acting on it to the desk."""

    DAY = "DAY", "0"
    GTC = "GTC", "1"
    OPG = "OPG", "2"
    IOC = "IOC", "3"
    FOK = "FOK", "4"


class OrderStatus(_FixEnum):
    """Where an order stands (FIX OrdStatus, tag 39, version 4.4: a replaced order is NEW or PARTIALLY_FILLED)."""

    NEW = "NEW", "0"
    PARTIALLY_FILLED = "PARTIALLY_FILLED", "1"
    FILLED = "FILLED", "2"
    CANCELED = "CANCELED", "4"
    REJECTED = "REJECTED", "8"
    EXPIRED = "EXPIRED", "C"

    is_open: bool
    """Whether the order can still be filled, replaced or canceled; the other states are terminal and stay so."""

    def __init__(self, value: str, fix: str) -> None:
        self.is_open = value in ("NEW", "PARTIALLY_FILLED")


class EventType(_FixEnum):
    """What happened to a book (FIX ExecType, tag 150, and our own POSITION, which FIX does not have)."""

    NEW = "NEW", "0"
    TRADE = "TRADE", "F"
    REPLACED = "REPLACED", "5"
    CANCELED = "CANCELED", "4"
    REJECTED = "REJECTED", "8"
    EXPIRED = "EXPIRED", "C"
    POSITION = "POSITION", ""

    @property
    def word(self) -> str:
        """What the channel ``events.<symbol>.<type>`` calls it: ``fill`` for a TRADE, else its name in lower case."""
        return "fill" if self is EventType.TRADE else self.value.lower()


class PositionAction(StrEnum):
    """How a position is changed without an order."""

    ADJUST = "ADJUST"
    """By a difference."""
    SET = "SET"
    """To a value."""
