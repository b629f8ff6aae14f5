"""Decide which fields of one position are proven by its events. Nothing here does I/O."""

from __future__ import annotations

import json
import re
from typing import cast

from ...models.enums import EventType, PositionAction, Side
from ...models.errors import CorruptRecord
from ...models.numbers import EXACT
from ...models.position import Position
from ...models.wire import codec, decode, text
from .findings import Fields, PositionState
from .history import ExpectedPosition, History
from .position_chain import Link
from .statements import ENOUGH, ENOUGH_FOR_UNUSABLE

_COUNT = re.compile(r"[0-9]{1,16}", re.ASCII).fullmatch
_RATIO = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)", re.ASCII).fullmatch
_LAST_FIELDS = {
    side: ("bought_quantity", "bought_notional") if side.is_buy else ("sold_quantity", "sold_notional") for side in Side
}
"""The fields that a fill adds to, beside the quantity."""


class PositionProof:
    """The reasons for and against what the events of one position make of its fields.

    Events prove a field where so many of their values agree that a position which says something else is wrong, even if
    two values were changed by hand.
    """

    def __init__(self, state: PositionState, expected: ExpectedPosition | None, history: History) -> None:
        self._state = state
        self._expected = expected
        self._link: Link | None = expected.link if expected else None
        self._is_confirmed = expected is not None and (expected.is_recorded or self._is_remembered(history))
        """True when the last event is remembered elsewhere: with its order, or as a request."""
        self._general = self._general_obstacle(history)

    def says(self, name: str, stored: str | None, expected: str | None) -> dict[str, str | None]:
        """Return what each record says of a field."""
        said: dict[str, str | None] = {"position": stored}
        link = self._link
        if link is None:
            return {**said, "events": expected}
        said["what its events add"] = expected
        if link.carried is not None:
            said["the event before, and what the last adds"] = _field(link, "carried", name)
        said[f"event {link.stated.sequence}"] = _field(link, "stated", name)
        return said

    def obstacle(self, name: str, events: Fields) -> str | None:
        """Return why a field cannot be repaired; None when it can be.

        Args:
            name: The field.
            events: All fields as the events make them.
        """
        if name in ("trader", "symbol", "account"):
            return None  # the key says so, too
        link = self._link
        if self._general is not None or link is None:
            return self._general
        differing = {one for one, value in events.items() if self._state.fields.get(one) != (value or None)}
        if link.jump and differing - {"quantity"}:
            return f"event {link.jump:,} states another quantity than it makes"
        is_outdated = name not in ("version", "updated_ns") and self._is_outdated(link, differing)
        lone = f"only event {link.held.sequence:,} says so"
        if is_outdated or not self._is_usable(name):
            return None if link.length >= ENOUGH_FOR_UNUSABLE else lone
        return self._version_obstacle(link, differing) or (lone if self._is_lone(link, name, differing) else None)

    def _is_outdated(self, link: Link, differing: set[str]) -> bool:
        """Return True when the number of changes is known to be wrong, so that one value at least is."""
        is_usable = "version" in differing and self._is_usable("version")
        return is_usable and link.length >= ENOUGH and self._version_obstacle(link, differing) is None

    def _version_obstacle(self, link: Link, differing: set[str]) -> str | None:
        """Return why the number of changes speaks against a repair."""
        version = self._state.fields.get("version", "")
        changes = self._expected.changes if self._expected else 0
        if not _COUNT(version):
            return None
        if int(version) > changes and differing - {"version"}:
            return f"it has had {int(version):,} changes and the events show {changes:,}, so some were lost"
        if int(version) == changes - 1 and not self._is_confirmed:
            return f"nothing but event {link.held.sequence:,} shows that change"
        return None

    def _is_lone(self, link: Link, name: str, differing: set[str]) -> bool:
        """Return True when the last event alone says what a field is.

        What a fill has added to one field of a position, it has added to another, too, which then says the same.
        """
        if link.length < ENOUGH or name == "updated_ns":
            return True
        if self._is_confirmed:
            return False
        if name == "fees":
            return True
        if not link.is_fill or link.side is None:
            return name in ("quantity", "open_cost", "realized_profit")
        traded, notional = _LAST_FIELDS[link.side]
        other = {"quantity": traded, traded: "quantity", notional: notional}.get(name, notional)
        return other in differing

    def _general_obstacle(self, history: History) -> str | None:
        """Return why no field can be repaired."""
        symbol, link = self._state.symbol, self._link
        if symbol in history.contradicted:
            return "its events contradict each other, or what is remembered with its orders"
        if link is None:
            version = self._state.fields.get("version", "0")
            changed = int(version) if _COUNT(version) else 0
            return f"it has had {changed:,} changes and the events show 0, so some were lost" if changed else None
        if link.doubt:
            return link.doubt
        header = history.header.get("sequence", "")
        if _COUNT(header) and int(header) < min(link.held.sequence, history.header_end):
            return f"the header does not know event {link.held.sequence:,}"
        return None

    def _is_remembered(self, history: History) -> bool:
        """Return True when the request of the last change is remembered, and proves what its event says."""
        link = self._link
        if link is None or link.is_fill:
            return False
        about, _, terms = self._state.request.partition(f"{link.stated.sequence} {self._state.symbol} ")
        words = terms.split(" ")  # the symbol may have blanks, and they have none
        if about or len(words) < 2:
            return False
        action, asked, *rest = words
        if action == EventType.SPLIT.value:
            return self._is_split(link, asked, rest[0] if rest else "")
        if action == PositionAction.SET:
            # An account's quantity proves what was added to the trader's where it goes on from the one before.
            is_seen = not link.is_by_account or history.is_by_account(self._state.symbol, link.stated.sequence)
            return is_seen and asked == text(link.became)
        return asked == text(link.change)  # 0 for a roll

    def _is_split(self, link: Link, ratio: str, terms: str) -> bool:
        """Return True when a split by a ratio, or with what it was to result in, leaves the quantity of its event."""
        given, _, by_account = terms.removeprefix("/").partition("@")
        if self._state.account:
            try:
                given = cast("dict[str, str]", json.loads(by_account or "{}")).get(self._state.account, "")
            except (ValueError, RecursionError, AttributeError):
                return False
        after = link.stated.quantity
        if given:
            return given == text(after)
        parts = _RATIO(ratio)
        if parts is None:
            return False
        before = EXACT.subtract(after, link.change)
        return EXACT.multiply(after, int(parts[2])) == EXACT.multiply(before, int(parts[1]))

    def _is_usable(self, name: str) -> bool:
        """Return False when the position is not there, or what it says of a field cannot be right."""
        stored = self._state.fields.get(name)
        if stored is None:
            return False
        flat = {"trader": "T", "symbol": self._state.symbol}
        for other in codec(Position).required - flat.keys():
            flat[other] = "0"
        try:
            decode(Position, "", {**flat, name: stored})
        except CorruptRecord:
            return False
        return True


def _field(link: Link, which: str, name: str) -> str | None:
    held = link.stated if which == "stated" else link.carried
    return None if held is None else held.fields("", "").get(name)
