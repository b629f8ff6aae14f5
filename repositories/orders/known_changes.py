"""Know from a trader's stream what was applied to orders, also to those that are no longer kept, and find it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, cast

from ...models.enums import EventType
from ...models.errors import DuplicateRequest, OrderMismatch, Refused
from ...models.execution_changes import Bust, Correct
from ...models.fill import Fill
from ...models.fill_details import FillDetails, details_of
from ...models.numbers import plain
from ...models.order import Order, Replace
from ...models.own_fields import has_own_text
from ..changes.recorded import is_placing
from ..changes.verb import AnyVerb
from .verbs import ORDER_VERBS, Changing, OrderRequest

_TAB = "\t"
"""The character between the words of a change: no name has one, and JSON writes it otherwise."""
_FILL, _REQUEST = ("exec_id", "last_quantity", "last_price"), ("request_id", "requested_quantity", "price")
_IDS = ("client_order_id", "original_client_order_id", "venue_order_id", "reason")
"""The fields of a request beside its terms that its event has as well."""
_REST = ("symbol", "side", "own", "exec_ref_id", "details", *_IDS)


class _Change(NamedTuple):
    """One change of an order, as its event says it; '' for what it has not."""

    order_id: str
    type: str
    quantity: str
    price: str
    symbol: str
    side: str
    own: str = ""
    exec_ref_id: str = ""
    details: str = ""
    client_order_id: str = ""
    original_client_order_id: str = ""
    venue_order_id: str = ""
    reason: str = ""


class KnownChanges:
    """The changes of the orders of one trader, as far as its events were read."""

    def __init__(self, key: str) -> None:
        """Know nothing yet; ``key`` is that of the events, which errors name."""
        self._key = key
        self._of: dict[str, str] = {}
        """By the id of an order, behind a line feed each change: its identity, and the other words of it."""

    def add(self, event: Mapping[str, str]) -> None:
        """Note what an event has applied to an order, or added to what was applied."""
        order_id = event.get("order_id")
        if order_id is None or is_placing(event) or event.get("type") == EventType.LIMIT_REFUSED.value:
            return
        identity, quantity, price = _FILL if "exec_id" in event else _REQUEST
        said = {"requested_quantity": event.get("quantity", ""), **event}
        words = _TAB.join(said.get(name, "") for name in (identity, "type", quantity, price, *_REST))
        self._of[order_id] = f"{self._of.get(order_id, '')}\n{words.rstrip(_TAB)}"

    def find(self, request: Changing, ids: Iterable[str], *, was_reused: bool) -> Refused | None:
        """Return None for a request that an event has applied; its refusal if it differs from what was applied.

        Raises LookupError when there is no event of it.

        Args:
            request: The request.
            ids: The ids of the orders that it may be about.
            was_reused: True when it may be about one that is not among them.
        """
        is_execution = isinstance(request, Fill | Bust | Correct)
        identity = request.exec_id if isinstance(request, Fill | Bust | Correct) else request.request_id
        found = [
            change
            for order_id in ids
            for change in self._changes(order_id, identity)
            if change.type.startswith("TRADE") is is_execution  # an exec_id may be equal to a request_id
        ]
        changes = [change for change in found if change.type != EventType.TRADE_DETAILS.value]
        fitting = [change for change in changes if _fits(request, change)]
        if not fitting:
            if not changes or was_reused:
                raise LookupError
            was = ", and as ".join(f"{change.side} {change.symbol}" for change in changes)
            return OrderMismatch(f"{describe(request)}: the order is no longer kept; it was {was}")
        change = fitting[0]
        added = [one.details for one in found if one not in changes and one.order_id == change.order_id]
        return self._refusal(request, change, added)

    def _refusal(self, request: Changing, change: _Change, added: list[str]) -> Refused | None:
        event = verb_of(request).event
        refs = f" of {change.exec_ref_id}" if self._is_of_another_execution(request, change) else ""
        is_same = event is not None and change.type == event.value and not refs
        if not is_same or not _has_terms(request, change) or not _has_ids(request, change):
            ids = "".join(f" {name} {getattr(change, name)}" for name in _IDS if getattr(change, name))
            terms = f"{change.type} {change.quantity} {change.price}".rstrip() + refs + ids
            terms += change.own and f" with {change.own}"
            return DuplicateRequest(f"{describe(request)}: it was used before, and its event says {terms}")
        if isinstance(request, Fill | Correct) and request.details:
            known = [
                json.loads(details_of(FillDetails.read(one, self._key)) or "{}") for one in (change.details, *added)
            ]
            return _refusal_of_details(request, known)
        return None

    def _changes(self, order_id: str, identity: str) -> Iterator[_Change]:
        """Yield each change of an order that has an identity."""
        text = self._of.get(order_id, "") + "\n"
        for end in (_TAB, "\n"):
            found = text.find(f"\n{identity}{end}")
            while found >= 0:
                yield _Change(order_id, *_words(text[found + 1 : text.index("\n", found + 1)])[1:])
                found = text.find(f"\n{identity}{end}", found + 1)

    def _is_of_another_execution(self, request: Changing, change: _Change) -> bool:
        if not isinstance(request, Bust | Correct) or not change.exec_ref_id:
            return False
        return self._root(change.order_id, request.exec_ref_id) != self._root(change.order_id, change.exec_ref_id)

    def _root(self, order_id: str, exec_id: str) -> str:
        """Return the execution that the first of a line of corrections has put right."""
        seen = {exec_id}
        while True:
            revised = [one.exec_ref_id for one in self._changes(order_id, exec_id) if one.exec_ref_id]
            if not revised or revised[0] in seen:
                return exec_id
            exec_id = revised[0]
            seen.add(exec_id)


def verb_of(request: OrderRequest) -> AnyVerb:
    """Return the verb of a request."""
    return next(verb for verb in ORDER_VERBS if isinstance(request, verb.request))


def describe(request: OrderRequest) -> str:
    """Return what a request asks for, as errors begin with it."""
    return verb_of(request).describe(request)


def content_of(order: Order) -> str:
    """Return what an order was placed as, as far as its event says it: symbol, side, quantity, price and terms."""
    price = plain(order.price) if order.price is not None else ""
    return f"{order.symbol} {order.side} {plain(order.quantity)} {price} {order.terms}".rstrip()


def _words(line: str) -> list[str]:
    words = line.split(_TAB)
    return words + [""] * (6 - len(words))


def _fits(request: Changing, change: _Change) -> bool:
    return request.symbol in (None, change.symbol) and request.side in (None, change.side)


def _has_terms(request: Changing, change: _Change) -> bool:
    if not isinstance(request, Fill | Replace | Correct):
        return True
    said = (request.quantity, change.quantity), (request.price, change.price)
    is_same = all(number is None or plain(number) == written for number, written in said)
    return is_same and (not isinstance(request, Fill) or has_own_text(request, change.own))


def _has_ids(request: Changing, change: _Change) -> bool:
    """Return True for a request that says the ids and the reason of its event; an execution has none of its own."""
    if isinstance(request, Fill | Bust | Correct):
        return True
    return all((getattr(request, name, None) or "") == getattr(change, name) for name in _IDS)


def _refusal_of_details(request: Fill | Correct, known: list[dict[str, str]]) -> Refused | None:
    """Return the refusal of a report that says other details than its events, or more of them; else None."""
    values = {name: value for one in known for name, value in one.items()}
    for name, value in cast("dict[str, str]", json.loads(request.details)).items():
        if name not in values:
            return Refused(
                f"{describe(request)}: it was applied without its {name}, {value}, which cannot be added: the order "
                "is no longer kept"
            )
        if values[name] != value:
            return DuplicateRequest(
                f"{describe(request)}: it was applied with {name} {values[name]}, not {value}; what is known of an "
                "execution is put right by a correction"
            )
    return None
