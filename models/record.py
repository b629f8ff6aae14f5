"""The base class of all stored models and requests."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .arguments import shown
from .errors import InvalidArgument

R = TypeVar("R", bound="Record")


class Record(BaseModel):
    """An immutable, hashable Pydantic model; an unknown field is refused, so that a misspelt one is not ignored."""

    # Validators are built at first use, so that importing the package stays cheap.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def copied(record: R, **changes: object) -> R:
    """Return a copy of a record with some fields changed to values that are known to be right.

    It does what ``model_copy`` does, in half the time; a batch copies every order that it places.

    >>> from .order import Order
    >>> order = Order(trader="T001", order_id="A1", symbol="AAPL", side="BUY", quantity=100, price="187.23")
    >>> copied(order, version=1) == order.model_copy(update={"version": 1})
    True
    """
    copy = record.__class__.__new__(record.__class__)
    object.__setattr__(copy, "__dict__", {**record.__dict__, **changes})
    object.__setattr__(copy, "__pydantic_fields_set__", record.__pydantic_fields_set__ | changes.keys())
    object.__setattr__(copy, "__pydantic_extra__", None)
    object.__setattr__(copy, "__pydantic_private__", None)
    return copy


def checked(model: type[R], **values: object) -> R:
    """Build a record from a method's arguments; raise InvalidArgument, which names the first bad one."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        named = f"{name} {shown(first['input'])}: " if name else ""
        raise InvalidArgument(
            f"{model.__name__.lower()}: {named}{first['msg'].removeprefix('Value error, ')}"
        ) from None
