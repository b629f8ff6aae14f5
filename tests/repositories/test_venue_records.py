"""Real venues' records are taken as they stand, without scaling, stored, and read back equal to their meaning."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from slotbook.models import Fill, Order, OrderStatus
from slotbook.models.numbers import plain

from ..support.desk import Desk
from ..support.package import ROOT

RECORDS = ROOT.parent / "shared/data/venue-records.jsonl"
ORDERED = ("order_id", "symbol", "side", "quantity", "ts_ns")
NEEDED = {
    "fill": (*ORDERED, "exec_id", "price"),
    "order": ORDERED,
    "cancel": ("order_id", "ts_ns"),
    "reject": ("order_id", "ts_ns"),
}
COMPLETE = {"fill": 93, "order": 41, "cancel": 20, "reject": 3}
PLACES = [("cluster", "sync"), ("standalone", "asyncio")]
on_a_cluster = pytest.mark.parametrize("desk", PLACES, indirect=True, ids="-".join)


def meanings(kind: str) -> list[dict[str, Any]]:
    if not RECORDS.exists():
        pytest.skip(f"{RECORDS} is not here")
    records = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    return [record["meaning"] for record in records if record["kind"] == kind]


def complete(kind: str) -> list[dict[str, Any]]:
    """Return what the records of a kind mean, of those that say all that is needed."""
    found = [one for one in meanings(kind) if all(one.get(name) is not None for name in NEEDED[kind])]
    found = [one for one in found if kind in ("cancel", "reject") or Decimal(one["quantity"]) > 0]
    assert len(found) == COMPLETE[kind]
    return found


def said(meaning: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: meaning[name] for name in names if meaning.get(name) is not None}


def order_of(meaning: dict[str, Any], trader: str) -> Order:
    given = said(meaning, *ORDERED, "price", "account")
    return Order.model_validate({"type": "LIMIT" if "price" in given else "MARKET", **given, "trader": trader})


def check_order(desk: Desk, found: Order | None, meaning: dict[str, Any]) -> None:
    """Check that an order is what a record means, in the store too: ids are texts, numbers equal."""
    assert found is not None
    told = [str(meaning["order_id"]), meaning["symbol"], meaning["side"], Decimal(meaning["quantity"])]
    assert [found.order_id, found.symbol, found.side, found.quantity] == told
    price, account = meaning.get("price"), meaning.get("account")
    assert found.price == (None if price is None else Decimal(price))
    assert found.account == (None if account is None else str(account))
    [stored] = [desk.fleet.ask(found.trader, "HGET", f"{{{found.trader}}}:order:{found.order_id}", "quantity")]
    assert stored == plain(Decimal(meaning["quantity"]))


@on_a_cluster
def test_an_order_is_read_back_as_the_venue_says_it(desk: Desk) -> None:
    for meaning in complete("order"):
        trader, orders = desk.another(), desk.book.orders
        placed = orders.place(order_of(meaning, trader)).order
        found = orders.get(trader, meaning["order_id"])
        check_order(desk, found, meaning)
        assert (found, placed.ts_ns) == (placed, meaning["ts_ns"])
        assert [order.order_id for order in orders.by_symbol(trader, meaning["symbol"])] == [str(meaning["order_id"])]


@on_a_cluster
def test_a_fill_is_read_back_as_the_venue_says_it(desk: Desk) -> None:
    for meaning in complete("fill"):
        trader, orders = desk.another(), desk.book.orders
        orders.place(order_of(meaning, trader))
        given = said(meaning, *NEEDED["fill"], "fee", *(["fee_currency"] if meaning.get("fee") is not None else []))
        fill = Fill.model_validate({**given, "trader": trader})
        result = orders.fill(fill)
        assert result.applied
        assert not orders.fill(fill).applied
        check_order(desk, orders.get(trader, meaning["order_id"]), meaning)
        quantity, price = Decimal(meaning["quantity"]), Decimal(meaning["price"])
        bought = meaning["side"] == "BUY"
        assert result.order.status is OrderStatus.FILLED
        assert result.position.quantity == (quantity if bought else -quantity)
        assert result.position.cash == (-quantity * price if bought else quantity * price)
        event = desk.events(trader)[-1]
        assert (event.exec_id, event.ts_ns, event.last_quantity, event.last_price) == (
            str(meaning["exec_id"]),
            meaning["ts_ns"],
            quantity,
            price,
        )
        [execution] = orders.fills(trader, meaning["order_id"])
        fee = meaning.get("fee")
        assert execution.fee == (None if fee is None else Decimal(fee))
        assert execution.fee_currency == (None if fee is None else meaning.get("fee_currency"))


@pytest.mark.parametrize(("kind", "status"), [("cancel", "CANCELED"), ("reject", "REJECTED")])
@on_a_cluster
def test_an_end_is_read_back_as_the_venue_says_it(desk: Desk, kind: str, status: str) -> None:
    for meaning in complete(kind):
        trader, orders = desk.another(), desk.book.orders
        orders.place(order_of({"symbol": "AAPL", "side": "BUY", **meaning}, trader))
        end = orders.cancel if kind == "cancel" else orders.reject
        result = end(trader, meaning["order_id"], ts_ns=meaning["ts_ns"])
        assert (result.applied, result.order.status, result.order.updated_ns) == (True, status, meaning["ts_ns"])
        check_order(desk, orders.get(trader, meaning["order_id"]), meaning)
        assert desk.events(trader)[-1].ts_ns == meaning["ts_ns"]


@on_a_cluster
def test_what_a_venue_busts_or_corrects_is_taken_back_by_its_id(desk: Desk) -> None:
    found = [one for one in meanings("bust") if one["order_id"] and one["exec_id"] and one["busts_exec_id"]]
    assert len(found) == 3
    for meaning in found:
        trader, orders, first = desk.another(), desk.book.orders, meaning["busts_exec_id"]
        orders.place(order_of({**meaning, "ts_ns": 1}, trader))
        executed = said(meaning, "order_id", "quantity") | {"trader": trader, "exec_id": first, "price": 150}
        orders.fill(Fill.model_validate(executed))
        if any("a correction" in word for word in meaning["unsure"]):
            corrected = said(meaning, "exec_id", "quantity", "price")
            orders.correct(trader, meaning["order_id"], first, **corrected)
            live = Decimal(meaning["quantity"]), Decimal(meaning["price"])
        else:
            orders.bust(trader, meaning["order_id"], first, exec_id=meaning["exec_id"])
            live = Decimal(0), Decimal(meaning["price"])
        [execution] = orders.fills(trader, meaning["order_id"])
        assert (execution.exec_id, execution.live_quantity) == (first, live[0])
        assert desk.book.positions.get(trader, meaning["symbol"]).cash == -live[0] * live[1]
