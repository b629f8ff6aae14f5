"""Carry out the steps of a journal's run, for asyncio."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ....models.errors import InvalidArgument
from ....topology._async.backend import AsyncBackend
from ...changes._async import AsyncChanges
from ..journal_run import JournalItem, JournalRun, RowsToSend
from ..reconciliation import Reconciliation


async def apply_journal(
    backend: AsyncBackend, changes: AsyncChanges[Any, Any], run: JournalRun, journal: Iterable[JournalItem], batch: int
) -> Reconciliation:
    """Apply a journal, so many rows at once, and return what has become of them."""
    steps = run.apply(journal, batch)
    try:
        step = next(steps)
        while True:
            if not isinstance(step, RowsToSend):
                step = steps.send(await backend.run_many(step))
                continue
            try:
                outcomes = await changes.many(step.requests)
            except InvalidArgument as error:
                step = steps.throw(error)
            else:
                step = steps.send(outcomes)
    except StopIteration:
        return run.tally
