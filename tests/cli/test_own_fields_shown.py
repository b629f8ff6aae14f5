"""Own fields of orders and fills in the output of commands: in the line of their event, and whole in JSON."""

from __future__ import annotations

import json

import slotbook
from slotbook.models import OrderEvent
from slotbook.models.wire import decode

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
    assert [decode(OrderEvent, "", json.loads(line)) for line in done.out.splitlines()] == history
    assert [event.own is not None for event in history] == [True, True]
