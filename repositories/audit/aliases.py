"""Compare the other ids of orders with the orders that they name. Nothing here does I/O."""

from __future__ import annotations

from ...models.keys import TraderKeys
from .findings import AliasState, FindingKind, OrderState, Report
from .lifetimes import expiry_of


def compare_aliases(keys: TraderKeys, state: OrderState, report: Report, *, is_proven: bool) -> None:
    """Check that each other id of an order names it, and expires with it.

    Args:
        keys: The keys of the trader.
        state: The order, which is stored and has not expired.
        report: The findings about it.
        is_proven: True when nothing contradicts what is recorded with the order.
    """
    order_id = state.order_id
    wanted = expiry_of(state.expiry, ())
    for name, alias in sorted(state.aliases.items()):
        key = keys.alias(name)
        if alias.order_id != order_id:
            stored = alias.order_id or None
            what = (
                f"{name} is an id of order {order_id}, but names {'nothing' if stored is None else f'order {stored}'}"
            )
            says = {"applied": order_id, "alias": stored}
            report.add(
                FindingKind.ALIAS,
                key,
                order_id,
                what,
                stored=stored,
                expected=order_id,
                repairable=is_proven and not alias.is_order,
                says=says,
            )
            continue
        if alias.is_order:
            what = f"{name} is an id of order {order_id}, but there is an order {name}, which it finds"
            report.add(
                FindingKind.ALIAS, key, order_id, what, stored=order_id, says={"applied": order_id, "order": name}
            )
        stored_expiry = expiry_of(alias.expiry, (wanted,) if state.expiry >= 0 else ())
        if stored_expiry != wanted:
            what = f"{name}, an id of order {order_id}, expires at {stored_expiry}, and the order at {wanted}"
            says = {"alias": stored_expiry, "order": wanted}
            report.add(
                FindingKind.EXPIRY,
                key,
                order_id,
                what,
                stored=stored_expiry,
                expected=wanted,
                repairable=is_proven,
                says=says,
            )


def compare_stray(
    keys: TraderKeys, name: str, alias: AliasState, report: Report, *, is_given: bool, is_doubtful: bool
) -> None:
    """Check an id that no order has recorded.

    Args:
        keys: The keys of the trader.
        name: The id.
        alias: What is stored of it.
        report: The findings.
        is_given: True when an event says that the order that it names has it, and that order is stored.
        is_doubtful: True when what is known of that order contradicts itself, or does not reach back to when it was
            placed, so that it may have had the id.
    """
    if not alias.order_id or alias.is_recorded:
        return
    what = f"{name} names order {alias.order_id}, which is not there or does not have that id"
    says = {"alias": alias.order_id, "applied": None} | ({"events": alias.order_id} if is_given else {})
    key = keys.alias(name)
    report.add(
        FindingKind.ALIAS, key, None, what, stored=alias.order_id, repairable=not (is_given or is_doubtful), says=says
    )
