"""Keep how each position came about, and fold anew what it has cost once an execution was never there, or another."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from slotbook.models import Position

from .costs import cost_after_trade


@dataclass
class Leg:
    """One change of a position: an execution, a revision of one, or a change without an order."""

    after: Position
    """The position as it was said to be then."""
    execution: tuple[str, str] | None = None
    """The order and the exec_id of a fill; of a revision those of the fill that it revises."""
    traded: Decimal = Decimal(0)
    """What the execution counts, or does from this revision on; sold is negative."""
    paid: Decimal = Decimal(0)
    is_revision: bool = False
    is_approximate: bool = False
    added: Decimal = Decimal(0)
    """The quantity that came without a trade."""
    sets_cost: bool = False
    closed: Decimal = Decimal(0)
    """The profit that a roll has taken away."""
    gained: Decimal = Decimal(0)
    """What the cost of an account, as it was set, has added to the trader's."""


def folded_anew(path: list[Leg], last: Leg) -> dict[str, Any] | None:
    """Return cost and profit after a path and a revision; None where they cannot be known for sure.

    Any point will do before which all is sure, and after which nothing is that speaks of something before it.
    """
    legs = [*path, last]
    is_sure = not any(leg.is_approximate for leg in path)
    for begin in range(len(path), -1, -1):
        part = legs[begin:]
        fills = [leg.execution for leg in part if leg.execution is not None and not leg.is_revision]
        if any(leg.is_revision and leg.execution not in fills for leg in part):
            continue
        if any(leg.sets_cost for leg in part):
            return None
        if begin == 0:
            return _folded(Position.flat(last.after.trader, last.after.symbol), part)
        before = path[begin - 1]
        if is_sure or before.after.quantity == 0 or before.sets_cost:
            return _folded(before.after, part)
    return None


def _folded(held: Position, part: list[Leg]) -> dict[str, Any]:
    """Carry out a part of a path once more, each execution as it counts at the end."""
    counts = {leg.execution: (leg.traded, leg.paid) for leg in part if leg.execution is not None}
    for leg in part:
        moved: dict[str, Any] = {}
        if leg.execution is None:
            quantity = held.quantity + leg.added
            profit = held.realized_profit - leg.closed
            if quantity == 0 or quantity * held.quantity < 0:
                moved = {"open_cost": Decimal(0), "realized_profit": profit - held.open_cost}
            else:
                moved = {"realized_profit": profit, "open_cost": held.open_cost}
            moved["quantity"] = quantity
            if quantity == 0:
                moved["realized_profit"] -= leg.gained
            else:
                moved["open_cost"] += leg.gained
        elif not leg.is_revision:
            traded, paid = counts[leg.execution]
            if traded:
                moved = {**cost_after_trade(held, traded, paid), "quantity": held.quantity + traded}
        held = held.model_copy(update=moved)
    return {"open_cost": held.open_cost, "realized_profit": held.realized_profit}
