"""Follow the executions of one order through busts and corrections, by what is remembered of each. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from ...models.enums import EventType
from ...models.wire import text

REVISIONS = (EventType.TRADE_CANCEL, EventType.TRADE_CORRECT)
"""The reports that bust or correct an execution."""


class ExecutionReport(NamedTuple):
    """A report of an execution, as it is remembered."""

    type: EventType
    exec_id: str
    sequence: int
    quantity: Decimal | int
    price: Decimal


class Live(NamedTuple):
    """The part of an execution that counts."""

    quantity: Decimal | int
    price: Decimal


def live_executions(reports: Iterable[ExecutionReport], links: Mapping[str, str]) -> dict[str, Live]:
    """Return what counts of each execution, by its exec_id, after reports in the order of their events.

    ``links`` has by ``root:`` and the exec_id of a report the execution that it has revised.
    """
    live: dict[str, Live] = {}
    for report in reports:
        if report.type is EventType.TRADE:
            live[report.exec_id] = Live(report.quantity, report.price)
        elif report.type in REVISIONS:
            live[links.get(f"root:{report.exec_id}", report.exec_id)] = Live(report.quantity, report.price)
    return live


def links_of(reports: Iterable[ExecutionReport], links: Mapping[str, str]) -> dict[str, str | None]:
    """Return the fields that say what reports have revised, as they have to be; None for one that only it says."""
    made: dict[str, str | None] = {}
    fills = set[str]()
    for report in reports:
        if report.type is EventType.TRADE:
            fills.add(report.exec_id)
        elif report.type in REVISIONS:
            root = links.get(f"root:{report.exec_id}")
            made[f"root:{report.exec_id}"] = root if root in fills else None
            is_bust = report.type is EventType.TRADE_CANCEL
            now = "busted" if is_bust else f"{text(report.quantity)} {text(report.price)}"
            made[f"now:{root}"] = f"{report.sequence} {now} {report.exec_id}"
    return made
