"""The day of a position, which its events state: each point is the position as a caller saw it then."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal

import pytest
import slotbook
from slotbook import Bust
from slotbook.models.errors import CorruptRecord
from slotbook.models.keys import Keys
from slotbook.models.results import FillResult
from slotbook.repositories.changes.moves import page_before
from slotbook.topology.call import command
from slotbook.web.history import DAY, MOST_POINTS, PAGE, Day, Point, day_of, thinned

from ..support.make import TS, execution, fresh, limit

NEXT_DAY = (TS // DAY + 1) * DAY


def read(url: str, trader: str, symbol: str = "AAPL", account: str | None = None) -> Day:
    """Read a day."""

    async def run() -> Day:
        async with slotbook.aconnect(url) as book:
            return await day_of(book, trader, symbol, account)

    return asyncio.run(run())


def test_each_point_is_the_position_after_the_change(url: str) -> None:
    trader = fresh()
    expected: list[tuple[Decimal | int, Decimal | int, Decimal | int]] = []
    with slotbook.connect(url) as book:
        for number, (side, quantity, price) in enumerate(
            [
                ("BUY", 30, "187.3"),
                ("SELL", 10, "190"),
                ("SELL", 50, "186.1"),
                ("BUY", 30, "185"),
                ("BUY", 7, "185.123"),
            ]
        ):
            order = limit(trader, f"A{number}", side=side, multiplier="50", ts_ns=NEXT_DAY)
            book.orders.place(order)
            book.orders.place(limit(trader, f"B{number}", symbol="MSFT"))
            book.orders.fill(execution(trader, f"Y{number}", order_id=f"B{number}"))
            fill = execution(trader, f"X{number}", quantity, price, order.order_id, NEXT_DAY + number)
            held = book.orders.fill(fill).position
            expected.append((held.quantity, held.realized_profit, held.profit(price)))
        busted = book.orders.apply(
            Bust(trader=trader, order_id="A1", exec_id="B1", exec_ref_id="X1", ts_ns=NEXT_DAY + 9)
        )
        assert isinstance(busted, FillResult)
        held = busted.position
        expected.append((held.quantity, held.realized_profit, held.profit("185.123")))
    day = read(url, trader)
    assert [point[1:] for point in day.points] == expected
    assert (day.changes, day.is_whole) == (6, True)
    assert [point.ts_ns - NEXT_DAY for point in day.points] == [0, 1, 2, 3, 4, 9]


def test_the_day_of_an_account_has_its_own_changes(url: str) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        for account in ("ACC1", "a:b", None):
            book.orders.place(limit(trader, f"A{account}", account=account, ts_ns=NEXT_DAY))
        expected: list[tuple[Decimal | int, Decimal | int, Decimal | int]] = []
        for number, (account, price) in enumerate([("ACC1", "100"), ("a:b", "150"), (None, "160"), ("ACC1", "110")]):
            done = book.orders.fill(execution(trader, f"X{number}", 10, price, f"A{account}", NEXT_DAY + number))
            if account == "ACC1" and (part := done.account_position) is not None:
                expected.append((part.quantity, part.realized_profit, part.profit(price)))
        book.positions.split(trader, "AAPL", 2, ts_ns=NEXT_DAY + 5)
        part = book.positions.get(trader, "AAPL", account="ACC1")
        expected.append((part.quantity, part.realized_profit, part.profit("110")))
    day = read(url, trader, account="ACC1")
    assert [point[1:] for point in day.points] == expected
    assert [point.ts_ns - NEXT_DAY for point in day.points] == [0, 3, 5]
    assert (len(read(url, trader).points), read(url, trader, account="ACC9").points) == (5, [])


def test_an_event_of_another_symbol_need_not_be_readable(url: str) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(trader, account="ACC1"))
        book.orders.fill(execution(trader))
        stream = Keys(book.backend.settings.prefix).of(trader).events
        words = ("type", "SPLIT", "symbol", "MSFT", "ts_ns", str(NEXT_DAY), "accounts", "x", "position_quantity", "1")
        book.backend.run(command("damage", "XADD", stream, "3-0", *words, decode=str))
    assert len(read(url, trader, account="ACC1").points) == 1


def test_a_day_begins_with_what_was_held_the_day_before(url: str) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(trader))
        for number, ts_ns in enumerate((TS, NEXT_DAY - 1, NEXT_DAY, NEXT_DAY + 5)):
            book.orders.fill(execution(trader, f"X{number}", 10, "100", ts_ns=ts_ns))
    day = read(url, trader)
    assert [(point.ts_ns - NEXT_DAY, point.quantity) for point in day.points] == [(0, 20), (0, 30), (5, 40)]
    assert day.is_whole


def test_a_time_that_goes_back_is_drawn_where_the_last_one_was(url: str) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(trader))
        for number, ts_ns in enumerate((NEXT_DAY + 5, NEXT_DAY + 3, NEXT_DAY + 9)):
            book.orders.fill(execution(trader, f"X{number}", 10, "100", ts_ns=ts_ns))
    assert [(point.ts_ns - NEXT_DAY, point.quantity) for point in read(url, trader).points] == [
        (5, 10),
        (5, 20),
        (9, 30),
    ]


def test_what_is_no_longer_kept_is_said(url: str) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(trader))
        for number in range(4):
            book.orders.fill(execution(trader, f"X{number}", 10, "100", ts_ns=NEXT_DAY + number))
        book.events.trim(trader, 4)
    day = read(url, trader)
    assert ([point.quantity for point in day.points], day.is_whole) == ([30, 40], False)


def test_a_position_without_a_price_has_no_profit_until_it_is_flat(url: str) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        book.positions.set(trader, "AAPL", 10, cost="1000", ts_ns=NEXT_DAY)
        book.positions.set(trader, "AAPL", 0, ts_ns=NEXT_DAY + 1)
    assert [point.profit for point in read(url, trader).points] == [None, -1000]


@pytest.mark.parametrize(
    "damage",
    [
        {"ts_ns": "x"},
        {"ts_ns": None},
        {"totals": "1 2"},
        {"totals": None},
        {"totals": " ".join("x" * 20)},
        {"position_quantity": "many"},
        {"last_price": "dear"},
        {"multiplier": "x"},
    ],
    ids=str,
)
def test_an_event_that_cannot_be_read_is_named(url: str, damage: dict[str, str | None]) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        book.orders.place(limit(trader))
        book.orders.fill(execution(trader))
        stream = Keys(book.backend.settings.prefix).of(trader).events
        ((_, entry),) = book.backend.run(page_before(Keys(book.backend.settings.prefix).of(trader), "", 1)).entries
        fields = {name: value for name, value in {**entry, **damage}.items() if value is not None}
        words = [word for pair in fields.items() for word in pair]
        book.backend.run(command("damage", "XADD", stream, "3-0", *words, decode=str))
    with pytest.raises(CorruptRecord, match=re.escape(stream)):
        read(url, trader)


def test_nothing_was_ever_traded(url: str) -> None:
    assert read(url, fresh()) == Day([], 0, is_whole=True)


@pytest.mark.parametrize("events", [PAGE - 1, PAGE, PAGE + 1])
def test_a_day_of_several_pages(url: str, events: int) -> None:
    trader = fresh()
    with slotbook.connect(url) as book:
        for outcome in book.orders.place_many([limit(trader, f"A{number}", symbol="MSFT") for number in range(events)]):
            outcome.result()
        book.orders.place(limit(trader, "B"))
        book.orders.fill(execution(trader, order_id="B"))
    assert read(url, trader) == Day([Point(TS + 1, Decimal(40), Decimal(0), Decimal(0))], 1, is_whole=True)


@pytest.mark.parametrize("count", [1, MOST_POINTS, MOST_POINTS + 1, 10_000])
def test_a_long_day_keeps_its_ends_and_its_extremes(count: int) -> None:
    points = [Point(number, Decimal(1), Decimal(0), Decimal(number * 7919 % 10_007)) for number in range(count)]
    drawn = thinned(points)
    assert len(drawn) <= MOST_POINTS
    assert drawn == sorted(set(drawn))
    assert (drawn[0], drawn[-1]) == (points[0], points[-1])
    profits = [point.profit or 0 for point in drawn]
    assert (min(profits), max(profits)) == (0, max(point.profit or 0 for point in points))
