"""Test that a migration under load loses nothing: new programs read and write meanwhile, old ones are refused in time.

``SLOTBOOK_NIGHTLY=1`` rewrites 100,000 records.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypedDict

import pytest

from ...support import forked
from ...support.desk import Desk
from ...support.make import NIGHTLY
from ...support.schemas import First, Third

RECORDS, TRADERS, PAUSE = (100_000, 40, 0.0) if NIGHTLY else (4_000, 8, 0.003)

PROGRAM = """
import json, random, sys, time
from pathlib import Path
import slotbook
from slotbook.models.errors import SchemaTooNew
from tests.support.schemas import First, Second, Third

url, stop, number, schema = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
traders, each, pause = sys.argv[5].split(","), int(sys.argv[6]), float(sys.argv[7])
model = Second if schema == 2 else Third
chance, done, refused, added, reads = random.Random(number), {}, 0, [], 0
with slotbook.connect(url) as book:
    table = book.table(model)
    while not stop.exists():
        trader, key = chance.choice(traders), f"L{chance.randrange(each)}"
        name = f"{trader}/{key}"
        try:
            if chance.random() < 0.4:
                found = table.get(trader, key)
                assert found is not None and found.quantity >= 100, found
                reads += 1
            elif chance.random() < 0.9:
                result = table.update(trader, key, {"account": f"ACC{number}"})
                assert result.applied and result.record is not None
                done[name] = done.get(name, 0) + 1
            else:
                new = f"N{number}.{len(added)}"
                table.insert(model(trader=trader, lot_id=new))
                added.append((trader, new))
        except SchemaTooNew:
            assert schema == 2, "a new program is never refused"
            refused += 1
        time.sleep(pause)
print(json.dumps({"done": done, "refused": refused, "added": added, "reads": reads}))
"""


class Said(TypedDict):
    """The line that a program prints at its end."""

    done: dict[str, int]
    refused: int
    added: list[tuple[str, str]]
    """Traders and keys; JSON has lists for them."""
    reads: int


@pytest.mark.parametrize("desk", [("standalone", "sync")], ids="-".join, indirect=True)
def test_no_record_is_lost_and_only_old_programs_are_refused(desk: Desk, tmp_path: Path) -> None:
    traders, each = [desk.another() for _ in range(TRADERS)], RECORDS // TRADERS
    for trader in traders:
        made = [First(trader=trader, lot_id=f"L{number}", reference=f"R{number}") for number in range(each)]
        for outcome in desk.book.table(First).insert_many(made):
            outcome.result()
    root, stop = Path(__file__).parents[3], tmp_path / "stop"

    def run(number: int) -> Said:
        words = [
            desk.fleet.url(),
            str(stop),
            str(number),
            "2" if number >= 4 else "3",
            ",".join(traders),
            str(each),
            str(PAUSE),
        ]
        done = forked.run(PROGRAM, *words, folder=root)
        assert done.returncode == 0, done.stderr
        said: Said = json.loads(done.stdout)
        return said

    with ThreadPoolExecutor(6) as pool:
        try:
            programs = [pool.submit(run, number) for number in range(6)]
            wait_for_changes(desk, traders, each)
            began = time.monotonic()
            migrated = desk.book.table(Third).migrate(traders)
            took = time.monotonic() - began
            after = sum(desk.book.snapshot(trader).sequence for trader in traders)
            while sum(desk.book.snapshot(trader).sequence for trader in traders) < after + 200:
                assert not any(program.done() for program in programs), "a program has failed"
        finally:
            stop.touch()
        said = [program.result() for program in programs]
    print(f"{migrated.rewritten:,} of {RECORDS:,} records in {took:.1f} s")
    assert migrated.is_complete
    assert all(one["refused"] for one in said[4:])
    assert not any(one["refused"] for one in said[:4])
    assert_nothing_is_lost(desk, traders, each, said)


def wait_for_changes(desk: Desk, traders: list[str], each: int) -> None:
    """Wait until the programs have begun to write."""
    ends_at = time.monotonic() + 60
    while sum(desk.book.snapshot(trader).sequence for trader in traders) < each * len(traders) + 20:
        assert time.monotonic() < ends_at, "no program has begun"


def assert_nothing_is_lost(desk: Desk, traders: list[str], each: int, said: list[Said]) -> None:
    """Compare what is stored with what the programs have been told."""
    changes: dict[str, int] = {}
    added = {tuple(pair) for one in said for pair in one["added"]}
    for one in said:
        for name, count in one["done"].items():
            changes[name] = changes.get(name, 0) + count
    table = desk.book.table(Third)
    for trader in traders:
        found = {record.lot_id: record for record in table.iter(trader)}
        assert found.keys() == {f"L{number}" for number in range(each)} | {key for one, key in added if one == trader}
        for number in range(each):
            record = found[f"L{number}"]
            assert record.version == 1 + changes.get(f"{trader}/{record.lot_id}", 0)
            assert (record.label, record.legs, record.quantity) == (f"R{number}", (99, 1), 100)
        by_account = [one for account in ("ACC1", *(f"ACC{n}" for n in (0, 2, 3, 4, 5)))
                      for one in table.by(trader, {"account": account})]  # fmt: skip
        assert {one.lot_id for one in by_account} == found.keys()
        assert len(by_account) == len(found) == table.count(trader, {"venue": "XNAS"})
