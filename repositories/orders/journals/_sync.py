# Generated from repositories/orders/journals/_async.py by scripts/generate_sync.py: edit that one.
"""Carry out the steps of a journal's run, for threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ....models.errors import InvalidArgument
from ....topology._sync.backend import Backend
from ...changes._sync import Changes
from ..journal_run import JournalItem, JournalRun, RowsToSend
from ..reconciliation import Reconciliation


def apply_journal(
    backend: Backend, changes: Changes[Any, Any], run: JournalRun, journal: Iterable[JournalItem], batch: int
) -> Reconciliation:
    """Apply a journal, so many rows at once, and return what has become of them."""
    steps = run.apply(journal, batch)
    try:
        step = next(steps)
        while True:
            if not isinstance(step, RowsToSend):
                step = steps.send(backend.run_many(step))
                continue
            try:
                outcomes = changes.many(step.requests)
            except InvalidArgument as error:
                step = steps.throw(error)
            else:
                step = steps.send(outcomes)
    except StopIteration:
        return run.tally
