"""``slotbook verify`` on the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import typer
from slotbook.cli.output import BadUsage
from slotbook.cli.verify import verify
from typer.testing import CliRunner, Result

from ..support.desk import Desk
from ..support.make import execution, fresh, limit

app = typer.Typer()
app.command()(verify)


@dataclass
class Store:
    """A store with one trader's book, an order and a position, and the command that verifies it."""

    desk: Desk
    prefix: str

    def run(self, *arguments: str) -> Result:
        """Verify the store."""
        url = self.desk.fleet.url({"prefix": self.prefix})
        return CliRunner().invoke(app, ["--url", url, *arguments], catch_exceptions=False)

    def damage(self) -> None:
        """Break an index and a position, which can be repaired."""
        self.desk.vandalise("HSET", f"{self.prefix}%:position:AAPL", "quantity", 99)
        self.desk.vandalise("ZREM", f"{self.prefix}%:orders_by_symbol:AAPL", "A1")

    def corrupt(self) -> None:
        """Break an event and an order, which cannot be repaired."""
        self.desk.vandalise("XDEL", f"{self.prefix}%:events", "1-0")
        self.desk.vandalise("HSET", f"{self.prefix}%:order:A1", "price", "dear")


@pytest.fixture
def store(lone_desk: Desk) -> Store:
    prefix = f"{fresh('v')}:"
    book = lone_desk.open(prefix=prefix)
    book.orders.place(limit(lone_desk.trader))
    book.orders.fill(execution(lone_desk.trader))
    return Store(lone_desk, prefix)


def test_a_store_in_order(store: Store) -> None:
    done = store.run()
    assert (done.exit_code, done.stdout) == (0, "1 trader, 0 differences\n")
    done = store.run("--repair")
    assert (done.exit_code, done.stdout) == (0, "1 trader, 0 differences\n")


def test_differences_are_shown_and_nothing_is_written(store: Store) -> None:
    store.damage()
    before = store.desk.contents()
    done = store.run("--trader", store.desk.trader)
    assert done.exit_code == 1
    lines = [line.split() for line in done.stdout.splitlines() if line.split()[:1] == [store.desk.trader]]
    assert [line[1] for line in lines] == ["INDEX", "POSITION"]
    assert "AAPL: quantity is 99, its events make it 40" in done.stdout
    assert done.stdout.endswith("1 trader, 2 differences, 2 left\n")
    assert store.desk.contents() == before


def test_repair_puts_them_right(store: Store) -> None:
    store.damage()
    done = store.run("--repair")
    assert done.exit_code == 0
    assert done.stdout.count(" repaired") == 2
    assert done.stdout.endswith("1 trader, 2 differences, 0 left\n")
    assert store.run().stdout == "1 trader, 0 differences\n"


def test_damage_that_cannot_be_repaired_is_left_and_the_unchecked_is_listed(store: Store) -> None:
    store.damage()
    store.corrupt()
    done = store.run("--repair")
    assert done.exit_code == 1
    assert "not repairable" in done.stdout
    assert f"not checked: {store.desk.trader}: events before 2 are no longer kept" in done.stdout
    assert store.run("--repair").exit_code == 1


def test_json(store: Store) -> None:
    trader = store.desk.trader
    store.damage()
    done = store.run("--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (found["traders"], found["unchecked"], found["left"]) == ([trader], [], 2)
    assert found["differences"][1] == {
        "trader": trader,
        "kind": "POSITION",
        "key": f"{store.prefix}{{{trader}}}:position:AAPL",
        "entry": "quantity",
        "stored": "99",
        "expected": "40",
        "repairable": True,
        "message": "AAPL: quantity is 99, its events make it 40",
        "says": {
            "position": "99",
            "what its events add": "40",
            "the event before, and what the last adds": "40",
            "event 2": "40",
        },
    }
    done = store.run("--json", "--repair")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["left"]) == (0, 0)
    assert [one["repair"] for one in found["differences"]] == ["REPAIRED", "REPAIRED"]
    assert json.loads(store.run("--json").stdout)["differences"] == []


def test_json_of_what_is_unchecked(store: Store) -> None:
    found = json.loads(store.run("--json", "--trader", "nobody", "--trader", "nobody").stdout)
    assert found["traders"] == ["nobody"]
    assert found["unchecked"] == [
        {
            "trader": "nobody",
            "key": f"{store.prefix}{{nobody}}:",
            "message": "nothing is stored of this trader",
        }
    ]


def test_a_new_embedded_book_is_nothing_to_verify() -> None:
    with pytest.raises(BadUsage, match="new and empty"):
        CliRunner().invoke(app, ["--url", "embedded://standalone"], catch_exceptions=False)
