"""Gather what other records say of the fields of one order. Nothing here does I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeAlias

from ...models.enums import EventType, OrderStatus
from ...models.keys import TraderKeys
from ...models.numbers import multiplied
from ...models.order import TERMS, Order
from ...models.wire import codec, text
from ..changes.digest import LENGTH
from .findings import OrderState
from .order_digest import DigestReading
from .order_events import KEEP_TEXT, Change, written
from .order_ids import id_statements
from .order_own import own_statements
from .order_states import STATES, states_of
from .remembered import AppliedCheck
from .statements import Statement

REPAIRABLE_FIELDS = frozenset(
    {"trader", "order_id", "symbol", "side", "status", "quantity", "price", "stop_price", "filled_quantity"}
    | {"filled_notional", "version", "placed_quantity", "placed_price", "placed_stop_price", *TERMS}
    | {"client_order_id", "venue_order_id", "aliases", *STATES}
)
"""The fields of an order of which enough is recorded elsewhere to correct them."""

_OF_EVENTS = ("symbol", "side", "status", "quantity", "price", "version", "filled_quantity", "filled_notional")
_RARE = ("text", "placed_quantity", "placed_price", "placed_stop_price", "revision")

_Says: TypeAlias = dict[str, list[Statement]]


def statements_of(
    keys: TraderKeys, state: OrderState, changes: Sequence[Change], last: Change | None, applied: AppliedCheck
) -> _Says:
    """Return what other records say, by the name of the field.

    Args:
        keys: The keys of the trader.
        state: The order as it was read.
        changes: The events of the order since it was placed, as far as they are kept.
        last: Its last event, None when it is not known to be the last.
        applied: What is remembered of its changes.
    """
    says: _Says = {}
    _add_names(says, keys, state, last)
    _add_indexes(says, keys, state)
    if last is not None:
        _add_events(says, state, changes, last, applied)
    if applied.is_readable:
        _add_applied(says, state, applied)
    others = {name: {one.value for one in found} for name, found in says.items()}
    digest = DigestReading(keys.order(state.order_id), state.fields, others)
    for name, value in digest.says.items():
        # No value fits a digest by chance: it counts like two.
        says.setdefault(name, []).append(Statement("digest", value, 2))
    if applied.is_readable:
        _add_amount(says, state, applied, digest)
    own = own_statements(keys, state, changes)
    if not digest.says:
        suffix = state.fields.get("digest", "")[LENGTH:]
        own["digest"] = [Statement("order as placed", digest.expected and digest.expected + suffix)]
    return says | {"digest": []} | own


def _add_names(says: _Says, keys: TraderKeys, state: OrderState, last: Change | None) -> None:
    for name, value in (("trader", keys.trader), ("order_id", state.order_id)):
        found = [Statement("key", value)]
        found += [Statement("index", value, len(state.scores))] if state.scores else []
        found += [Statement(f"event {last.sequence}", value)] if last else []
        says[name] = found


def _add_indexes(says: _Says, keys: TraderKeys, state: OrderState) -> None:
    """Add the status and the symbol in whose index the order is, where it is in just one."""
    of_status, of_symbol = f"{keys.base}orders_by_status:", keys.symbol("")
    for name, base in (("status", of_status), ("symbol", of_symbol)):
        listed = [index.removeprefix(base) for index in state.scores if index.startswith(base)]
        if len(listed) == 1:
            says.setdefault(name, []).append(Statement("index", listed[0]))


def _add_events(says: _Says, state: OrderState, changes: Sequence[Change], last: Change, applied: AppliedCheck) -> None:
    is_new = last.is_placing
    # An event before the last says the same, and what its type says cannot be changed with it.
    twice = {"status", "version", "filled_quantity", "filled_notional"} if is_new else {"status"}
    if len(changes) > 1:
        twice = {*_OF_EVENTS} - (
            {"quantity", "price"} if last.type in (EventType.REPLACED, EventType.RESTATED) else set[str]()
        )
    event = f"event {last.sequence}"
    for name in _OF_EVENTS:
        weight = 2 if name in twice else 1
        says.setdefault(name, []).append(Statement(event, written(getattr(last, name)), weight))
    says["updated_ns"] = [Statement(event, None if is_new else text(last.ts_ns))]
    if last.type not in KEEP_TEXT:
        says.setdefault("text", []).append(Statement(event, last.text))
    for name, value in (states_of(changes) or {}).items():
        says.setdefault(name, []).append(Statement("events", value))
    first = changes[0]
    if first.is_placing:
        for name, statement in id_statements(changes, state.order_id, applied.aliases).items():
            says.setdefault(name, []).append(statement)
        terms: dict[str, str] = json.loads(first.terms or "{}")
        for name in TERMS:
            says[name] = [Statement(f"event {first.sequence}", terms.get(name))]
        says["ts_ns"] = [Statement(f"event {first.sequence}", text(first.ts_ns))]
        if "placed_quantity" in state.fields:
            for name, number in (("placed_quantity", first.quantity), ("placed_price", first.price)):
                says.setdefault(name, []).append(Statement(f"event {first.sequence}", written(number)))
        if len(changes) > 1 and all(change.type in KEEP_TEXT for change in changes[1:]):
            says.setdefault("text", []).append(Statement(f"event {first.sequence}", first.text))


def _add_applied(says: _Says, state: OrderState, applied: AppliedCheck) -> None:
    quantity, _ = applied.filled
    for name, value in (
        ("filled_quantity", text(quantity)),
        ("version", text(1 + len(applied.changes))),
        ("aliases", text(len(applied.aliases)) if applied.aliases else None),
    ):
        says.setdefault(name, []).append(Statement("applied", value))
    is_whole = state.fields.get("version") == text(1 + len(applied.changes))
    if applied.changes:
        for name, rare in applied.changes[-1].rare.items():
            says.setdefault(name, []).append(Statement("applied", rare))
    elif is_whole:
        for name in _RARE[1:]:
            says.setdefault(name, []).append(Statement("applied", None))
    if is_whole:
        is_revised = any(change.type in (EventType.TRADE_CANCEL, EventType.TRADE_CORRECT) for change in applied.changes)
        for name, at in (("quantity", 1), ("price", 2)):
            asked = [
                change.words[at]
                for change in applied.changes
                if change.type in (EventType.REPLACED, EventType.RESTATED)
            ]
            last_asked = next(filter(None, reversed(asked)), None)
            if last_asked is None:
                continue
            # A quantity below what was filled then became that; a bust or a correction may have taken it back since.
            if name == "price" or (not is_revised and Decimal(last_asked) >= applied.filled[0]):
                says.setdefault(name, []).append(Statement("applied", last_asked))
        if _is_plain(applied, state):
            says.setdefault("status", []).append(Statement("applied", _status_by(applied, state)))


def _add_amount(says: _Says, state: OrderState, applied: AppliedCheck, digest: DigestReading) -> None:
    """Add the amount of what is remembered, by the multiplier that the digest proves, if it proves one."""
    written = (digest.says or state.fields).get("multiplier")
    is_readable = written is not None and codec(Order).checks["multiplier"](written)
    amount = multiplied(applied.filled[1], Decimal(written) if written and is_readable else None)
    says.setdefault("filled_notional", []).append(Statement("applied", text(amount)))


_PLAIN = frozenset((*KEEP_TEXT, EventType.REPLACED, EventType.CANCELED, EventType.REJECTED, EventType.EXPIRED))


def _is_plain(applied: AppliedCheck, state: OrderState) -> bool:
    """Return True when no other statuses than those of quantities and ends can hold."""
    return not {"marks", "pending"} & state.fields.keys() and all(one.type in _PLAIN for one in applied.changes)


def _status_by(applied: AppliedCheck, state: OrderState) -> str:
    """Return the status that the changes of an order leave, all of which are remembered."""
    ended = [change.type.value for change in applied.changes if change.type.value in OrderStatus.__members__]
    if ended:
        return ended[0]
    filled, _ = applied.filled
    quantity = state.fields.get("quantity", "")
    if quantity == text(filled) or any("over" in change.words for change in applied.fills):
        return OrderStatus.FILLED
    return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.NEW
