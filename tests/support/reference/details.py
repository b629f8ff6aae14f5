"""The details of executions in a book in plain Python: what reports say beside quantity and price."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from slotbook.models import Correct, EventType, Fill, Liquidity
from slotbook.models.errors import DuplicateRequest

from .state import Answer, Details, Entry, State

NAMES = ("fee", "fee_currency", "liquidity", "settlement_date", "account")


def details_of(report: Fill | Correct) -> Details:
    """Return what a report gives, as text."""
    given: Details = {}
    for name in NAMES:
        value: object = getattr(report, name)
        if isinstance(value, Decimal):
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


def remember(entry: Entry, report: Fill | Correct, answer: Answer) -> None:
    """Keep the details of a report that was not known before."""
    entry.details[report.exec_id] = [(details_of(report), answer)]


def complete(book: State, report: Fill | Correct, entry: Entry) -> Answer:
    """Add what was absent of a report that is known, or answer with the change that has added it."""
    given, lines = details_of(report), entry.details[report.exec_id]
    held = lines[-1][0]
    if any(held.get(name, value) != value for name, value in given.items()):
        raise DuplicateRequest
    for details, answer in lines:
        if given.items() <= details.items():
            return replace(answer, applied=False)
    order = entry.now
    before = book.positions[order.trader, order.symbol]
    position = book.positions[order.trader, order.symbol] = before.model_copy(
        update={"version": before.version + 1, "updated_ns": report.ts_ns}
    )
    entry.now = order.model_copy(update={"version": order.version + 1, "updated_ns": report.ts_ns})
    added = {name: value for name, value in given.items() if name not in held}
    sequence = book.append_event(
        EventType.TRADE_DETAILS,
        entry.now,
        report.ts_ns,
        exec_id=report.exec_id,
        details=written(added),
        position_quantity=position.quantity,
    )
    answer = replace(lines[0][1], applied=True, sequence=sequence, order=entry.now, position=position)
    lines.append(({**held, **added}, answer))
    return answer
