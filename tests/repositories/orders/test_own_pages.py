"""Test pages of orders by own fields, of open ones and ended ones, and that no call looks at a whole index."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from slotbook.models.errors import SlotbookError
from slotbook.repositories.orders import calls
from slotbook.repositories.replies import rows
from slotbook.topology.call import Reply, evaluate

from ...support.desk import Desk
from ...support.faults.control import wait_until
from ...support.make import execution
from ...support.own_orders import DeskOrder, desk_order

IDS = sorted(f"{letter}{number}" for number in range(8) for letter in "bZé")
"""In the order of their bytes, which is no locale's."""
ENDED: dict[str, Callable[[int], bool]] = {
    "none": lambda number: False,
    "all": lambda number: True,
    "all but one": lambda number: number != 11,
    "some": lambda number: number % 3 > 0,
}


@pytest.mark.parametrize("ended", ENDED)
def test_pages_have_the_orders_of_all_values_in_the_order_of_ids(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    monkeypatch.setattr(calls, "PAGE", 4)
    orders, trader, brief = desk.book.orders.of(DeskOrder), desk.trader, desk.open(order_ttl=60)
    placed = [
        desk_order(
            trader,
            order_id,
            strategy=f"S{number % 2}",
            target="9" if number % 5 else None,
            symbol="MSFT" if number % 4 == 1 else "AAPL",
        )
        for number, order_id in enumerate(IDS)
    ]
    assert all(one.error is None for one in orders.place_many(placed[::-1]))
    for number, order_id in enumerate(IDS):
        if ENDED[ended](number):
            book = brief if number % 2 else desk.book
            if number % 4 < 2:
                book.orders.cancel(trader, order_id)
            else:
                book.orders.fill(execution(trader, f"X{number}", 100, order_id=order_id))
    held = {one.order_id: one for one in (orders.get(trader, order_id) for order_id in IDS) if one is not None}
    assert len(held) == len(IDS)
    for values in (
        {"strategy": "S1"},
        {"target": "9"},
        {"strategy": "S0", "target": "9"},
        {"strategy": "S1", "symbol": "AAPL"},
        {"strategy": "S0", "status": "NEW"},
        {"target": "9", "status": "CANCELED", "symbol": "AAPL"},
        {"strategy": "S1", "target": "9", "symbol": "MSFT", "status": "FILLED"},
        {"symbol": "MSFT"},
        {"status": "FILLED", "symbol": "AAPL"},
        {"status": "NEW"},
        {"strategy": "S9", "status": "NEW"},
    ):
        wanted = [
            order_id
            for order_id, one in held.items()
            if all(str(getattr(one, field)) == value for field, value in values.items())
        ]
        assert [one.order_id for one in orders.by(trader, values)] == wanted, values
        assert orders.count(trader, values) == len(wanted), values
        for limit in (1, 3, 9):
            pages, after = list[str](), None
            while page := orders.by(trader, values, limit=limit, after=after):
                assert len(page) == min(limit, len(wanted) - len(pages))
                pages += [one.order_id for one in page]
                after = pages[-1]
            assert pages == wanted, (values, limit)


def test_orders_that_end_or_go_between_two_pages(desk: Desk) -> None:
    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    orders.place_many([desk_order(trader, f"A{number}") for number in range(8)])

    def page(after: str, **values: str) -> list[str]:
        return [one.order_id for one in orders.by(trader, {"strategy": "S1", **values}, limit=2, after=after)]

    assert [one.order_id for one in orders.by(trader, {"strategy": "S1"}, limit=2)] == ["A0", "A1"]
    for order_id in ("A0", "A1", "A2", "A4"):
        orders.cancel(trader, order_id)
    orders.delete(trader, "A1")
    orders.delete(trader, "A2")
    assert page("A1") == ["A3", "A4"]
    assert page("A1", status="NEW") == ["A3", "A5"]
    orders.place(desk_order(trader, "A45"))
    assert page("A4") == ["A45", "A5"]
    assert page("A0", status="CANCELED") == ["A4"]
    assert orders.count(trader, {"strategy": "S1"}) == 7


def test_what_has_expired_beside_what_stays_is_not_found_and_is_taken_out(desk: Desk) -> None:
    brief = desk.open(order_ttl=0.1, request_ttl=0.1, deadline=1.0, socket_timeout=0.2)
    orders, trader = brief.orders.of(DeskOrder), desk.trader
    orders.place_many([desk_order(trader, f"A{number}") for number in range(4)])
    for number in range(3):
        orders.cancel(trader, f"A{number}")
    wait_until(lambda: orders.get(trader, "A2") is None, "the last one expires")
    assert desk.ask("ZCARD", "%:orders_by_+strategy:S1") == 4
    for values in ({"strategy": "S1"}, {"strategy": "S1", "target": "187.5"}, {"target": "187.5", "symbol": "AAPL"}):
        assert [one.order_id for one in orders.by(trader, values)] == ["A3"]
        assert orders.count(trader, values) == 1
    assert orders.by(trader, {"strategy": "S1", "status": "CANCELED"}) == []
    assert orders.count(trader, {"strategy": "S1", "status": "CANCELED"}) == 0
    orders.place(desk_order(trader, "A1", strategy="S2", symbol="MSFT"))
    for values, found in (
        ({"target": "187.5", "symbol": "AAPL"}, ["A3"]),
        ({"strategy": "S1"}, ["A3"]),
        ({"strategy": "S1", "target": "187.5"}, ["A3"]),
        ({"strategy": "S1", "status": "NEW"}, ["A3"]),
        ({"strategy": "S2"}, ["A1"]),
    ):
        assert [one.order_id for one in orders.by(trader, values)] == found
        assert orders.count(trader, values) == len(found)
    assert [one for one in desk.book.audit.verify(trader) if one.is_difference] == []
    orders.place(desk_order(trader, "A2"))
    assert [one.order_id for one in orders.by(trader, {"strategy": "S1"})] == ["A2", "A3"]
    assert desk.ask("ZCARD", "%:orders_by_+strategy:S1") == 2
    assert desk.ask("EXISTS", "%:orders_by_+strategy@expiry:S1") == 0


@pytest.mark.alone
@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"strategy": "S1"}, 3),
        ({"strategy": "S1", "target": "187.5"}, 3),
        ({"strategy": "S1", "status": "NEW"}, 1),
        ({"strategy": "S1", "status": "FILLED"}, 2),
        ({"strategy": "S1", "symbol": "MSFT"}, 1),
    ],
)
def test_a_page_takes_as_many_commands_however_many_orders_have_ended(
    lone_desk: Desk, values: dict[str, str], found: int
) -> None:
    desk, taken = lone_desk, list[dict[str, int]]()
    orders = desk.book.orders.of(DeskOrder)
    for trader, number in ((desk.trader, 12), (desk.another(), 600)):
        last = f"A{number:04}"
        orders.place_many([desk_order(trader, f"A{one:04}") for one in range(number)])
        orders.place(desk_order(trader, last, symbol="MSFT"))
        for one in range(number):
            if one in (number - 2, number - 1):
                orders.fill(execution(trader, f"X{one}", 100, order_id=f"A{one:04}"))
            else:
                orders.cancel(trader, f"A{one:04}")
        orders.by(trader, values, limit=1)  # the server knows the script from here on
        before = desk.fleet.calls()
        assert len(orders.by(trader, values, limit=3, after="A0003")) == found
        now = desk.fleet.calls()
        taken.append(
            {name: now[name] - before.get(name, 0) for name in now.keys() - {"hello"} if now[name] != before.get(name)}
        )
    assert taken[0] == taken[1]
    assert taken[0]["hgetall"] == found


@pytest.mark.parametrize("values", [{"strategy": "S1"}, {"status": "NEW"}, {"strategy": "S1", "status": "NEW"}])
def test_an_order_that_an_index_names_and_that_is_not_there_is_told(lone_desk: Desk, values: dict[str, str]) -> None:
    orders, trader = lone_desk.book.orders.of(DeskOrder), lone_desk.trader
    orders.place_many([desk_order(trader), desk_order(trader, "A2", strategy="S2"), desk_order(trader, "A3")])
    lone_desk.vandalise("UNLINK", "%:order:A1")
    with pytest.raises(SlotbookError, match="names order A1, which is not here"):
        lone_desk.open(deadline=1).orders.of(DeskOrder).by(trader, values)


def test_a_page_goes_on_behind_entries_of_orders_that_are_gone(lone_desk: Desk) -> None:
    orders, trader = lone_desk.book.orders.of(DeskOrder), lone_desk.trader
    orders.place_many([desk_order(trader), desk_order(trader, "A2"), desk_order(trader, "A3")])
    orders.cancel(trader, "A2")
    lone_desk.vandalise("ZADD", "%:orders_by_symbol:AAPL", "9999999999999", "A0", "9999999999999", "A11")
    assert [one.order_id for one in orders.by(trader, {"symbol": "AAPL"}, limit=1)] == ["A1"]
    assert [one.order_id for one in orders.by(trader, {"symbol": "AAPL"}, limit=2)] == ["A1", "A2"]
    assert [one.order_id for one in orders.by(trader, {"symbol": "AAPL"}, limit=3, after="A1")] == ["A2", "A3"]


def test_one_call_looks_at_some_entries_and_says_where_it_stopped(lone_desk: Desk) -> None:
    desk, orders = lone_desk, lone_desk.book.orders.of(DeskOrder)
    strategy, target = ("%:orders_by_+strategy", ":S1"), ("%:orders_by_+target", ":187.5")
    ids = [f"A{number:05}" for number in range(12_000)]
    for (head, value), first in ((strategy, "A"), (target, "B")):  # entries of orders that are in no other index
        pairs = [word for one in ids for word in ("0", first + one[1:])]
        desk.vandalise("ZADD", head + value, *pairs)
        ends = [word for one in ids for word in ("9999999999999", first + one[1:])]
        desk.vandalise("ZADD", f"{head}@expiry{value}", *ends)
    orders.place_many([desk_order(desk.trader, one) for one in ("A", "A050001", "C1", "C2")])
    orders.cancel(desk.trader, "C1")
    tag = f"{{{desk.trader}}}"
    keys = [(head + value).replace("%", tag) for head, value in (strategy, target)]
    parts = [word for head, value in (strategy, target) for word in ("", f"{head}@expiry{value}".replace("%", tag))]

    def reply(script: str, **given: str) -> list[Reply]:
        found = {"by": calls.BY, "count": calls.COUNT_BY}[script]
        arguments = found.arguments(parts=parts, **given)
        call = evaluate(script, found, found.keys(indexes=keys), arguments, decode=rows, readonly=True)
        return desk.book.backend.run(call)

    base, after, found = f"{tag}:order:", "", list[str]()
    stops = list[str]()
    while True:
        after, *words = map(str, reply("by", base=base, after=after, limit="1000"))
        found += words[::2]
        stops.append(after)
        if not after:
            break
    assert found == ["A", "A050001", "C1", "C2"]
    assert stops == ["A04998", "A09997", ""]
    assert [reply("count", after=one) for one in ("", "A04998", "A09997")] == [[1, "A04998"], [1, "A09997"], [2, ""]]
    assert orders.count(desk.trader, {"strategy": "S1", "target": "187.5"}) == 4
    assert [one.order_id for one in orders.by(desk.trader, {"strategy": "S1", "target": "187.5"}, limit=3)] == found[:3]
