"""The row of the guard of a unit, which the engine decides like a change."""

from __future__ import annotations

from typing import Any, cast

from ...models.errors import OrderNotFound, VersionConflict
from ...models.guards import Expect
from ...topology.call import Reply
from ..replies import refusal
from .verb import AnyVerb, Step, Verb


def _read(step: Step[Any], answer: list[Reply]) -> None:
    name, guard = step.name, cast("Expect", step.request)
    match answer:
        case ["expected"]:
            return
        case ["missing"]:
            raise OrderNotFound(f"{name}: there is no such order")
        case ["version", str(found)]:
            raise VersionConflict(f"{name}: the order has version {found or '(none)'}, not {guard.version}")
        case other:
            raise refusal(name, other)


EXPECT: AnyVerb = Verb(
    name="expect",
    request=cast("type[Any]", Expect),
    event=None,
    step="expect",
    keys=lambda keys, guard: (keys.order(guard.order_id), keys.applied(guard.order_id), keys.alias(guard.order_id)),
    arguments=lambda guard: (guard.order_id, str(guard.version), "", ""),
    read_answer=_read,
    describe=lambda guard: f"expect version {guard.version} of {guard.order_id}",
)
"""The guard; it has no result."""
