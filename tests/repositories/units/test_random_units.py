"""Test that any units, repeats and refusals among them, leave the store as they leave a plain Python book."""

from __future__ import annotations

from typing import TypeAlias, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slotbook.models.errors import Refused, SlotbookError
from slotbook.models.guards import Expect
from slotbook.models.limits import LimitsChange, TradingChange
from slotbook.models.numbers import plain
from slotbook.models.position import PositionChange, Roll, Split

from ...support.desk import Desk
from ...support.histories import ORDER_IDS, Draft, as_answer, closings, fillings, moves, placings, replacings
from ...support.raw import mapping
from ...support.reference import Answer, ReferenceBook, Request
from ...support.totals import open_quantities

Failure: TypeAlias = "tuple[type[SlotbookError], int | None]"
Step: TypeAlias = Request | Expect
DraftStep: TypeAlias = "Draft | tuple[str, int]"
"""A request that lacks its trader; or a guard: an order and the difference of its version from the right one."""
GUARDS = st.tuples(ORDER_IDS, st.sampled_from([0, 0, 0, 0, 1]))
DRAFTS: st.SearchStrategy[DraftStep] = st.one_of(placings, fillings, fillings, replacings, closings, moves, GUARDS)


class Plan:
    """Describes how a unit is made of drafts: refusals come often, but not always, and late in a unit as well."""

    def __init__(self, data: st.DataObject) -> None:
        self.drafts = data.draw(st.lists(DRAFTS, min_size=1, max_size=30))
        self.drops_refused = data.draw(st.sampled_from([True, True, False]))
        """True to leave out the steps that would be refused."""
        self.refused = data.draw(st.none() | st.integers(0, 30))
        """The place of one step that is kept in any case."""
        self.singly = data.draw(st.sampled_from([0, 0, 1, 3, 10]))
        """The number of first steps that are sent one by one before the unit is."""
        self.expected = data.draw(st.sampled_from([None, None, 0, 0, 1]))
        """The difference of the sequence that is expected from the right one; None to expect none."""


class Pair:
    """A trader's book on the servers, and one of plain Python."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.trader = desk.another()
        self.reference = ReferenceBook()

    def step_of(self, draft: DraftStep, book: ReferenceBook) -> Step:
        first, second = draft
        if isinstance(first, str):
            entry = book.orders.get((self.trader, first))
            return Expect(first, (entry.now.version if entry else 0) + cast(int, second))
        return cast(Request, first.model_validate({"trader": self.trader, **cast("dict[str, object]", second)}))

    def steps_of(self, plan: Plan) -> list[Step]:
        """Return the steps of a plan, and at least one change."""
        scratch, steps = self.reference.copy(), list[Step]()
        for number, draft in enumerate(plan.drafts):
            step = self.step_of(draft, scratch)
            try:
                fits = isinstance(step, Expect) or scratch.apply(step).accepted
            except SlotbookError:
                fits = False
            if fits or not plan.drops_refused or number == plan.refused:
                steps.append(step)
        return steps

    def check_singly(self, step: Step) -> None:
        if isinstance(step, Expect):
            return
        try:
            expected: Answer | Failure = self.reference.apply(step)
        except SlotbookError as error:
            expected = failure_of(error)
        book = self.desk.book
        try:
            if isinstance(step, (PositionChange, Split, Roll)):
                found: Answer | Failure = as_answer(book.positions.apply_many([step])[0].result())
            else:
                assert not isinstance(step, LimitsChange | TradingChange)
                found = as_answer(book.orders.apply(step))
        except SlotbookError as error:
            found = failure_of(error)
        assert found == expected

    def check(self, steps: list[Step], expected_sequence: int | None) -> None:
        if all(isinstance(step, Expect) for step in steps):
            return
        before = self.desk.contents(self.trader)
        try:
            expected: list[Answer] | Failure = self.reference.commit(steps, expected_sequence)
        except SlotbookError as error:
            expected = failure_of(error)
        try:
            results = self.desk.book.commit(steps, expected_sequence=expected_sequence)
            found: list[Answer] | Failure = [as_answer(one) for one in results]
        except SlotbookError as error:
            found = failure_of(error)
        assert found == expected
        changed = isinstance(expected, list) and any(answer.applied for answer in expected)
        assert (self.desk.contents(self.trader) != before) is changed

    def compare(self) -> None:
        """Assert that both books are the same."""
        reference, found = self.reference, self.desk.book.snapshot(self.trader)
        orders = [reference.orders[key].now for key in sorted(reference.orders)]
        assert found.orders == orders
        assert found.positions == [reference.positions[key] for key in sorted(reference.positions)]
        events = [event.model_copy(update={"writer": None}) for event in self.desk.events(self.trader)]
        assert events == reference.events[self.trader]
        assert found.sequence == len(events)
        for symbol, (buy, sell) in open_quantities(orders).items():
            key = f"{{{self.trader}}}:position:{symbol}"
            stored = mapping(self.desk.fleet.ask(key, "HGETALL", key))
            assert (stored["open_buy_quantity"], stored["open_sell_quantity"]) == (plain(buy), plain(sell))


def failure_of(error: SlotbookError) -> Failure:
    return type(error), error.index if isinstance(error, Refused) else None


EXAMPLES = {"standalone": 80, "sentinel": 20, "cluster": 30}


@pytest.mark.parametrize(
    "desk", [("standalone", "sync"), ("standalone", "asyncio"), ("cluster", "sync")], indirect=True, ids="-".join
)
def test_any_units_leave_the_store_as_they_leave_a_plain_book(desk: Desk) -> None:
    @settings(
        max_examples=EXAMPLES[desk.fleet.topology],
        phases=[Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        pair, units = Pair(desk), list[list[Step]]()
        for _ in range(data.draw(st.integers(1, 4))):
            plan = Plan(data)
            again = data.draw(st.integers(0, 3)) == 0 and len(units) > 0
            steps = data.draw(st.sampled_from(units)) if again else pair.steps_of(plan)
            units.append(steps)
            for step in steps[: plan.singly]:
                pair.check_singly(step)
            last = len(pair.reference.events[pair.trader])
            pair.check(steps, None if plan.expected is None else last + plan.expected)
            pair.compare()

    run()
