"""A repair never undoes a change that came between the comparison and the repair."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from slotbook import Book
from slotbook.repositories import Auditor
from slotbook.repositories.audit.calls import AuditCalls
from slotbook.repositories.audit.findings import Finding, FindingKind, Repair, RepairOutcome
from slotbook.repositories.audit.repairs import Repairs
from slotbook.repositories.audit.steps import TRIES
from slotbook.topology.call import Call

from ...support.desk import Desk
from ...support.make import execution, limit

Happening = Callable[[], object]


@pytest.fixture
def repair(busy: Desk) -> Callable[[Iterator[Happening]], list[Repair]]:
    """Return a function that repairs the busy book, and lets the next of some changes happen before each write."""

    def run(happenings: Iterator[Happening]) -> list[Repair]:
        backend = busy.book.backend
        steps = Repairs(AuditCalls(backend.settings), busy.trader).repair()
        call = next(steps)
        while True:
            assert isinstance(call, Call)
            if call.name.startswith("repair"):
                next(happenings, lambda: None)()
            try:
                call = steps.send(backend.run(call))
            except StopIteration as end:
                return end.value

    return run


Run = Callable[[Iterator[Happening]], list[Repair]]


def outcomes_of(repairs: list[Repair]) -> set[RepairOutcome]:
    """Return the outcomes of all but events, which are never written."""
    kept = (FindingKind.EVENTS, FindingKind.UNCHECKED)
    return {repair.outcome for repair in repairs if repair.finding.kind not in kept}


def but_events(findings: list[Finding]) -> list[Finding]:
    """Return the findings but those of events that state a quantity as it was before its repair."""
    return [one for one in findings if not (one.entry or "").endswith(" position_quantity")]


def test_a_fill_that_comes_before_the_repair_of_its_position_is_kept(busy: Desk, auditor: Auditor, repair: Run) -> None:
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99)
    comes = execution(busy.trader, "X3", 10)
    assert outcomes_of(repair(iter([lambda: busy.book.orders.fill(comes)]))) == {RepairOutcome.REPAIRED}
    assert busy.book.positions.get(busy.trader, "AAPL").quantity == 135
    (found,) = auditor.verify(busy.trader)
    assert (found.kind, found.entry, found.stored, found.expected) == (
        FindingKind.EVENTS,
        "21 position_quantity",
        "109",
        "135",
    )


def test_a_position_that_never_holds_still_is_left_to_another_time(busy: Desk, auditor: Auditor, repair: Run) -> None:
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99)
    fills = [execution(busy.trader, f"Y{number}", 1) for number in range(TRIES)]
    happenings: list[Happening] = [lambda fill=fill: busy.book.orders.fill(fill) for fill in fills]
    assert outcomes_of(repair(iter(happenings))) == {RepairOutcome.CHANGING}
    assert busy.book.positions.get(busy.trader, "AAPL").quantity == 99 + TRIES
    assert outcomes_of(auditor.repair(busy.trader)) == {RepairOutcome.REPAIRED}
    assert busy.book.positions.get(busy.trader, "AAPL").quantity == 125 + TRIES


def test_a_position_that_comes_back_before_its_repair_is_made_whole(busy: Desk, auditor: Auditor, repair: Run) -> None:
    busy.vandalise("DEL", "%:position:AAPL")
    comes = limit(busy.trader, "A9", quantity=10)
    assert outcomes_of(repair(iter([lambda: busy.book.orders.place(comes)]))) == {RepairOutcome.REPAIRED}
    assert busy.book.positions.get(busy.trader, "AAPL").quantity == 125
    assert busy.ask("HGET", "%:position:AAPL", "open_buy_quantity") == "80"
    assert auditor.verify(busy.trader) == []


def test_an_order_that_is_placed_before_the_repair_of_what_is_open_is_counted(
    busy: Desk, auditor: Auditor, repair: Run
) -> None:
    busy.vandalise("HSET", "%:position:AAPL", "open_buy_quantity", 1)
    comes = limit(busy.trader, "A9", quantity=10)
    assert outcomes_of(repair(iter([lambda: busy.book.orders.place(comes)]))) == {RepairOutcome.REPAIRED}
    assert busy.ask("HGET", "%:position:AAPL", "open_buy_quantity") == "80"
    assert auditor.verify(busy.trader) == []


def test_an_order_that_is_canceled_before_its_entry_is_repaired(busy: Desk, auditor: Auditor, repair: Run) -> None:
    busy.vandalise("ZREM", "%:orders_by_status:PARTIALLY_FILLED", "A1")
    assert outcomes_of(repair(iter([lambda: busy.book.orders.cancel(busy.trader, "A1")]))) == {RepairOutcome.IN_ORDER}
    assert busy.ask("ZSCORE", "%:orders_by_status:PARTIALLY_FILLED", "A1") is None
    assert auditor.verify(busy.trader) == []


def test_an_order_that_is_placed_before_its_stray_entry_is_removed(busy: Desk, auditor: Auditor, repair: Run) -> None:
    busy.vandalise("ZADD", "%:orders_by_status:NEW", "5000000000000", "A9")
    order = busy.book.orders.get(busy.trader, "T1")
    assert order is not None
    comes = order.model_copy(update={"order_id": "A9", "version": 0})
    assert outcomes_of(repair(iter([lambda: busy.book.orders.place(comes)]))) == {RepairOutcome.IN_ORDER}
    assert busy.ask("ZSCORE", "%:orders_by_status:NEW", "A9") == "inf"
    assert auditor.verify(busy.trader) == []


def test_a_symbol_that_is_traded_before_it_is_removed_stays_listed(busy: Desk, auditor: Auditor, repair: Run) -> None:
    busy.vandalise("SADD", "%:positions", "IBM")
    comes = limit(busy.trader, "A9", symbol="IBM")
    assert outcomes_of(repair(iter([lambda: busy.book.orders.place(comes)]))) == {RepairOutcome.IN_ORDER}
    assert busy.ask("SISMEMBER", "%:positions", "IBM") == 1
    assert auditor.verify(busy.trader) == []


def test_an_index_that_someone_else_has_repaired_is_left_alone(busy: Desk, auditor: Auditor, repair: Run) -> None:
    busy.vandalise("PEXPIREAT", "%:orders_by_symbol:AAPL", "9999999999999")
    assert outcomes_of(repair(iter([lambda: busy.ask("PERSIST", "%:orders_by_symbol:AAPL")]))) == {
        RepairOutcome.IN_ORDER
    }
    assert auditor.verify(busy.trader) == []


def test_repairs_of_a_book_that_is_written_to_lose_nothing(busy: Desk, auditor: Auditor) -> None:
    trader, over, sent = busy.trader, threading.Event(), [0]

    def write() -> None:
        with Book.open(busy.fleet.url()) as book:
            book.orders.place(limit(trader, "W", quantity=1_000_000))
            while not over.is_set():
                sent[0] += 1
                book.orders.fill(execution(trader, f"W{sent[0]}", 1, order_id="W"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            busy.vandalise("HINCRBY", "%:position:AAPL", "quantity", 1000)
            busy.vandalise("ZREM", "%:orders_by_status:PARTIALLY_FILLED", "W")
            assert outcomes_of(auditor.repair(trader)) <= {
                RepairOutcome.REPAIRED,
                RepairOutcome.IN_ORDER,
                RepairOutcome.CHANGING,
            }
    finally:
        over.set()
        writer.join()
    auditor.repair(trader)
    assert but_events(auditor.verify(trader)) == []
    assert busy.book.positions.get(trader, "AAPL").quantity == 125 + sent[0]
