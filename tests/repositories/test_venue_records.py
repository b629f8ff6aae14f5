"""Ids, symbols, sides, times and accounts of real venues' records are taken as they stand, and read back equal.

Quantities and prices stand aside: of each order and execution one is stored, at the price 1.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from slotbook.models import Fill, Order

from ..support.desk import Desk
from ..support.package import ROOT

RECORDS = ROOT.parent / "shared/data/venue-records.jsonl"
NEEDED = {"fill": ("order_id", "exec_id", "symbol", "side", "ts_ns"), "order": ("order_id", "symbol", "side", "ts_ns")}


def complete(kind: str) -> list[dict[str, Any]]:
    """Return what the records of a kind mean, of those that say all that is needed."""
    if not RECORDS.exists():
        pytest.skip(f"{RECORDS} is not here")
    records = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    meanings = [record["meaning"] for record in records if record["kind"] == kind]
    return [one for one in meanings if all(one.get(name) is not None for name in NEEDED[kind])]


def order_of(meaning: dict[str, Any], trader: str) -> Order:
    given = {name: meaning[name] for name in ("order_id", "symbol", "side", "ts_ns")}
    account = {} if meaning.get("account") is None else {"account": meaning["account"]}
    return Order.model_validate({**given, **account, "trader": trader, "quantity": 1, "price": 1})


@pytest.mark.parametrize("kind", NEEDED)
def test_what_a_venue_says_is_stored_and_read_back_equal(desk: Desk, kind: str) -> None:
    meanings = complete(kind)
    assert len(meanings) > 35
    for meaning in meanings:
        trader, orders = desk.another(), desk.book.orders
        placed = orders.place(order_of(meaning, trader)).order
        found = orders.get(trader, meaning["order_id"])
        assert found is not None
        assert found == placed
        account = meaning.get("account")
        told = (str(meaning["order_id"]), meaning["symbol"], meaning["side"], meaning["ts_ns"])
        assert (found.order_id, found.symbol, found.side, found.ts_ns) == told
        assert found.account == (None if account is None else str(account))
        assert [order.order_id for order in orders.by_symbol(trader, meaning["symbol"])] == [found.order_id]
        if kind == "fill":
            about = {name: meaning[name] for name in NEEDED[kind]}
            fill = Fill.model_validate({**about, "trader": trader, "quantity": 1, "price": 1})
            assert orders.fill(fill).applied
            assert not orders.fill(fill).applied
            event = desk.events(trader)[-1]
            assert (event.exec_id, event.ts_ns) == (str(meaning["exec_id"]), meaning["ts_ns"])
