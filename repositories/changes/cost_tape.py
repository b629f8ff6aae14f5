"""Foresee what the steps of one call make of a position, and what it costs once executions are revised. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from ...models.cost import ZERO, Basis
from ...models.cost_path import NOTHING, CostPath, Move, Unfolded
from ...models.enums import EventType, PositionAction
from ...models.execution_changes import Bust, Correct
from ...models.fill import Fill
from ...models.numbers import EXACT, plain
from ...models.position import PositionChange, Roll, Split

Execution: TypeAlias = Fill | Bust | Correct
Change: TypeAlias = PositionChange | Split | Roll
_EVENTS: dict[type[Change], EventType] = {
    PositionChange: EventType.POSITION,
    Split: EventType.SPLIT,
    Roll: EventType.ROLL,
}


Held: TypeAlias = tuple[str, str]
"""A symbol and an account that has a position in it, "" for the trader."""


class Traded(NamedTuple):
    """The instrument, the side and the account of an order."""

    order_id: str
    symbol: str
    is_buy: bool
    multiplier: Decimal
    account: str = ""

    @property
    def held(self) -> list[Held]:
        """The positions that an execution changes."""
        return [(self.symbol, ""), *([(self.symbol, self.account)] if self.account else [])]


@dataclass(slots=True)
class Tape:
    """The last changes of one position, as far back as they were read, and after them those that steps make."""

    path: CostPath
    is_whole: bool
    """True when nothing that can be read comes before them."""
    has_approximations: bool
    is_lost: bool = False
    """True once it is not known what a step makes of the position."""

    @property
    def version(self) -> int:
        """The position's version."""
        return self.path.last.version if self.path.last else 0

    @property
    def held(self) -> Basis:
        """The position, as was known at its last change."""
        return self.path.last.stated if self.path.last else NOTHING

    def take(self, request: Execution | Change, account: str, order: Traded | None, *, is_folded: bool) -> str | None:
        """Add the change that a step makes; return the cost of one that is folded as ``revise`` does, else "".

        Args:
            request: The request of the step.
            account: The account whose position it is, "" for the trader.
            order: The order that an execution is of.
            is_folded: True for a revision of an execution that is there, or will be by then.
        """
        if isinstance(request, Change):
            self.change(request, account)
        elif isinstance(request, Fill):
            if order is not None:
                self.fill(request, order)
        elif is_folded and order is not None:
            return self.revise(request, order)
        else:
            self.is_lost = True
        return ""

    def next(self, execution: Execution, order: Traded) -> Move:
        """Return the change that a step makes, after those that are known, with the position before it."""
        kind, revised = EventType.TRADE, None
        if not isinstance(execution, Fill):
            kind, revised = EventType.TRADE_CORRECT, execution.exec_ref_id
        quantity = price = taken = ZERO
        if isinstance(execution, Bust):
            kind = EventType.TRADE_CANCEL
        else:
            quantity, price = Decimal(execution.quantity), EXACT.multiply(execution.price, order.multiplier)
            taken = execution.fee if execution.fee_from_quantity and execution.fee is not None else ZERO
        signed = quantity if order.is_buy else EXACT.minus(quantity)
        return Move(kind, self.version + 1, self.held, order.order_id, execution.exec_id, revised, signed, price, taken)

    def fill(self, fill: Fill, order: Traded) -> None:
        """Add the change that a fill makes."""
        move = self.next(fill, order)
        self.path.add(move._replace(stated=move.stated.after_trade(move.moved, move.amount)))

    def change(self, request: Change, account: str) -> None:
        """Add the change of a position that a request without an order makes.

        What is not known without the positions of other accounts leaves it lost.
        """
        held = self.held
        if account and not self.version and not isinstance(request, PositionChange):
            return  # a split and a roll are of the accounts that have a position
        self.is_lost |= not account and _depends_on_accounts(request)
        quantity, profit, cost = Decimal(held.quantity), ZERO, None
        match request:
            case PositionChange():
                base = ZERO if request.action is PositionAction.SET else quantity
                quantity, cost = EXACT.add(base, Decimal(request.quantity)), request.cost
            case Split():
                quantity = split_of(quantity, request, account)
            case Roll():
                profit = held.realized_profit
        after = held.after_change(quantity) if cost is None else Basis(quantity, cost, held.realized_profit)
        after = after._replace(realized_profit=EXACT.subtract(after.realized_profit, profit))
        kind = _EVENTS[type(request)]
        added = EXACT.subtract(quantity, Decimal(held.quantity))
        has_set = cost is not None
        self.path.add(Move(kind, self.version + 1, after, quantity=added, has_set_cost=has_set, period_profit=profit))

    def revise(self, revision: Bust | Correct, order: Traded) -> str | None:
        """Add the change that a revision makes, and return its cost as the engine takes it.

        "" is an approximate one, and None says that more is to be read.
        """
        if self.is_lost:
            return ""
        move = self.next(revision, order)
        live = self.path.live(move)
        if live is not None and live.type is EventType.TRADE_CANCEL:
            return ""  # it is busted, which changes nothing more
        anew = self.path.folded(move, has_approximations=self.has_approximations)
        if anew is Unfolded.TOO_SHORT and not self.is_whole:
            return None
        if isinstance(anew, Unfolded):
            self.is_lost = True
            return ""
        held = self.held
        numbers = (held.quantity, held.open_cost, held.realized_profit, anew.open_cost, anew.realized_profit)
        quantity, *others = (plain(Decimal(number)) for number in numbers)
        basis = " ".join((quantity, str(self.version), *others))
        self.path.add(move._replace(stated=anew))
        return basis


def changed_by(request: Change, known: Iterable[Held]) -> list[Held]:
    """Return the positions that a request without an order changes, as far as they are known."""
    if isinstance(request, PositionChange):
        return [(request.symbol, ""), *([(request.symbol, request.account)] if request.account else [])]
    return [held for held in known if held[0] == request.symbol]


def _depends_on_accounts(request: Change) -> bool:
    """Return True for a change of a trader's position that follows from what accounts hold."""
    if isinstance(request, PositionChange):
        return request.account is not None and request.action is PositionAction.SET
    return isinstance(request, Split) and bool(request.accounts) and request.quantity is None


def split_of(quantity: Decimal, split: Split, account: str = "") -> Decimal:
    """Return what a split makes of a quantity; of one that is not exact the whole part, for the engine refuses it."""
    accounts: Mapping[str, Decimal] = split.accounts or {}
    given = accounts.get(account) if account else split.quantity
    if given is not None:
        return Decimal(given)
    return EXACT.divide_int(EXACT.multiply(quantity, Decimal(split.new)), Decimal(split.old))
