"""Follow one position from event to event: what each adds, and what each states. Nothing here does I/O.

Each event of a position says twice what became of it: what it added (the fill, or the change of the position), and what
the position was after it. The first, summed up, and the second have to agree from event to event.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from ...models.cost import ZERO, Basis
from ...models.cost_path import CostPath, Unfolded
from ...models.enums import Side
from ...models.event import OrderEvent
from ...models.numbers import EXACT
from ...models.wire import text
from ..changes.moves import move_of_event
from .order_events import Contradiction
from .statements import ENOUGH
from .totals import Held


class Link(NamedTuple):
    """A position after one event."""

    held: Held
    """The position as what was added makes it, counted from the first event, or the first one after a gap."""
    stated: Held
    """The position as the event states it."""
    carried: Held | None
    """The position as the event before states it, and what this event adds; None for the first one after a gap."""
    length: int
    """The number of stated values that agree, up to this one; three more where nothing came before the first."""
    is_fill: bool
    side: Side | None
    change: Decimal | int
    """The quantity that a change without an order added."""
    request_id: str | None
    order_id: str | None
    jump: int = 0
    """The first event whose stated quantity does not go on from the one before, 0 for none: the position was changed by
    hand between the two, or one of the two was."""
    doubt: str | None = None
    """The reason for which the events prove nothing about the position."""
    unproven: int = 0
    """The last event of a bust or a correction whose cost the events that are kept do not prove; 0 for none, and once
    the position was flat: then nothing is left to prove."""
    approximated: int = 0
    """The last event that has left the cost approximate; 0 for none."""
    is_whole: bool = False
    """True when all events of the position are known."""
    became: Decimal | int = 0
    """The quantity after the change of the position that it was asked for: of an account's, where it names one."""
    is_by_account: bool = False
    """True for the trader's position after a change that was asked for that of an account."""


class PositionChain:
    """The events of one position, in their order."""

    def __init__(self) -> None:
        self._links: list[Link] = []
        self._path = CostPath()

    def at(self, as_of: int) -> Link | None:
        """Return the position after its last event up to ``as_of``."""
        return next((link for link in reversed(self._links) if link.held.sequence <= as_of), None)

    @property
    def last_number(self) -> int:
        """The number of the last event; 0 without any."""
        return self._links[-1].held.sequence if self._links else 0

    def add(self, event: OrderEvent, stated: Held, *, after_gap: bool) -> list[Contradiction]:
        """Add the position after one more event; return what does not go on from the event before."""
        is_fill = event.type.is_execution
        added = event.position_change or 0
        link = Link(stated, stated, None, 1, is_fill, event.side, added, event.request_id, event.order_id)
        if event.account_quantity is not None:
            link = link._replace(became=event.account_quantity, is_by_account=True)
        else:
            link = link._replace(became=stated.quantity)
        found: list[Contradiction] = []
        if not after_gap:
            before = self._links[-1] if self._links else None
            base = before.stated if before else Held(0, None)
            anew, unproven = self._cost_after(event, base, stated, before)
            carried = base.after(event, anew)
            held = (before.held if before else base).after(event, anew)
            link = link._replace(
                held=stated if held == stated else held,  # one object each time: streams are long
                carried=stated if carried == stated else carried,
                length=(before.length if before else ENOUGH - 1) + 1,
                jump=before.jump if before else 0,
                doubt=before.doubt if before else None,
                unproven=unproven,
                approximated=before.approximated if before else 0,
                is_whole=before.is_whole if before else True,
            )
            by = f"event {base.sequence:,} and what it adds" if before else "what it adds"
            if carried.totals != stated.totals:
                found.append(Contradiction("totals", stated.totals, carried.totals, by))
                link = link._replace(doubt="its events contradict each other")
            if carried.quantity != stated.quantity:
                found.append(Contradiction("position_quantity", text(stated.quantity), text(carried.quantity), by))
                link = self._after_jump(link, before.length if before else ENOUGH)
            elif link.jump and not is_fill and base.quantity != EXACT.subtract(link.held.quantity, added):
                # It may have set the quantity, whatever that was before: an event does not tell.
                link = link._replace(doubt=f"event {event.sequence:,} changed it after it was changed by hand")
        if event.cost_basis == "approximate":
            link = link._replace(approximated=event.sequence)
        self._links.append(link)
        self._path.add(move_of_event(event, stated.version, stated.basis))
        return found

    def _cost_after(self, event: OrderEvent, base: Held, stated: Held, before: Link | None) -> tuple[Basis | None, int]:
        """Return the cost that a bust or a correction has to leave, folded anew, and ``unproven`` of its link.

        None is the cost of a trade in the other direction. What cannot be folded is what the event states, as far as it
        neither creates nor loses money.
        """
        unproven = before.unproven if before and stated.quantity else 0
        if event.exec_ref_id is None or event.cost_basis == "approximate":
            return None, unproven
        revision = move_of_event(event, stated.version, base.basis)
        is_whole = before.is_whole if before else True
        doubts = bool(before and before.approximated) or not is_whole
        anew = self._path.folded(revision, has_approximations=doubts)
        if anew is Unfolded.TOO_SHORT and not is_whole:
            likely = self._path.folded(revision, has_approximations=False)
            anew = likely if likely == stated.basis else anew
        if anew is Unfolded.TOO_SHORT:
            after = base.after(event)
            cost = stated.open_cost if after.quantity else ZERO
            profit = EXACT.add(after.realized_profit, EXACT.subtract(cost, after.open_cost))
            return Basis(after.quantity, cost, profit), event.sequence if after.quantity else 0
        return (anew if isinstance(anew, Basis) else None), unproven

    def _after_jump(self, link: Link, length: int) -> Link:
        """Return a link whose event states another quantity than the events before make."""
        number = link.held.sequence
        if not link.is_fill or length < ENOUGH:
            return link._replace(doubt=link.doubt or f"event {number:,} states another quantity than it makes")
        return link._replace(jump=link.jump or number)
