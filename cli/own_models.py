"""Find a desk's own model by the name that the command line gives it: ``desk.models:Allocation``."""

from __future__ import annotations

import importlib
import os
import sys
from difflib import get_close_matches

from ..models.entity import Entity
from ..models.order import Order
from .output import BadUsage


def own_model(name: str) -> type[Entity] | type[Order]:
    """Return the model of a name, ``MODULE:MODEL``, from the current folder or what is installed. Raises BadUsage."""
    module_name, _, model_name = name.partition(":")
    if not module_name or not model_name:
        raise BadUsage(f"{name!r} names no model; write MODULE:MODEL, as in desk.models:Allocation")
    if (here := os.getcwd()) not in sys.path:  # noqa: PTH109  # as python -m does
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # what is the desk's own may raise anything
        raise BadUsage(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    model: object = getattr(module, model_name, None)
    if isinstance(model, type) and issubclass(model, (Entity, Order)):
        return model
    models = [one for one, kind in vars(module).items() if isinstance(kind, type) and issubclass(kind, (Entity, Order))]
    near = get_close_matches(model_name, models, 1, 0)
    raise BadUsage(f"{module_name} has no model {model_name}" + (f"; the nearest is {near[0]}" if near else ""))
