"""The commands ``slotbook limits`` and ``slotbook halt``, as lines, tables and JSON."""

from __future__ import annotations

from typing import cast

import slotbook

from ..support.make import fresh
from .conftest import Cli, JsonObject


def test_limits_are_set_one_by_one_and_shown(cli: Cli, url: str) -> None:
    trader = fresh()
    asked = ("limits", trader, "--url", url)
    assert cli(*asked, "--json").json() == {"trading": "ACTIVE", "limits": []}
    cli(*asked, "--set", "max_order=500", "--set", "max_notional=2500.50")
    cli(*asked, "--symbol", "AAPL", "--set", "max_position=250")
    cli(*asked, "--set", "max_order=")
    found = cast("list[JsonObject]", cli(*asked, "--json").json()["limits"])
    assert [(one["symbol"], one["max_order"], one["max_notional"], one["max_position"]) for one in found] == [
        (None, None, "2500.5", None),
        ("AAPL", None, None, "250"),
    ]
    shown = cli(*asked).out
    assert f"trading of {trader} is ACTIVE" in shown
    assert "2500.5" in shown
    assert "AAPL" in cli(*asked, "--symbol", "AAPL").out
    with slotbook.connect(url) as book:
        assert len(list(book.events.history(trader))) == 3


def test_a_limit_that_there_is_not_changes_nothing(cli: Cli, url: str) -> None:
    trader = fresh()
    for said in ("max_orders=5", "max_order", "max_order=-5", "max_order=x"):
        assert cli("limits", trader, "--url", url, "--set", said).code != 0
    assert cli("limits", trader, "--url", url, "--json").json()["limits"] == []


def test_trading_is_halted_and_resumed(cli: Cli, url: str) -> None:
    trader = fresh()
    halted = cli("halt", trader, "--url", url, "--text", "too fast", "--json").json()
    assert halted == {"trader": trader, "trading": "HALTED", "sequence": 1}
    assert cli("halt", trader, "--reducing", "--url", url, "--json").json()["trading"] == "REDUCING"
    assert "REDUCING" in cli("limits", trader, "--url", url).out
    assert f"trading of {trader} is ACTIVE" in cli("halt", trader, "--resume", "--url", url).out
    assert cli("halt", trader, "--resume", "--reducing", "--url", url).code != 0
