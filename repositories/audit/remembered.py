"""Compare what is remembered of an order's changes with the events, and each with the one before. No I/O here.

The hash ``{trader}:applied:<order_id>`` has a field for each change, or the order itself has that of the first; see
:mod:`slotbook.repositories.changes.recorded`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import NamedTuple, cast

from ...models.enums import EventType
from ...models.errors import CorruptRecord, never_written
from ...models.keys import TraderKeys
from ...models.numbers import EXACT, times
from ...models.order import Order
from ...models.own_fields import SIGN
from ...models.wire import text
from ..changes.recorded import ALIAS, LINKS, RECORDED_EVENTS, read_recorded, recorded_name
from ..changes.recorded_details import PREFIX, DetailsLine
from ..changes.scripts import RARE_FIELDS
from .details import RememberedDetails
from .executions import REVISIONS, ExecutionReport, links_of, live_executions
from .findings import FindingKind, OrderState, Report
from .history import FillRecord, History
from .order_events import KEEP_TEXT, Change
from .order_ids import ids_after, ids_given
from .order_own import is_digest_of, own_texts_of_event
from .order_said import is_said
from .order_states import STATES, states_after, states_as_placed

_ANY_ORDER = Order.model_construct(trader="T", order_id="A")
"""The order of a fill that is only read for its quantity and price."""


class Remembered(NamedTuple):
    """One change of an order as it is remembered with it."""

    name: str
    """The field of the hash."""
    type: EventType
    identity: str
    sequence: int
    quantity: Decimal | int
    price: Decimal
    words: Sequence[str]
    """The words behind the number of the event: the request."""
    rare: Mapping[str, str | None]
    """Fields of the order after the change; stop_price is only among them where another one has a value."""


class AppliedCheck:
    """The comparison of what is remembered of one order's changes."""

    def __init__(self, keys: TraderKeys, state: OrderState, report: Report) -> None:
        self.changes: list[Remembered] = []
        """The changes that can be read, in the order of the events."""
        self.is_readable = True
        self.is_contradicted = False
        """True when the events say something else; then that is a finding."""
        self._state = state
        self._key, self._order_key = keys.applied(state.order_id), keys.order(state.order_id)
        self._report = report
        self._links = {name: value for name, value in state.recorded.items() if name.startswith(LINKS)}
        self._details = RememberedDetails(self._key)
        self.aliases: dict[str, str] = {}
        """The number of the event that has given the order each of its other ids."""
        for name, value in state.recorded.items():
            if name.startswith(ALIAS):
                self.aliases[name.removeprefix(ALIAS)] = value
                continue
            if name in self._links:
                continue
            try:
                if name.startswith(PREFIX):
                    self.changes += map(partial(_completing, name), self._details.add(name, value, state.recorded))
                else:
                    self.changes.append(_read(self._key_of(name), name, value))
            except CorruptRecord as error:
                self.is_readable = False
                stored = state.recorded.get(error.field)
                report.add(FindingKind.CORRUPT, error.key, error.field, str(error), stored=stored)
        self.changes.sort(key=lambda change: change.sequence)

    def _key_of(self, name: str) -> str:
        """Return the key of what is remembered under a name."""
        return self._order_key if name in self._state.fields else self._key

    @property
    def _reports(self) -> list[ExecutionReport]:
        """The fills, busts and corrections."""
        found = (one for one in self.changes if one.type.is_execution)
        return [ExecutionReport(one.type, one.identity, one.sequence, one.quantity, one.price) for one in found]

    @property
    def fills(self) -> list[Remembered]:
        """The remembered fills."""
        return [change for change in self.changes if change.type is EventType.TRADE]

    @property
    def filled(self) -> tuple[Decimal, Decimal]:
        """Sum up the remembered fills, as they have been busted and corrected: quantity, and amount at multiplier 1."""
        quantity = notional = Decimal(0)
        for execution in live_executions(self._reports, self._links).values():
            quantity = EXACT.add(quantity, execution.quantity)
            notional = EXACT.add(notional, times(execution.quantity, execution.price))
        return quantity, notional

    def add_to_history(self, history: History, symbol: str) -> None:
        """Add the changes to the history."""
        for change in self.changes:
            is_fill = change.type.is_execution
            history.add_recorded(
                change.sequence, FillRecord(symbol, change.quantity, change.price) if is_fill else None
            )

    def compare(self, changes: Sequence[Change], history: History) -> bool:
        """Compare with the events of the order; return True when everything agrees."""
        before = len(self._report.findings)
        self._compare_links()
        self._compare_aliases(changes, history)
        events = self._events(changes, history)
        found: dict[int, Change] = {}
        last_before = {
            after.sequence: one for one, after in pairwise(changes) if after.version == (one.version or 0) + 1
        }
        reversed_by = self._details.reversed_by(self._reports, self._links)
        for change in self.changes:
            event = events.pop((change.type, _identity_of(change)), None)
            if event is None:
                self._compare_without_event(change, history)
            else:
                found[change.sequence] = event
                self._compare_with_event(change, event, last_before.get(event.sequence))
                if change.type.is_execution:
                    self._compare_details(change, event, reversed_by.get(change.identity))
        # Before a missing event, the id may have been another order's.
        names = self._state.recorded.keys()
        for (kind, _), event in events.items():
            name = recorded_name(kind, event.identity)
            is_forgotten = name not in names or kind is EventType.TRADE_DETAILS
            if is_forgotten and history.is_complete_since(event.sequence, self._state.as_of):
                what = f"is event {event.sequence:,}, but not remembered with the order"
                self._add(name, what, expected=str(event.sequence), event=event)
        agrees = len(self._report.findings) == before
        self._compare_rare_fields(found, changes, {event.sequence for event in events.values()})
        self.is_contradicted = len(self._report.findings) > before
        return agrees

    def _events(self, changes: Sequence[Change], history: History) -> dict[tuple[EventType, str | None], Change]:
        """Return the events of fills and requests by their identities; one that occurs twice is a difference."""
        events: dict[tuple[EventType, str | None], Change] = {}
        for change in changes:
            if change.type not in RECORDED_EVENTS or change.is_placing:
                continue
            identity = _identity_of(change)
            first = events.get((change.type, identity))
            if first is not None and history.is_complete_since(first.sequence, change.sequence):
                what = f"is in the events twice, as {first.sequence:,} and {change.sequence:,}"
                self._add(recorded_name(change.type, change.identity), what, stored=str(change.sequence))
            else:
                events[change.type, identity] = change
        return events

    def _compare_links(self) -> None:
        """Check that what is remembered of busts and corrections is what their reports make."""
        if not self.is_readable:
            return
        expected = links_of(self._reports, self._links)
        for name in sorted(expected.keys() | self._links.keys()):
            stored, made = self._links.get(name), expected.get(name)
            if stored != made:
                what = f"is remembered as {stored}, and the reports make it {made}"
                self._add(name, what, stored=stored, expected=made)

    def _compare_aliases(self, changes: Sequence[Change], history: History) -> None:
        """Check that the order's other ids are those that its events have given it."""
        given = ids_given(changes, self._state.order_id)
        for name in sorted(given.keys() | self.aliases.keys()):
            stored, made = self.aliases.get(name), given.get(name)
            first = changes[0].sequence if changes else 0  # before a missing event, that one may have given the id
            is_earlier = (
                changes and not changes[0].is_placing and (stored or "").isdecimal() and int(stored or 0) < first
            )
            if stored != made and not is_earlier and history.is_complete_since(first, self._state.as_of):
                what = f"is remembered as given by event {stored}, and the events say {made}"
                self._add(ALIAS + name, what, stored=stored, expected=made)

    def _compare_without_event(self, change: Remembered, history: History) -> None:
        """Check that the event of a change is missing, and that its number is not another event's."""
        if change.sequence > self._state.as_of:
            history.lost_end = max(history.lost_end, change.sequence)
        elif not history.is_missing(change.sequence):
            what = f"is remembered as event {change.sequence:,}, which is another"
            self._add(change.name, what, stored=str(change.sequence))

    def _compare_with_event(self, change: Remembered, event: Change, before: Change | None) -> None:
        stored, expected = f"in event {change.sequence}", f"in event {event.sequence}"
        if change.type is EventType.TRADE:
            flags = [flag for flag in ("late", "over") if flag in change.words]
            stored = " ".join([f"{text(change.quantity)} at {text(change.price)}", *flags, stored])
            late = f"{' late' if event.late else ''}{' over' if event.overfilled else ''}"
            expected = f"{text(event.last_quantity)} at {text(event.last_price)}{late} {expected}"
            own = change.words[-1].removeprefix(SIGN) if change.words[-1].startswith(SIGN) else ""
            if not is_digest_of(own, own_texts_of_event(event.own)):
                stored, expected = f"{stored} with own fields {own or 'none'}", f"{expected} with {event.own or 'none'}"
        elif change.type in REVISIONS:
            stored = f"{text(change.quantity)} at {text(change.price)} {stored}"
            expected = f"{text(event.last_quantity)} at {text(event.last_price)} {expected}"
            root, ref = self._links.get(f"root:{change.identity}"), event.exec_ref_id
            if root != self._links.get(f"root:{ref}", ref):
                stored, expected = f"{stored} of {root}", f"{expected} of {ref}"
        elif change.type in (EventType.REPLACED, EventType.RESTATED):
            _, quantity, price, *_ = change.words
            asked = event.quantity if event.requested_quantity is None else event.requested_quantity
            if quantity:
                stored, expected = f"to {quantity} {stored}", f"to {text(asked)} {expected}"
            if price:
                limit = "no price" if event.price is None else text(event.price)
                stored, expected = f"at {price} {stored}", f"at {limit} {expected}"
            elif before is not None and before.price != event.price:
                stored, expected = f"at {before.price} {stored}", f"at {event.price} {expected}"
            if not quantity and before is not None and before.quantity != asked:
                stored, expected = f"to {before.quantity} {stored}", f"to {text(asked)} {expected}"
        if not change.type.is_execution and not is_said(change.type, change.words, event.said, event.status):
            said = " ".join(f"{name}={one}" for name, one in event.said._asdict().items() if one) or "nothing else"
            stored, expected = f"{stored} with another content", f"{expected} saying {said}"
        if stored != expected:
            what = f"is remembered as {stored}, and was {expected}"
            self._add(change.name, what, stored=stored, expected=expected, event=event)

    def _compare_details(self, change: Remembered, event: Change, taken_back: str | None) -> None:
        """Compare the details that a report has given, or was given later, and those that it has taken back."""
        stored = self._details.of_report(change.identity, change.sequence)
        if stored != event.details:
            has = event.details or "none"
            what = f"is remembered with {stored or 'no details'}, and event {event.sequence:,} has {has}"
            self._add(PREFIX + change.identity, what, stored=stored, expected=event.details, event=event)
        if change.type in REVISIONS and taken_back != event.reversed_details:
            stored, expected = taken_back or "no details", event.reversed_details or "none"
            what = f"has taken back {stored} by what is remembered, and event {event.sequence:,} has {expected}"
            self._add(change.name, what, stored=taken_back, expected=event.reversed_details, event=event)

    def _compare_rare_fields(
        self, events: Mapping[int, Change], changes: Sequence[Change], forgotten: Collection[int]
    ) -> None:
        """Compare what is remembered of fields that few orders have: each change begins where the one before ended.

        Args:
            events: The event of each remembered change, by the number under which it is remembered.
            changes: All events of the order.
            forgotten: The numbers of those that are not remembered.
        """
        before: Mapping[str, str | None] = {}
        last = 0
        if changes and changes[0].is_placing:
            before = {**dict.fromkeys(RARE_FIELDS[1:]), "text": changes[0].text, **states_as_placed(changes[0])}
            last = changes[0].sequence
        for change in self.changes:
            event = events.get(change.sequence)
            expected = {} if any(last < number < change.sequence for number in forgotten) else dict(before)
            before, last = change.rare, change.sequence
            if event is None:
                continue  # its event is gone, and maybe more between the two
            if change.type not in KEEP_TEXT:
                expected["text"] = event.text
            if expected.keys() >= set(STATES):
                expected |= states_after(event, expected)
            expected |= ids_after(event, expected, self.aliases)
            if change.type in (EventType.REPLACED, EventType.RESTATED):
                expected |= _after_replace(change, expected)
            names = [
                name for name in sorted(expected.keys() & change.rare.keys()) if change.rare[name] != expected[name]
            ]
            if names:
                stored, made = (_listed(names, fields) for fields in (change.rare, expected))
                what = f"remembers {stored}, which the change before and its event make {made}"
                self._add(change.name, what, stored=stored, expected=made, event=event)

    def _add(
        self,
        name: str,
        what: str,
        *,
        stored: str | None = None,
        expected: str | None = None,
        event: Change | None = None,
    ) -> None:
        what = f"{name.replace(':', ' ', 1)} of order {self._state.order_id} {what}"
        says: dict[str, str | None] = {"applied": stored}
        if event is not None:
            says[f"event {event.sequence}"] = expected
        self._report.add(FindingKind.FILL, self._key_of(name), name, what, stored=stored, expected=expected, says=says)


def _identity_of(change: Remembered | Change) -> str | None:
    """Return the identity of a change among those of its type: an execution may be completed by several."""
    return change.identity if change.type is not EventType.TRADE_DETAILS else f"{change.identity}\t{change.sequence}"


def _completing(name: str, line: DetailsLine) -> Remembered:
    """Return the change that one line of remembered details is. Raises CorruptRecord."""
    identity, kind = name.removeprefix(PREFIX), EventType.TRADE_DETAILS
    return Remembered(name, kind, identity, line.sequence, 0, Decimal(0), (line.written,), _rare_fields(line.rare))


def _after_replace(change: Remembered, before: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return what a replace makes of fields that few orders have, as far as it is known."""
    _, _, _, stop_price, revision, *_ = change.words
    made: dict[str, str | None] = {}
    if stop_price:
        made["stop_price"] = stop_price
    if revision:
        made["revision"] = revision
    if before.get("placed_quantity") is None:
        # The first replace keeps what was placed, which the digest of the order proves.
        made |= {name: change.rare.get(name) for name in ("placed_quantity", "placed_price", "placed_stop_price")}
    return made


def _read(key: str, name: str, value: str) -> Remembered:
    """Return the change that a field remembers. Raises CorruptRecord."""
    read = read_recorded(key, _ANY_ORDER, name, value)
    content, _, rare = value.partition("|")
    words = content.split(" ")[1:]
    least = len(words) if read.type.is_execution else 5 if read.type in (EventType.REPLACED, EventType.RESTATED) else 1
    if not least <= len(words) <= least + 1:
        raise never_written(key, name, value)
    return Remembered(
        name, read.type, read.identity, read.sequence, read.quantity, read.price, words, _rare_fields(rare)
    )


def _rare_fields(rare: str) -> dict[str, str | None]:
    """Return the fields that few orders have, as a change remembers them."""
    if not rare:
        return dict.fromkeys(RARE_FIELDS[1:])
    values = cast("list[str]", json.loads(rare))
    return {one: part or None for one, part in zip(RARE_FIELDS, values, strict=True)}


def _listed(names: Sequence[str], fields: Mapping[str, str | None]) -> str:
    return " ".join(f"{name}={'nothing' if fields[name] is None else fields[name]}" for name in names)
