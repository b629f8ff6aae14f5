"""Decide which classes of orders and fills are taken, and what the engine is given of their own fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar, cast

from ...models.arguments import must_be
from ...models.errors import InvalidArgument
from ...models.order import Order
from ...models.own_fields import own_fields, own_text
from ...models.record import Record, as_stored
from .verb import AnyStep, AnyVerb

R = TypeVar("R", bound=Record)


class StoredRequest(NamedTuple):
    """A request as a book stores it."""

    request: Record
    model: type[Order]
    """The class that the order of the answer is read as."""
    own: str
    """The argument by which the engine is given the request's own fields; "" for none."""


@dataclass(frozen=True, slots=True)
class OrderModels:
    """The classes of orders and fills that are taken.

    The plain repository takes plain ones. That of a class of the desk's own takes this class, and fills of any; units
    and journals take orders of any.
    """

    default: type[Order] = Order
    """The class that orders are read as."""
    takes_own: bool = False
    """True to take requests with fields of their own."""

    def stored(self, request: Record, verb: AnyVerb) -> StoredRequest:
        """Return a request as it is stored. Raises InvalidArgument for what would be dropped of it."""
        base, kind = verb.request, type(request)
        is_order = base is Order
        if is_order and self.default is not Order:
            must_be(request, self.default)
        if kind is base or not verb.has_own:
            return StoredRequest(as_stored(request, base), self.default, "")
        if not self.takes_own:
            _refuse_own(kind, base)
            return StoredRequest(as_stored(request, base), self.default, "")
        own = own_fields(kind)
        if not own.names:
            plain = as_stored(request, base)
            is_read_so = is_order and self.default is not Order
            return StoredRequest(request if is_read_so else plain, self.default, "")
        if is_order and self.default is not Order and own.names != own_fields(self.default).names:
            more = ", ".join(name for name in own.names if name not in own_fields(self.default).names)
            raise InvalidArgument(
                f"a {kind.__name__} has fields that no {self.default.__name__} has: {more}; "
                f"place it through of({kind.__name__})"
            )
        texts = own.texts_of(request)
        text = f"{own.digest_of(texts)}|{own.marked_names}|{own_text(texts)}" if is_order or texts else ""
        return StoredRequest(request, cast("type[Order]", kind) if is_order else self.default, text)


def _refuse_own(kind: type[Record], base: type[Record]) -> None:
    own = [name for name in kind.model_fields if name not in base.model_fields]
    if own:
        way = "orders.of(...)" if base is not Order else f"orders.of({kind.__name__})"
        raise InvalidArgument(
            f"a {kind.__name__} has fields of its own, which this repository does not store: {', '.join(own)}; "
            f"give it to {way}, or a plain {base.__name__}"
        )


PLAIN_ORDERS = OrderModels()
ANY_ORDERS = OrderModels(takes_own=True)


def with_models_placed(steps: Sequence[AnyStep]) -> list[AnyStep]:
    """Return the steps of a unit, each of which reads its order as the class that the unit places it as."""
    orders = [step for step in steps if step.model is not Order and isinstance(step.request, Order)]
    placed = {step.request.order_id: step.model for step in orders}
    if not placed:
        return list(steps)
    return [step._replace(model=placed.get(getattr(step.request, "order_id", None), step.model)) for step in steps]
