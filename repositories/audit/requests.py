"""Compare what is remembered of changes of positions with their events. Nothing here does I/O."""

from __future__ import annotations

import re

from ...models.enums import EventType, PositionAction
from ...models.keys import TraderKeys
from ...models.wire import text
from .findings import FindingKind, Report, RequestState
from .history import History
from .limits import compare_limits_request

_COUNT = re.compile(r"[0-9]{1,16}", re.ASCII).fullmatch
_OWN = re.compile(r"[0-9]{1,16} (?:PUT|UPDATE|DELETE) [0-9]{1,16} [A-Za-z0-9+/]{16}", re.ASCII).fullmatch
_ACTIONS = frozenset((*PositionAction, EventType.SPLIT, EventType.ROLL))
_WORDS = 5
"""The number of an event, the symbol, the action, the quantity, and the limit, which may be empty, with the cost."""


def compare_request(keys: TraderKeys, state: RequestState, history: History, report: Report) -> None:
    """Compare one remembered request with its event, and check that it expires."""
    if state.expiry == -2:
        return  # it has expired since it was found
    key = keys.request(state.request_id)
    if state.expiry == -1:
        what = f"request {state.request_id} never expires"
        report.add(FindingKind.EXPIRY, key, None, what, stored="inf")
    if _is_of_limits(key, state, history, report):
        return
    if _OWN(state.value):
        _compare_own(key, state, int(state.value.partition(" ")[0]), history, report)
        return
    number, _, content = state.value.partition(" ")
    words = content.rsplit(" ", 3)  # a symbol may have blanks
    if len(words) != _WORDS - 1 or not _COUNT(number) or words[1] not in _ACTIONS:
        what = f"{key}: {state.value[:80]!r} is not a value that was ever written"
        report.add(FindingKind.CORRUPT, key, None, what, stored=state.value)
        return
    sequence, (symbol, action, quantity, _) = int(number), words
    event = history.position_events.get(sequence)
    if event is None:
        if sequence > state.as_of:
            history.lost_end = max(history.lost_end, sequence)
        elif not history.is_missing(sequence):
            what = f"request {state.request_id} is remembered as event {sequence:,}, which is another"
            report.add(FindingKind.FILL, key, None, what, stored=state.value, says={"request": state.value})
        return
    amounts: dict[str, str] = {PositionAction.SET: text(event.quantity), PositionAction.ADJUST: text(event.change)}
    became = amounts.get(action, quantity)
    expected = f"{event.request_id} {event.symbol} {became}"
    stored = f"{state.request_id} {symbol} {quantity}"
    if (state.request_id, symbol, quantity) != (event.request_id, event.symbol, became):
        history.contradicted |= {symbol, event.symbol}
        what = f"request {state.request_id} is remembered as {stored}, and event {sequence:,} was {expected}"
        says = {"request": stored, f"event {sequence}": expected}
        report.add(FindingKind.FILL, key, None, what, stored=stored, expected=expected, says=says)


def _compare_own(key: str, state: RequestState, sequence: int, history: History, report: Report) -> None:
    """Compare a remembered request for a change of an own record; its number is 0 if it found nothing to delete."""
    if sequence > state.as_of:
        history.lost_end = max(history.lost_end, sequence)
    elif sequence and not history.is_missing(sequence) and history.own_events.get(sequence) != state.request_id:
        what = f"request {state.request_id} is remembered as event {sequence:,}, which is another"
        report.add(FindingKind.FILL, key, None, what, stored=state.value, says={"request": state.value})


def _is_of_limits(key: str, state: RequestState, history: History, report: Report) -> bool:
    """Compare a remembered request for a change of limits; return False for one of another kind."""
    number = state.value.partition(" ")[0]
    is_missing = bool(_COUNT(number)) and history.is_missing(int(number))
    found = compare_limits_request(key, state, history.limits, report, is_missing=is_missing)
    if found is False:
        history.lost_end = max(history.lost_end, int(number))
    return found is not None
