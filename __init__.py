"""Slotbook keeps a trading desk's state in Redis: orders, positions and executions, each applied exactly once.

>>> import slotbook
>>> from slotbook import Fill, Order
>>> with slotbook.connect("embedded://standalone") as book:
...     placed = book.orders.place(
...         Order(trader="T001", order_id="A1", symbol="AAPL", side="BUY", quantity=100, price="187.23")
...     )
...     fill = Fill(trader="T001", order_id="A1", exec_id="X1", quantity=40, price="187.22")
...     first, again = book.orders.fill(fill), book.orders.fill(fill)
>>> first.order.status, first.position.quantity, first.applied, again.applied
(<OrderStatus.PARTIALLY_FILLED: 'PARTIALLY_FILLED'>, Decimal('40'), True, False)

The names below are imported when they are first used, so that ``import slotbook`` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import models as models
    from . import repositories as repositories
    from . import topology as topology
    from .models import (
        Accept,
        Algorithm,
        BookStats,
        Bust,
        Calculate,
        Cancel,
        CancelReject,
        Correct,
        DeadLetter,
        Delete,
        Difference,
        DoneForDay,
        Entity,
        EventType,
        ExecType,
        Execution,
        ExecutionReport,
        Expect,
        Expire,
        Fill,
        FillDetails,
        FillResult,
        Gap,
        Index,
        Insert,
        Key,
        Lag,
        Limits,
        LimitsChange,
        LimitsResult,
        Liquidity,
        Message,
        NearCacheStats,
        NodePing,
        Order,
        OrderEvent,
        OrderResult,
        OrderStatus,
        OrderType,
        Outcome,
        PendingCancel,
        PendingReplace,
        PendingRequest,
        Permit,
        Ping,
        PoolStats,
        Position,
        PositionAction,
        PositionChange,
        PositionResult,
        Put,
        RecordResult,
        Reject,
        Replace,
        ReportedChange,
        ReportResult,
        Restate,
        Roll,
        Session,
        Side,
        Snapshot,
        Split,
        Stop,
        Suspend,
        Swap,
        SymbolInfo,
        SymbolTotal,
        TimeInForce,
        Trading,
        TradingChange,
        TradingResult,
        Unique,
        Update,
        Versioned,
        errors,
    )
    from .models.errors import SlotbookError
    from .repositories.book._async import AsyncBook
    from .repositories.book._sync import Book
    from .repositories.book.async_opening import aconnect
    from .repositories.book.opening import connect
    from .topology.durability import Durability
    from .topology.observing import (
        CallOutcome,
        FailedTry,
        Notice,
        NoticeKind,
        ObservedCall,
        ObservedServers,
        Observer,
    )
    from .topology.settings import Settings

__all__ = [
    "Accept",
    "Algorithm",
    "AsyncBook",
    "Book",
    "BookStats",
    "Bust",
    "Calculate",
    "CallOutcome",
    "Cancel",
    "CancelReject",
    "Correct",
    "DeadLetter",
    "Delete",
    "Difference",
    "DoneForDay",
    "Durability",
    "Entity",
    "EventType",
    "ExecType",
    "Execution",
    "ExecutionReport",
    "Expect",
    "Expire",
    "FailedTry",
    "Fill",
    "FillDetails",
    "FillResult",
    "Gap",
    "Index",
    "Insert",
    "Key",
    "Lag",
    "Limits",
    "LimitsChange",
    "LimitsResult",
    "Liquidity",
    "Message",
    "NearCacheStats",
    "NodePing",
    "Notice",
    "NoticeKind",
    "ObservedCall",
    "ObservedServers",
    "Observer",
    "Order",
    "OrderEvent",
    "OrderResult",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "PendingCancel",
    "PendingReplace",
    "PendingRequest",
    "Permit",
    "Ping",
    "PoolStats",
    "Position",
    "PositionAction",
    "PositionChange",
    "PositionResult",
    "Put",
    "RecordResult",
    "Reject",
    "Replace",
    "ReportResult",
    "ReportedChange",
    "Restate",
    "Roll",
    "Session",
    "Settings",
    "Side",
    "SlotbookError",
    "Snapshot",
    "Split",
    "Stop",
    "Suspend",
    "Swap",
    "SymbolInfo",
    "SymbolTotal",
    "TimeInForce",
    "Trading",
    "TradingChange",
    "TradingResult",
    "Unique",
    "Update",
    "Versioned",
    "aconnect",
    "connect",
    "errors",
]
__version__ = "0.1.0"

_MODULES = dict.fromkeys(__all__, ".models") | {
    "AsyncBook": ".repositories.book._async",
    "Book": ".repositories.book._sync",
    "Durability": ".topology.durability",
    "CallOutcome": ".topology.observing",
    "FailedTry": ".topology.observing",
    "Notice": ".topology.observing",
    "NoticeKind": ".topology.observing",
    "ObservedCall": ".topology.observing",
    "ObservedServers": ".topology.observing",
    "Observer": ".topology.observing",
    "Settings": ".topology.settings",
    "SlotbookError": ".models.errors",
    "aconnect": ".repositories.book.async_opening",
    "connect": ".repositories.book.opening",
}
"""The module of each public name: ``models``, unless another one is given here."""
_SUBPACKAGES = frozenset({"models", "repositories", "topology"})


if not TYPE_CHECKING:  # to a type checker a wrong name is a mistake, and not an object

    def __getattr__(name: str) -> object:
        """Import a public name or a subpackage when it is first used."""
        if name in _SUBPACKAGES:
            return importlib.import_module(f".{name}", __name__)
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        package, *parts = _MODULES[name].removeprefix(".").split(".")
        if (
            parts
        ):  # the package first: when its import was interrupted, it is gone, though some of what is in it is there
            importlib.import_module(f".{package}", __name__)
        found: object = getattr(importlib.import_module(_MODULES[name], __name__), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBPACKAGES})
