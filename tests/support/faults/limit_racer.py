"""Race at the limits of a few traders, in a process of its own; print each call and what its caller was told as JSON.

``python limit_racer.py URL SEED SECONDS PAUSE TRADER…``
"""

from __future__ import annotations

import json
import random
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass

from slotbook import Book, errors
from slotbook.models import (
    Cancel,
    Fill,
    FillResult,
    Limits,
    LimitsChange,
    LimitsResult,
    Order,
    OrderResult,
    Replace,
    Trading,
    TradingChange,
    TradingResult,
)

TRIES = 6
SYMBOLS = ("AAPL", "MSFT")
ACCOUNTS = (None, "ACC1", "ACC:2")
TURNS = 120
"""The turns that a racer takes at least, however slow the machine is, so that there is something to judge."""


@dataclass
class Call:
    """One call, and what became of it."""

    verb: str
    trader: str
    id: str
    order_id: str = ""
    symbol: str = ""
    side: str = ""
    quantity: int = 0
    told: str = "unknown"
    """acknowledged, under-replicated, refused or unknown."""
    sequence: int = 0
    after: int = 0
    """The last event of the trader that was acknowledged to the process before."""
    limit: str = ""
    """The limit that refused it, or the position of the switch."""
    error: str = ""


class Racer:
    """A desk's process, which has orders of its own with every trader."""

    def __init__(self, book: Book, seed: int, traders: list[str]) -> None:
        self._book, self._dice, self._traders = book, random.Random(seed), traders
        self._orders: dict[str, Order] = {}
        self._known = dict.fromkeys(traders, 0)
        self._turned: dict[str, int] = {}
        self._turns, self._switches_at = 0, 10 + seed % 8 * 10
        """The turn at which it turns the switch in any case; it does so by chance as well."""

    def run(self, seconds: float, pause: float) -> None:
        """Call until the time is over, and for ``TURNS`` turns at least, with pauses of some length."""
        until, pauses = time.monotonic() + seconds, random.Random()
        while self._turns < TURNS or time.monotonic() < until:
            self._turns += 1
            self._turn(self._dice.choice(self._traders))
            time.sleep(pauses.uniform(0, 2 * pause))

    def _turn(self, trader: str) -> None:
        dice = self._dice
        if self._turned.get(trader):
            self._turned[trader] -= 1
            if not self._turned[trader]:
                self._switch(trader, Trading.ACTIVE)
        what = dice.random()
        mine = [one for one in self._orders.values() if one.trader == trader]
        if what < 0.006 or self._turns == self._switches_at:
            self._switch(trader, dice.choice((Trading.HALTED, Trading.REDUCING)))
            self._turned[trader] = 8
        elif what < 0.015:
            self._set_limits(trader)
        elif what < 0.5 or not mine:
            self._place(trader)
        elif what < 0.7:
            self._replace(dice.choice(mine))
        elif what < 0.88:
            self._fill(dice.choice(mine))
        else:
            self._cancel(dice.choice(mine))

    def _place(self, trader: str) -> None:
        dice = self._dice
        values: dict[str, str | int | None] = {
            "symbol": dice.choice(SYMBOLS),
            "side": dice.choice(("BUY", "SELL")),
            "quantity": dice.randint(1, 110),
            "account": dice.choice(ACCOUNTS),
        }
        name = uuid.uuid4().hex[:10]
        order = Order.model_validate({"trader": trader, "order_id": name, "price": dice.randint(90, 210), **values})
        call = Call("place", trader, name, name, order.symbol, order.side, int(order.quantity))
        if self._send(call, lambda: self._book.orders.place(order)):
            self._orders[name] = order

    def _replace(self, order: Order) -> None:
        quantity, name = self._dice.randint(1, 120), uuid.uuid4().hex[:10]
        request = Replace(
            trader=order.trader, order_id=order.order_id, quantity=quantity, price=order.price, request_id=name
        )
        call = Call("replace", order.trader, name, order.order_id, order.symbol, order.side, quantity)
        self._send(call, lambda: self._book.orders.apply(request), gone=order)

    def _fill(self, order: Order) -> None:
        name = uuid.uuid4().hex[:10]
        values = {"quantity": self._dice.randint(1, 60), "price": order.price}
        fill = Fill.model_validate({"trader": order.trader, "order_id": order.order_id, "exec_id": name, **values})
        call = Call("fill", order.trader, name, order.order_id, order.symbol, order.side, int(fill.quantity))
        self._send(call, lambda: self._book.orders.fill(fill), gone=order)

    def _cancel(self, order: Order) -> None:
        name = uuid.uuid4().hex[:10]
        request = Cancel(trader=order.trader, order_id=order.order_id, request_id=name)
        call = Call("cancel", order.trader, name, order.order_id, order.symbol, order.side)
        if self._send(call, lambda: self._book.orders.apply(request), gone=order):
            self._orders.pop(order.order_id, None)

    def _switch(self, trader: str, to: Trading) -> None:
        change = TradingChange(trader=trader, trading=to)
        call = Call("trading", trader, change.request_id, limit=to.value)
        self._send(call, lambda: self._book.limits.turn(trader, to, request_id=change.request_id))

    def _set_limits(self, trader: str) -> None:
        symbol = self._dice.choice((None, *SYMBOLS))
        values = {"max_position": self._dice.choice((150, 300)), "max_order": self._dice.choice((80, 100))}
        change = LimitsChange.model_validate({"trader": trader, "symbol": symbol, "max_notional": 18_000, **values})
        limits = Limits.model_validate(change.model_dump(include={*Limits.model_fields}))
        call = Call("limits", trader, change.request_id)
        self._send(call, lambda: self._book.limits.set(limits, request_id=change.request_id))

    def _send(self, call: Call, send: Callable[[], object], gone: Order | None = None) -> bool:
        """Send a call until its outcome is known; return True when it was applied."""
        call.after = self._known[call.trader]
        for _ in range(TRIES):
            try:
                self._learn(call, send(), "acknowledged")
            except errors.UnderReplicated as error:
                self._learn(call, error.result, "under-replicated")
            except errors.StateLost as error:
                print(json.dumps({"lost": error.trader, "first": error.first, "last": error.last}), flush=True)
                if error.result is not None:
                    self._learn(call, error.result, "acknowledged")
                elif error.refusal is not None:
                    self._refused(call, error.refusal, gone)
            except errors.Refused as error:
                self._refused(call, error, gone)
            except errors.SlotbookError as error:
                call.error = repr(error)
            if call.told != "unknown":
                break
        print(json.dumps(asdict(call)), flush=True)
        return call.told in ("acknowledged", "under-replicated")

    def _learn(self, call: Call, result: object, told: str) -> None:
        assert isinstance(result, (OrderResult, FillResult, LimitsResult, TradingResult))
        call.told, call.sequence = told, result.sequence
        if told == "acknowledged" and result.sequence:
            self._known[call.trader] = result.sequence

    def _refused(self, call: Call, error: errors.Refused, gone: Order | None) -> None:
        call.told, call.error = "refused", repr(error)
        if isinstance(error, errors.LimitExceeded):
            call.limit = error.limit
        elif isinstance(error, errors.TradingHalted):
            call.limit = error.trading
        elif gone is not None:
            self._orders.pop(gone.order_id, None)  # it has ended, or is lost


def main(url: str, seed: str, seconds: str, pause: str, *traders: str) -> None:
    """Race for some seconds; when a line comes on the standard input, ask for losses and end."""
    with Book.open(url) as book:
        book.orders.count(traders[0])
        print(json.dumps({"ready": True}), flush=True)
        Racer(book, int(seed), list(traders)).run(float(seconds), float(pause))
        print(json.dumps({"done": True}), flush=True)
        sys.stdin.readline()
        for loss in book.losses():
            print(json.dumps({"lost": loss.trader, "first": loss.first, "last": loss.last}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
