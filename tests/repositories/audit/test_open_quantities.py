"""What is open of a trader's orders is compared with the orders of one moment, whatever comes while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from slotbook.repositories import Auditor
from slotbook.repositories.audit.calls import AuditCalls
from slotbook.repositories.audit.findings import Finding, FindingKind, RepairOutcome
from slotbook.repositories.audit.steps import TRIES, Audit
from slotbook.topology.call import Call

from ...support.desk import Desk
from ...support.make import execution, limit

Happening = Callable[[Desk], object]
UNREADABLE = "order A1 cannot be read, so what is open of the orders was not compared"


def verify_while(desk: Desk, happenings: Iterator[Happening]) -> list[Finding]:
    """Verify the desk's book, and let the next of some changes happen each time before positions are read."""
    backend = desk.book.backend
    steps = Audit(AuditCalls(backend.settings), desk.trader).verify()
    call = next(steps)
    while True:
        assert isinstance(call, Call)
        if call.name.startswith("verify positions of"):
            next(happenings, lambda _: None)(desk)
        try:
            call = steps.send(backend.run(call))
        except StopIteration as end:
            return end.value


def placed(desk: Desk) -> None:
    desk.book.orders.place(limit(desk.trader, "A9", quantity=10))
    desk.book.orders.fill(execution(desk.trader, "X1", 4, order_id="A9"))


def placed_and_gone(desk: Desk) -> None:
    placed(desk)
    desk.book.orders.cancel(desk.trader, "A9")
    desk.book.orders.delete(desk.trader, "A9")


def placed_as_another(desk: Desk) -> None:
    desk.book.orders.cancel(desk.trader, "A1")
    desk.book.orders.delete(desk.trader, "A1")
    desk.book.orders.place(limit(desk.trader, "A1", symbol="TSLA", side="SELL", quantity=7))


HAPPENINGS: dict[str, Happening] = {
    "an order is placed and filled": placed,
    "an order is placed, filled, canceled and deleted": placed_and_gone,
    "an order is filled": lambda desk: desk.book.orders.fill(execution(desk.trader, "X3", 10)),
    "an order is filled in full": lambda desk: desk.book.orders.fill(execution(desk.trader, "X3", 70)),
    "an order is replaced": lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=200),
    "an order is canceled": lambda desk: desk.book.orders.cancel(desk.trader, "A1"),
    "an order is placed anew in another symbol": placed_as_another,
}


@pytest.mark.parametrize("name", HAPPENINGS)
def test_a_change_after_the_orders_were_read_is_counted(busy: Desk, name: str) -> None:
    assert verify_while(busy, iter([HAPPENINGS[name]])) == []


@pytest.mark.parametrize("name", HAPPENINGS)
def test_damage_is_found_whatever_comes(busy: Desk, name: str) -> None:
    busy.vandalise("HINCRBY", "%:position:AAPL", "open_buy_quantity", 1_000)
    (found,) = verify_while(busy, iter([HAPPENINGS[name]]))
    assert (found.kind, found.entry, found.repairable) == (FindingKind.POSITION, "open_buy_quantity", True)
    assert int(found.stored or 0) - int(found.expected or 0) == 1_000


def placed_and_trimmed(desk: Desk) -> None:
    """Place an order of which no event is left, and which no index listed when the audit began."""
    number = desk.book.orders.place(limit(desk.trader, "A9", quantity=10)).sequence + 1
    desk.book.orders.place(limit(desk.trader, "A8", symbol="TSLA"))
    desk.ask("XTRIM", "%:events", "MINID", f"{number}-0")


def test_orders_are_read_again_when_events_were_trimmed_meanwhile(busy: Desk) -> None:
    assert [found for found in verify_while(busy, iter([placed_and_trimmed])) if found.is_difference] == []


def test_what_is_never_read_between_two_changes_is_reported_as_unchecked(busy: Desk) -> None:
    def always() -> Iterator[Happening]:
        for number in range(2 * TRIES):
            order_id = f"B{number}"

            def place(desk: Desk, order_id: str = order_id) -> None:
                desk.book.orders.place(limit(desk.trader, order_id))
                desk.ask("XTRIM", "%:events", "MAXLEN", 0)

            yield place

    found = verify_while(busy, always())
    assert [one for one in found if one.is_difference and one.kind is not FindingKind.EVENTS] == []
    assert "AAPL: its orders changed each time they were read, so what is open was not compared" in [
        one.message for one in found
    ]


def test_an_order_that_cannot_be_read_leaves_what_is_open_unchecked(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("HSET", "%:order:A1", "quantity", "1e2")
    busy.vandalise("HSET", "%:position:AAPL", "open_buy_quantity", 1, "quantity", 9)
    busy.vandalise("HSET", "%:position:TSLA", "open_buy_quantity", 1)
    repairs = auditor.repair(busy.trader)
    assert [(one.finding.kind, one.finding.key.rpartition(":")[2], one.outcome) for one in repairs] == [
        (FindingKind.CORRUPT, "A1", RepairOutcome.LEFT),
        (FindingKind.POSITION, "AAPL", RepairOutcome.REPAIRED),
        (FindingKind.UNCHECKED, "AAPL", RepairOutcome.LEFT),
        (FindingKind.POSITION, "TSLA", RepairOutcome.REPAIRED),
    ]
    assert repairs[2].finding.message == f"AAPL: {UNREADABLE}"
    assert busy.ask("HMGET", "%:position:AAPL", "quantity", "open_buy_quantity") == ["125", "1"]
    assert busy.ask("HGET", "%:position:TSLA", "open_buy_quantity") == "103"


def test_an_order_that_may_be_in_any_symbol_leaves_all_unchecked(busy: Desk, auditor: Auditor) -> None:
    busy.ask("XTRIM", "%:events", "MAXLEN", 0)
    busy.vandalise("HDEL", "%:order:A1", "symbol")
    busy.vandalise("ZREM", "%:orders_by_symbol:AAPL", "A1")
    messages = [finding.message for finding in auditor.verify(busy.trader)]
    assert {f"{symbol}: {UNREADABLE}" for symbol in ("AAPL", "MSFT", "TSLA")} <= set(messages)


@pytest.mark.parametrize("value", ["lots", "-1", "01", None])
def test_garbage_that_cannot_be_compared_is_found(busy: Desk, auditor: Auditor, value: str | None) -> None:
    busy.vandalise("HSET", "%:order:A1", "quantity", "1e2")
    if value is None:
        busy.vandalise("HDEL", "%:position:AAPL", "open_buy_quantity")
    else:
        busy.vandalise("HSET", "%:position:AAPL", "open_buy_quantity", value)
    found = [finding for finding in auditor.verify(busy.trader) if finding.key.endswith(":position:AAPL")]
    assert [(one.kind, one.entry, one.stored, one.repairable) for one in found if one.is_difference] == [
        (FindingKind.CORRUPT, "open_buy_quantity", value, False)
    ]


@pytest.mark.parametrize("field", ["quantity", "filled_quantity"])
def test_a_position_gone_is_left_while_its_orders_are_no_evidence(busy: Desk, auditor: Auditor, field: str) -> None:
    busy.vandalise("DEL", "%:position:AAPL")
    busy.vandalise("HSET", "%:order:A1", field, "1e2" if field == "quantity" else "41")
    repairs = [one for one in auditor.repair(busy.trader) if one.finding.kind is FindingKind.POSITION]
    assert [(one.finding.entry, one.outcome) for one in repairs] == [(None, RepairOutcome.LEFT)]
    reason = UNREADABLE if field == "quantity" else "order A1 is not as its events left it"
    assert repairs[0].finding.message.endswith(f"; not to be repaired: {reason}")
    assert busy.ask("EXISTS", "%:position:AAPL") == 0
