"""The details of executions in a book in plain Python: what reports say beside quantity and price."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from slotbook.models import Correct, EventType, Fill, Liquidity, Position, Side
from slotbook.models.errors import AmountOverflow, DuplicateRequest, OrderMismatch
from slotbook.models.fees import Fees

from .accounts import keep, part_of_order, told
from .state import MOST_MONEY, Answer, Details, Entry, State

NAMES = ("fee", "fee_currency", "liquidity", "settlement_date", "account", "fee_from_quantity")


def details_of(report: Fill | Correct) -> Details:
    """Return what a report gives, as text."""
    given: Details = {}
    for name in NAMES:
        value: object = getattr(report, name)
        if isinstance(value, bool):
            given |= {name: "1"} if value else {}
        elif isinstance(value, Decimal):
            written = f"{value:f}"
            given[name] = (written.rstrip("0").rstrip(".") if "." in written else written) if value else "0"
        elif isinstance(value, Liquidity):
            given[name] = value.name
        elif value is not None:
            given[name] = str(value)
    return given


def written(details: Details) -> str | None:
    """Return details as an event has them."""
    parts = [f"{json.dumps(name)}:{json.dumps(details[name], ensure_ascii=False)}" for name in NAMES if name in details]
    return "{" + ",".join(parts) + "}" if parts else None


def arriving(quantity: Decimal | int, details: Details, side: Side) -> Decimal:
    """Return what a position gets of a quantity. Raises OrderMismatch where a fee would be taken from what is sold."""
    if "fee_from_quantity" not in details:
        return Decimal(quantity)
    if side is not Side.BUY:
        raise OrderMismatch
    return quantity - Decimal(details["fee"])


def charge(fees: Mapping[str, Decimal], before: Details, after: Details) -> dict[str, Decimal]:
    """Return fees after those of one report are taken back, and those of another paid. Raises AmountOverflow."""
    made = dict(fees)
    for details, sign in ((before, -1), (after, 1)):
        if "fee" in details:
            currency = details.get("fee_currency", "")
            made[currency] = made.get(currency, Decimal(0)) + sign * Decimal(details["fee"])
    if any(abs(amount) >= MOST_MONEY for amount in made.values()):
        raise AmountOverflow
    return {currency: amount for currency, amount in made.items() if amount}


def remember(entry: Entry, report: Fill | Correct, answer: Answer) -> None:
    """Keep the details of a report that was not known before."""
    entry.details[report.exec_id] = [(details_of(report), answer)]


def complete(book: State, report: Fill | Correct, entry: Entry) -> Answer:
    """Add what was absent of a report that is known, or answer with the change that has added it."""
    given, lines = details_of(report), entry.details[report.exec_id]
    held = lines[-1][0]
    if any(held.get(name, value) != value for name, value in given.items()):
        raise DuplicateRequest
    if "fee" in held and "fee_currency" in given and "fee_currency" not in held:
        raise DuplicateRequest  # it was in the currency of the prices
    if "fee_from_quantity" in given and "fee_from_quantity" not in held:
        raise DuplicateRequest  # it would move the position
    for details, answer in lines:
        if given.items() <= details.items():
            if not answer.is_unmoved:
                return replace(answer, applied=False)
            now, part = book.positions[entry.now.trader, entry.now.symbol], part_of_order(book, entry.now)
            return replace(answer, applied=False, position=now, account_position=part)
    order = entry.now
    added = {name: value for name, value in given.items() if name not in held}
    position = book.positions[order.trader, order.symbol]
    root = entry.roots.get(report.exec_id, report.exec_id)
    counts = entry.reports.get(root, root) == report.exec_id
    part = part_of_order(book, order)
    if counts:
        position, multiplier = _charged(position, added, report.ts_ns), position.multiplier
        part = part and _charged(part, added, report.ts_ns).model_copy(update={"multiplier": multiplier})
        book.positions[order.trader, order.symbol] = position
        keep(book, part)
    entry.now = order.model_copy(update={"version": order.version + 1, "updated_ns": report.ts_ns})
    sequence = book.append_event(
        EventType.TRADE_DETAILS,
        entry.now,
        report.ts_ns,
        exec_id=report.exec_id,
        details=written(added),
        multiplier=order.multiplier,
        position_quantity=position.quantity if counts else None,
        **(told(part) if counts else {}),
    )
    made = {
        "sequence": sequence,
        "order": entry.now,
        "position": position,
        "account_position": part,
        "is_unmoved": not counts,
        "cost_basis": None,
    }
    answer = replace(lines[0][1], applied=True, **made)
    lines.append(({**held, **added}, answer))
    return answer


def _charged(position: Position, added: Details, ts_ns: int) -> Position:
    fees = Fees(charge(position.fees, {}, added))
    return position.model_copy(update={"version": position.version + 1, "updated_ns": ts_ns, "fees": fees})
