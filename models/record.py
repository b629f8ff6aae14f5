"""The base class of all stored models and requests."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

from pydantic import ConfigDict, ValidationError

from .arguments import shown
from .building import BuiltModel
from .errors import InvalidArgument

R = TypeVar("R", bound="Record")

_set = object.__setattr__


class Record(BuiltModel):
    """An immutable, hashable Pydantic model; an unknown field is refused, so that a misspelt one is not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def copied(record: R, **changes: object) -> R:
    """Return a copy of a record with some fields changed to values that are known to be right.

    It does what ``model_copy`` does, in half the time; a batch copies every order that it places.

    >>> from .order import Order
    >>> order = Order(trader="T001", order_id="A1", symbol="AAPL", side="BUY", quantity=100, price="187.23")
    >>> copied(order, version=1) == order.model_copy(update={"version": 1})
    True
    """
    model = record.__class__
    copy = model.__new__(model)
    _set(copy, "__dict__", {**record.__dict__, **changes})
    _set(copy, "__pydantic_fields_set__", record.__pydantic_fields_set__.union(changes))
    _set(copy, "__pydantic_extra__", None)
    _set(copy, "__pydantic_private__", None)
    return copy


def as_stored(record: R, model: type[R]) -> R:
    """Return a record as what a book stores of it, an instance of the model itself. Raises InvalidArgument.

    A subclass may have fields of its own, or other types of the model's, and ``model_copy`` may have added a field.
    They would be dropped without a word, so they are refused. Methods and properties of a subclass do no harm.

    >>> from .fill import Fill
    >>> class DeskFill(Fill):
    ...     strategy: str
    >>> as_stored(DeskFill(trader="T1", order_id="A1", exec_id="X1", quantity=40, price=187, strategy="S1"), Fill)
    Traceback (most recent call last):
        ...
    slotbook.models.errors.InvalidArgument: a DeskFill has fields that no book stores: strategy; give a plain Fill
    """
    values, kind = record.__dict__, type(record)
    if kind is model and len(values) == len(model.__pydantic_fields__):
        return record
    check_fields(record, model)
    known = model.model_fields
    stored = checked(model, **{name: value for name, value in values.items() if name in known})
    other = [name for name, value in stored.__dict__.items() if type(value) is not type(values.get(name))]
    if other:
        raise InvalidArgument(
            f"a {kind.__name__} has another type of {', '.join(other)}; give a plain {model.__name__}"
        )
    return stored


def check_fields(record: Record, model: type[Record]) -> None:
    """Raise InvalidArgument for a record with fields that its model does not have, in a subclass or by a copy."""
    values, kind = record.__dict__, type(record)
    if kind is model and len(values) == len(model.__pydantic_fields__):
        return
    held, known = [*values, *(record.__pydantic_extra__ or ())], model.model_fields
    own = [name for name in held if name not in known and not isinstance(getattr(kind, name, None), cached_property)]
    if own:
        raise InvalidArgument(
            f"a {kind.__name__} has fields that no book stores: {', '.join(own)}; give a plain {model.__name__}"
        )


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
