"""Compare the header of a book with the end of its events. Nothing here does I/O."""

from __future__ import annotations

import re

from ...models.keys import TraderKeys
from ..changes.scripts import FORMAT
from .findings import FindingKind, Report
from .history import History
from .own_registry import is_of_own

_FIELDS = ("format", "sequence", "writer", "count", "latest_ns", "trading", "limits")
_IS_TIME = re.compile("[1-9][0-9]{0,18}", re.ASCII).fullmatch


def compare_header(keys: TraderKeys, history: History, report: Report) -> None:
    """Compare the header with the last event at the same moment: its number, and who wrote it."""
    key, header, last = keys.book, history.header, history.header_end
    form, sequence = header.get("format"), header.get("sequence")
    if not header:
        what = f"there is no header, but events up to {last:,}"
        says = {"header": None, "events": str(last)}
        report.add(FindingKind.EVENTS, key, None, what, expected=str(last), says=says)
        return
    if form != FORMAT:
        what = f"the book has the format {form}, and this program knows {FORMAT}"
        report.add(FindingKind.CORRUPT, key, "format", what, stored=form, expected=FORMAT)
    if sequence != str(last):
        what = f"the header says that the last event is {sequence}, the stream that it is {last}"
        says = {"header": sequence, "events": str(last)}
        report.add(FindingKind.EVENTS, key, "sequence", what, stored=sequence, expected=str(last), says=says)
    number, event = history.tail
    if number == last:
        for name in ("writer", "count"):
            stored, expected = header.get(name), event.get(name)
            if stored != expected:
                what = (
                    f"the header says that the {name} of event {number:,} is {stored}, the event that it is {expected}"
                )
                says = {"header": stored, f"event {number}": expected}
                report.add(FindingKind.EVENTS, key, name, what, stored=stored, expected=expected, says=says)
    _compare_latest_time(keys, history, report)
    for name in sorted(name for name in header.keys() - {*_FIELDS} if not is_of_own(name)):
        report.add(FindingKind.CORRUPT, key, name, f"{key}: {name} is not a field of a header", stored=header[name])


def _compare_latest_time(keys: TraderKeys, history: History, report: Report) -> None:
    """Compare the latest time of all events so far with the events that are kept, of which none may be later."""
    stored, latest = history.header.get("latest_ns"), history.latest_ns
    if stored is not None and _IS_TIME(stored):
        is_right = int(stored) == latest if history.is_complete_since(0, history.last) else int(stored) >= latest
        if is_right:
            return
    what = f"the header says that the latest time of an event is {stored}, the events that it is {latest}"
    says = {"header": stored, "events": str(latest)}
    report.add(FindingKind.EVENTS, keys.book, "latest_ns", what, stored=stored, expected=str(latest), says=says)
