"""The details of executions: fee, liquidity, settlement and account, and repeats that complete them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from slotbook.models import Bust, Correct, Execution, Fill, FillDetails
from slotbook.models.errors import CorruptRecord, DuplicateRequest
from slotbook.repositories.audit.findings import FindingKind

from ...support.desk import Desk, on_one_server
from ...support.make import TS, execution, limit

WHOLE = {
    "fee": "-0.25",
    "fee_currency": "₪",
    "liquidity": "ADDED",
    "settlement_date": "20231117",
    "account": 'A "1"/\\',
}
WRITTEN = (
    '{"fee":"-0.25","fee_currency":"₪","liquidity":"ADDED","settlement_date":"2023-11-17","account":"A \\"1\\"/\\\\"}'
)


def with_details(trader: str, **details: object) -> Fill:
    return Fill.model_validate({**dict(execution(trader)), **details})


def correction(trader: str, **details: object) -> Correct:
    given = {"trader": trader, "order_id": "A1", "exec_id": "C1", "exec_ref_id": "X1", "quantity": 30, "price": "187"}
    return Correct.model_validate({**given, "ts_ns": TS + 3, **details})


def shown(fill: Execution) -> tuple[object, ...]:
    return fill.fee, fill.fee_currency, fill.liquidity, fill.settlement_date, fill.account


def test_details_are_kept_in_the_event_and_with_the_execution(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    fill = with_details(trader, **WHOLE)
    assert orders.fill(fill).applied
    assert not orders.fill(fill).applied
    event = desk.events()[-1]
    assert (event.details, event.reversed_details) == (WRITTEN, None)
    assert FillDetails.read(event.details).model_dump() == {
        "fee": Decimal("-0.25"), "fee_currency": "₪", "liquidity": "ADDED", "settlement_date": date(2023, 11, 17),
        "account": 'A "1"/\\', "fee_from_quantity": None,
    }  # fmt: skip
    (found,) = orders.fills(trader, "A1")
    assert shown(found) == (Decimal("-0.25"), "₪", "ADDED", date(2023, 11, 17), 'A "1"/\\')
    assert desk.ask("HGET", "%:applied:A1", "details:X1") == f"2\t{WRITTEN}\t"


def test_a_repeat_may_add_what_was_absent_once(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, text="kept"))
    first = orders.fill(with_details(trader, liquidity="REMOVED"))
    added = orders.fill(with_details(trader, fee="0.1", fee_currency="USD", liquidity="REMOVED", ts_ns=TS + 5))
    again = orders.fill(with_details(trader, fee="0.1", ts_ns=TS + 6))
    dated = orders.fill(with_details(trader, settlement_date="2023-11-17"))
    assert [(one.applied, one.sequence, one.late) for one in (first, added, again, dated)] == [
        (True, 2, False), (True, 3, False), (False, 3, False), (True, 4, False),
    ]  # fmt: skip
    assert (added.order, added.position) == (
        first.order.model_copy(update={"version": 3, "updated_ns": TS + 5}),
        first.position.model_copy(update={"version": 2, "updated_ns": TS + 5, "fees": added.position.fees}),
    )
    assert (again.order, again.position) == (added.order, added.position)
    for said, number in (({}, 2), ({"liquidity": "REMOVED"}, 2), ({"fee_currency": "USD", "fee": "0.1"}, 3)):
        repeat = orders.fill(with_details(trader, **said))
        assert (repeat.applied, repeat.sequence, repeat.order.version) == (False, number, number)
    event = desk.events()[2]
    assert (event.type, event.type.fix, event.exec_id, event.details) == (
        "TRADE_DETAILS", "", "X1", '{"fee":"0.1","fee_currency":"USD"}',
    )  # fmt: skip
    assert (event.status, event.filled_quantity, event.last_quantity, event.position_quantity, event.ts_ns) == (
        "PARTIALLY_FILLED", 40, None, 40, TS + 5,
    )  # fmt: skip
    (found,) = orders.fills(trader, "A1")
    assert shown(found) == (Decimal("0.1"), "USD", "REMOVED", date(2023, 11, 17), None)
    assert found.sequence == 2


@on_one_server
@pytest.mark.parametrize("name", WHOLE)
def test_what_is_known_is_not_changed_by_a_repeat(desk: Desk, name: str) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(with_details(trader, **WHOLE))
    before = desk.contents()
    other = {
        "fee": "0.26",
        "fee_currency": "EUR",
        "liquidity": "REMOVED",
        "settlement_date": "2023-11-18",
        "account": "B",
    }
    with pytest.raises(DuplicateRequest, match=f"the exec_id was used with the {name} .*; correct the execution"):
        orders.fill(with_details(trader, **{**WHOLE, name: other[name]}))
    assert desk.contents() == before


@on_one_server
def test_of_an_order_that_has_ended_an_execution_is_completed_and_nothing_lives_longer(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader, quantity=40))
    orders.fill(execution(trader))
    orders.place(limit(trader, "A2"))
    orders.cancel(trader, "A2")
    orders.fill(execution(trader, order_id="A2"))
    before = desk.ask("PEXPIRETIME", "%:order:A1"), desk.ask("PEXPIRETIME", "%:applied:A1")
    assert before[1] == -2, "what is remembered of the first fill is in the order"
    done = orders.fill(with_details(trader, fee="1"))
    assert (done.order.status, done.applied, done.late) == ("FILLED", True, False)
    late = orders.fill(with_details(trader, fee="1", order_id="A2"))
    assert (late.order.status, late.applied, late.late) == ("CANCELED", True, True)
    after = desk.ask("PEXPIRETIME", "%:order:A1"), desk.ask("PEXPIRETIME", "%:applied:A1")
    assert after == (before[0], before[0])


def test_a_correction_has_details_of_its_own_which_a_bust_takes_back(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(with_details(trader, fee="0.25", liquidity="ADDED"))
    assert orders.apply(correction(trader, fee="0.2")).applied
    assert not orders.apply(correction(trader)).applied
    assert orders.apply(correction(trader, settlement_date="20231117")).applied
    with pytest.raises(DuplicateRequest):
        orders.apply(correction(trader, fee="0.25"))
    assert shown(orders.fills(trader, "A1")[0]) == (Decimal("0.2"), None, None, date(2023, 11, 17), None)
    assert orders.fill(with_details(trader, account="ACC")).applied  # of what does not count any more
    orders.bust(trader, "A1", "X1", exec_id="B1")
    assert [(event.type, event.details, event.reversed_details) for event in desk.events()[1:]] == [
        ("TRADE", '{"fee":"0.25","liquidity":"ADDED"}', None),
        ("TRADE_CORRECT", '{"fee":"0.2"}', '{"fee":"0.25","liquidity":"ADDED"}'),
        ("TRADE_DETAILS", '{"settlement_date":"2023-11-17"}', None),
        ("TRADE_DETAILS", '{"account":"ACC"}', None),
        ("TRADE_CANCEL", None, '{"fee":"0.2","settlement_date":"2023-11-17"}'),
    ]
    assert orders.fills(trader, "A1")[0].busted


def test_in_a_unit_and_in_a_batch_a_fill_is_completed(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    unit = [limit(trader), execution(trader), with_details(trader, fee="1"), with_details(trader, fee="1")]
    answers = desk.book.commit(unit)
    assert [(one.applied, one.sequence) for one in answers] == [(True, 1), (True, 2), (True, 3), (False, 3)]
    outcomes = orders.fill_many([with_details(trader, account="A"), with_details(trader, fee="2")])
    assert outcomes[0].result().sequence == 4
    assert isinstance(outcomes[1].error, DuplicateRequest)


DAMAGE = [
    ("details:X1", '2\t{"fee":"0.26"}\t', FindingKind.FILL, True),
    ("details:X1", '2\t{"fee":"0.250"}\t', FindingKind.CORRUPT, False),
    ("details:X1", '2\t{"fee":0.25}\t', FindingKind.CORRUPT, False),
    ("details:X1", '2\t{"tax":"0.25"}\t', FindingKind.CORRUPT, False),
    ("details:X1", '2\t{"fee":"0.25"}', FindingKind.CORRUPT, False),
    ("details:X1", '{"fee":"0.25"}', FindingKind.CORRUPT, False),
    ("details:X1", "", FindingKind.CORRUPT, False),
    ("details:X1", '2\t{"fee":"0.25"}\t\n2\t{"account":"A"}\t', FindingKind.CORRUPT, False),
    ("details:X1", '2\t{"fee":"0.25"}\t\n9\t{"fee":"0.25"}\t', FindingKind.CORRUPT, False),
    ("details:X1", '1\t{"fee":"0.25"}\t', FindingKind.CORRUPT, True),
    ("details:X9", '2\t{"fee":"0.25"}\t', FindingKind.CORRUPT, True),
    ("details:C1", '3\t{"fee":"0.1"}\t\n4\t{"account":"B"}\t', FindingKind.FILL, True),
    ("details:C1", '3\t{"fee":"0.1"}\t', FindingKind.FILL, True),
    ("now:X1", "3 30 188 C1", FindingKind.FILL, False),
    ("now:X1", "3 30 187 X1", FindingKind.FILL, False),
    ("now:X1", "2 30 187 C1", FindingKind.FILL, False),
    ("now:X1", "3 30 187", FindingKind.FILL, False),
    ("now:X1", "3 busted C1", FindingKind.FILL, False),
    ("now:X1", "", FindingKind.FILL, False),
    ("root:C1", "X2", FindingKind.FILL, False),
    ("root:C1", "", FindingKind.FILL, False),
]


@on_one_server
@pytest.mark.parametrize(("field", "value", "kind", "is_readable"), DAMAGE, ids=[str(n) for n in range(len(DAMAGE))])
def test_damage_is_found_by_the_audit_and_never_booked_on(
    desk: Desk, field: str, value: str, kind: FindingKind, *, is_readable: bool
) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(with_details(trader, fee="0.25"))
    orders.apply(correction(trader, fee="0.1"))
    orders.apply(correction(trader, account="A"))
    orders.fill(with_details(trader, settlement_date="20231117"))
    assert desk.book.audit.verify(trader) == []
    desk.vandalise("HSET", "%:applied:A1", field, value)
    found = desk.book.audit.verify(trader)
    assert [(one.kind, one.entry) for one in found if one.entry == field or one.kind is kind]
    assert kind in {one.kind for one in found}
    if is_readable:
        return
    before = desk.contents()
    bust = Bust(trader=trader, order_id="A1", exec_ref_id="X1")
    request = with_details(trader, liquidity="ADDED") if field == "details:X1" else bust
    with pytest.raises(CorruptRecord):
        orders.apply(request)
    assert desk.contents() == before


def test_a_correction_by_its_method_has_all_details(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.fill(with_details(trader, fee="1", fee_currency="USD"))
    about = {"exec_id": "C1", "quantity": 40, "price": "187.22", "ts_ns": TS + 3}
    given: dict[str, Any] = {**WHOLE, "fee_currency": "AAPL", "fee": "0.5", "fee_from_quantity": True}
    done = orders.correct(trader, "A1", "X1", **about, **given)
    same = {"trader": trader, "order_id": "A1", "exec_ref_id": "X1", **about, **given}
    assert not orders.apply(Correct.model_validate(same)).applied
    assert (done.position.quantity, dict(done.position.fees)) == (Decimal("39.5"), {"AAPL": Decimal("0.5")})
    (found,) = orders.fills(trader, "A1")
    assert shown(found) == (Decimal("0.5"), "AAPL", "ADDED", date(2023, 11, 17), 'A "1"/\\')
