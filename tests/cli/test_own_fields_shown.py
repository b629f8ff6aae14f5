"""Own fields of orders and fills in the output of commands: in the line of their event, and whole in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import slotbook
from slotbook.models import OrderEvent
from slotbook.models.journal import COLUMNS

from ..support.make import fresh
from ..support.own_orders import NOTE, DeskOrder, desk_fill, desk_order
from .conftest import Cli


def test_the_line_of_an_event_and_its_json_have_them(cli: Cli, url: str) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        orders = book.orders.of(DeskOrder)
        orders.place(desk_order(trader, desk_note=NOTE + "\x1b[2J"))
        orders.fill(desk_fill(trader))
        history = book.events.history(trader)
    done = cli("watch", "--plain", "--trader", trader, "--since", 0, "--count", 2, "--url", url)
    placed, filled = (line.split("  ") for line in done.out.splitlines())
    assert json.loads(placed[-1]) == {
        "strategy": "S1", "desk_note": NOTE + "\x1b[2J", "target": "187.5", "tags": '{"b":1,"a":2}',
    }  # fmt: skip
    assert json.loads(filled[-1])["venue"] == "XNAS"
    assert "\x1b" not in done.out
    done = cli("watch", "--json", "--trader", trader, "--since", 0, "--count", 2, "--url", url)
    assert [OrderEvent.model_validate_json(line) for line in done.out.splitlines()] == history
    assert [event.own is not None for event in history] == [True, True]


def test_a_journal_with_columns_for_them_is_replayed(cli: Cli, url: str, tmp_path: Path) -> None:
    trader = fresh()
    where = DeskOrder.__module__
    lines = (
        f"{','.join(COLUMNS)},+strategy,+venue",
        f"1,1703422805243925307,{trader},NEW,A1,ESH4,BUY,2,4799,,S1,",
        f"2,1703422805243925308,{trader},FILL,A1,ESH4,BUY,2,4799,X1,,XNAS",
    )
    file = tmp_path / "day.csv"
    file.write_text("".join(f"{line}\n" for line in lines))
    options = ("--orders", f"{where}:DeskOrder", "--fills", f"{where}:DeskFill", "--url", url, "--json")
    for expected in ((2, 0), (0, 2)):
        report = cli("replay", file, *options).json()
        assert (report["applied"], report["repeated"]) == expected
    with slotbook.connect(url) as book:
        found = book.orders.of(DeskOrder).get(trader, "A1")
        assert found is not None
        assert (found.strategy, found.filled_quantity) == ("S1", 2)
        own = [json.loads(event.own or "") for event in book.events.history(trader)]
        assert own == [{"strategy": "S1", "tags": "{}"}, {"venue": "XNAS"}]
    done = cli("replay", file, "--url", url)
    assert (done.code, done.out) == (1, "")
    assert "the header must be" in done.err
    done = cli("replay", file, "--orders", f"{where}:DeskFill", "--url", url)
    assert (done.code, "has no model DeskFill; the nearest is DeskOrder" in done.err) == (2, True)
