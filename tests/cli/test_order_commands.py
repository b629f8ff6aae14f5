"""The commands ``slotbook order`` and ``slotbook fills``, in tables and as JSON."""

from __future__ import annotations

from typing import cast

import pytest
import slotbook

from ..support.make import TS, execution, fresh, limit
from .conftest import Cli


@pytest.fixture
def trader(url: str) -> str:
    """Return a trader with two orders, one of which has two fills."""
    name = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(name))
        book.orders.place(limit(name, "A2"))
        book.orders.fill(execution(name, "[red]X1", 30, "187.2200"))
        book.orders.cancel(name, "A1")
        book.orders.fill(execution(name, "X2", 10, "0.5"))
    return name


def test_the_fills_of_an_order(cli: Cli, url: str, trader: str) -> None:
    rows = cli("fills", trader, "A1", "--url", url, "--json").rows()
    assert [(row["exec_id"], row["sequence"], row["quantity"], row["price"], row["late"]) for row in rows] == [
        ("[red]X1", 3, "30", "187.22", False),
        ("X2", 5, "10", "0.5", True),
    ]
    assert [(row["notional"], row["ts_ns"]) for row in rows] == [("5616.6", TS + 1), ("5", TS + 1)]
    assert cli("fills", trader, "A2", "--url", url, "--json").rows() == []


def test_an_order_with_its_fills_and_events(cli: Cli, url: str, trader: str) -> None:
    found = cli("order", trader, "A1", "--url", url, "--json").json()
    assert (found["status"], found["filled_quantity"], found["open_quantity"]) == ("CANCELED", "40", "0")
    assert found["fills"] == cli("fills", trader, "A1", "--url", url, "--json").rows()
    events = cast("list[dict[str, object]]", found["events"])
    assert [(event["sequence"], event["type"]) for event in events] == [
        (1, "NEW"), (3, "TRADE"), (4, "CANCELED"), (5, "TRADE")
    ]  # fmt: skip


def test_tables(cli: Cli, url: str, trader: str) -> None:
    done = cli("order", trader, "A1", "--url", url)
    assert (done.code, done.err) == (0, "")
    assert "CANCELED" in done.out
    fill = [line.split() for line in done.out.splitlines() if line.split()[:1] == ["[red]X1"]]
    assert fill == [["[red]X1", "3", "30", "187.22", "5616.6", "2023-11-14T22:13:20.000000001Z"]]
    assert done.out.count("  TRADE  ") == 2
    done = cli("fills", trader, "A1", "--url", url)
    assert [line.split()[:2] for line in done.out.splitlines() if line.split()[:1] == ["X2"]] == [["X2", "late"]]


@pytest.mark.parametrize("command", ["order", "fills"])
def test_an_order_that_is_not_there_is_a_failure(cli: Cli, url: str, trader: str, command: str) -> None:
    done = cli(command, trader, "A9", "--url", url)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"slotbook: {trader}/A9: there is no such order; it was never placed, or has expired\n"
