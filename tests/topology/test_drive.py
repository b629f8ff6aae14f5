"""Test that a backend carries out an operation of several calls step by step."""

from __future__ import annotations

import re
import time

import pytest
from slotbook.models.errors import CorruptRecord, SlotbookError
from slotbook.models.order import Order
from slotbook.models.results import Outcome
from slotbook.repositories.changes.loss_detector import LossDetector
from slotbook.repositories.orders.calls import OrderCalls
from slotbook.topology.call import Call
from slotbook.topology.steps import Pause, Steps, ask, ask_many, locate

from ..support.desk import Desk
from ..support.make import limit


def calls_of(desk: Desk) -> list[Call[Order | None]]:
    """Return the calls that read an order and one that cannot be read."""
    desk.book.orders.place_many([limit(desk.trader, "A1"), limit(desk.trader, "A2")])
    desk.vandalise("HSET", "%:order:A2", "quantity", "many")
    calls = OrderCalls(desk.book.backend.settings, LossDetector())
    return [calls.get(desk.trader, order_id) for order_id in ("A1", "A2")]


def test_an_error_is_raised_at_the_step_that_asked(lone_desk: Desk) -> None:
    right, wrong = calls_of(lone_desk)

    def handled() -> Steps[list[object]]:
        found: list[object] = [(yield from ask(right))]
        try:
            found.append((yield from ask(wrong)))
        except SlotbookError as error:
            found.append(type(error))
        return [*found, (yield from ask(right))]

    drive = lone_desk.book.backend.drive
    order = lone_desk.book.orders.get(lone_desk.trader, "A1")
    assert drive(handled()) == [order, CorruptRecord, order]
    with pytest.raises(CorruptRecord, match="quantity"):
        drive(ask(wrong))


def test_of_several_calls_each_has_its_outcome(lone_desk: Desk) -> None:
    right, wrong = calls_of(lone_desk)
    outcomes: list[Outcome[Order | None]] = lone_desk.book.backend.drive(ask_many([wrong, right]))
    assert [type(outcome.error) for outcome in outcomes] == [CorruptRecord, type(None)]
    assert outcomes[1].value == lone_desk.book.orders.get(lone_desk.trader, "A1")


def test_a_pause_takes_its_time(lone_desk: Desk) -> None:
    def pausing() -> Steps[object]:
        return (yield Pause(0.1))

    began = time.monotonic()
    assert lone_desk.book.backend.drive(pausing()) is None
    assert time.monotonic() - began >= 0.099


def times_asked(desk: Desk) -> int:
    """Return how often the servers were asked which of them has which slots."""
    shown = [str(server.ask("INFO", "commandstats")) for server in desk.fleet.deployment.servers]
    return sum(int(calls) for text in shown for calls in re.findall(r"cmdstat_cluster\|slots:calls=(\d+)", text))


@pytest.mark.parametrize("desk", [("cluster", "sync"), ("cluster", "asyncio")], indirect=True)
def test_primaries_are_asked_for_anew_only_where_that_is_wanted(desk: Desk) -> None:
    drive = desk.book.backend.drive
    before = times_asked(desk)
    known = drive(locate())
    assert times_asked(desk) == before
    assert drive(locate(fresh=True)) == known
    assert times_asked(desk) > before
