"""The commands ``slotbook traders``, ``history`` and ``dead``."""

from __future__ import annotations

import pytest
import slotbook
from slotbook.models import OrderEvent

from ..support.make import execution, fresh, limit
from .conftest import Cli


@pytest.fixture
def trader(url: str) -> str:
    """Return a trader with five events of two orders, who may only reduce."""
    name = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(name))
        book.orders.place(limit(name, "A2"))
        book.orders.fill(execution(name))
        book.orders.cancel(name, "A2")
        book.trading(name, "reducing")
    return name


def test_traders(cli: Cli, url: str, trader: str) -> None:
    other = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(other))
    rows = cli("traders", "--url", url, "--json").rows()
    assert sorted(rows, key=lambda row: row["trader"] != trader) == [
        {"trader": trader, "trading": "REDUCING", "open_orders": 1, "positions": 1},
        {"trader": other, "trading": "ACTIVE", "open_orders": 1, "positions": 0},
    ]
    table = [line.split() for line in cli("traders", "--url", url).out.splitlines()]
    assert [trader, "REDUCING", "1", "1"] in table


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ((), [1, 2, 3, 4, 5]),
        (("--since", 2), [3, 4, 5]),
        (("--until", 2), [1, 2]),
        (("--since", 1, "--limit", 2), [2, 3]),
        (("--order", "A1"), [1, 3]),
        (("--order", "A1", "--limit", 1), [1]),
        (("--order", "A9"), []),
    ],
)
def test_history(cli: Cli, url: str, trader: str, options: tuple[object, ...], numbers: list[int]) -> None:
    rows = cli("history", trader, *options, "--url", url, "--json").rows()
    with slotbook.connect(url) as book:
        events = [event for event in book.events.history(trader) if event.sequence in numbers]
    assert [OrderEvent.model_validate(row) for row in rows] == events
    assert [event.sequence for event in events] == numbers
    lines = cli("history", trader, *options, "--url", url).out.splitlines()
    assert [int(line.split("  ")[2]) for line in lines if trader in line] == numbers


def test_history_that_is_no_longer_kept_is_a_failure(cli: Cli, url: str, trader: str) -> None:
    with slotbook.connect(url) as book:
        book.events.trim(trader, 3)
    done = cli("history", trader, "--since", 0, "--url", url)
    assert (done.code, done.out) == (1, "")
    assert "events 1 to 2" in done.err


def test_dead_letters_are_shown_and_put_back(cli: Cli, url: str, trader: str) -> None:
    def refuse(event: OrderEvent) -> None:
        raise ValueError(f"[red] no {event.sequence}")

    with (
        slotbook.connect(url) as book,
        book.events.consume("risk", "risk-1", [trader], max_deliveries=1, min_idle=0.05, batch=1) as consumer,
    ):
        for delivery in consumer:
            with pytest.raises(ValueError, match="no"), delivery as event:
                refuse(event)
            if len(book.events.dead_letters(trader)) == 2:
                consumer.stop()
    rows = cli("dead", trader, "--url", url, "--json").rows()
    assert [(row["group"], row["consumer"], row["deliveries"]) for row in rows] == [("risk", "risk-1", 1)] * 2
    assert "[red] no 1" in str(rows[0]["error"])
    assert "[red] no 1" in cli("dead", trader, "--url", url).out
    done = cli("dead", trader, "--requeue", "risk", "--sequence", 1, "--url", url, "--json").json()
    assert done == {"requeued": [1], "left": 1}
    assert cli("dead", trader, "--requeue", "other", "--url", url).out == "0 put back, 1 left\n"
    assert len(cli("dead", trader, "--url", url, "--json").rows()) == 1
