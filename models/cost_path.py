"""Fold the cost of a position anew, as if an execution had never been, or had been another; nothing here does I/O.

What a position has cost depends on the path. So the changes of the position are carried out again, each execution with
what counts of it now, from before the first that was revised on. A change without an order adds what it has added then;
a roll takes off the profit that it has put into its period, so that what a bust makes of a closed period is in the
current one. A cost that was set counts from then on, and is not folded across.

>>> held, path = NOTHING, CostPath()
>>> for number, (quantity, price) in enumerate(((1, 10), (1, 20), (-1, 30)), 1):
...     held = held.after_trade(quantity, Decimal(quantity * price))
...     path.add(Move(EventType.TRADE, number, held, "A1", f"X{number}", None, Decimal(quantity), Decimal(price)))
>>> held.open_cost, held.realized_profit
(Decimal('15'), Decimal('15'))
>>> path.folded(Move(EventType.TRADE_CANCEL, 4, held, "A1", "B1", "X1"), has_approximations=False)
Basis(quantity=Decimal('0'), open_cost=Decimal('0'), realized_profit=Decimal('10'))
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import Literal, NamedTuple, TypeAlias

from .cost import ZERO, Basis
from .enums import EventType
from .numbers import EXACT

CostBasis: TypeAlias = Literal["exact", "approximate"]
"""Exact: the cost of a position is what it would be without the execution that was busted, or with the corrected one.
Approximate: the execution was taken back as by a trade the other way, since the changes before are not known."""
NOTHING = Basis(ZERO, ZERO, ZERO)
"""The position of a trader who never traded the symbol."""


class Move(NamedTuple):
    """One change of a position, as its event says it. What is sold has a quantity below zero."""

    type: EventType
    version: int
    """The position's version after it."""
    stated: Basis
    """The position after it, as was known then."""
    order_id: str = ""
    exec_id: str = ""
    exec_ref_id: str | None = None
    """The execution, or a correction of it, that a bust or a correction revises."""
    quantity: Decimal = ZERO
    """The quantity of an execution, or the one that a correction puts in its place; what another change has added."""
    price: Decimal = ZERO
    taken: Decimal = ZERO
    """The fee that is taken from the quantity of an execution."""
    has_set_cost: bool = False
    """True when it has set the cost."""
    period_profit: Decimal = ZERO
    """The realized profit that a roll has put into its period."""
    is_approximate: bool = False
    """True for a revision that has left an approximate cost."""
    cost_change: Decimal = ZERO
    """The amount that a change without an order has added to the cost, as one that sets an account's cost does."""

    @property
    def amount(self) -> Decimal:
        """The price times the whole quantity of an execution."""
        return EXACT.multiply(self.quantity, self.price)

    @property
    def moved(self) -> Decimal:
        """The quantity that an execution moves the position by."""
        return EXACT.subtract(self.quantity, self.taken)

    @property
    def is_revision(self) -> bool:
        """True for a bust or a correction."""
        return self.exec_ref_id is not None


class Unfolded(Enum):
    """The reason for which a cost is not folded anew."""

    TOO_SHORT = "TOO_SHORT"
    """More of the changes before have to be known."""
    IMPOSSIBLE = "IMPOSSIBLE"
    """No changes before help: the cost was set after the execution."""


class CostPath:
    """The changes of one position without a gap, as far back as they are known."""

    def __init__(self, moves: Iterable[Move] = ()) -> None:
        self._forget()
        for move in moves:
            self.add(move)

    def _forget(self) -> None:
        self._moves: list[Move] = []
        self._roots: list[int | None] = []
        """For each change the number of the execution that it is or revises; None when that is not among them."""
        self._known: dict[tuple[str, str], int | None] = {}
        """The same by order and exec_id."""
        self._live: dict[int, Move] = {}
        """The last revision of each execution that has one."""
        self._cost_set = -1
        """The number of the last change that has set the cost."""

    @property
    def last(self) -> Move | None:
        """The last change."""
        return self._moves[-1] if self._moves else None

    def add(self, move: Move) -> None:
        """Add one more change; after a gap, what came before counts no longer."""
        if self._moves and move.version != self._moves[-1].version + 1:
            self._forget()
        number = len(self._moves)
        root = self._root_of(move) if move.is_revision else number
        self._moves.append(move)
        self._roots.append(root)
        if move.exec_id:
            self._known[move.order_id, move.exec_id] = root
        if move.is_revision and root is not None:
            self._live[root] = move
        if move.has_set_cost:
            self._cost_set = number

    def live(self, revision: Move) -> Move | None:
        """Return the change that says what counts of an execution before it is revised; None when it is not known."""
        root = self._root_of(revision)
        return None if root is None else self._live.get(root, self._moves[root])

    def folded(self, revision: Move, *, has_approximations: bool) -> Basis | Unfolded:
        """Return the position after a bust or a correction that comes next, folded anew.

        Args:
            revision: The bust or the correction; what it states is not used.
            has_approximations: True when a cost of the position was approximate at some time: then what is stated is
                known to be exact only of a flat position, and of one whose cost was set.
        """
        root = self._root_of(revision)
        begin = None if root is None else self._begin(root, has_approximations=has_approximations)
        if begin is None:
            return Unfolded.TOO_SHORT
        if self._cost_set >= begin:
            return Unfolded.IMPOSSIBLE
        held = self._moves[begin - 1].stated if begin else NOTHING
        for number in range(begin, len(self._moves)):
            move = self._moves[number]
            if move.type is EventType.TRADE:
                counts = revision if number == root else self._live.get(number, move)
                if counts.quantity:
                    held = held.after_trade(counts.moved, counts.amount)
            elif move.type is EventType.ROLL:
                held = held._replace(realized_profit=EXACT.subtract(held.realized_profit, move.period_profit))
            elif not move.is_revision:
                held = held.after_change(EXACT.add(Decimal(held.quantity), move.quantity), move.cost_change)
        return held

    def _root_of(self, revision: Move) -> int | None:
        return self._known.get((revision.order_id, revision.exec_ref_id or ""))

    def _begin(self, root: int, *, has_approximations: bool) -> int | None:
        """Return the number of the change from which to fold; None when it is not known.

        What was stated before it is exact, also by what came later: no later revision is of an execution before it.
        """
        begin, number = root, len(self._moves) - 1
        while True:
            while number >= begin:
                revised = self._roots[number]
                if revised is None:
                    return None
                begin, number = min(begin, revised), number - 1
            if begin == 0:
                return 0 if self._moves[0].version == 1 else None
            before = self._moves[begin - 1]
            if not has_approximations or before.has_set_cost or not before.stated.quantity:
                return begin
            begin -= 1
