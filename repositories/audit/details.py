"""Compare what is remembered of the details of an order's executions with their reports and events. No I/O here.

See :mod:`~slotbook.repositories.changes.recorded_details`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...models.enums import EventType
from ...models.errors import never_written
from ..changes.recorded_details import PREFIX, DetailsLine, read_details, together
from .executions import REVISIONS, ExecutionReport
from .findings import Fields


class RememberedDetails:
    """The details of the executions of one order, as they are remembered with it."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._lines: dict[str, list[DetailsLine]] = {}
        """The lines of each report, by its exec_id."""

    def add(self, name: str, value: str, recorded: Fields) -> list[DetailsLine]:
        """Add the lines of one field; return those of changes that have completed the report. Raises CorruptRecord."""
        exec_id = name.removeprefix(PREFIX)
        lines = read_details(self._key, name, value)
        number = recorded.get(f"fill:{exec_id}", "").partition(" ")[0]
        if not number.isdecimal() or lines[0].sequence < int(number):
            raise never_written(self._key, name, value)
        self._lines[exec_id] = lines
        return [line for line in lines if line.sequence > int(number)]

    def of_report(self, exec_id: str, sequence: int) -> str | None:
        """Return the details that one event has added to a report, as a JSON object; None when it has added none."""
        return next((one.written for one in self._lines.get(exec_id, ()) if one.sequence == sequence), None)

    def reversed_by(self, reports: Iterable[ExecutionReport], links: Mapping[str, str]) -> dict[str, str | None]:
        """Return the details that each bust and each correction has taken back, by its exec_id; None for none."""
        found: dict[str, str | None] = {}
        live: dict[str, str] = {}
        for report in reports:
            root = links.get(f"root:{report.exec_id}", report.exec_id)
            if report.type in REVISIONS:
                lines = self._lines.get(live.get(root, root), ())
                found[report.exec_id] = together(one for one in lines if one.sequence < report.sequence) or None
            if report.type is not EventType.TRADE_DETAILS:
                live[root] = report.exec_id
        return found
