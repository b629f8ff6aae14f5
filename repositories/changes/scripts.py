"""Load the scripts of a book, with the names and limits of enums and models that they share with Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args, get_type_hints

from ...models.enums import OrderStatus, OrderType, Side, TimeInForce
from ...models.event import OrderEvent
from ...models.order import Order
from ...models.position import Position
from ...models.record import Record
from ...models.types import (
    MAX_QUANTITY,
    Amount,
    Count,
    Name,
    Nanoseconds,
    Price,
    Quantity,
    SignedQuantity,
    Text,
    TotalQuantity,
)
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
"""The fields of an order that changes touch; they are stored with each change, for a repeat."""

POSITION_SNAPSHOT = tuple(name for name in Position.model_fields if name not in ("trader", "symbol"))
"""The fields of a position that changes touch."""

_ENUMS = {"side": Side, "type": OrderType, "time_in_force": TimeInForce, "status": OrderStatus}
_CHECKS: tuple[tuple[object, str], ...] = (
    *((enum, name) for name, enum in _ENUMS.items()),
    (Name, "name"),
    (Text, "text"),
    (Quantity, "quantity"),
    (TotalQuantity, "count"),
    (Count, "count"),
    (SignedQuantity, "signed"),
    (Nanoseconds, "time"),
    (Price, "price"),
    (Amount, "amount"),
)
"""The checks of lua/validation.lua, by the type of a model's field."""


def field_checks(model: type[Record], *, optional: bool) -> dict[str, str]:
    """Return the check of each field of a model that may be None, or of each that may not.

    >>> field_checks(Position, optional=True)
    {'updated_ns': 'time'}
    """
    found: dict[str, str] = {}
    for name, annotation in get_type_hints(model, include_extras=True).items():
        if name in model.model_fields and (type(None) in get_args(annotation)) is optional:
            kinds = get_args(annotation) if optional else (annotation,)
            # A version has to leave room for one more change.
            found[name] = "version" if name == "version" else next(check for kind, check in _CHECKS if kind in kinds)
    return found


CONSTANTS: Mapping[str, Constant] = {
    "EVENT_FIELDS": EVENT_FIELDS,
    "GREATEST_QUANTITY": str(MAX_QUANTITY),
    "GREATEST_TIME": str(2**63 - 1),
    "GREATEST_VERSION": str(MAX_QUANTITY - 1),
    "MAX_QUANTITY": MAX_QUANTITY,
    "NAMED_VALUES": {name: frozenset(enum) for name, enum in _ENUMS.items()},
    "OPEN_STATUSES": frozenset(status for status in OrderStatus if status.is_open),
    "OPTIONAL_ORDER_FIELDS": field_checks(Order, optional=True),
    "OPTIONAL_POSITION_FIELDS": field_checks(Position, optional=True),
    "ORDER_FIELDS": field_checks(Order, optional=False),
    "ORDER_SNAPSHOT": ORDER_SNAPSHOT,
    "POSITION_FIELDS": field_checks(Position, optional=False),
    "POSITION_SNAPSHOT": POSITION_SNAPSHOT,
    "STATUSES": tuple(OrderStatus),
}


def load(package: str, name: str) -> Script:
    """Load a script of a package of repositories; see :func:`slotbook.topology.scripts.load`."""
    return load_script(package, name, CONSTANTS)
