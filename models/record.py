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
