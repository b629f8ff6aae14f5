"""Account, display quantity, instructions, expiry and currency of an order: stored where given, known everywhere."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from pydantic import ValidationError
from slotbook.models import Order, TimeInForce
from slotbook.models.errors import DuplicateOrder, DuplicateRequest
from slotbook.models.hashes import OrderHash
from slotbook.models.order import TERMS

from ...support.desk import Desk
from ...support.make import TS, execution, limit

GIVEN: dict[str, object] = {
    "account": 'ACC "1"',
    "display_quantity": 10,
    "execution_instructions": "1 M",
    "expire_at": TS + 5,
    "currency": "USDT",
    "multiplier": Decimal("0.5"),
}
OTHERS: dict[str, object] = {
    "account": "ACC",
    "display_quantity": 0,
    "execution_instructions": "1",
    "expire_at": TS + 6,
    "currency": "USD",
    "multiplier": Decimal(50),
}


def full(desk: Desk, order_id: str = "A1", /, **changes: object) -> Order:
    return limit(desk.trader, order_id, time_in_force="GTD", **{**GIVEN, **changes})


def test_they_are_stored_and_read_back(desk: Desk) -> None:
    orders = desk.book.orders
    assert orders.place(full(desk)).order == full(desk, version=1)
    assert orders.get(desk.trader, "A1") == full(desk, version=1) == orders.open(desk.trader)[0]
    assert not orders.place(full(desk)).applied
    filled = orders.fill(execution(desk.trader))
    replaced = orders.replace(desk.trader, "A1", quantity=90, request_id="R1")
    assert [getattr(replaced.order, name) for name in TERMS] == list(GIVEN.values())
    assert orders.fill(execution(desk.trader)).order == filled.order
    assert orders.replace(desk.trader, "A1", quantity=90, request_id="R1").order == replaced.order
    assert desk.book.snapshot(desk.trader).orders == [replaced.order]
    stored = desk.ask("HMGET", "%:order:A1", *TERMS)
    assert stored == [str(value) for value in GIVEN.values()]


@pytest.mark.parametrize("name", [name for name in TERMS if name != "expire_at"])
def test_what_is_absent_is_not_stored_and_one_alone_is(desk: Desk, name: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    assert desk.ask("HMGET", "%:order:A1", *TERMS) == [None] * len(TERMS)
    desk.book.orders.place(limit(desk.trader, "A2", symbol="MSFT", **{name: GIVEN[name]}))
    assert desk.ask("HMGET", "%:order:A2", *TERMS) == [str(GIVEN[one]) if one == name else None for one in TERMS]
    first, second = desk.events()
    assert (first.terms, json.loads(second.terms or "")) == (None, {name: str(GIVEN[name])})


@pytest.mark.parametrize("name", TERMS)
def test_an_order_with_another_value_is_another_order(desk: Desk, name: str) -> None:
    orders = desk.book.orders
    orders.place(full(desk))
    before = desk.contents()
    for other in (OTHERS[name], None):
        if other is not None or name != "expire_at":
            with pytest.raises(DuplicateOrder):
                orders.place(full(desk, **{name: other}))
    assert desk.contents() == before


@pytest.mark.parametrize("name", TERMS)
def test_an_event_alone_knows_them(desk: Desk, name: str) -> None:
    desk.book.reconcile([full(desk)])
    desk.book.orders.cancel(desk.trader, "A1")
    desk.book.orders.delete(desk.trader, "A1")
    assert desk.book.reconcile([full(desk)]).repeated == 1
    [refusal] = desk.book.reconcile([full(desk, **{name: OTHERS[name]})]).refusals
    assert isinstance(refusal.error, DuplicateOrder | DuplicateRequest)


@pytest.mark.parametrize("name", TERMS)
def test_verify_finds_and_repairs_a_changed_one(desk: Desk, name: str) -> None:
    desk.book.orders.place(full(desk))
    for damage in (("HSET", "%:order:A1", name, str(OTHERS[name])), ("HDEL", "%:order:A1", name)):
        desk.vandalise(*damage)
        found = desk.book.audit.verify(desk.trader)
        assert ("A1", name) == (found[0].key.rpartition(":")[2], found[0].entry)
        assert len(found) == 1 or (damage[0], name) == ("HDEL", "expire_at")  # then the order cannot be read at all
        desk.book.audit.repair(desk.trader)
        assert desk.book.orders.get(desk.trader, "A1") == full(desk, version=1)


def test_an_expiry_is_that_of_an_order_till_a_date() -> None:
    about = limit("T").model_dump()
    with pytest.raises(ValidationError, match="a GTD order needs expire_at"):
        Order.model_validate({**about, "time_in_force": "GTD"})
    for force in TimeInForce:
        if force is not TimeInForce.GTD:
            with pytest.raises(ValidationError, match=f"a {force} order takes no expire_at"):
                Order.model_validate({**about, "time_in_force": force, "expire_at": TS})


def test_queries_know_them() -> None:
    assert all(hasattr(OrderHash, name) for name in TERMS)
