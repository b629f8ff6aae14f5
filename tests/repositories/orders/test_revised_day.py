"""A real day of 30,000 rows of which 5 % of the fills are busted or corrected: equal to a sum of what remains."""

from __future__ import annotations

import gzip
import random
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import islice

from slotbook.models import Bust, Correct, Fill, FillResult, OrderStatus
from slotbook.models.journal import JournalEntry, read_journal
from slotbook.repositories.orders.verbs import OrderRequest

from ...support.desk import Desk, on_one_server
from ...support.make import NIGHTLY
from ...support.replays import REAL, needs_data

AT_ONCE = 2_000
SHARE = 0.05


def revised_day(most: int | None) -> tuple[list[OrderRequest], dict[tuple[str, str, str], tuple[int, Decimal]]]:
    """Return a day, or its first rows, with busts and corrections, each some time after its fill, and what remains."""
    dice = random.Random(18)
    with gzip.open(REAL, "rt", encoding="utf-8", newline="") as lines:
        rows = [entry.request for entry in islice(read_journal(lines), most) if isinstance(entry, JournalEntry)]
    at: dict[int, list[OrderRequest]] = defaultdict(list)
    live: dict[tuple[str, str, str], tuple[int, Decimal]] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Fill):
            continue
        left = int(row.quantity), row.price
        if dice.random() < SHARE:
            named = {
                "trader": row.trader,
                "order_id": row.order_id,
                "exec_id": f"R{number}",
                "exec_ref_id": row.exec_id,
            }
            later = min(len(rows) - 1, number + dice.randrange(3_000))
            if dice.random() < 0.5:
                at[later].append(Bust.model_validate({**named, "ts_ns": row.ts_ns}))
                left = 0, Decimal(0)
            else:
                left = dice.randint(1, int(row.quantity)), row.price + Decimal(dice.randint(-8, 8)) / 4
                terms = {"quantity": left[0], "price": left[1], "ts_ns": row.ts_ns}
                at[later].append(Correct.model_validate({**named, **terms}))
        live[row.trader, row.order_id, row.exec_id] = left
    return [request for number, row in enumerate(rows) for request in (row, *at[number])], live


def cost_of(trades: Iterable[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    """Return what is open of trades by moving average, and what they have realized; sold quantities are negative."""
    held = cost = profit = Fraction(0)
    for quantity, price in trades:
        amount, before = quantity * price, cost
        if held * quantity >= 0:
            cost += amount
        elif abs(quantity) < abs(held):  # prices and amounts of the day have fewer places than nine
            cost -= Fraction(round(cost * abs(quantity / held) * 10**9), 10**9)
        else:
            cost = (held + quantity) * price
        profit += cost - before - amount
        held += quantity
    return cost, profit


@needs_data
@on_one_server
def test_a_revised_day_is_the_sum_of_what_remains(desk: Desk) -> None:
    whole = NIGHTLY or desk.caller == "sync"
    day, live = revised_day(None if whole else 15_000)  # for asyncio the servers do the same
    traders = {name: desk.another() for name in sorted({request.trader for request in day})}
    mine = [request.model_copy(update={"trader": traders[request.trader]}) for request in day]
    results = [
        outcome.result()
        for begin in range(0, len(mine), AT_ONCE)
        for outcome in desk.book.orders.apply_many(mine[begin : begin + AT_ONCE])
    ]
    assert all(result.applied for result in results)
    revised = [result for row, result in zip(day, results, strict=True) if isinstance(row, Bust | Correct)]
    assert {result.cost_basis for result in revised if isinstance(result, FillResult)} == {"exact"}
    revisions = sum(isinstance(request, Bust | Correct) for request in day)
    assert revisions > 0.04 * len(live)

    sides = {(request.trader, request.order_id): request.side for request in day if isinstance(request, Fill)}
    filled: dict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    traded: dict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for (trader, order_id, _), (quantity, price) in live.items():
        for sums, key in ((filled, (trader, order_id)), (traded, (trader, str(sides[trader, order_id])))):
            sums[key] = sums[key][0] + quantity, sums[key][1] + quantity * price
    for trader, name in traders.items():
        (held,) = desk.book.positions.all(name)
        (bought, paid), (sold, got) = traded[trader, "BUY"], traded[trader, "SELL"]
        assert (held.quantity, held.bought_quantity, held.sold_quantity) == (bought - sold, bought, sold)
        assert (held.bought_notional, held.sold_notional) == (paid, got)
        assert held.realized_profit - held.open_cost == held.cash
        mine_only = [row for row in day if isinstance(row, Fill) and row.trader == trader]
        left = [(row, *live[row.trader, row.order_id, row.exec_id]) for row in mine_only]
        signed = [
            (Fraction(quantity) * (1 if str(sides[row.trader, row.order_id]) == "BUY" else -1), Fraction(price))
            for row, quantity, price in left
            if quantity
        ]
        assert (Fraction(held.open_cost), Fraction(held.realized_profit)) == cost_of(signed)
    keys = sorted(filled)
    stored = desk.book.orders.get_many([(traders[trader], order_id) for trader, order_id in keys])
    for key, outcome in zip(keys, stored, strict=True):
        order = outcome.result()
        assert order is not None
        assert (order.filled_quantity, order.filled_notional) == filled[key]
        if order.status is not OrderStatus.CANCELED:
            assert order.status == (
                "FILLED" if order.filled_quantity == order.quantity else "PARTIALLY_FILLED" if filled[key][0] else "NEW"
            )
