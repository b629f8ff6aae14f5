"""Find positions that are not what their events make: by the plain arithmetic of the reference, event by event."""

from __future__ import annotations

import decimal
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from slotbook.models import Position

from .fleet import Fleet
from .raw import Reply, mapping
from .reference.costs import cost_after_trade
from .reference.paths import Leg, folded_anew

MOST_EVENTS = 1_000
"""The events of a trader up to which positions are compared: the plain fold takes the square of their number."""


def position_disagreements(fleet: Fleet, trader: str, keys: Sequence[str]) -> list[str]:
    """Return a line for each position whose cost, profit or quantity is not what its events make, from the first on."""
    found: list[str] = []
    for stream in (key for key in keys if key.endswith(f"{{{trader}}}:events")):
        entries = cast("list[tuple[str, Reply]]", fleet.ask(stream, "XRANGE", stream, "-", "+", "COUNT", MOST_EVENTS))
        if not entries or entries[0][0] != "1-0" or len(entries) == MOST_EVENTS:
            continue
        base = stream.removesuffix("events")
        with decimal.localcontext(decimal.Context(prec=120)):
            held = _held(trader, [mapping(fields) for _, fields in entries])
        for rest, made in held.items():
            stored = mapping(fleet.ask(stream, "HGETALL", base + rest))
            expected = {name: getattr(made, name) for name in ("quantity", "open_cost", "realized_profit")}
            found += [
                f"{base}{rest} has {name} {stored.get(name)}, its events make it {value}"
                for name, value in expected.items()
                if name not in stored or Decimal(stored[name]) != Decimal(value)
            ]
    return found


def _held(trader: str, events: Sequence[dict[str, str]]) -> dict[str, Position]:
    """Return the positions of a trader and of accounts, by their keys behind the trader's tag."""
    paths: dict[str, list[Leg]] = {}
    roots: dict[tuple[str, str], tuple[str, str]] = {}
    held: dict[str, Position] = {}
    for event in events:
        if "position_quantity" not in event:
            continue
        symbol = event["symbol"]
        for rest, said in [(f"position:{symbol}", event), *_of_accounts(event)]:
            path, before = paths.setdefault(rest, []), held.get(rest, Position.flat(trader, symbol))
            leg = _leg(before, said, roots)
            held[rest] = leg.after = before.model_copy(update=_moved(before, leg, said, path))
            path.append(leg)
    return held


def _of_accounts(event: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return the keys of the accounts' positions that an event has changed, and what it says of each."""
    rest = {name: value for name, value in event.items() if name not in ("cost_basis", "position_cost_change")}
    found: dict[str, dict[str, str]] = {}
    if "account" in event:
        more = {"cost_basis": "account_cost_basis", "position_cost": "account_cost"}
        found[event["account"]] = {**rest, **{name: event[said] for name, said in more.items() if said in event}}
    for account, said in json.loads(event.get("accounts", "{}")).items():
        found[account] = {**rest, **said}
    names = {account: account.replace("%", "%25").replace(":", "%3A") for account in found}
    return [(f"account_position:{names[account]}:{event['symbol']}", said) for account, said in found.items()]


def _leg(before: Position, event: dict[str, str], roots: dict[tuple[str, str], tuple[str, str]]) -> Leg:
    """Return the change that an event says, with the position before it."""
    if "exec_id" not in event or event["type"] == "TRADE_DETAILS":
        closed = json.loads(event.get("period") or "{}").get("realized_profit", "0")
        change = Decimal(event.get("position_change", "0"))
        gained = Decimal(event.get("position_cost_change", "0"))
        return Leg(before, added=change, sets_cost="position_cost" in event, closed=Decimal(closed), gained=gained)
    sign = 1 if event["side"] == "BUY" else -1
    traded = sign * Decimal(event.get("last_quantity", "0"))
    paid = traded * Decimal(event.get("last_price", "0")) * Decimal(event.get("multiplier", "1"))
    traded -= _taken(event.get("details"))
    name, order_id = (event["order_id"], event["exec_id"]), event["order_id"]
    revised = event.get("exec_ref_id")
    roots[name] = name if revised is None else roots[order_id, revised]
    basis = event.get("cost_basis") == "approximate"
    return Leg(before, roots[name], traded, paid, is_revision=revised is not None, is_approximate=basis)


def _taken(details: str | None) -> Decimal:
    """Return the fee that was taken from what was bought, by the details of an event."""
    said = json.loads(details or "{}")
    return Decimal(said["fee"]) if "fee_from_quantity" in said else Decimal(0)


def _moved(before: Position, leg: Leg, event: dict[str, str], path: list[Leg]) -> dict[str, Any]:
    """Return what a change makes of the position before it."""
    if leg.execution is None:
        quantity, profit = before.quantity + leg.added, before.realized_profit
        moved: dict[str, Any] = {"quantity": quantity, "realized_profit": profit - leg.closed}
        if leg.sets_cost:
            moved["open_cost"] = Decimal(event["position_cost"])
        elif quantity == 0 or quantity * before.quantity < 0:
            moved |= {"open_cost": Decimal(0), "realized_profit": profit - leg.closed - before.open_cost}
        if quantity == 0:
            moved["realized_profit"] -= leg.gained
        else:
            moved["open_cost"] = moved.get("open_cost", before.open_cost) + leg.gained
        return moved
    if not leg.is_revision:
        return {**cost_after_trade(before, leg.traded, leg.paid), "quantity": before.quantity + leg.traded}
    sign = 1 if event["side"] in ("BUY", "BUY_MINUS") else -1
    taken = sign * Decimal(event["reversed_quantity"])
    gone = taken - _taken(event.get("reversed_details"))
    quantity = before.quantity - gone + leg.traded
    if not leg.is_approximate:
        return {**(folded_anew(path, leg) or {}), "quantity": quantity}
    moved = cost_after_trade(
        before, -gone, -taken * Decimal(event["reversed_price"]) * Decimal(event.get("multiplier", "1"))
    )
    if leg.traded:
        between = before.model_copy(update={**moved, "quantity": before.quantity - gone})
        moved = cost_after_trade(between, leg.traded, leg.paid)
    return {**moved, "quantity": quantity}
