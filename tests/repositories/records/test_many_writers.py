"""Test that many processes agree: a unique value has one owner, and no update is lost.

``SLOTBOOK_NIGHTLY=1`` inserts 10,000 records with 3,000 unique values, on every topology.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ...support import forked
from ...support.desk import Desk
from ...support.make import NIGHTLY
from .conftest import Allocation

PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor
import slotbook
from slotbook.models.errors import NotUnique, VersionConflict
from tests.repositories.records.conftest import Allocation

url, trader, job, *numbers = sys.argv[1:]
process, records, values, turns = map(int, numbers)
with slotbook.connect(url) as book:
    table = book.table(Allocation)

    def insert(writer):
        won = 0
        for number in range(writer, records, 16):
            try:
                own = dict(allocation_id=f"L{number}", reference=f"R{number % values}")
                won += table.insert(Allocation(trader=trader, **own)).applied
            except NotUnique:
                pass
        return won

    def update(writer):
        done = 0
        while done < turns:
            held = table.get(trader, "L1")
            try:
                table.update(trader, "L1", {"quantity": held.quantity + 1}, expected_version=held.version)
                done += 1
            except VersionConflict:
                pass
        return done

    work, writers = (insert, 4) if job == "insert" else (update, 2)
    with ThreadPoolExecutor(writers) as pool:
        print(sum(pool.map(work, range(process * writers, (process + 1) * writers))))
"""


RECORDS, VALUES, TURNS = (10_000, 3_000, 125) if NIGHTLY else (1_200, 360, 25)
PLACES = [(topology, "sync") for topology in ("standalone", "sentinel", "cluster")[: 3 if NIGHTLY else 1]]
"""The processes' books are for threads, whatever the desk's own is."""


def run(desk: Desk, job: str) -> int:
    """Run the program in four processes, and return the sum of what they print."""
    root = Path(__file__).parents[3]

    def one(process: int) -> int:
        numbers = map(str, (process, RECORDS, VALUES, TURNS))
        done = forked.run(PROGRAM, desk.fleet.url(), desk.trader, job, *numbers, folder=root)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(one, range(4)))


@pytest.mark.parametrize("desk", PLACES, ids="-".join, indirect=True)
def test_a_unique_value_has_one_owner(desk: Desk) -> None:
    assert run(desk, "insert") == VALUES
    held = desk.book.table(Allocation).all(desk.trader)
    assert len(held) == len({one.reference for one in held}) == VALUES
    assert not desk.book.audit.verify(desk.trader)


@pytest.mark.parametrize("desk", PLACES, ids="-".join, indirect=True)
def test_no_update_is_lost(desk: Desk) -> None:
    table = desk.book.table(Allocation)
    table.insert(Allocation(trader=desk.trader, allocation_id="L1", quantity=100))
    assert run(desk, "update") == 8 * TURNS
    found = table.get(desk.trader, "L1")
    assert found is not None
    assert (found.quantity, found.version) == (100 + 8 * TURNS, 1 + 8 * TURNS)
