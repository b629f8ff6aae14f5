"""Compare what is remembered of a deleted record of a desk's own with its event. Nothing here does I/O."""

from __future__ import annotations

import re

from ...models.enums import EventType
from ...models.keys import TraderKeys
from .findings import FindingKind, Report
from .history import History
from .own_states import OwnState

_TEXT = re.compile(r"[0-9]{1,16} \S*(?: [0-9]{1,16} \S+)*", re.ASCII).fullmatch


def compare_deleted(keys: TraderKeys, state: OwnState, history: History, report: Report) -> None:
    """Compare what is remembered of the deletion of a record, and check that it expires."""
    if state.deleted_expiry == -2:
        return
    key = keys.own_deleted(state.kind, state.key)
    if state.deleted_expiry == -1:
        what = f"what is remembered of the deleted {state.label} never expires; delete the key {key}"
        report.add(FindingKind.EXPIRY, key, None, what, stored="inf")
    if not _TEXT(state.deleted):
        what = f"{key}: {state.deleted[:80]!r} is not a value that was ever written; delete it"
        report.add(FindingKind.CORRUPT, key, None, what, stored=state.deleted)
        return
    number = int(state.deleted.partition(" ")[0])
    if number > state.as_of:
        history.lost_end = max(history.lost_end, number)
    elif not history.is_missing(number):
        change = history.own.last(state.kind, state.key, number)
        if change is None or change.sequence != number or change.type is not EventType.DELETE:
            what = f"{state.label} is remembered as deleted by event {number:,}, which is another; delete the key {key}"
            report.add(FindingKind.RECORD, key, None, what, stored=state.deleted, says={"key": state.deleted})
