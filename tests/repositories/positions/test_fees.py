"""The fees of a position by currency: exact, taken back by busts and corrections, set back by a roll."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from typing import cast

import pytest
from pydantic import ValidationError
from slotbook.models import Correct, Fill, FillResult, Position
from slotbook.models.errors import AmountOverflow, CorruptRecord, DuplicateRequest
from slotbook.models.fees import Fees
from slotbook.models.wire import decode, encode

from ...support.desk import Desk, on_one_server
from ...support.make import TS, execution, limit


def paid(trader: str, exec_id: str, fee: str, currency: str | None = None, **more: object) -> Fill:
    return Fill.model_validate({**dict(execution(trader, exec_id, 10)), "fee": fee, "fee_currency": currency, **more})


def correction(trader: str, **more: object) -> Correct:
    given = {"trader": trader, "order_id": "A1", "exec_id": "C1", "exec_ref_id": "X1", "quantity": 5, "price": "187"}
    return Correct.model_validate({**given, "ts_ns": TS + 3, **more})


def fees(desk: Desk) -> dict[str, str]:
    held = desk.book.positions.get(desk.trader, "AAPL")
    stored = desk.ask("HGET", "%:position:AAPL", "fees")
    assert stored == (str(held.fees) or None)
    (listed,) = desk.book.positions.all(desk.trader)
    (seen,) = desk.book.snapshot(desk.trader).positions
    assert held == listed == seen
    return {currency: str(amount) for currency, amount in held.fees.items()}


def test_fees_add_up_by_currency_and_are_taken_back_exactly(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    assert orders.fill(execution(trader, "X0", 10)).position.fees == {}
    first = orders.fill(paid(trader, "X1", "0.25", "USD"))
    assert first.position.fees == {"USD": Decimal("0.25")}
    orders.fill(paid(trader, "X2", "-0.000000001", "USD"))
    orders.fill(paid(trader, "X3", "1"))
    orders.fill(paid(trader, "X4", "0", "JPY"))
    assert fees(desk) == {"": "1", "USD": "0.249999999"}
    orders.apply(correction(trader, fee="3.5", fee_currency="EUR"))
    assert fees(desk) == {"": "1", "EUR": "3.5", "USD": "-1E-9"}
    again = orders.fill(paid(trader, "X1", "0.25", "USD"))
    assert (again.applied, again.position.fees) == (False, first.position.fees)
    for exec_id in ("X1", "X2", "X3", "X4"):
        done = orders.bust(trader, "A1", exec_id)
        assert done.applied
    assert fees(desk) == {}
    assert done.position.fees == {}


def test_a_completed_execution_pays_once_and_one_that_does_not_count_never(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    for exec_id in ("X1", "X2", "X3"):
        orders.fill(execution(trader, exec_id, 10))
    done = orders.fill(paid(trader, "X1", "0.25", "USD"))
    assert (done.applied, done.position.fees, done.position.version) == (True, {"USD": Decimal("0.25")}, 4)
    assert not orders.fill(paid(trader, "X1", "0.25", "USD")).applied
    orders.apply(correction(trader, exec_ref_id="X2"))
    orders.bust(trader, "A1", "X3")
    before = desk.book.positions.get(trader, "AAPL")
    for exec_id in ("X2", "X3"):
        late = orders.fill(paid(trader, exec_id, "9", "USD"))
        assert (late.applied, late.position) == (True, before)
        assert desk.events()[-1].position_quantity is None
    assert orders.apply(correction(trader, exec_ref_id="X2", fee="0.5")).applied
    assert fees(desk) == {"": "0.5", "USD": "0.25"}
    with pytest.raises(DuplicateRequest, match="fee_currency of the prices"):
        orders.apply(correction(trader, exec_ref_id="X2", fee="0.5", fee_currency="USD"))


def test_a_roll_sets_fees_back_and_a_split_leaves_them(desk: Desk) -> None:
    orders, positions, trader = desk.book.orders, desk.book.positions, desk.trader
    orders.place(limit(trader))
    orders.fill(paid(trader, "X1", "0.25", "USD"))
    orders.fill(paid(trader, "X2", "-2"))
    assert positions.split(trader, "AAPL", 2).position.fees == {"": -2, "USD": Decimal("0.25")}
    rolled = positions.roll(trader, "AAPL", request_id="M1").position
    assert (rolled.fees, fees(desk)) == ({}, {})
    assert json.loads(desk.events()[-1].period or "")["fees"] == '{"":"-2","USD":"0.25"}'
    orders.bust(trader, "A1", "X1")  # of the time before: as with what was bought, it is below zero now
    assert fees(desk) == {"USD": "-0.25"}
    assert positions.roll(trader, "AAPL", request_id="M1").position == rolled


@on_one_server
def test_fees_end_where_amounts_end(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    most = "9" * 36
    orders.fill(paid(trader, "X1", most, "USD"))
    orders.fill(execution(trader, "X3", 10))
    before = desk.contents()
    refused = (
        paid(trader, "X2", "1", "USD"), paid(trader, "X3", "1", "USD"),
        correction(trader, exec_ref_id="X3", fee="1", fee_currency="USD"),
    )  # fmt: skip
    for request in refused:
        with pytest.raises(AmountOverflow, match="the fees in one currency"):
            orders.apply(request)
    assert desk.contents() == before
    done = orders.apply(correction(trader, fee="-" + most, fee_currency="USD"))
    assert cast("FillResult", done).position.fees == {"USD": Decimal("-" + most)}


@pytest.mark.parametrize(
    "value",
    ["", "{}", "[]", "x", '{"USD":1}', '{"USD":"0"}', '{"USD":"1.0"}', '{"USD": "1"}', '{"USD":"1","EUR":"1"}', "1"],
)
def test_damaged_fees_are_found_and_never_added_to(lone_desk: Desk, value: str) -> None:
    orders, trader = lone_desk.book.orders, lone_desk.trader
    orders.place(limit(trader))
    orders.fill(paid(trader, "X1", "0.25", "USD"))
    lone_desk.vandalise("HSET", "%:position:AAPL", "fees", value)
    assert [one.entry for one in lone_desk.book.audit.verify(trader)] == ["fees"]
    before = lone_desk.contents()
    for request in (paid(trader, "X2", "1"), execution(trader, "X3", 1)):
        with pytest.raises(CorruptRecord):
            orders.apply(request)
    with pytest.raises(CorruptRecord):
        lone_desk.book.positions.get(trader, "AAPL")
    assert lone_desk.contents() == before


@on_one_server
@pytest.mark.parametrize("value", ['{"USD":"0.5"}', None])
def test_other_fees_are_found_and_repaired_once_the_last_change_proves_them(desk: Desk, value: str | None) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    for number in range(3):
        orders.fill(paid(trader, f"X{number}", "0.25", "USD"))
    if value is None:
        desk.vandalise("HDEL", "%:position:AAPL", "fees")
    else:
        desk.vandalise("HSET", "%:position:AAPL", "fees", value)
    (found,) = desk.book.audit.verify(trader)
    assert (found.entry, found.stored, found.expected) == ("fees", value, '{"USD":"0.75"}')
    desk.book.audit.repair(trader)
    assert fees(desk) == {"USD": "0.75"}


def test_fees_are_an_exact_mapping() -> None:
    made = Fees({"USD": "1.50", "EUR": 0, "": "-2"})
    assert dict(made) == {"": Decimal(-2), "USD": Decimal("1.5")}
    assert (str(made), made == {"USD": Decimal("1.5"), "": -2}) == ('{"":"-2","USD":"1.5"}', True)
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301
    assert (hash(made), len({made, Fees(dict(made))})) == (hash(Fees(dict(made))), 1)
    held = Position.model_validate({"trader": "T", "symbol": "S", "fees": {"USD": "1.5"}})
    assert decode(Position, "k", encode(held)) == held
    assert Position.model_validate(held.model_dump()) == held
    assert json.loads(held.model_dump_json())["fees"] == {"USD": "1.5"}
    assert "fees" not in encode(Position(trader="T", symbol="S", fees=Fees()))
    for bad in ({"US D": 1}, {"USD": "x"}, {1: 1}, {"USD": 0.1 + 0.2}, [1], 5, "{}", {'"': 1}, {"USD": 10**40}):
        with pytest.raises(ValidationError):
            Position.model_validate({"trader": "T", "symbol": "S", "fees": bad})
