"""The common ground of all stored models."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .arguments import shown
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
        named = f"{name} {shown(first['input'])}: " if name else ""
        raise InvalidArgument(
            f"{model.__name__.lower()}: {named}{first['msg'].removeprefix('Value error, ')}"
        ) from None
