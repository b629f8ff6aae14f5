"""Test that what a book cannot store of a request is refused before anything is sent, and never dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeAlias, cast

import pytest
from pydantic import ConfigDict
from slotbook.models import Cancel, EventType, Fill, Order, OrderEvent, PositionChange, SymbolInfo
from slotbook.models.errors import InvalidArgument
from slotbook.models.guards import Expect
from slotbook.models.record import Record
from slotbook.repositories.orders.verbs import ORDER_VERBS

from ...support.desk import Desk
from ...support.make import TS, example, execution, fresh, limit

REQUESTS: list[type[Record]] = [verb.request for verb in ORDER_VERBS] + [PositionChange]
STORES_OWN = (Order, Fill)
"""The requests whose declared own fields are stored, by a unit, a journal and the repository of their class."""
Way: TypeAlias = "Callable[[Desk, Any], object]"


def request_of(kind: type[Any], trader: str, **own: object) -> Any:
    """Return a request of a kind, or of a subclass with fields of its own."""
    if issubclass(kind, PositionChange):
        return kind.model_validate({"trader": trader, "symbol": "AAPL", "quantity": 5, "request_id": "R1", **own})
    base = next(one for one in REQUESTS if issubclass(kind, one))
    return kind.model_validate({**example(cast("Any", base), trader).model_dump(), **own})


def with_a_field(kind: type[Any]) -> type[Any]:
    return type(f"Desk{kind.__name__}", (kind,), {"__annotations__": {"strategy": str}, "__module__": __name__})


def with_extras(kind: type[Any]) -> type[Any]:
    return type(f"Loose{kind.__name__}", (kind,), {"model_config": ConfigDict(extra="allow"), "__module__": __name__})


OWN: dict[str, Callable[[type[Any], str], Any]] = {
    "a field": lambda kind, trader: request_of(with_a_field(kind), trader, strategy="S1"),
    "an extra": lambda kind, trader: request_of(with_extras(kind), trader, strategy="S1"),
    "a field copied in": lambda kind, trader: request_of(kind, trader).model_copy(update={"strategy": "S1"}),
}


def _batch(room: Any, request: Any) -> None:
    """Apply a request and, before it, one that could be applied."""
    good = type(request).__base__ if type(request) not in REQUESTS else type(request)
    room = room.positions if isinstance(request, PositionChange) else room.orders
    room.apply_many([request_of(cast("type[Any]", good), request.trader), request])


def _held(desk: Desk, request: Any) -> None:
    with desk.book.lock("L", trader=desk.trader, lease=60) as held:
        _batch(held, request)


def _commit_held(desk: Desk, request: Any) -> None:
    with desk.book.lock("L", trader=desk.trader, lease=60) as held:
        held.commit([limit(desk.trader, "B1"), request])


WAYS: dict[str, Way] = {
    "a batch": lambda desk, request: _batch(desk.book, request),
    "a unit": lambda desk, request: desk.book.commit([limit(desk.trader, "B1"), request]),
    "under a lock": _held,
    "a unit under a lock": _commit_held,
}


REFUSALS = [
    (way, own, kind)
    for way in WAYS
    for own in OWN
    for kind in REQUESTS
    if not (kind in STORES_OWN and own == "a field" and "a unit" in way)
]


@pytest.mark.parametrize(("way", "own", "kind"), REFUSALS, ids=lambda one: getattr(one, "__name__", one))
def test_fields_of_its_own_refuse_a_request_before_anything_is_sent(
    lone_desk: Desk, way: str, own: str, kind: type[Record]
) -> None:
    lone_desk.book.orders.place(limit(lone_desk.trader, "A0"))
    before = lone_desk.contents()
    is_declared = kind in STORES_OWN and own == "a field"
    why = "of its own, which this repository does not store" if is_declared else "that no book stores"
    with pytest.raises(InvalidArgument, match=rf"has fields {why}: strategy; give .*plain {kind.__name__}"):
        WAYS[way](lone_desk, OWN[own](kind, lone_desk.trader))
    after = lone_desk.contents()
    after.pop(f"{{{lone_desk.trader}}}:lock:L", None)
    assert after == before


@pytest.mark.parametrize("own", OWN)
def test_single_verbs_refuse_it_too(desk: Desk, own: str) -> None:
    make, orders = OWN[own], desk.book.orders
    for ask in (
        lambda: orders.place(make(Order, desk.trader)),
        lambda: orders.place_many([limit(desk.trader, "B1"), make(Order, desk.trader)]),
        lambda: orders.fill(make(Fill, desk.trader)),
        lambda: orders.fill_many([execution(desk.trader), make(Fill, desk.trader)]),
        lambda: orders.apply(make(Cancel, desk.trader)),
    ):
        with pytest.raises(InvalidArgument, match="strategy"):
            ask()
    assert desk.contents() == {}


@pytest.mark.parametrize("own", sorted(OWN.keys() - {"a field"}))
def test_a_run_of_a_journal_refuses_its_row(desk: Desk, own: str) -> None:
    run = desk.book.reconcile([limit(desk.trader, "B1"), OWN[own](Order, desk.trader)])
    assert (run.applied, [order.order_id for order in desk.book.orders.open(desk.trader)]) == (1, ["B1"])
    assert ["strategy" in refusal.reason for refusal in run.refusals] == [True]


@pytest.mark.parametrize("own", sorted(OWN.keys() - {"a field"}))
def test_a_run_of_a_journal_takes_none_for_what_was_there_without_its_fields(desk: Desk, own: str) -> None:
    desk.book.orders.place(limit(desk.trader))
    desk.book.orders.cancel(desk.trader, "A1")
    desk.book.orders.delete(desk.trader, "A1")
    run = desk.book.reconcile([OWN[own](Order, desk.trader), ValuedOrder(**limit(desk.trader).model_dump())])
    assert (run.repeated, [(refusal.place, "strategy" in refusal.reason) for refusal in run.refusals]) == (
        1,
        [(0, True)],
    )


class ValuedOrder(Order):
    """An order that remembers what it is worth."""

    @cached_property
    def worth(self) -> Decimal:
        """Return what the order is worth at its price."""
        return (self.price or Decimal(0)) * self.quantity


class FreeFill(Fill):
    """A fill that claims to cost nothing."""

    @property
    def notional(self) -> Decimal:
        """Return nothing."""
        return Decimal(0)


def test_what_a_subclass_computes_does_no_harm_and_is_not_stored(desk: Desk) -> None:
    order = ValuedOrder.model_validate(limit(desk.trader).model_dump())
    assert order.worth == 18723  # is remembered in the object from now on
    placed = desk.book.orders.place(order).order
    assert placed == limit(desk.trader).model_copy(update={"version": 1})
    fill = FreeFill.model_validate(execution(desk.trader).model_dump(exclude_computed_fields=True))
    assert desk.book.orders.fill(fill).position.bought_notional == Decimal("7488.8")
    assert desk.book.orders.place(limit(desk.trader)).applied is False


class CountedOrder(Order):
    """An order whose quantity has another form."""

    quantity: str  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


class LongTextOrder(Order):
    """An order whose text may be anything."""

    text: str | None = None  # pyright: ignore[reportIncompatibleVariableOverride]


class BuyOrder(Order):
    """An order to buy, good till cancel unless it says otherwise."""

    side: Any = "BUY"
    time_in_force: Any = "GTC"


def test_other_types_of_a_field_refuse_it(desk: Desk) -> None:
    values = limit(desk.trader).model_dump(exclude_computed_fields=True)
    for order, problem in (
        (CountedOrder.model_validate({**values, "quantity": "0100"}), "CountedOrder has another type of quantity"),
        (LongTextOrder.model_validate({**values, "text": "two\nlines"}), "text 'two"),
        (LongTextOrder.model_validate({**values, "text": "x" * 257}), "text 'xxx"),
        (BuyOrder.model_validate({**values, "side": "BUY"}), "BuyOrder has another type of side"),
    ):
        with pytest.raises(InvalidArgument, match=problem):
            desk.book.orders.place(order)
    assert desk.contents() == {}
    order = LongTextOrder.model_validate({**values, "text": "one line"})
    assert desk.book.orders.place(order).order.text == "one line"


@dataclass(frozen=True)
class NotedExpect(Expect):
    """A guard with a note."""

    note: str = ""


def test_a_guard_has_no_more_than_a_guard_has() -> None:
    with pytest.raises(InvalidArgument, match="NotedExpect has more fields"):
        NotedExpect("A1", 1, "seen")


class DeskEvent(OrderEvent):
    """An event with a field of its own."""

    strategy: str


class DeskSymbol(SymbolInfo):
    """A symbol with a field of its own."""

    sector: str


def test_events_and_symbols_are_refused_as_well(desk: Desk) -> None:
    event = DeskEvent(trader=desk.trader, sequence=1, type=EventType.NEW, ts_ns=TS, symbol="AAPL", strategy="S1")
    with pytest.raises(InvalidArgument, match="a DeskEvent has fields that no book stores: strategy"):
        desk.book.events.publish(event)
    name = fresh("S")
    info = DeskSymbol(symbol=name, name="Apple Inc.", sector="tech")
    for ask in (
        lambda: desk.book.symbols.put(info),
        lambda: desk.book.symbols.put_many([SymbolInfo(symbol=name, name="Apple Inc."), info]),
        lambda: desk.book.symbols.write_through(info),
        lambda: desk.book.symbols.write_through_many([info]),
    ):
        with pytest.raises(InvalidArgument, match="a DeskSymbol has fields that no book stores: sector; give a plain"):
            ask()
    assert desk.book.symbols.get(name) is None
