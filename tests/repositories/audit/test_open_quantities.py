"""The open quantities of positions are compared with the orders of one moment, whatever comes while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from slotbook.models.errors import CorruptRecord
from slotbook.repositories import Auditor
from slotbook.repositories.audit.calls import AuditCalls
from slotbook.repositories.audit.findings import Finding, FindingKind, PositionState, RepairOutcome
from slotbook.repositories.audit.steps import TRIES, Audit
from slotbook.topology.call import Call

from ...support.desk import Desk
from ...support.make import execution, limit

Happening = Callable[[Desk], object]
UNREADABLE = "order A1 cannot be read, so what is open of the orders was not compared"


def verify_while(desk: Desk, happenings: Iterator[Happening], old: Sequence[list[PositionState]] = ()) -> list[Finding]:
    """Verify the desk's book, and let the next of some changes happen each time before positions are read.

    ``old`` are answers of a server that is behind, for the first reads of positions.
    """
    answers = iter(old)
    backend = desk.book.backend
    steps = Audit(AuditCalls(backend.settings), desk.trader).verify()
    call = next(steps)
    while True:
        assert isinstance(call, Call)
        if call.name.startswith("verify positions of"):
            next(happenings, nothing)(desk)
            answer = next(answers, None) or backend.run(call)
        else:
            answer = backend.run(call)
        try:
            call = steps.send(answer)
        except StopIteration as end:
            return end.value


def nothing(desk: Desk) -> None:
    """Let nothing happen."""


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


@pytest.mark.parametrize("symbol", ["AAPL", "IBM"])
def test_orders_are_read_again_when_events_were_trimmed_meanwhile(busy: Desk, symbol: str) -> None:
    """An order is placed of which no event is left, and which no index listed when the audit began."""
    busy.book.positions.set(busy.trader, "IBM", 1)  # a position without any orders

    def placed_and_trimmed(desk: Desk) -> None:
        number = desk.book.orders.place(limit(desk.trader, "A9", quantity=10, symbol=symbol)).sequence + 1
        desk.book.orders.place(limit(desk.trader, "A8", symbol="TSLA"))
        desk.ask("XTRIM", "%:events", "MINID", f"{number}-0")

    assert [found for found in verify_while(busy, iter([placed_and_trimmed])) if found.is_difference] == []


def test_positions_of_a_server_that_is_behind_are_read_again(busy: Desk) -> None:
    calls = AuditCalls(busy.book.backend.settings)
    symbols = ["AAPL", "MSFT", "TSLA"]
    old = busy.book.backend.run(calls.positions(calls.keys.of(busy.trader), dict.fromkeys(symbols)))
    busy.book.orders.fill(execution(busy.trader, "X3", 10))
    assert verify_while(busy, iter(()), [old]) == []


def test_an_order_that_its_index_lost_is_read_again_too(busy: Desk) -> None:
    busy.vandalise("ZREM", "%:orders_by_symbol:AAPL", "A1")

    def filled_and_trimmed(desk: Desk) -> None:
        filled = desk.book.orders.fill(execution(desk.trader, "X3", 10))
        desk.book.orders.place(limit(desk.trader, "A8", symbol="TSLA"))
        desk.ask("XTRIM", "%:events", "MINID", f"{filled.sequence + 1}-0")

    found = verify_while(busy, iter([filled_and_trimmed]))
    assert [one.kind for one in found if one.is_difference] == [FindingKind.INDEX]
    assert not [one for one in found if "changed each time" in one.message]


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
    busy.vandalise("HSET", "%:order:A1", "type", "DARK")
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


@pytest.mark.parametrize(("is_listed", "unchecked"), [(True, ["AAPL"]), (False, ["AAPL", "MSFT", "TSLA"])])
def test_an_order_whose_symbol_is_unknown_leaves_those_unchecked_in_which_it_may_be(
    busy: Desk, auditor: Auditor, is_listed: bool, unchecked: list[str]
) -> None:
    busy.ask("XTRIM", "%:events", "MAXLEN", 0)
    busy.vandalise("HDEL", "%:order:A1", "symbol")
    if not is_listed:
        busy.vandalise("ZREM", "%:orders_by_symbol:AAPL", "A1")
    messages = [finding.message for finding in auditor.verify(busy.trader)]
    assert [one for one in messages if UNREADABLE in one] == [f"{symbol}: {UNREADABLE}" for symbol in unchecked]


def test_fields_are_repaired_beside_one_whose_evidence_is_contradicted(busy: Desk, auditor: Auditor) -> None:
    busy.vandalise("HSET", "%:order:A1", "time_in_force", "IOC")
    busy.vandalise("HSET", "%:position:AAPL", "quantity", 99, "open_buy_quantity", 71)
    fields = ("XADD", "%:events", "21-0", "writer", "abc", "count", "1", "type", "POSITION", "ts_ns", "1")
    moved = ("symbol", "TSLA", "request_id", "P9", "position_quantity", "9", "position_change", "9")
    busy.vandalise(*fields, *moved, "totals", "0 0 0 0 5 0 0")
    busy.vandalise("HSET", "%:position:TSLA", "open_buy_quantity", 1)
    repairs = [one for one in auditor.repair(busy.trader) if one.finding.kind is FindingKind.POSITION]
    assert [(one.finding.key[-4:], one.finding.entry, one.outcome) for one in repairs] == [
        ("AAPL", "quantity", RepairOutcome.REPAIRED),
        ("AAPL", "open_buy_quantity", RepairOutcome.LEFT),
        ("TSLA", "quantity", RepairOutcome.LEFT),
        ("TSLA", "updated_ns", RepairOutcome.LEFT),
        ("TSLA", "version", RepairOutcome.LEFT),
        ("TSLA", "open_buy_quantity", RepairOutcome.REPAIRED),
    ]
    assert busy.ask("HMGET", "%:position:AAPL", "quantity", "open_buy_quantity") == ["125", "71"]
    assert busy.ask("HMGET", "%:position:TSLA", "quantity", "open_buy_quantity") == ["0", "103"]


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


@pytest.mark.parametrize("field", ["quantity", "time_in_force"])
def test_a_position_gone_is_left_while_its_orders_are_no_evidence(busy: Desk, auditor: Auditor, field: str) -> None:
    busy.vandalise("DEL", "%:position:AAPL")
    busy.vandalise("HSET", "%:order:A1", field, "1e2" if field == "quantity" else "IOC")
    repairs = [one for one in auditor.repair(busy.trader) if one.finding.kind is FindingKind.POSITION]
    assert [(one.finding.entry, one.outcome) for one in repairs] == [(None, RepairOutcome.LEFT)]
    reason = UNREADABLE if field == "quantity" else "other records contradict order A1"
    assert repairs[0].finding.message.endswith(f"; not to be repaired: {reason}")
    assert busy.ask("EXISTS", "%:position:AAPL") == 0


CHANGES: dict[str, Happening] = {
    "fill": lambda desk: desk.book.orders.fill(execution(desk.trader, "X3", 10)),
    "replace up": lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=200),
    "replace down": lambda desk: desk.book.orders.replace(desk.trader, "A1", quantity=60),
    "replace the price": lambda desk: desk.book.orders.replace(desk.trader, "A1", price="188"),
    "cancel": lambda desk: desk.book.orders.cancel(desk.trader, "A1"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_no_change_of_an_order_makes_a_lost_position_anew(busy: Desk, auditor: Auditor, name: str) -> None:
    busy.vandalise("DEL", "%:position:AAPL")
    with pytest.raises(CorruptRecord, match="position:AAPL"):
        CHANGES[name](busy)
    assert busy.ask("EXISTS", "%:position:AAPL") == 0
    assert {repair.outcome for repair in auditor.repair(busy.trader)} == {RepairOutcome.REPAIRED}
    CHANGES[name](busy)
    assert auditor.verify(busy.trader) == []
