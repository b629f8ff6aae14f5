"""Test that any history of own records, which expire or stay, leaves a table as it leaves a dict of dicts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from slotbook.models import Delete, Insert, Put, RecordResult, Update
from slotbook.models.entity_changes import EntityChange
from slotbook.models.errors import Refused

from ...support.desk import Desk, on_one_server
from ...support.dict_of_dicts import DictOfDicts, Fields, content_of
from ...support.lifetimes import let_pass
from .conftest import Allocation, BriefAllocation, LongAllocation

KEYS = st.sampled_from(["L1", "L2", "L:3%"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "account": st.sampled_from(["ACC1", "ACC:2"]),
        "reference": st.sampled_from([None, "R1", "R2"]),
        "note": st.sampled_from([None, "a\nb", '"']),
        "quantity": st.integers(1, 3),
    },
)
MODELS = st.sampled_from([Allocation, BriefAllocation, LongAllocation])
EXPECTED = st.sampled_from([None, None, None, 0, 1, 2])


class TableMachine(RuleBasedStateMachine):
    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk, self.trader, self.table = desk, desk.another(), desk.book.table(Allocation)
        self.model, self.number = DictOfDicts(), 0
        self.compared: object = None

    def change(
        self, kind: str, key: str, fields: Fields, expected: int | None, model: type[Allocation]
    ) -> EntityChange[Allocation]:
        self.number += 1
        record = model.model_validate({"trader": self.trader, "allocation_id": key, **fields})
        match kind:
            case "insert":
                return Insert(record)
            case "put":
                return Put(record, expected_version=expected)
            case "update":
                return Update(model, self.trader, key, fields or {"quantity": 1}, expected_version=expected)
            case _:
                return Delete(model, self.trader, key, expected_version=expected)

    @rule(
        drafts=st.lists(
            st.tuples(st.sampled_from(["insert", "put", "update", "delete"]), KEYS, FIELDS, EXPECTED, MODELS),
            min_size=1,
            max_size=4,
        )
    )
    def unit(self, drafts: list[tuple[str, str, Fields, int | None, type[Allocation]]]) -> None:
        """Commit changes, and once more; of a refused unit nothing is there."""
        steps = [self.change(*draft) for draft in drafts]
        planned, fresh, expected = self.model.copy(), set[str](), list[object]()
        for step in steps:
            expected.append(planned.apply(step, fresh))
            if isinstance(expected[-1], type):
                break
        refused: tuple[object, object] | None = None
        commit = cast("Callable[[object], list[RecordResult[Allocation]]]", self.desk.book.commit)
        try:
            results = commit(steps)
        except Refused as error:
            results, refused = [], (type(error), error.index)
        if refused or isinstance(expected[-1], type):
            assert refused == (expected[-1], len(expected) - 1), drafts
            return
        assert [one.applied for one in results] == expected, drafts
        self.model = planned
        before = self.desk.contents(self.trader)
        if any(expected):
            assert not any(one.applied for one in commit(steps)), drafts
            assert self.desk.contents(self.trader) == before

    @precondition(lambda self: self.model.ends)
    @rule(seconds=st.sampled_from([400, 800]))
    def time_passes(self, seconds: int) -> None:
        """Let what expires do so, or come closer to it; no time is near one at which something expires."""
        let_pass(partial(self.desk.fleet.ask, f"{{{self.trader}}}"), self.trader, "allocation", seconds)
        self.model.let_pass(seconds)
        self.compared = None  # what has expired meanwhile may be stored as before

    def teardown(self) -> None:
        if self.desk.events(self.trader):
            assert not [one for one in self.desk.book.audit.verify(self.trader) if one.is_difference]

    @invariant()
    def the_table_is_as_the_model(self) -> None:
        held, table, trader = self.model.held, self.table, self.trader
        state = self.desk.contents(trader), vars(self.model.copy())
        if state == self.compared:  # by a unit that was refused, or changed nothing
            return
        self.compared = state
        found = table.all(trader)
        assert [one.allocation_id for one in found] == sorted(held)
        assert table.count(trader) == len(held)
        for one in found:
            assert content_of(one) == held[one.allocation_id]
            assert one.version == self.model.versions[one.allocation_id]
        for account in ("ACC1", "ACC:2"):
            keys = sorted(key for key, one in held.items() if one["account"] == account)
            assert [one.allocation_id for one in table.by(trader, {"account": account})] == keys
            assert table.count(trader, {"account": account}) == len(keys)
            both: Fields = {"account": account, "quantity": 2}
            keys = [key for key in keys if held[key]["quantity"] == 2]
            assert [one.allocation_id for one in table.by(trader, both)] == keys
            assert table.count(trader, both) == len(keys)
        ordered = sorted(held, key=lambda key: (cast(int, held[key]["quantity"]), key.encode()))
        assert [one.allocation_id for one in table.range(trader, "quantity")] == ordered
        within = [key for key in ordered if 2 <= cast(int, held[key]["quantity"]) < 100]
        assert [one.allocation_id for one in table.range(trader, "quantity", 2, below=100)] == within
        assert table.count_range(trader, "quantity", 2, below=100) == len(within)
        for reference in ("R1", "R2"):
            key = f"{{{trader}}}:allocation_unique_reference:{reference}"
            owners = [name for name, one in held.items() if one["reference"] == reference]
            assert self.desk.fleet.ask(key, "GET", key) == (owners[0] if owners else None)


@on_one_server
def test_a_table_is_a_dict_of_dicts(desk: Desk) -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", lambda: TableMachine(desk)),
        settings=settings(
            max_examples=40,
            stateful_step_count=15,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
