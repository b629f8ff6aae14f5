"""One call touches one hash slot; that is checked before it is sent, also where servers have no slots."""

from __future__ import annotations

import pytest
from slotbook.models import OrderStatus
from slotbook.models.errors import CrossSlot
from slotbook.models.keys import Keys
from slotbook.topology.call import evaluate, slot_of
from slotbook.topology.scripts import Script

from ...support.desk import Desk
from ...support.make import execution, limit

ONE, OTHER = Keys("p:").of("T001"), Keys("p:").of("T002")


def test_keys_of_two_traders_are_refused() -> None:
    with pytest.raises(CrossSlot, match=r"p:\{T001\}:events and p:\{T002\}:events"):
        slot_of((ONE.events, OTHER.events))
    with pytest.raises(CrossSlot):
        evaluate("both", Script("return 1", "0"), (ONE.events, OTHER.events), (), decode=lambda reply: reply)


def test_every_key_of_a_trader_lives_in_the_slot_of_its_name() -> None:
    # CLUSTER KEYSLOT T001 answers 6536.
    keys = (ONE.order("A"), ONE.applied("A"), ONE.symbol("S"), ONE.position("S"), ONE.request("R"), ONE.positions)
    assert slot_of((*keys, ONE.events, *ONE.statuses.values())) == slot_of(("T001",)) == 6536
    assert ONE.statuses.keys() == set(OrderStatus)


@pytest.mark.parametrize("desk", [("cluster", "sync")], ids="-".join, indirect=True)
@pytest.mark.parametrize("key", ["", "{}", "{}a", "a{}b{c}", "{a", "a}", "{{a}}", "ä{ö}", "{a}{b}", "x{日本}y"])
def test_slots_are_the_server_s(desk: Desk, key: str) -> None:
    assert slot_of((key,)) == desk.ask("CLUSTER", "KEYSLOT", key)


@pytest.mark.parametrize("keys", [("{T001}", "{T002}"), ("{T001}:a", "{T001}:b", "T002"), ("T001", "T001}")], ids=str)
def test_keys_of_several_slots_are_refused_on_every_topology(keys: tuple[str, ...]) -> None:
    with pytest.raises(CrossSlot):
        slot_of(keys)


def test_no_script_touches_a_key_of_another_slot(desk: Desk) -> None:
    """On a cluster a script that did would fail; all verbs run here for many traders, so on every node."""
    for trader in (desk.another() for _ in range(12)):
        orders, positions = desk.book.orders, desk.book.positions
        orders.place(limit(trader))
        orders.fill(execution(trader, quantity=10))
        orders.replace(trader, "A1", quantity=50)
        orders.open(trader)
        orders.count(trader)
        orders.cancel(trader, "A1")
        orders.by_symbol(trader, "AAPL")
        positions.adjust(trader, "MSFT", 1)
        positions.all(trader)
        orders.delete(trader, "A1")
        assert len(desk.events(trader)) == 5
