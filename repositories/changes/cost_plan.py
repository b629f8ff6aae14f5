"""Fold the costs that revised executions leave, before the steps of one trader are sent. Nothing here does I/O.

A step that busts or corrects an execution carries the position's cost by then, folded anew from the events and from the
steps before it, and what the position has to be for that to be right: else the engine changes nothing, and the events
are read again. Where they do not reach back far enough the step carries none, and the cost is approximate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import cast

from ...models.cost_path import CostPath, Move
from ...models.errors import CorruptRecord
from ...models.fill import Fill
from ...models.order import Order
from ...models.results import Outcome
from ...topology.call import Call
from .account_views import account_views
from .cost_tape import Change, Execution, Held, Tape, Traded, changed_by
from .moves import FIRST_PAGE, NEXT_PAGE, Page, Revisable, is_remembered, move_of, page_before, revisable
from .verb import AnyStep, PositionMoved

MOST_MOVES = 100
"""The largest number of times that a cost is folded anew because its position has moved meanwhile."""


class CostPlan:
    """The steps of one call of one trader, and the costs that its busts and corrections leave."""

    def __init__(self, steps: Sequence[AnyStep]) -> None:
        self.steps = list(steps)
        """The steps, with their costs once nothing more is to be read."""
        self._keys = steps[0].keys
        self._executions = [number for number, step in enumerate(steps) if isinstance(step.request, Execution)]
        self._changes = [number for number, step in enumerate(steps) if isinstance(step.request, Change)]
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
        self._moves: dict[Held, list[Move]] = {}
        """The changes of the positions of revised executions that were read, the latest first."""
        self._broken = set[Held]()
        """The positions of which an event cannot be read."""
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
            revised = [number for number in self._executions if self._is_folded(number) and number in traded]
            self._moves = {held: [] for number in revised for held in traded[number].held}
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
        request = cast("Execution", self.steps[number].request)
        revised = "" if isinstance(request, Fill) else request.exec_ref_id
        return revisable(self._keys, request.order_id, request.exec_id, revised)

    def _add(self, event_id: str, fields: dict[str, str]) -> None:
        """Add the event before those that were read."""
        self._first, self._last = event_id, self._last or event_id
        symbol = fields.get("symbol", "")
        if (symbol, "") not in self._moves or "position_quantity" not in fields:
            return
        try:
            views = {"": fields, **dict(account_views(self._keys.events, fields))}
        except CorruptRecord:
            self._broken.update(held for held in self._moves if held[0] == symbol)
            return
        for account, view in views.items():
            held = symbol, account
            if held not in self._moves or held in self._broken:
                continue
            try:
                self._moves[held].append(move_of(self._keys, event_id, view))
            except (CorruptRecord, ArithmeticError, ValueError):
                self._broken.add(held)

    def _traded(self) -> dict[int, Traded]:
        """Return what the executions trade; nothing of one whose order is not there."""
        placed: dict[str, Traded] = {}
        traded: dict[int, Traded] = {}
        for number, step in enumerate(self.steps):
            request = step.request
            if isinstance(request, Order):
                multiplier = Decimal(1) if request.multiplier is None else request.multiplier
                placed.setdefault(
                    request.order_id,
                    Traded(*(request.order_id, request.symbol, request.side.is_buy, multiplier, request.account or "")),
                )
            elif number in self._known:
                known = self._known[number]
                about = placed.get(request.order_id)
                if known is not None:
                    about = Traded(known.order_id, known.symbol, known.is_buy, known.multiplier, known.account)
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

    def _tape(self, held: Held) -> Tape:
        symbol, account = held
        known = [one for one in self._known.values() if one is not None and one.symbol == symbol]
        if account:
            known = [one for one in known if one.account == account]
        moves = self._moves[held][::-1]
        has_approximations = not known or any(
            one.has_account_approximations if account else one.has_approximations for one in known
        )
        has_approximations |= any(move.is_approximate for move in moves)
        return Tape(CostPath(moves), self._is_whole or held in self._broken, has_approximations)

    def _is_repeat(self, number: int) -> bool:
        known = self._known.get(number)
        return number in self._repeated or (known is not None and known.is_known)

    def _fold(self) -> None:
        """Fold the costs of all steps, if enough was read."""
        tapes = {held: self._tape(held) for held in self._moves}
        if not all(tape.version or tape.is_whole for tape in tapes.values()):
            return
        traded, steps, made = self._traded(), list(self.steps), set[tuple[str, str]]()
        for number, step in enumerate(steps):
            request = step.request
            if isinstance(request, Change):
                about, identity = changed_by(request, tapes), ("", request.request_id)
            elif number in traded:
                about, identity = traded[number].held, (traded[number].order_id, request.exec_id)
            else:
                continue
            concerned = {held: tapes[held] for held in about if held in tapes}
            if not concerned or identity in made or self._is_repeat(number):
                continue
            made.add(identity)
            is_folded = step.verb.folds_cost and self._is_folded(number)
            bases: list[str] = []
            for (_, account), tape in concerned.items():
                basis = tape.take(request, account, traded.get(number), is_folded=is_folded)
                if basis is None:
                    return
                bases.append(basis)
            if is_folded:
                steps[number] = step._replace(basis="|".join(bases) if any(bases) else "")
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
