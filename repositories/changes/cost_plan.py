"""Fold the costs that revised executions leave, before the steps of one trader are sent. Nothing here does I/O.

A step that busts or corrects an execution carries the position's cost by then, folded anew from the events and from the
steps before it, and what the position has to be for that to be right: else the engine changes nothing, and the events
are read again. Where they do not reach back far enough the step carries none, and the cost is approximate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeAlias, cast

from ...models.cost import ZERO, Basis
from ...models.cost_path import NOTHING, CostPath, Move, Unfolded
from ...models.enums import EventType, PositionAction
from ...models.errors import CorruptRecord
from ...models.execution_changes import Bust, Correct
from ...models.fill import Fill
from ...models.numbers import EXACT, plain
from ...models.order import Order
from ...models.position import PositionChange, Roll, Split
from ...models.results import Outcome
from ...topology.call import Call
from .moves import FIRST_PAGE, NEXT_PAGE, Page, Revisable, is_remembered, move_of, page_before, revisable
from .verb import AnyStep, PositionMoved

_Execution: TypeAlias = Fill | Bust | Correct
_Change: TypeAlias = PositionChange | Split | Roll
_EVENTS: dict[type[_Change], EventType] = {
    PositionChange: EventType.POSITION,
    Split: EventType.SPLIT,
    Roll: EventType.ROLL,
}


class _Traded(NamedTuple):
    """The instrument and the side of an order."""

    order_id: str
    symbol: str
    is_buy: bool
    multiplier: Decimal


@dataclass(slots=True)
class _Tape:
    """The last changes of one position, as far back as they were read, and after them those that steps make."""

    path: CostPath
    is_whole: bool
    """True when nothing that can be read comes before them."""
    has_approximations: bool
    is_lost: bool = False
    """True once it is not known what a step makes of the position."""

    @property
    def version(self) -> int:
        return self.path.last.version if self.path.last else 0

    @property
    def held(self) -> Basis:
        return self.path.last.stated if self.path.last else NOTHING

    def next(self, execution: _Execution, order: _Traded) -> Move:
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

    def fill(self, fill: Fill, order: _Traded) -> None:
        """Add the change that a fill makes."""
        move = self.next(fill, order)
        self.path.add(move._replace(stated=move.stated.after_trade(move.moved, move.amount)))

    def change(self, request: _Change) -> None:
        """Add the change of a position that a request without an order makes."""
        held = self.held
        quantity, profit, cost = Decimal(held.quantity), ZERO, None
        match request:
            case PositionChange():
                base = ZERO if request.action is PositionAction.SET else quantity
                quantity, cost = EXACT.add(base, Decimal(request.quantity)), request.cost
            case Split():
                quantity = split_of(quantity, request)
            case Roll():
                profit = held.realized_profit
        after = held.after_change(quantity) if cost is None else Basis(quantity, cost, held.realized_profit)
        after = after._replace(realized_profit=EXACT.subtract(after.realized_profit, profit))
        kind = _EVENTS[type(request)]
        added = EXACT.subtract(quantity, Decimal(held.quantity))
        has_set = cost is not None
        self.path.add(Move(kind, self.version + 1, after, quantity=added, has_set_cost=has_set, period_profit=profit))

    def revise(self, revision: Bust | Correct, order: _Traded) -> str | None:
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


def split_of(quantity: Decimal, split: Split) -> Decimal:
    """Return what a split makes of a quantity; of one that is not exact the whole part, for the engine refuses it."""
    if split.quantity is not None:
        return Decimal(split.quantity)
    return EXACT.divide_int(EXACT.multiply(quantity, Decimal(split.new)), Decimal(split.old))


MOST_MOVES = 100
"""The largest number of times that a cost is folded anew because its position has moved meanwhile."""


class CostPlan:
    """The steps of one call of one trader, and the costs that its busts and corrections leave."""

    def __init__(self, steps: Sequence[AnyStep]) -> None:
        self.steps = list(steps)
        """The steps, with their costs once nothing more is to be read."""
        self._keys = steps[0].keys
        self._executions = [number for number, step in enumerate(steps) if isinstance(step.request, _Execution)]
        self._changes = [number for number, step in enumerate(steps) if isinstance(step.request, _Change)]
        self._tip: str | None = None
        """The last event when a position was not what it was taken for."""
        self._moves_seen = 0
        self._is_given_up = False
        self.is_done = False
        """True once the steps have an outcome."""
        self.outcome: Outcome[object] = Outcome()
        self._begin()

    def _begin(self) -> None:
        """Forget what was read."""
        self._is_ready = False
        self._known: dict[int, Revisable | None] = {}
        """The known facts about each execution."""
        self._repeated = set[int]()
        """The changes of positions that are remembered."""
        self._moves: dict[str, list[Move]] = {}
        """The changes of the positions of revised executions that were read, the latest first."""
        self._broken = set[str]()
        """The symbols of which an event cannot be read."""
        self._first = self._last = ""
        """The ids of the first and the last event that was read."""
        self._is_whole = False

    def reads(self) -> list[Call[object]]:
        """Return the calls that read what is still to be known; none when all is."""
        if self._is_ready or self._is_given_up:
            return []
        if not any(step.verb.folds_cost for step in self.steps):
            return []
        if not self._known:
            requests = [self.steps[number].request.request_id for number in self._changes]
            return [self._revisable(number) for number in self._executions] + [
                is_remembered(self._keys, request_id) for request_id in requests
            ]
        return [page_before(self._keys, self._first, NEXT_PAGE if self._first else FIRST_PAGE)]

    def learn(self, outcomes: Sequence[Outcome[object]]) -> None:
        """Take the answers to ``reads``, none when there were none."""
        if not outcomes:
            return
        failed = next((one for one in outcomes if one.error is not None), None)
        if failed is not None:
            self.outcome, self.is_done = failed, True
            return
        answers = [one.value for one in outcomes]
        if not self._known:
            executions, changes = answers[: len(self._executions)], answers[len(self._executions) :]
            self._known = dict(zip(self._executions, cast("Sequence[Revisable | None]", executions), strict=True))
            self._repeated = {number for number, known in zip(self._changes, changes, strict=True) if known}
            traded = self._traded()
            self._moves = {
                traded[number].symbol: [] for number in self._executions if self._is_folded(number) and number in traded
            }
            self._is_ready = not self._moves
            return
        (page,) = cast("Sequence[Page]", answers)
        for event_id, fields in page.entries:
            self._add(event_id, fields)
        self._is_whole = page.is_last
        roots = [known.root for known in self._known.values() if known is not None and known.root]
        if self._is_whole or int(self._first.partition("-")[0]) < min(roots, default=1 << 63):
            self._fold()

    def take(self, outcome: Outcome[object]) -> None:
        """Take the outcome of the steps; begin anew when a position was not what its cost was folded from."""
        if not isinstance(outcome.error, PositionMoved):
            self.outcome, self.is_done = outcome, True
        elif self._last == self._tip or self._moves_seen == MOST_MOVES:
            self.give_up()  # no event has moved it: the events, or what is foreseen of the steps, are not right
        else:
            self._tip = self._last
            self._moves_seen += 1
            self._begin()

    def give_up(self) -> None:
        """Let the costs be approximate."""
        self._is_given_up = True
        self.steps = [step._replace(basis="") for step in self.steps]

    def _revisable(self, number: int) -> Call[object]:
        request = cast("_Execution", self.steps[number].request)
        revised = "" if isinstance(request, Fill) else request.exec_ref_id
        return revisable(self._keys, request.order_id, request.exec_id, revised)

    def _add(self, event_id: str, fields: dict[str, str]) -> None:
        """Add the event before those that were read."""
        self._first, self._last = event_id, self._last or event_id
        symbol = fields.get("symbol", "")
        if symbol not in self._moves or symbol in self._broken or "position_quantity" not in fields:
            return
        try:
            self._moves[symbol].append(move_of(self._keys, event_id, fields))
        except (CorruptRecord, ArithmeticError, ValueError):
            self._broken.add(symbol)

    def _traded(self) -> dict[int, _Traded]:
        """Return what the executions trade; nothing of one whose order is not there."""
        placed: dict[str, _Traded] = {}
        traded: dict[int, _Traded] = {}
        for number, step in enumerate(self.steps):
            request = step.request
            if isinstance(request, Order):
                multiplier = Decimal(1) if request.multiplier is None else request.multiplier
                placed.setdefault(
                    request.order_id,
                    _Traded(request.order_id, request.symbol, request.side.is_buy, multiplier),
                )
            elif number in self._known:
                known = self._known[number]
                about = placed.get(request.order_id)
                if known is not None:
                    about = _Traded(known.order_id, known.symbol, known.is_buy, known.multiplier)
                if about is not None:
                    traded[number] = about
        return traded

    def _is_folded(self, number: int) -> bool:
        """Return True for a revision of an execution that is there, or will be by then."""
        step, known = self.steps[number], self._known[number]
        if not step.verb.folds_cost or (known is not None and known.is_known):
            return False
        revised = step.request.order_id, step.request.exec_ref_id
        executions = (self.steps[one].request for one in self._executions if one < number)
        return (known is not None and bool(known.root)) or revised in {
            (one.order_id, one.exec_id) for one in executions
        }

    def _tape(self, symbol: str) -> _Tape:
        known = [one for one in self._known.values() if one is not None and one.symbol == symbol]
        moves = self._moves[symbol][::-1]
        has_approximations = not known or any(one.has_approximations for one in known)
        has_approximations |= any(move.is_approximate for move in moves)
        return _Tape(CostPath(moves), self._is_whole or symbol in self._broken, has_approximations)

    def _is_repeat(self, number: int) -> bool:
        known = self._known.get(number)
        return number in self._repeated or (known is not None and known.is_known)

    def _fold(self) -> None:
        """Fold the costs of all steps, if enough was read."""
        tapes = {symbol: self._tape(symbol) for symbol in self._moves}
        if not all(tape.version or tape.is_whole for tape in tapes.values()):
            return
        traded, steps, made = self._traded(), list(self.steps), set[tuple[str, str]]()
        for number, step in enumerate(steps):
            request = step.request
            if isinstance(request, _Change):
                symbol, identity = request.symbol, ("", request.request_id)
            elif number in traded:
                symbol, identity = traded[number].symbol, (traded[number].order_id, request.exec_id)
            else:
                continue
            tape = tapes.get(symbol)
            if tape is None or identity in made or self._is_repeat(number):
                continue
            made.add(identity)
            if isinstance(request, _Change):
                tape.change(request)
            elif isinstance(request, Fill):
                tape.fill(request, traded[number])
            elif not self._is_folded(number):
                tape.is_lost = True
            else:
                basis = tape.revise(request, traded[number])
                if basis is None:
                    return
                steps[number] = step._replace(basis=basis)
        self.steps, self._is_ready = steps, True


def turns_of(steps: Sequence[AnyStep]) -> Iterator[list[int]]:
    """Yield the numbers of the steps that can be carried out together, one such list after the other.

    Of each trader they are those before the next that revises an execution, then that one, and so on.
    """
    waiting: dict[str, deque[int]] = {}
    for number, step in enumerate(steps):
        waiting.setdefault(step.keys.trader, deque()).append(number)
    while waiting:
        plain: list[int] = []
        for numbers in waiting.values():
            while numbers and not steps[numbers[0]].verb.folds_cost:
                plain.append(numbers.popleft())
        if plain:
            yield sorted(plain)
        revising = [numbers.popleft() for numbers in waiting.values() if numbers]
        if revising:
            yield revising
        waiting = {trader: numbers for trader, numbers in waiting.items() if numbers}
