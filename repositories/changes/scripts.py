"""Load the scripts of a book, with the names of enums and models that they share with Python."""

from __future__ import annotations

from collections.abc import Mapping

from ...models.enums import OrderStatus, OrderType, Side, TimeInForce
from ...models.event import OrderEvent
from ...models.position import Position
from ...topology.scripts import Constant, Script
from ...topology.scripts import load as load_script

EVENT_FIELDS = tuple(name for name in OrderEvent.model_fields if name not in ("trader", "sequence", "writer"))
"""The fields of an event's entry in its stream, in the order in which they are written, after the writer's mark."""

ORDER_SNAPSHOT = (
    "status",
    "quantity",
    "price",
    "stop_price",
    "text",
    "filled_quantity",
    "filled_notional",
    "placed_quantity",
    "placed_price",
    "placed_stop_price",
    "revision",
    "version",
    "updated_ns",
)
"""The fields of an order that changes touch: what is remembered of it with each change, for a repeat."""

POSITION_SNAPSHOT = tuple(name for name in Position.model_fields if name not in ("trader", "symbol"))
"""The fields of a position that changes touch."""

CONSTANTS: Mapping[str, Constant] = {
    "EVENT_FIELDS": EVENT_FIELDS,
    "OPEN_STATUSES": frozenset(status for status in OrderStatus if status.is_open),
    "ORDER_SNAPSHOT": ORDER_SNAPSHOT,
    "ORDER_TYPES": frozenset(OrderType),
    "POSITION_SNAPSHOT": POSITION_SNAPSHOT,
    "SIDES": frozenset(Side),
    "STATUSES": tuple(OrderStatus),
    "TIMES_IN_FORCE": frozenset(TimeInForce),
}


def load(package: str, name: str) -> Script:
    """Load a script of a package of this room; see :func:`slotbook.topology.scripts.load`."""
    return load_script(package, name, CONSTANTS)
