"""The common ground of all stored models."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import InvalidArgument

R = TypeVar("R", bound="Record")


class Record(BaseModel):
    """An immutable, hashable value; unknown fields are refused, so a typing error is not silently dropped."""

    # Built at first use: importing a package should not cost what a program may never use of it.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def checked(model: type[R], **values: object) -> R:
    """A record made of a method's arguments; raises InvalidArgument that names the first one that will not do."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        shown = f"{name} {_shown(first['input'])}: " if name else ""
        raise InvalidArgument(
            f"{model.__name__.lower()}: {shown}{first['msg'].removeprefix('Value error, ')}"
        ) from None


def must_be(value: object, *kinds: type[Record]) -> None:
    """Refuse what a type checker would have refused; raises InvalidArgument."""
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise InvalidArgument(f"{_shown(value)} is a {type(value).__name__}, not a {wanted}")


def _shown(value: object) -> str:
    try:
        return repr(str(value)[:80])
    except ValueError:  # Python refuses to write out an integer of thousands of digits
        return "(a number too long to show)"
