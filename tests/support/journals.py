"""Journals as rows of text: a day made up at random, the real one, and damage done to either."""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from slotbook.models import Order, OrderType, Side

COLUMNS = "seq,ts_ns,trader,event,order_id,symbol,side,quantity,price,exec_id"
MARKET_ORDER = "MARKET-ORDER"
"""The id of an order that every trader has in the book already, and no row places."""


@dataclass
class Row:
    """One row, with the text of each column."""

    seq: str
    ts_ns: str
    trader: str
    event: str
    order_id: str
    symbol: str
    side: str
    quantity: str
    price: str
    exec_id: str


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a gzipped journal, with room between their numbers for others."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return numbered([Row(*values) for values in list(csv.reader(lines))[1:]])


def numbered(rows: Sequence[Row]) -> list[Row]:
    """Return rows whose numbers rise by ten."""
    return [replace(row, seq=str(10 * number)) for number, row in enumerate(rows, 1)]


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    """Write a journal, and return its path."""
    lines = [COLUMNS, *(",".join(vars(row).values()) for row in rows)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def market_orders(traders: set[str]) -> list[Order]:
    """Return an order without a price of each trader."""
    return [
        Order(
            trader=one, order_id=MARKET_ORDER, symbol="AAPL", side=Side.BUY, type=OrderType.MARKET, quantity=9, ts_ns=1
        )
        for one in sorted(traders)
    ]


def made_up_day(seed: int, traders: Sequence[str], orders: int) -> list[Row]:
    """Return the lives of some orders, of different traders in turns: filled, replaced, canceled, filled late."""
    dice = random.Random(seed)
    lives = [_life(dice, dice.choice(traders), f"A{number}") for number in range(orders)]
    rows: list[Row] = []
    open_lives = lives[:8]
    rest = iter(lives[8:])
    while open_lives:
        life = dice.choice(open_lives)
        rows.append(replace(life.pop(0), ts_ns=str(1_000 + len(rows) // 2)))
        if not life:
            open_lives.remove(life)
            open_lives += [one for one in [next(rest, None)] if one]
    return numbered(rows)


def _life(dice: random.Random, trader: str, order_id: str) -> list[Row]:
    symbol, side, price = dice.choice(["AAPL", "MSFT"]), dice.choice(["BUY", "SELL"]), dice.randrange(1, 9_999)
    quantity, filled = dice.randrange(2, 200), 0

    def row(event: str, quantity: int | str, price: int | str, exec_id: str = "") -> Row:
        shown = f"{price / 100}" if isinstance(price, int) else price
        return Row("", "", trader, event, order_id, symbol, side, str(quantity), shown, exec_id)

    life = [row("NEW", quantity, price)]
    for number in range(dice.randrange(4)):
        if dice.random() < 0.3:
            quantity = max(filled + 1, quantity + dice.randrange(-20, 100))
            price += dice.randrange(9)
            life.append(row("REPLACE", quantity, price))
        elif filled < quantity:
            part = dice.randrange(1, quantity - filled + 1)
            filled += part
            life.append(row("FILL", part, price, f"{order_id}-{number}"))
    if filled < quantity and dice.random() < 0.6:
        life.append(row("CANCEL", "", ""))
        if dice.random() < 0.3:
            life.append(row("FILL", 1, price, f"{order_id}-late"))
    return life


Damage: TypeAlias = Callable[[random.Random, list[Row], int], None]
"""Damages the row of a number, or puts another one behind it."""


def _another_symbol(dice: random.Random, rows: list[Row], at: int) -> None:
    rows[at].symbol = "ZZZ"


def _another_side(dice: random.Random, rows: list[Row], at: int) -> None:
    rows[at].side = "SELL" if rows[at].side == "BUY" else "BUY"


def _a_reused_order_id(dice: random.Random, rows: list[Row], at: int) -> None:
    """Place an order of another symbol and side under an id that its trader has used, and fill it."""
    old = rows[at]
    symbol, side = ("IBM", "SELL" if old.side == "BUY" else "BUY")
    again = replace(old, seq=_next(old), event="NEW", symbol=symbol, side=side, quantity="50", price="1", exec_id="")
    fill = replace(again, seq=_next(again), event="FILL", exec_id=f"REUSED-{old.seq}")
    rows[at + 1 : at + 1] = [again, fill]


def _another_order_id(dice: random.Random, rows: list[Row], at: int) -> None:
    rows[at].order_id = rows[dice.randrange(at + 1)].order_id


def _seq_begins_again(dice: random.Random, rows: list[Row], at: int) -> None:
    rows[at].seq = str(dice.randrange(10))


def _swapped_with_their_seq(dice: random.Random, rows: list[Row], at: int) -> None:
    """Swap neighbours: of rows far from each other, one would be in front of all between, whose numbers are lower."""
    rows[at - 1 : at + 1] = [rows[at], rows[at - 1]] if at else rows[at : at + 1]


def _swapped_behind_their_seq(dice: random.Random, rows: list[Row], at: int) -> None:
    other = _of_the_same_order(rows, at)
    first, second = rows[at], rows[other]
    rows[at], rows[other] = replace(second, seq=first.seq), replace(first, seq=second.seq)


def _a_repeated_exec_id(dice: random.Random, rows: list[Row], at: int) -> None:
    fill = replace(rows[at], seq=_next(rows[at]), event="FILL", quantity="1", price="2", exec_id=f"AGAIN-{at}")
    other = replace(fill, seq=_next(fill), price="3")
    rows[at + 1 : at + 1] = [fill, other, replace(fill, seq=_next(other))]


def _a_price_for_a_market_order(dice: random.Random, rows: list[Row], at: int) -> None:
    about = {"order_id": MARKET_ORDER, "symbol": "AAPL", "side": "BUY", "exec_id": ""}
    rows.insert(at + 1, replace(rows[at], seq=_next(rows[at]), event="REPLACE", quantity="7", price="5", **about))


def _a_number_that_is_none(dice: random.Random, rows: list[Row], at: int) -> None:
    rows[at].quantity = dice.choice(["0", "-5", "1.5", "many", "1" + "0" * 18, "0." + "0" * 18 + "1"])


def _a_price_that_is_none(dice: random.Random, rows: list[Row], at: int) -> None:
    rows[at].price = dice.choice(["MARKET", "nan", "1e400", "0.00000000001"])


def _an_empty_column(dice: random.Random, rows: list[Row], at: int) -> None:
    setattr(rows[at], dice.choice(["seq", "trader", "order_id", "symbol", "side", "event"]), "")


def _an_exec_id_too_many(dice: random.Random, rows: list[Row], at: int) -> None:
    rows[at].exec_id = "" if rows[at].event == "FILL" else f"X-{at}"


def _a_row_twice(dice: random.Random, rows: list[Row], at: int) -> None:
    rows.insert(at + 1, replace(rows[at], seq=_next(rows[at])))


DAMAGES: tuple[Damage, ...] = (
    _another_symbol,
    _another_side,
    _a_reused_order_id,
    _another_order_id,
    _seq_begins_again,
    _swapped_with_their_seq,
    _swapped_behind_their_seq,
    _a_repeated_exec_id,
    _a_price_for_a_market_order,
    _a_number_that_is_none,
    _a_price_that_is_none,
    _an_empty_column,
    _an_exec_id_too_many,
    _a_row_twice,
)


def damaged(rows: Sequence[Row], seed: int, share: float) -> list[Row]:
    """Return a copy of a journal of which a share of the rows is damaged, in all ways in turns."""
    dice = random.Random(seed)
    found = [replace(row) for row in rows]
    places = sorted(dice.sample(range(len(rows)), max(len(DAMAGES), round(len(rows) * share))), reverse=True)
    for number, place in enumerate(places):
        DAMAGES[number % len(DAMAGES)](dice, found, place)
    return found


def _next(row: Row) -> str:
    return str(int(row.seq) + 1) if row.seq.isdecimal() else row.seq


def _of_the_same_order(rows: Sequence[Row], at: int) -> int:
    """Return the next row of the same order, or of any if there is none."""
    whose = rows[at].trader, rows[at].order_id
    same = (number for number in range(at + 1, len(rows)) if (rows[number].trader, rows[number].order_id) == whose)
    return next(same, (at + 1) % len(rows))
