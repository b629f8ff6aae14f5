"""The stored models, requests and results, as immutable types; the errors; and the written form of a model."""

from .coordination import Algorithm, Permit, Session, Swap, Versioned
from .entity import Entity, Index, Key, Unique
from .entity_changes import Delete, Insert, Put, Update
from .enums import EventType, ExecType, Liquidity, OrderStatus, OrderType, PositionAction, Side, TimeInForce
from .event import DeadLetter, OrderEvent
from .execution import Execution
from .execution_changes import Bust, Correct
from .execution_report import ExecutionReport
from .fill import Fill
from .fill_details import FillDetails
from .guards import Expect
from .health import BookStats, NearCacheStats, NodePing, Ping, PoolStats
from .limits import Limits, LimitsChange, LimitsResult, Trading, TradingChange, TradingResult
from .message import Message
from .order import Calculate, Cancel, Expire, Order, Reject, Replace
from .order_reports import (
    Accept,
    CancelReject,
    DoneForDay,
    PendingCancel,
    PendingReplace,
    PendingRequest,
    Restate,
    Stop,
    Suspend,
)
from .position import Position, PositionChange, Roll, Split
from .report_results import Difference, ReportedChange, ReportResult
from .results import FillResult, Gap, Lag, OrderResult, Outcome, PositionResult, RecordResult, Snapshot, SymbolTotal
from .symbol import SymbolInfo

__all__ = [
    "Accept",
    "Algorithm",
    "BookStats",
    "Bust",
    "Calculate",
    "Cancel",
    "CancelReject",
    "Correct",
    "DeadLetter",
    "Delete",
    "Difference",
    "DoneForDay",
    "Entity",
    "EventType",
    "ExecType",
    "Execution",
    "ExecutionReport",
    "Expect",
    "Expire",
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
    "Side",
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
]
