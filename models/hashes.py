"""redis-om ``HashModel`` classes for the hashes of a book, one derived from each stored model.

Their class attributes make conditions for ``find``:

>>> (OrderHash.symbol == "AAPL") & (OrderHash.quantity > 100)  # doctest: +ELLIPSIS
Expression(op=<Operators.AND: 8>, ...)

They do not connect by themselves. Give a class a client (``OrderHash.Meta.database = redis.Redis(...)``) and
``OrderHash.get("{T001}:order:A1")`` reads what a book wrote; the ``pk`` is the key without the book's prefix.

Importing this module imports redis-om and numpy, which nothing else in Slotbook does.
"""

from __future__ import annotations

import types
from typing import ClassVar, Optional, Protocol, cast

from . import om
from .conditions import Comparable, Condition, NoDatabase
from .order import Order
from .position import Position
from .record import Record
from .stored import ORDERS, POSITIONS, SEPARATOR, SYMBOLS, Field, Stored
from .symbol import SymbolInfo

__all__ = [
    "Comparable",
    "Condition",
    "HashClass",
    "OrderHash",
    "PositionHash",
    "SymbolInfoHash",
    "hash_class",
    "hash_model",
]


class _Meta(Protocol):
    database: object


class HashClass(Protocol):
    """A ``HashModel`` class of redis-om, whose attributes are the fields of a stored model."""

    Meta: ClassVar[type[_Meta]]

    def __getattr__(self, name: str, /) -> Comparable: ...
    def get(self, pk: str) -> object:
        """Read one hash, as redis-om does; needs a client in ``Meta.database``."""
        ...

    def schema_for_fields(self) -> list[str]:
        """Return the index schema that redis-om makes."""
        ...


def _key(cls: type, part: str) -> str:
    """Return the whole key, with no prefix but ``Meta.global_key_prefix``."""
    return f"{getattr(cls, '_meta').global_key_prefix or ''}{part}"  # noqa: B009


def _declared(field: Field) -> tuple[object, object]:
    options = {"index": True, "full_text_search": field.full_text, "separator": SEPARATOR}
    if field.optional:
        return Optional[field.kind], om.field(default=None, **options)  # noqa: UP045  # redis-om does not accept X | None
    return field.kind, om.field(**options)


def hash_model(stored: Stored[Record]) -> HashClass:
    """Make the ``HashModel`` of a stored model, with the same fields and the same keys."""
    declared = {field.name: _declared(field) for field in stored.fields.values()}
    namespace: dict[str, object] = {
        "__module__": __name__,
        "__doc__": f"The hash of one {stored.model.__name__}, for redis-om.",
        "__annotations__": {name: annotation for name, (annotation, _) in declared.items()},
        **{name: default for name, (_, default) in declared.items()},
        "Meta": type("Meta", (), {"global_key_prefix": "", "model_key_prefix": stored.kind, "database": NoDatabase()}),
        "make_key": classmethod(_key),
    }
    made = types.new_class(
        f"{stored.model.__name__}Hash", (om.HASH_MODEL,), {"index": True}, lambda body: body.update(namespace)
    )
    return cast(HashClass, made)


OrderHash = hash_model(cast("Stored[Record]", ORDERS))
"""``{trader}:order:<order_id>``"""
PositionHash = hash_model(cast("Stored[Record]", POSITIONS))
"""``{trader}:position:<symbol>``"""
SymbolInfoHash = hash_model(cast("Stored[Record]", SYMBOLS))
"""``symbol:<symbol>``"""

_CLASSES: dict[type[Record], HashClass] = {Order: OrderHash, Position: PositionHash, SymbolInfo: SymbolInfoHash}


def hash_class(model: type[Record]) -> HashClass:
    """Return the ``HashModel`` of one of the stored models."""
    return _CLASSES[model]
