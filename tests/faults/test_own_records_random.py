"""Fault "reply cut", lost requests, slots that migrate: random changes of own records leave what a dict of dicts has.

``SLOTBOOK_NIGHTLY=1`` makes ten times as many.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import cast

import pytest
from slotbook.models import Delete, Insert, Put, RecordResult, Update
from slotbook.models.entity_changes import EntityChange
from slotbook.models.errors import Refused

from ..repositories.records.conftest import Allocation, BriefAllocation, LongAllocation
from ..support.dict_of_dicts import DictOfDicts, content_of
from ..support.faults.migration import Migration
from ..support.faults.rules import Do, Rule
from ..support.faults.stand import Stand
from ..support.lifetimes import let_pass
from ..support.make import NIGHTLY

UNITS = 1_000 if NIGHTLY else 100
KEYS, ACCOUNTS, REFERENCES = ("L1", "L2", "L3", "L:4%"), ("ACC1", "ACC:2"), (None, None, "R1", "R2")
MODELS = (Allocation, Allocation, BriefAllocation, LongAllocation)


class History:
    """One trader's records on the servers and as a dict of dicts, with dice for what comes next."""

    def __init__(self, stand: Stand, seed: int) -> None:
        self.stand, self.book, self.dice = stand, stand.open(deadline=60), random.Random(seed)
        self.oracle = DictOfDicts()
        self.number = 0

    def change(self) -> EntityChange[Allocation]:
        """Return a random change."""
        dice, trader, key = self.dice, self.stand.trader, self.dice.choice(KEYS)
        self.number += 1
        model = dice.choice(MODELS)
        fields = {
            "account": dice.choice(ACCOUNTS),
            "reference": dice.choice(REFERENCES),
            "quantity": dice.randint(1, 3),
        }
        record = model.model_validate({"trader": trader, "allocation_id": key, **fields})
        expected = dice.choice([None, None, self.oracle.versions.get(key, 0), 1])
        match dice.choice(["insert", "insert", "put", "update", "delete"]):
            case "insert":
                return Insert(record)
            case "put":
                return Put(record, expected_version=expected)
            case "update":
                return Update(model, trader, key, fields, expected_version=expected)
            case _:
                return Delete(model, trader, key, expected_version=expected)

    def let_pass(self, seconds: int) -> None:
        """Let time pass, so that some of what expires does so."""
        tag = f"{{{self.stand.trader}}}"
        control = self.stand.control
        let_pass(lambda *words: control.tell(control.primary(tag), *words), self.stand.trader, "allocation", seconds)
        self.oracle.let_pass(seconds)

    def break_something(self) -> None:
        """Let the next reply or the next few requests be lost, or nothing."""
        rules = [
            Rule(Do.CUT, at=self.dice.randint(0, 120)),
            Rule(Do.RESET, at=self.dice.randint(0, 120)),
            Rule(Do.SWALLOW),
            Rule(Do.DROP, times=self.dice.randint(1, 2)),
        ]
        if self.dice.random() < 0.6:
            self.stand.veil.add(self.dice.choice(rules))

    def commit(self) -> bool | None:
        """Commit a random unit, and compare what comes of it; return whether it was made."""
        steps = [self.change() for _ in range(self.dice.randint(1, 4))]
        planned, fresh, expected = self.oracle.copy(), set[str](), list[object]()
        for step in steps:
            expected.append(planned.apply(step, fresh))
            if isinstance(expected[-1], type):
                break
        refused: tuple[object, object] | None = None
        results: list[RecordResult[Allocation]] = []
        try:
            results = cast(
                "list[RecordResult[Allocation]]", self.book.commit(cast("Sequence[Insert[Allocation]]", steps))
            )
        except Refused as error:
            refused = type(error), error.index
        if isinstance(expected[-1], type):
            assert refused == (expected[-1], len(expected) - 1), steps
            return False
        assert refused is None, steps
        assert all(was or not one.applied for one, was in zip(results, expected, strict=True)), steps
        self.oracle = planned
        return True

    def compare(self) -> None:
        """Assert that the table, its indexes and its unique values have what the oracle has."""
        held, table, trader = self.oracle.held, self.book.table(Allocation), self.stand.trader
        found = {one.allocation_id: one for one in table.all(trader)}
        assert {key: content_of(one) for key, one in found.items()} == held
        assert {key: one.version for key, one in found.items()} == self.oracle.versions
        assert table.count(trader) == len(held)
        for account in ACCOUNTS:
            assert [one.allocation_id for one in table.by(trader, {"account": account})] == sorted(
                key for key, one in held.items() if one["account"] == account
            )
        owners = {one["reference"]: key for key, one in held.items() if one["reference"]}
        for reference in ("R1", "R2"):
            assert self.stand.ask("GET", f"%:allocation_unique_reference:{reference}") == owners.get(reference)


@contextmanager
def moving(stand: Stand, dice: random.Random) -> Generator[None]:
    """Move the trader's slot while something is done: some of its keys at once, the others a moment later."""
    migration = Migration(stand.control, f"{{{stand.trader}}}").begin()
    keys = migration.keys()
    migration.move([key for key in keys if dice.random() < 0.5])
    ending = threading.Timer(dice.choice([0.0, 0.02, 0.05]), migration.finish)
    ending.start()
    try:
        yield
    finally:
        ending.join(30)


@pytest.mark.parametrize("seed", range(2))
def test_random_changes_whose_replies_are_lost_leave_what_a_dict_has(stand: Stand, seed: int) -> None:
    history, made = History(stand, seed), 0
    for number in range(UNITS):
        history.break_something()
        made += bool(history.commit())
        if number % 7 == 6:
            history.let_pass(400)
        if number % 10 == 9:
            history.compare()
    assert UNITS / 5 < made < UNITS
    assert stand.veil.plan.met > UNITS / 3
    assert history.oracle.now > 5_000
    assert not [one for one in history.book.audit.verify(stand.trader) if one.is_difference]


@pytest.mark.parametrize("stand", [("cluster", "sync"), ("cluster", "asyncio")], ids="-".join, indirect=True)
def test_random_changes_while_their_slot_moves_leave_what_a_dict_has(stand: Stand) -> None:
    history = History(stand, 7)
    for number in range(UNITS // 4):
        history.break_something()
        if number % 3 == 0:
            with moving(stand, history.dice):
                history.commit()
        else:
            history.commit()
        history.compare()
    assert not [one for one in history.book.audit.verify(stand.trader) if one.is_difference]
