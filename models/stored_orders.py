"""The description for queries of orders that have fields of a desk's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

from .order import Order
from .own_fields import SIGN, OwnFields, own_fields
from .search_fields import search_field
from .stored import ORDERS, Field, Stored

OrderT = TypeVar("OrderT", bound=Order)


class StoredOrders(Stored[OrderT]):
    """The description for queries of the orders of a class of the desk's own."""

    def __init__(self, model: type[OrderT], own: OwnFields[OrderT]) -> None:
        codec = own.codec
        self.unsearchable = {name: why for name in own.names if (why := codec.not_one_piece(name))}
        fields = {name: _field(own, name) for name in own.names if name not in self.unsearchable}
        super().__init__(model, ORDERS.kind, ORDERS.identity, {**ORDERS.fields, **fields})

    @property
    def label(self) -> str:
        """The name of its index, beside that of plain orders and those of other classes."""
        return f"{self.kind}.{self.model.__name__}"

    @property
    def create_option(self) -> str:
        """The argument of ``slotbook index create`` for its index, in messages."""
        return f" {self.model.__module__}:{self.model.__qualname__}"


def stored_orders(model: type[OrderT]) -> Stored[OrderT]:
    """Return the description for queries of a class of orders, which is made once. Raises InvalidArgument."""
    known = _stored.get(model)
    if known is None:
        known = _stored.setdefault(model, _described(model))
    return known


def _described(model: type[OrderT]) -> Stored[OrderT]:
    own = own_fields(model)
    return StoredOrders(model, own) if own.names else Stored(model, ORDERS.kind, ORDERS.identity, ORDERS.fields)


_stored: dict[type[Order], Stored[Any]] = {Order: ORDERS}


def _field(own: OwnFields[Any], name: str) -> Field:
    info = own.model.model_fields[name]
    field = replace(search_field(own.codec, name), column=SIGN + name)
    if info.is_required():
        return field
    if info.default_factory is not None:
        return replace(field, filled=True)
    default: object = info.get_default()
    if default is None:
        return field
    text = own.codec.text_of(name, default)
    return replace(field, filled=True, default=cast("Any", default) if field.numbers else text)
