"""Find a desk's own model by the name that the command line gives it: ``desk.models:Allocation``."""

from __future__ import annotations

import importlib
import os
import sys
from difflib import get_close_matches
from typing import TypeVar, cast

from ..models.entity import Entity
from ..models.order import Order
from ..models.record import Record
from .output import BadUsage

R = TypeVar("R", bound=Record)


def own_model(name: str) -> type[Entity]:
    """Return the model of a name, ``MODULE:MODEL``, from the current folder or what is installed. Raises BadUsage."""
    return cast("type[Entity]", _found(name, Entity))


def indexed_model(name: str) -> type[Entity] | type[Order]:
    """Return the model or the class of orders of a name, as ``own_model`` does. Raises BadUsage."""
    return cast("type[Entity] | type[Order]", _found(name, Entity, Order))


def class_of(name: str | None, base: type[R]) -> type[R]:
    """Return the class of a name, as ``own_model`` does, that derives from ``base``; that for None. Raises BadUsage."""
    return base if name is None else cast("type[R]", _found(name, base))


def _found(name: str, *bases: type[Record]) -> type[Record]:
    module_name, _, model_name = name.partition(":")
    if not module_name or not model_name:
        raise BadUsage(f"{name!r} names no model; write MODULE:MODEL, as in desk.models:Allocation")
    if (here := os.getcwd()) not in sys.path:  # noqa: PTH109  # as python -m does
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # what is the desk's own may raise anything
        raise BadUsage(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    models = {one: kind for one, kind in vars(module).items() if isinstance(kind, type) and issubclass(kind, bases)}
    if model := models.get(model_name):
        return model
    near = get_close_matches(model_name, models, 1, 0)
    raise BadUsage(f"{module_name} has no model {model_name}" + (f"; the nearest is {near[0]}" if near else ""))
