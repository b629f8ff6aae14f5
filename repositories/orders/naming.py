"""Say by which ids a request names its order, what it states of it, and the keys that this takes. No I/O here."""

from __future__ import annotations

from typing import Protocol

from ...models.enums import Side
from ...models.keys import TraderKeys


class Named(Protocol):
    """A request about an order."""

    @property
    def order_id(self) -> str:
        """Return the order's own id, or another of its ids."""
        ...


class Stating(Named, Protocol):
    """A request that may state what its order is, and bring the venue's id of it."""

    @property
    def side(self) -> Side | None:
        """Return the side that it names."""
        ...

    @property
    def symbol(self) -> str | None:
        """Return the symbol that it names."""
        ...

    @property
    def venue_order_id(self) -> str | None:
        """Return the venue's id."""
        ...


def keys_of(keys: TraderKeys, request: Named) -> tuple[str, ...]:
    """Return the keys of the order that a request names, by its own id or another."""
    order_id = request.order_id
    return keys.order(order_id), keys.applied(order_id), keys.alias(order_id)


def keys_with_ids(keys: TraderKeys, request: Stating) -> tuple[str, ...]:
    """Return the keys of a request, and those of the ids that it gives the order: none may be another order's."""
    order_id, client_id = request.order_id, getattr(request, "client_order_id", None)
    found = keys_of(keys, request)
    for given in (client_id, request.venue_order_id):
        if given is not None and given != order_id:
            found += (keys.order(given), keys.alias(given))
    return found


def keys_of_execution(keys: TraderKeys, execution: Stating) -> tuple[str, ...]:
    """Return the keys of an execution, and those of the venue's id that it brings."""
    venue_order_id, found = execution.venue_order_id, keys_of(keys, execution)
    return found if venue_order_id is None else (*found, keys.order(venue_order_id), keys.alias(venue_order_id))


def stated(request: Stating) -> str:
    """Return the side and the symbol that a request names, with a blank between them; "" when it names none."""
    side, symbol = request.side, request.symbol
    return "" if side is None and symbol is None else f"{side or ''} {symbol or ''}"


def stated_by(execution: Stating) -> str:
    r"""Return what an execution states of its order: what any request may, and behind a tab the venue's id of it.

    >>> from slotbook import Fill
    >>> fill = Fill(trader="T001", order_id="A1", exec_id="X1", quantity=40, price="187.22", symbol="AAPL")
    >>> stated_by(fill), stated_by(fill.model_copy(update={"symbol": None, "venue_order_id": "V1"}))
    (' AAPL', ' \tV1')
    """
    venue_order_id = execution.venue_order_id
    return stated(execution) if venue_order_id is None else f"{stated(execution) or ' '}\t{venue_order_id}"
