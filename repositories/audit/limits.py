"""Compare limits and the switch of trading with their events. Nothing here does I/O."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from ...models.enums import EventType
from ...models.errors import CorruptRecord
from ...models.event import OrderEvent
from ...models.keys import TraderKeys
from ...models.limits import Limits, Trading, limits_in, written_limits
from ...topology.call import Call, Reply, evaluate
from ..changes.scripts import load
from ..changes.stored_limits import (
    BESIDE,
    SYMBOL,
    TRADER,
    doubles_in_header,
    doubles_in_position,
    doubles_of,
    read_limits,
    shown,
)
from ..replies import fields, integer, rows, text
from .findings import Fields, FindingKind, Report, RequestState

LIMITS = load("slotbook.repositories.audit", "limits")
SWITCH = "trading"
_IS_REQUEST = re.compile(
    r"([0-9]{1,16}) (LIMITS (?:trader|symbol:.+)(?: [0-9.-]+){4}|TRADING (?:ACTIVE|REDUCING|HALTED))"
).fullmatch
"""A remembered request; one for a change of a position ends with a number, or with a blank."""
NOTHING = written_limits(Limits.model_construct())


class LimitsState(NamedTuple):
    """Limits as they are stored, and what the header says, after one event."""

    as_of: int
    trading: str
    marker: str | None
    found: Fields


def limits_call(keys: TraderKeys) -> Call[LimitsState]:
    """Return the call that reads limits, and what the header says."""

    def read(reply: Reply) -> LimitsState:
        as_of, trading, marker, found = rows(reply)
        return LimitsState(integer(as_of), text(trading), None if marker is None else text(marker), fields(found))

    return evaluate(
        f"verify limits of {keys.trader}",
        LIMITS,
        LIMITS.keys(book=keys.book, events=keys.events, limits=keys.limits),
        LIMITS.arguments(),
        decode=read,
        readonly=True,
    )


class LimitsHistory:
    """The changes of limits and of the switch, as events tell them."""

    def __init__(self) -> None:
        self.requests: dict[int, tuple[str | None, str]] = {}
        """By the number of an event: its request_id, and what a remembered request says of it."""
        self._changes: dict[str, list[tuple[int, str]]] = {}
        """By the field of the limits, or SWITCH: the number of each event, and the text after it."""

    def add(self, key: str, event: OrderEvent) -> None:
        """Add an event. Raises CorruptRecord, which names ``key``, for one that cannot be read."""
        if event.type is EventType.TRADING:
            name, value = SWITCH, (event.trading or Trading.ACTIVE).value
            content = f"TRADING {value}"
        else:
            name = TRADER if event.symbol is None else SYMBOL + event.symbol
            try:
                value = written_limits(limits_in(event.trader, event.symbol, event.limits or ""))
            except ValueError:
                raise CorruptRecord(key, "limits", "is not a value that was ever written") from None
            content = f"LIMITS {name} {value}"
        self._changes.setdefault(name, []).append((event.sequence, value))
        self.requests[event.sequence] = event.request_id, content

    def names(self) -> set[str]:
        """Return the fields of the limits that events name, and SWITCH if one does."""
        return set(self._changes)

    def last(self, name: str, as_of: int) -> tuple[int, str | None]:
        """Return the number of the last event up to one, and the text after it; 0 and None without any."""
        changes = self._changes.get(name, [])
        found = bisect_right(changes, (as_of, "\U0010ffff"))
        return changes[found - 1] if found else (0, None)

    def last_of_symbols(self, as_of: int) -> int:
        """Return the number of the last event up to one that changed the limits of any symbol; 0 without any."""
        return max((self.last(name, as_of)[0] for name in self._changes if name.startswith(SYMBOL)), default=0)


class LimitsCheck:
    """The comparison of the limits of one trader.

    Args:
        keys: The keys of the trader.
        state: What is stored.
        history: The changes that events tell.
        report: The report that differences are added to.
    """

    def __init__(self, keys: TraderKeys, state: LimitsState, history: LimitsHistory, report: Report) -> None:
        self._keys, self._state, self._history, self._report = keys, state, history, report

    def compare(self, first_known: int) -> None:
        """Compare everything, given the number after which all events are known."""
        state = self._state
        names = set(state.found)
        for name in sorted(names | (self._history.names() - {SWITCH}) | ({TRADER} if names else names)):
            self._compare(self._keys.limits, name, state.found.get(name), first_known)
        if state.trading and state.trading not in Trading.__members__:
            self._corrupt(self._keys.book, SWITCH, state.trading)
        else:
            self._compare(self._keys.book, SWITCH, state.trading or None, first_known)
        self._compare_header(first_known)

    def _compare_header(self, first_known: int) -> None:
        """Compare what the header says of limits with the limits, and with the last event that changed a symbol's."""
        said, found, key = self._state.marker, self._state.found, self._keys.book
        own = found.get(TRADER)
        if said is None and own is None:
            return
        symbols = [words for name, words in found.items() if name.startswith(SYMBOL)]
        last = self._history.last_of_symbols(self._state.as_of)
        doubles = None if said is None else doubles_in_header(said)
        if doubles is not None and own is not None and doubles.limits == (b"" if own == NOTHING else _expected(own)):
            change = doubles.change
            if last > first_known or not first_known:
                # One that could not be read was written anew by a later event.
                is_last = change == (last or None) or (
                    change is not None and change > last and change in self._history.requests
                )
            else:
                is_last = change is not None or not symbols
            if is_last and (doubles.limits_position or all(words.split(" ")[2:3] == ["-"] for words in symbols)):
                return
        what = f"the header says {shown(said)} of limits, and the trader's are {own or 'none'}"
        what += f", beside those of symbols, last changed by event {last:,}" if symbols or last else ""
        says = {"header": None if said is None else shown(said), "limits": own}
        self._report.add(FindingKind.EVENTS, key, "limits", what, stored=says["header"], says=says)

    def _compare(self, key: str, name: str, stored: str | None, first_known: int) -> None:
        if name != SWITCH and stored is not None:
            try:
                read_limits(self._keys, name, stored)
            except CorruptRecord:
                self._corrupt(key, name, stored)
                return
        sequence, expected = self._history.last(name, self._state.as_of)
        if sequence < first_known:
            return  # the event that said so may be one that is no longer kept
        nothing = Trading.ACTIVE.value if name == SWITCH else NOTHING
        if (stored or nothing) != (expected or nothing):
            what = f"{name} is {stored or nothing}, the events make it {expected or nothing}"
            by = f"event {sequence}" if sequence else "events"
            says = {"header" if name == SWITCH else "limits": stored, by: expected}
            self._report.add(FindingKind.EVENTS, key, name, what, stored=stored, expected=expected, says=says)

    def _corrupt(self, key: str, name: str, stored: str) -> None:
        what = f"{key}: {name} is {stored[:80]!r}, not a value that was ever written"
        self._report.add(FindingKind.CORRUPT, key, name, what, stored=stored)


def limits_beside(
    key: str, stored: str, symbol: str, history: LimitsHistory, span: tuple[int, int], report: Report
) -> bool:
    """Compare the limits that a position has with the events, if no later change has made them count for nothing.

    Return False when they are not those of its symbol; a repair removes them, and the next order writes them anew.

    Args:
        key: The key of the position.
        stored: What it has.
        symbol: Its symbol.
        history: The changes that events tell.
        span: The number after which all events are known, and that of the last one when the position was read.
        report: The report that a difference is added to.
    """
    (first_known, as_of), found = span, doubles_in_position(stored)
    last, (sequence, words) = history.last_of_symbols(as_of), history.last(SYMBOL + symbol, as_of)
    if found is None or found.change is None or not 0 < found.change <= as_of:
        what = f"{symbol}: {BESIDE} is {shown(stored)}, not a value that was ever written"
        report.add(FindingKind.POSITION, key, BESIDE, what, stored=shown(stored), repairable=True)
        return False
    is_known = first_known == 0 or min(last, sequence) > first_known
    if not is_known or found.change < last or found.limits == doubles_of(words or NOTHING):
        return True
    what = f"{symbol}: {BESIDE} is {shown(stored)}, the events make its limits {words or NOTHING}"
    says = {"position": shown(stored), f"event {sequence}" if sequence else "events": words}
    report.add(
        FindingKind.POSITION, key, BESIDE, what, stored=shown(stored), expected=words, repairable=True, says=says
    )
    return False


def _expected(words: str) -> bytes | None:
    """Return the doubles that follow from limits; None for what cannot be read, which is named by itself."""
    try:
        return doubles_of(words)
    except ValueError:
        return None


def compare_limits_request(
    key: str, state: RequestState, history: LimitsHistory, report: Report, *, is_missing: bool
) -> bool | None:
    """Compare a remembered request for a change of limits or of the switch; return None for one of another kind.

    Return False when it is remembered as an event that is beyond the end of the stream.
    """
    said = _IS_REQUEST(state.value)
    if said is None:
        return None
    sequence, content = int(said[1]), said[2]
    event = history.requests.get(sequence)
    if event == (state.request_id, content):
        return True
    if sequence > state.as_of:
        return False
    if event is not None or not is_missing:
        found = "another event" if event is None else event[1]
        what = f"request {state.request_id} is remembered as event {sequence:,}, {content}, which was {found}"
        report.add(FindingKind.FILL, key, None, what, stored=state.value, says={"request": state.value})
    return True
