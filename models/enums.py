"""Enumerations with the names of FIX 4.4.

Each member's value is its name, which is stored and shown by ``redis-cli``; ``fix`` is its code in a FIX message. Where
FIX has withdrawn a code, as 5 and B of OrdType, it is still the one that venues send.

>>> Side.from_fix("5"), OrderType.from_fix("K")
(<Side.SELL_SHORT: 'SELL_SHORT'>, <OrderType.MARKET_TO_LIMIT: 'MARKET_TO_LIMIT'>)
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self, cast

from .arguments import shown
from .errors import InvalidArgument


class _FixEnum(StrEnum):
    fix: str
    """The member's code in a FIX message; '' for one that FIX says otherwise, or not at all."""

    def __new__(cls, value: str, fix: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.fix = fix
        return member

    @classmethod
    def from_fix(cls, code: str) -> Self:
        """Return the member with a code of FIX. Raises InvalidArgument, which names the codes that are known."""
        known = {member.fix: member for member in cls if member.fix}
        given = cast("object", code)
        if isinstance(given, str) and given in known:
            return known[given]
        there = ", ".join(f"{fix} {member}" for fix, member in known.items())
        raise InvalidArgument(f"{cls.__name__} {shown(code)} is no code that is known; there are {there}")


class Side(_FixEnum):
    """The side of an order (FIX Side, tag 54)."""

    BUY = "BUY", "1"
    SELL = "SELL", "2"
    SELL_SHORT = "SELL_SHORT", "5"
    """Sell what the account does not hold."""
    SELL_SHORT_EXEMPT = "SELL_SHORT_EXEMPT", "6"
    """Sell short, exempt from the rule about the price of short sales."""

    is_buy: bool
    """True when a fill makes the position longer; every other side sells."""

    def __init__(self, value: str, fix: str) -> None:
        self.is_buy = value == "BUY"


class OrderType(_FixEnum):
    """The type of an order, which decides the prices that it carries (FIX OrdType, tag 40).

    Trailing stops and LIMIT_IF_TOUCHED have no code of their own in FIX: it says them by execution instructions, pegs
    or triggers beside another type.
    """

    MARKET = "MARKET", "1"
    LIMIT = "LIMIT", "2"
    STOP = "STOP", "3"
    STOP_LIMIT = "STOP_LIMIT", "4"
    MARKET_ON_CLOSE = "MARKET_ON_CLOSE", "5"
    LIMIT_ON_CLOSE = "LIMIT_ON_CLOSE", "B"
    MARKET_IF_TOUCHED = "MARKET_IF_TOUCHED", "J"
    LIMIT_IF_TOUCHED = "LIMIT_IF_TOUCHED", ""
    MARKET_TO_LIMIT = "MARKET_TO_LIMIT", "K"
    """At the market, and what is left then as a limit order; the venue says its price."""
    TRAILING_STOP = "TRAILING_STOP", ""
    """A stop whose trigger follows the market; stop_price is where it is now, if that is known."""
    TRAILING_STOP_LIMIT = "TRAILING_STOP_LIMIT", ""
    PEGGED = "PEGGED", "P"
    """At a price that follows another one; price is the limit beyond which it does not follow, if there is one."""

    has_price: bool
    """True when an order of this type always carries a limit price (FIX Price, tag 44)."""
    takes_price: bool
    """True when an order of this type may carry a limit price."""
    has_stop_price: bool
    """True when an order of this type always carries a trigger price (FIX StopPx, tag 99)."""
    takes_stop_price: bool
    """True when an order of this type may carry a trigger price."""

    def __init__(self, value: str, fix: str) -> None:
        self.has_price = value in ("LIMIT", "STOP_LIMIT", "LIMIT_ON_CLOSE", "LIMIT_IF_TOUCHED")
        self.takes_price = self.has_price or value in ("MARKET_TO_LIMIT", "TRAILING_STOP_LIMIT", "PEGGED")
        self.has_stop_price = value in ("STOP", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED")
        self.takes_stop_price = self.has_stop_price or value in ("TRAILING_STOP", "TRAILING_STOP_LIMIT")


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
    GTD = "GTD", "6"
    """Good till date: an order needs expire_at; it is kept, and nothing expires by itself."""
    GTX = "GTX", "5"
    """Good till crossing; many venues mean: post only."""
    AT_CLOSE = "AT_CLOSE", "7"
    """At the close."""


class Liquidity(_FixEnum):
    """The part that an execution had in the venue's liquidity (FIX LastLiquidityInd, tag 851)."""

    NEITHER = "NEITHER", "0"
    """The venue tells neither of the two."""
    ADDED = "ADDED", "1"
    """It rested in the venue's book: the maker's."""
    REMOVED = "REMOVED", "2"
    """It met an order that rested there: the taker's."""
    ROUTED_OUT = "ROUTED_OUT", "3"
    """It happened at another venue."""
    AUCTION = "AUCTION", "4"
    TRIGGERED_STOP = "TRIGGERED_STOP", "5"
    TRIGGERED_CONTINGENCY = "TRIGGERED_CONTINGENCY", "6"
    TRIGGERED_MARKET = "TRIGGERED_MARKET", "7"


_PRECEDENCE = {
    **{"PENDING_CANCEL": 12, "PENDING_REPLACE": 11, "DONE_FOR_DAY": 10, "CALCULATED": 9, "FILLED": 8, "STOPPED": 7},
    **{"SUSPENDED": 6, "CANCELED": 5, "EXPIRED": 5, "PARTIALLY_FILLED": 4, "NEW": 2, "REJECTED": 2, "PENDING_NEW": 2},
}
OUTLIVE_THE_DAY = frozenset({"GTC", "GTD"})
"""The times in force with which an order that is done for the day stays open."""


class OrderStatus(_FixEnum):
    """The status of an order (FIX 4.4 OrdStatus, tag 39, in which a replaced order is NEW or PARTIALLY_FILLED)."""

    NEW = "NEW", "0"
    PARTIALLY_FILLED = "PARTIALLY_FILLED", "1"
    FILLED = "FILLED", "2"
    DONE_FOR_DAY = "DONE_FOR_DAY", "3"
    """Not filled further today."""
    CANCELED = "CANCELED", "4"
    PENDING_CANCEL = "PENDING_CANCEL", "6"
    """A request to cancel it is not answered yet."""
    STOPPED = "STOPPED", "7"
    """A trade is guaranteed, but has not happened yet."""
    REJECTED = "REJECTED", "8"
    SUSPENDED = "SUSPENDED", "9"
    """Not eligible for trading for now."""
    PENDING_NEW = "PENDING_NEW", "A"
    """Sent, and not accepted yet."""
    CALCULATED = "CALCULATED", "B"
    """Filled or done for the day, with commissions and settlement details calculated."""
    EXPIRED = "EXPIRED", "C"
    PENDING_REPLACE = "PENDING_REPLACE", "E"
    """A request to replace it is not answered yet."""

    is_open: bool
    """True when an order has not ended: it can still be filled, replaced or canceled, if not today."""
    precedence: int
    """The higher one is shown when several hold at once (FIX 4.4, Volume 4, order state change matrices)."""

    def __init__(self, value: str, fix: str) -> None:
        self.is_open = value not in ("FILLED", "CANCELED", "REJECTED", "CALCULATED", "EXPIRED")
        self.precedence = _PRECEDENCE[value]


class EventType(_FixEnum):
    """The type of a change of a book (FIX ExecType, tag 150; those from POSITION on are Slotbook's own)."""

    NEW = "NEW", "0"
    TRADE = "TRADE", "F"
    TRADE_CANCEL = "TRADE_CANCEL", "H"
    """An execution was taken back."""
    TRADE_CORRECT = "TRADE_CORRECT", "G"
    """An execution was put right."""
    TRADE_DETAILS = "TRADE_DETAILS", ""
    """Something absent of an execution was added, such as its fee; what was executed is the same as before.

    FIX has no ExecType for it: D restates an order, and G puts quantity or price of an execution right.
    """
    REPLACED = "REPLACED", "5"
    CANCELED = "CANCELED", "4"
    REJECTED = "REJECTED", "8"
    EXPIRED = "EXPIRED", "C"
    PENDING_NEW = "PENDING_NEW", "A"
    PENDING_CANCEL = "PENDING_CANCEL", "6"
    PENDING_REPLACE = "PENDING_REPLACE", "E"
    CANCEL_REJECTED = "CANCEL_REJECTED", ""
    """A request to cancel or replace was refused (FIX OrderCancelReject, MsgType 9, which has no ExecType)."""
    DONE_FOR_DAY = "DONE_FOR_DAY", "3"
    STOPPED = "STOPPED", "7"
    SUSPENDED = "SUSPENDED", "9"
    CALCULATED = "CALCULATED", "B"
    RESTATED = "RESTATED", "D"
    POSITION = "POSITION", ""
    """A position was set or adjusted without an order."""
    SPLIT = "SPLIT", ""
    """A position's quantity was multiplied by a split, its cost kept."""
    ROLL = "ROLL", ""
    """A position's totals were set back, its quantity and cost kept."""
    INSERT = "INSERT", ""
    """A record of the desk's own was inserted."""
    PUT = "PUT", ""
    """A record of the desk's own was stored, whether there was one or not."""
    UPDATE = "UPDATE", ""
    """Some fields of a record of the desk's own were changed."""
    DELETE = "DELETE", ""
    """A record of the desk's own was removed."""
    LIMITS = "LIMITS", ""
    """Limits of the trader, or of a symbol, were set or removed."""
    TRADING = "TRADING", ""
    """The switch of trading was turned."""
    LIMIT_REFUSED = "LIMIT_REFUSED", ""
    """An order, or a replace of one, was refused for a limit or by the switch of trading. No order has changed, so it
    is no REJECTED, which FIX would say of a new one (ExecType 8, OrdRejReason 3)."""

    @property
    def is_execution(self) -> bool:
        """True for a fill, and what takes one back, corrects or completes it: a change of an order and its position."""
        return self in _EXECUTIONS

    @property
    def is_own(self) -> bool:
        """True for a change of a record of the desk's own, which has no symbol."""
        return self in (EventType.INSERT, EventType.PUT, EventType.UPDATE, EventType.DELETE)

    @property
    def is_of_limits(self) -> bool:
        """True for a change of limits or of the switch of trading, and no change of an order or a position."""
        return self in (EventType.LIMITS, EventType.TRADING)

    @property
    def word(self) -> str:
        """Name in the channel ``events.<symbol>.<type>``: ``fill`` for a TRADE, else the type in lower case."""
        return "fill" if self is EventType.TRADE else self.value.lower()


_EXECUTIONS = (EventType.TRADE, EventType.TRADE_CANCEL, EventType.TRADE_CORRECT, EventType.TRADE_DETAILS)


class ExecType(_FixEnum):
    """The kind of a venue's report of an order (FIX ExecType, tag 150)."""

    NEW = "NEW", "0"
    DONE_FOR_DAY = "DONE_FOR_DAY", "3"
    CANCELED = "CANCELED", "4"
    REPLACED = "REPLACED", "5"
    PENDING_CANCEL = "PENDING_CANCEL", "6"
    STOPPED = "STOPPED", "7"
    REJECTED = "REJECTED", "8"
    SUSPENDED = "SUSPENDED", "9"
    PENDING_NEW = "PENDING_NEW", "A"
    CALCULATED = "CALCULATED", "B"
    EXPIRED = "EXPIRED", "C"
    RESTATED = "RESTATED", "D"
    PENDING_REPLACE = "PENDING_REPLACE", "E"
    TRADE = "TRADE", "F"
    TRADE_CORRECT = "TRADE_CORRECT", "G"
    TRADE_CANCEL = "TRADE_CANCEL", "H"
    ORDER_STATUS = "ORDER_STATUS", "I"
    """The answer to a question for the status: nothing has happened."""
    TRIGGERED = "TRIGGERED", "L"
    """A stop order has gone to the market (FIX 5.0): nothing that a book keeps has changed."""

    has_execution: bool
    """True for a report with an executed quantity and its price, which count from then on."""
    revises: bool
    """True for a report that takes an execution back, or corrects it."""
    is_pending_request: bool
    """True for a report that a request to cancel or replace has arrived, and is not answered yet."""

    def __init__(self, value: str, fix: str) -> None:
        self.has_execution = value in ("TRADE", "TRADE_CORRECT")
        self.revises = value in ("TRADE_CANCEL", "TRADE_CORRECT")
        self.is_pending_request = value in ("PENDING_CANCEL", "PENDING_REPLACE")


class PositionAction(StrEnum):
    """The kind of a change of a position without an order."""

    ADJUST = "ADJUST"
    """Add the given quantity, which may be negative."""
    SET = "SET"
    """Replace the quantity by the given one."""
