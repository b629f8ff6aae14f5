"""Test the ids of an order: ClOrdIDs and the venue's OrderIDs find it in every verb, for as long as it is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from slotbook import Book
from slotbook.models import (
    Accept,
    Bust,
    Calculate,
    Cancel,
    EventType,
    Expect,
    Expire,
    Fill,
    FillResult,
    Order,
    OrderResult,
    PendingCancel,
    Reject,
    Replace,
    Restate,
)
from slotbook.models.errors import AmbiguousId, DuplicateOrder, OrderClosed, OrderNotFound, VersionConflict
from slotbook.repositories.orders.verbs import ORDER_VERBS, OrderRequest

from ...support.desk import Desk, on_one_server
from ...support.life import BRIEF, forget
from ...support.make import example, execution, limit


@pytest.fixture
def named(desk: Desk) -> Desk:
    """Return a desk whose order A1 has a ClOrdID C2 and a venue's OrderID V9, beside an order A2."""
    orders = desk.book.orders
    orders.place(limit(desk.trader, status="PENDING_NEW"))
    orders.place(limit(desk.trader, "A2"))
    orders.accept(desk.trader, "A1", venue_order_id="V9")
    orders.replace(desk.trader, "A1", quantity=90, client_order_id="C2", original_client_order_id="A1")
    return desk


@pytest.mark.parametrize("name", ["A1", "C2", "V9"])
def test_every_id_finds_the_order(named: Desk, name: str) -> None:
    orders, trader = named.book.orders, named.trader
    orders.fill(execution(trader, order_id=name))
    found = orders.get(trader, name)
    assert found is not None
    assert (found.order_id, found.aliases, found.client_order_id, found.venue_order_id) == ("A1", 2, "C2", "V9")
    many = orders.get_many([(trader, name), (trader, "A2"), (trader, "A9"), (trader, name)])
    assert [one.result() and one.result().order_id for one in many] == ["A1", "A2", None, "A1"]  # type: ignore[union-attr]
    assert [one.exec_id for one in orders.fills(trader, name)] == ["X1"]
    assert orders.fills(trader, "A2") == orders.fills(trader, "A9") == []


@on_one_server
@pytest.mark.parametrize("kind", [verb.request for verb in ORDER_VERBS if verb.name != "place"])
@pytest.mark.parametrize("name", ["C2", "V9"])
def test_every_request_takes_it_and_a_repeat_by_another_id_is_a_repeat(
    named: Desk, kind: type[OrderRequest], name: str
) -> None:
    orders, trader = named.book.orders, named.trader
    if kind.__name__ in ("Bust", "Correct"):
        orders.fill(execution(trader))
    elif kind.__name__ == "Accept":
        orders.place(limit(trader, "A3", status="PENDING_NEW"))
    request = example(kind, trader).model_copy(
        update={"order_id": name, **({"request_id": "R9"} if "request_id" in kind.model_fields else {})}
    )
    if issubclass(kind, PendingCancel):
        request = request.model_copy(update={"client_order_id": "C9"})  # another than the one that was answered
    if kind is Accept:
        request = request.model_copy(update={"venue_order_id": "V10"})
    first = orders.apply(request)
    assert (first.order.order_id, first.applied) == ("A1", True)
    assert named.events()[-1].order_id == "A1"
    for other in ("A1", "C2", "V9"):
        again = orders.apply(request.model_copy(update={"order_id": other}))
        assert (again.applied, again.order, again.sequence) == (False, first.order, first.sequence)
    [outcome] = orders.apply_many([request])
    assert outcome.result().order == first.order


def test_a_unit_takes_ids_that_it_gives_itself(named: Desk) -> None:
    book, trader = named.book, named.trader
    version = 3
    results = book.commit(
        [
            Expect("V9", version),
            Replace(trader=trader, order_id="C2", quantity=80, client_order_id="C3"),
            execution(trader, order_id="C3"),
            Cancel(trader=trader, order_id="C3", client_order_id="C4"),
            execution(trader, "X2", 5, order_id="C4"),
        ]
    )
    assert [result.order.order_id for result in results if isinstance(result, OrderResult | FillResult)] == ["A1"] * 4
    found = book.orders.get(trader, "C4")
    assert found is not None
    assert (found.status, found.filled_quantity, found.aliases) == ("CANCELED", 45, 4)
    with pytest.raises(VersionConflict):
        book.commit([Expect("C4", version), Restate(trader=trader, order_id="A2", quantity=70)])


@pytest.mark.parametrize("name", ["C2", "V9"])
def test_no_order_is_placed_by_another_id_of_an_order(named: Desk, name: str) -> None:
    before = named.contents()
    with pytest.raises(DuplicateOrder, match="another id of order A1"):
        named.book.orders.place(limit(named.trader, name))
    [outcome] = named.book.orders.place_many([limit(named.trader, name)])
    assert isinstance(outcome.error, DuplicateOrder)
    assert named.contents() == before


def refuse_the_second(desk: Desk, steps: list[OrderRequest], error: type[Exception], match: str) -> None:
    """Check that a unit of two steps changes nothing, and that of a batch of them only the first is applied."""
    before = desk.contents()
    with pytest.raises(error, match=match):
        desk.book.commit(steps)
    assert desk.contents() == before
    first, second = desk.book.orders.apply_many(steps)
    assert first.result().applied
    assert isinstance(second.error, error)


def test_no_order_is_placed_by_an_id_that_a_step_before_has_taken(named: Desk) -> None:
    taken = Replace(trader=named.trader, order_id="A1", quantity=80, client_order_id="C3")
    refuse_the_second(named, [taken, limit(named.trader, "C3")], DuplicateOrder, "another id of order A1")


def test_no_order_takes_the_id_of_one_that_a_step_before_has_placed(named: Desk) -> None:
    taking = Replace(trader=named.trader, order_id="A1", quantity=80, client_order_id="A3")
    refuse_the_second(named, [limit(named.trader, "A3"), taking], AmbiguousId, "is order A3's")


CLASHES: dict[str, Callable[[str], OrderRequest]] = {
    "accept": lambda trader: Accept(trader=trader, order_id="A2", venue_order_id="V9"),
    "restate": lambda trader: Restate(trader=trader, order_id="A2", quantity=50, venue_order_id="C2"),
    "replace": lambda trader: Replace(trader=trader, order_id="A2", quantity=50, client_order_id="C2"),
    "cancel": lambda trader: Cancel(trader=trader, order_id="A2", client_order_id="A1"),
}


@pytest.mark.parametrize("clash", CLASHES)
def test_an_id_of_another_order_is_ambiguous(named: Desk, clash: str) -> None:
    before = named.contents()
    with pytest.raises(AmbiguousId, match="is order A1's") as caught:
        named.book.orders.apply(CLASHES[clash](named.trader))
    assert caught.value.order_id == "A1"
    assert caught.value.id in ("V9", "C2", "A1")
    assert named.contents() == before


def test_an_id_that_it_has_is_taken_again(named: Desk) -> None:
    orders, trader = named.book.orders, named.trader
    for request in (
        Replace(trader=trader, order_id="C2", quantity=95, client_order_id="C2", venue_order_id="C2"),
        Cancel(trader=trader, order_id="V9", client_order_id="A1", venue_order_id="V9"),
    ):
        result = orders.apply(request)
        assert (result.applied, result.order.aliases) == (True, 2)
    assert orders.apply(Accept(trader=trader, order_id="A2", venue_order_id="V1")).applied
    assert not orders.apply(Accept(trader=trader, order_id="A2", venue_order_id="V1")).applied


def test_executions_bring_the_venues_id(named: Desk) -> None:
    orders, trader = named.book.orders, named.trader
    fill = execution(trader, order_id="A2").model_copy(update={"venue_order_id": "V2"})
    first = orders.fill(fill)
    assert (first.order.venue_order_id, first.order.aliases, named.events()[-1].venue_order_id) == ("V2", 1, "V2")
    again = orders.fill(fill.model_copy(update={"order_id": "V2"}))
    assert (again.applied, again.order, again.position) == (False, first.order, first.position)
    bust = Bust(trader=trader, order_id="V2", exec_id="B1", exec_ref_id="X1", venue_order_id="V3", symbol="AAPL")
    assert orders.apply(bust).order.aliases == 2
    assert orders.get(trader, "V3") == orders.get(trader, "A2")
    before = named.contents()
    for request in (
        fill.model_copy(update={"exec_id": "X2", "venue_order_id": "V9"}),
        fill.model_copy(update={"venue_order_id": "V9"}),  # also when the fill itself is known
        bust.model_copy(update={"exec_id": "B2", "venue_order_id": "A1"}),
    ):
        with pytest.raises(AmbiguousId, match="is order A1's"):
            orders.apply(request)
    assert named.contents() == before
    [published] = [event for event in named.book.events.history(trader) if event.type is EventType.TRADE]
    assert published.venue_order_id == "V2"


@pytest.mark.parametrize("kind", [Replace, Restate, Cancel, Reject, Expire, Calculate], ids=lambda one: one.__name__)
def test_the_event_of_an_answer_has_all_ids_and_the_reason(desk: Desk, kind: type[OrderRequest]) -> None:
    said = {"client_order_id": "C2", "original_client_order_id": "A1", "venue_order_id": "V1", "reason": "3"}
    said = {name: value for name, value in said.items() if name in kind.model_fields}
    desk.book.orders.place(limit(desk.trader))
    request = kind.model_validate({**example(kind, desk.trader).model_dump(exclude_none=True), **said})
    order = desk.book.orders.apply(request).order
    event = desk.events()[-1]
    assert {name: getattr(event, name) for name in said} == said
    assert (order.venue_order_id, order.aliases) == ("V1", 2 if "client_order_id" in said else 1)
    assert desk.book.orders.get(desk.trader, "V1") == order


def test_a_rejected_request_keeps_its_id(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.pending_cancel(trader, "A1", client_order_id="C2")
    orders.cancel_reject(trader, "C2", client_order_id="C2", reason="0")
    orders.cancel_reject(trader, "A1", client_order_id="C3")  # one that the book was not told of
    for name in ("C2", "C3"):
        assert orders.get(trader, name) == orders.get(trader, "A1")
    assert [event.client_order_id for event in desk.events()] == [None, "C2", "C2", "C3"]


def test_ids_live_as_long_as_their_order(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    orders.pending_replace(trader, "A1", client_order_id="C2", quantity=40)
    orders.fill(execution(trader, quantity=40))
    assert desk.ask("PTTL", "%:alias:C2") == -1
    orders.replace(trader, "C2", client_order_id="C2", quantity=40, venue_order_id="V1")
    orders.cancel_reject(trader, "V1", client_order_id="C3")
    expiry = desk.ask("PEXPIRETIME", "%:order:A1")
    assert isinstance(expiry, int)
    assert expiry > 0
    assert [desk.ask("PEXPIRETIME", f"%:alias:{name}") for name in ("C2", "V1", "C3")] == [expiry] * 3
    orders.apply(Bust(trader=trader, order_id="C3", exec_id="B1", exec_ref_id="X1"))  # it is open again
    assert [desk.ask("PTTL", f"%:alias:{name}") for name in ("C2", "V1", "C3")] == [-1] * 3


@pytest.mark.parametrize("name", ["A1", "V9"])
def test_they_go_with_it(named: Desk, name: str) -> None:
    orders, trader = named.book.orders, named.trader
    with pytest.raises(OrderClosed):
        orders.delete(trader, name)
    orders.cancel(trader, name)
    orders.delete(trader, name)
    assert [orders.get(trader, one) for one in ("A1", "C2", "V9")] == [None] * 3
    assert [key for key in named.contents() if ":alias:" in key] == []
    orders.delete(trader, name)
    assert orders.place(limit(trader, "C2")).applied
    with pytest.raises(OrderNotFound):
        orders.cancel(trader, "V9")


def test_an_id_is_free_once_its_order_has_expired(desk: Desk) -> None:
    book: Book = desk.open(**BRIEF)
    book.orders.place(limit(desk.trader))
    book.orders.cancel(desk.trader, "A1", client_order_id="C2")
    forget(desk, book, "expired")
    assert book.orders.get(desk.trader, "C2") is None
    assert book.orders.place(limit(desk.trader, "C2")).applied


@on_one_server
def test_more_ids_than_one_command_removes(desk: Desk) -> None:
    orders, trader = desk.book.orders, desk.trader
    orders.place(limit(trader))
    for start in range(0, 4_100, 100):
        some: list[OrderRequest] = [
            Restate(trader=trader, order_id="A1", quantity=100, venue_order_id=f"V{start + n}") for n in range(100)
        ]
        assert all(outcome.result().applied for outcome in orders.apply_many(some))
    orders.cancel(trader, "V7")
    assert desk.ask("PTTL", "%:alias:V4099") != -1
    orders.delete(trader, "V4000")
    assert [key for key in desk.contents() if ":alias:" in key] == []


@on_one_server
def test_own_fields_are_answered_by_another_id(desk: Desk) -> None:
    class DeskOrder(Order):
        note: str

    orders, trader = desk.book.orders.of(DeskOrder), desk.trader
    orders.place(DeskOrder.model_validate({**limit(trader).model_dump(), "note": "a\nb"}))
    first = orders.replace(trader, "A1", quantity=50, client_order_id="C2").order
    assert orders.fill(Fill.model_validate({**execution(trader).model_dump(), "order_id": "C2"})).order.note == "a\nb"
    assert (first.note, first.aliases) == ("a\nb", 1)
