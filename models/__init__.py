"""The stored models, requests and results, as immutable types; the errors; and the written form of a model."""

from .coordination import Algorithm, Permit, Session, Swap, Versioned
from .enums import EventType, OrderStatus, OrderType, PositionAction, Side, TimeInForce
from .event import DeadLetter, OrderEvent
from .fill import Fill
from .guards import Expect
from .message import Message
from .order import Cancel, Expire, Order, Reject, Replace
from .position import Position, PositionChange
from .results import FillResult, Lag, OrderResult, Outcome, PositionResult, Snapshot, SymbolTotal
from .symbol import SymbolInfo

__all__ = [
    "Algorithm",
    "Cancel",
    "DeadLetter",
    "EventType",
    "Expect",
    "Expire",
    "Fill",
    "FillResult",
    "Lag",
    "Message",
    "Order",
    "OrderEvent",
    "OrderResult",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "Permit",
    "Position",
    "PositionAction",
    "PositionChange",
    "PositionResult",
    "Reject",
    "Replace",
    "Session",
    "Side",
    "Snapshot",
    "Swap",
    "SymbolInfo",
    "SymbolTotal",
    "TimeInForce",
    "Versioned",
]
