"""Units of changes whose every trace can be counted, and the check that each is there as a whole or not at all."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias, cast

from slotbook import Book
from slotbook.models import Cancel, Fill, Order, PositionChange, Replace
from slotbook.models.errors import OutcomeUnknown, SlotbookError

from ..make import TS
from .history import CallOutcome
from .verbs import content_of

Step: TypeAlias = Order | Fill | Replace | Cancel | PositionChange
Asks: TypeAlias = Callable[..., object]
Fields: TypeAlias = dict[str, str]

KINDS = ("NEW", "TRADE", "NEW", "REPLACED", "TRADE", "TRADE", "CANCELED", "NEW", "POSITION")
"""The types of the events of one unit."""
STATUSES = {"A": "FILLED", "B": "CANCELED", "C": "NEW"}
"""The statuses in which a unit leaves its orders."""


def unit(trader: str, number: int) -> list[Step]:
    """Return the steps of a unit: one order is filled, one is canceled, one stays open, and a position is adjusted."""
    name = f"U{number}"

    def order(letter: str, side: str, quantity: int) -> Order:
        return Order.model_validate(
            {
                "trader": trader,
                "order_id": f"{name}{letter}",
                "symbol": "AAPL",
                "side": side,
                "quantity": quantity,
                "price": "187.23",
                "text": f"unit {number}",
                "ts_ns": TS,
            }
        )

    def fill(letter: str, exec_id: str, quantity: int) -> Fill:
        given = {"trader": trader, "order_id": f"{name}{letter}", "exec_id": f"{name}{exec_id}", "price": "187.22"}
        return Fill.model_validate({**given, "quantity": quantity, "ts_ns": TS})

    return [
        order("A", "BUY", 90),
        fill("A", "X1", 40),
        order("B", "SELL", 50),
        Replace(trader=trader, order_id=f"{name}A", quantity=100, request_id=f"{name}R", ts_ns=TS),
        fill("B", "X2", 20),
        fill("A", "X3", 60),
        Cancel(trader=trader, order_id=f"{name}B", request_id=f"{name}C", ts_ns=TS),
        order("C", "BUY", 10),
        PositionChange(trader=trader, symbol="MSFT", quantity=3, request_id=f"{name}P", ts_ns=TS),
    ]


def contents_of(results: Sequence[object]) -> list[tuple[object, ...]]:
    """Return what a caller learns from the results of a unit; a repeated place answers with the order as it is now."""
    return [(kind,) if kind == "NEW" else content_of(result) for kind, result in zip(KINDS, results, strict=True)]


class Stored:
    """Everything that is stored of a trader, read past the library."""

    def __init__(self, ask: Asks, trader: str) -> None:
        self._ask, self._trader = ask, trader
        key = f"{{{trader}}}:events"
        entries = cast("list[tuple[str, list[str]]]", ask(key, "XRANGE", key, "-", "+"))
        self.events = [{"id": entry[0], **_fields(entry[1])} for entry in entries]

    def hash(self, name: str) -> Fields:
        key = f"{{{self._trader}}}:{name}"
        return _fields(cast("list[str]", self._ask(key, "HGETALL", key)))

    def index(self, name: str) -> set[str]:
        key = f"{{{self._trader}}}:{name}"
        return set(cast("list[str]", self._ask(key, "ZRANGE", key, 0, -1)))

    def exists(self, name: str) -> bool:
        key = f"{{{self._trader}}}:{name}"
        return self._ask(key, "EXISTS", key) == 1

    def units(self) -> list[int]:
        """Return the numbers of the units that are there. Fails if one is there in part, or twice."""
        by_unit: defaultdict[int, list[Fields]] = defaultdict(list)
        for event in self.events:
            identity = event.get("order_id") or event["request_id"]
            by_unit[int(identity.strip("UABCP"))].append(event)
        for number, events in by_unit.items():
            assert tuple(event["type"] for event in events) == KINDS, f"unit {number}: {events}"
            numbers = [int(event["id"].partition("-")[0]) for event in events]
            assert numbers == list(range(numbers[0], numbers[0] + len(KINDS))), f"unit {number}: {numbers}"
            assert len({(event["writer"], event["count"]) for event in events}) == 1, f"unit {number}: {events}"
        return sorted(by_unit)


def units_there(ask: Asks, trader: str, most: int) -> list[int]:
    """Return the numbers of a trader's units, of which each must be there as a whole or not at all.

    Orders, what was applied to them, positions, indexes, what is remembered, and the header are compared.
    """
    stored = Stored(ask, trader)
    numbers = stored.units()
    count = len(numbers)
    assert [event["id"] for event in stored.events] == [f"{n}-0" for n in range(1, len(stored.events) + 1)]
    header = stored.hash("book")
    assert header.get("sequence", "0") == str(len(stored.events))
    if stored.events:
        assert (header["writer"], header["count"]) == (stored.events[-1]["writer"], stored.events[-1]["count"])
    for number in range(most):
        _check_records(stored, number, there=number in numbers)
    orders = {letter: {f"U{number}{letter}" for number in numbers} for letter in STATUSES}
    for letter, status in STATUSES.items():
        assert stored.index(f"orders_by_status:{status}") == orders[letter], status
    assert stored.index("orders_by_status:PARTIALLY_FILLED") == set()
    assert stored.index("orders_by_symbol:AAPL") == orders["A"] | orders["B"] | orders["C"]
    held = stored.hash("position:AAPL")
    names = ("quantity", "bought_quantity", "sold_quantity", "version", "open_buy_quantity", "open_sell_quantity")
    wanted = tuple(str(each * count) for each in (80, 100, 20, 3, 10, 0))
    assert tuple(held.get(name, "0") for name in names) == wanted
    assert stored.hash("position:MSFT").get("quantity", "0") == str(3 * count)
    return numbers


def _check_records(stored: Stored, number: int, *, there: bool) -> None:
    name = f"U{number}"
    for letter, status in STATUSES.items():
        assert stored.hash(f"order:{name}{letter}").get("status") == (status if there else None), name + letter
    applied = {
        "A": {f"fill:{name}X1", f"fill:{name}X3", f"request:{name}R"},
        "B": {f"fill:{name}X2", f"request:{name}C"},
    }
    for letter, names in applied.items():
        assert set(stored.hash(f"applied:{name}{letter}")) == (names if there else set()), name + letter
    assert stored.exists(f"request:{name}P") is there, name


@dataclass
class Units:
    """Threads that commit units of one trader until they are stopped; a context manager."""

    book: Book
    trader: str
    threads: int = 3
    outcomes: dict[int, CallOutcome] = field(default_factory=dict[int, CallOutcome])
    surprises: list[BaseException] = field(default_factory=list[BaseException])

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._numbers = iter(range(10**9))
        self._workers = [threading.Thread(target=self._work) for _ in range(self.threads)]

    def __enter__(self) -> Self:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for worker in self._workers:
            worker.join(120)

    def count(self, outcome: CallOutcome) -> int:
        """Return how many units ended so."""
        return list(self.outcomes.values()).count(outcome)

    def _work(self) -> None:
        while not self._stopping.is_set():
            number = next(self._numbers)
            try:
                self.book.commit(unit(self.trader, number))
                self.outcomes[number] = CallOutcome.ACKNOWLEDGED
            except OutcomeUnknown:
                self.outcomes[number] = CallOutcome.UNKNOWN
            except SlotbookError:
                self.outcomes[number] = CallOutcome.NOT_APPLIED
            except Exception as error:
                self.surprises.append(error)
            time.sleep(0.01)  # a load that leaves the servers a processor

    def judge(self, ask: Asks) -> None:
        """Compare what is stored with what the callers were told."""
        assert not self.surprises, self.surprises[0]
        there = set(units_there(ask, self.trader, len(self.outcomes)))
        for number, outcome in self.outcomes.items():
            if outcome is not CallOutcome.UNKNOWN:
                assert (number in there) is (outcome is CallOutcome.ACKNOWLEDGED), (number, outcome)


def _fields(flat: list[str]) -> Fields:
    return dict(zip(flat[::2], flat[1::2], strict=True))
