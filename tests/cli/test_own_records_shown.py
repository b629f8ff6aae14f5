"""Own records in the output of commands: each change is a line, and nothing that is stored steers a terminal."""

from __future__ import annotations

import io
import json
from typing import Annotated

import pytest
import slotbook
from rich.console import Console
from slotbook import Entity, Key
from slotbook.cli.blotter import Blotter
from slotbook.cli.blotter_screen import drawn
from slotbook.models import OrderEvent
from slotbook.models.errors import CorruptRecord
from slotbook.models.types import Name

from ..support.make import TS, fresh, limit
from .conftest import Cli

ODD = "L\x1b[2J\r\x07\x9b31m\u202e\x7f%:é日"
SHOWN = r"L\u001b[2J\r\u0007\u009b31m\u202e\u007f%:é日"


class Memo(Entity, kind="memo"):
    trader: Name
    title: Annotated[str, Key]
    words: str | None = None


@pytest.fixture
def trader(url: str) -> str:
    """Return a trader with nothing but own records, whose keys and values have control characters."""
    name = fresh()
    with slotbook.connect(url) as book:
        memos = book.table(Memo)
        memos.insert(Memo(trader=name, title=ODD), ts_ns=TS)
        memos.update(name, ODD, {"words": ODD}, ts_ns=TS + 1)
        memos.delete(name, ODD, ts_ns=TS + 2)
    return name


def test_each_change_is_a_line(cli: Cli, url: str, trader: str) -> None:
    done = cli("watch", "--plain", "--trader", trader, "--since", 0, "--count", 3, "--url", url)
    assert (done.code, done.err) == (0, "")
    inserted, updated, deleted = (line.split("  ") for line in done.out.splitlines())
    assert inserted[:6] == ["2023-11-14T22:13:20.000000000Z", trader, "1", "INSERT", "memo", SHOWN]
    assert (inserted[6], updated[6]) == ("version 1", "version 2")
    assert deleted[2:] == ["3", "DELETE", "memo", SHOWN, "version 3"]
    assert json.loads(updated[7]) == {"words": ODD}


def test_json_has_them_whole(cli: Cli, url: str, trader: str) -> None:
    done = cli("watch", "--json", "--trader", trader, "--since", 0, "--count", 3, "--url", url)
    events = [OrderEvent.model_validate_json(line) for line in done.out.splitlines()]
    with slotbook.connect(url) as book:
        assert events == book.events.history(trader)
    assert [event.key for event in events] == [ODD] * 3


def test_one_symbol_has_none_of_them(cli: Cli, url: str, trader: str) -> None:
    with slotbook.connect(url) as book:
        book.orders.place(limit(trader))
    done = cli("watch", "--plain", "--trader", trader, "--since", 0, "--count", 1, "--symbol", "AAPL", "--url", url)
    assert done.out.split("  ")[2:6] == ["4", "NEW", "AAPL", "A1"]


def test_a_blotter_shows_them_among_the_last_events(url: str, trader: str) -> None:
    blotter, shown = Blotter(), io.StringIO()
    with slotbook.connect(url) as book:
        blotter.begin(book.orders.open(trader), book.positions.all(trader))
        for event in book.events.history(trader):
            blotter.take(event)
    blotter.problems.append(str(CorruptRecord(ODD, "x", ODD)))
    console = Console(file=shown, width=300, height=40, markup=False, emoji=False, highlight=False)
    console.print(drawn(blotter, console, 0, connected=True))
    lines = shown.getvalue().split("\n")
    assert all(line.isprintable() for line in lines)
    assert sum(f"memo  {SHOWN}" in line for line in lines) == 3
    assert blotter.events == 3


@pytest.mark.parametrize("command", [["orders"], ["positions"]])
def test_a_trader_has_neither_orders_nor_positions(cli: Cli, url: str, trader: str, command: list[str]) -> None:
    done = cli(*command, "--trader", trader, "--json", "--url", url)
    assert (done.code, done.rows()) == (0, [])


def test_such_a_book_is_verified(cli: Cli, url: str, trader: str) -> None:
    done = cli("verify", "--url", url)
    assert (done.code, done.out, done.err) == (0, "1 trader, 0 differences\n", "")
