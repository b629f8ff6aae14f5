"""Changes of each kind that may be denied, each with what it needs before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, TypeVar, cast

from slotbook import Book, Expect
from slotbook.models import Cancel, Delete, Entity, Index, Insert, Key, Limits, PositionChange, Replace, Unique
from slotbook.models.results import Outcome
from slotbook.models.types import Name
from slotbook.repositories.orders.verbs import OrderRequest

from ..make import execution, limit
from ..own_orders import DeskOrder, desk_order


@dataclass(frozen=True)
class Change:
    """A change that may be denied."""

    name: str
    prepare: Callable[[Book, str], object]
    call: Callable[[Book, str], object]
    removed: str = ""
    """The end of a key that another program has removed before."""


def _order(book: Book, trader: str) -> None:
    """Have an open order with a text, which has been filled in part."""
    book.orders.place(limit(trader, text="note"))
    book.orders.fill(execution(trader, "X0", 10))


def _plain(book: Book, trader: str) -> None:
    """Have two open orders as short ways take them, which have been filled in part."""
    _each(book.orders.place_many([limit(trader), limit(trader, "A2")]))
    _each(book.orders.fill_many([execution(trader, "X0", 10), execution(trader, "XB", 10, order_id="A2")]))


def _named(book: Book, trader: str) -> None:
    """Have an open order with an id beside its own."""
    book.orders.place(limit(trader))
    book.orders.replace(trader, "A1", quantity=90, client_order_id="C9")


def _limits(trader: str) -> Limits:
    return Limits(trader=trader, symbol="AAPL", max_order=200, max_position=900, orders_per_second=9)


def _limited(book: Book, trader: str) -> None:
    _order(book, trader)
    book.limits.set(_limits(trader))


def _of_account(book: Book, trader: str) -> None:
    """Have a position of an account."""
    book.orders.place(limit(trader, account="ACC1"))
    book.orders.fill(execution(trader, "X0", 10))


def _closed(book: Book, trader: str) -> None:
    _order(book, trader)
    book.orders.cancel(trader, "A1")


def _done(change: Callable[[Book, str], object]) -> Callable[[Book, str], object]:
    """Have the change made already, so that the next is a repeat."""

    def prepare(book: Book, trader: str) -> None:
        _order(book, trader)
        change(book, trader)

    return prepare


def _nothing(_book: Book, _trader: str) -> None:
    return


def _unit(book: Book, trader: str) -> object:
    return book.commit(
        [
            Expect("A1", 2),
            limit(trader, "B1"),
            execution(trader, "Y1", 100, order_id="B1"),
            Replace(trader=trader, order_id="A1", quantity=90, price=Decimal(180), request_id="R1"),
            PositionChange(trader=trader, symbol="MSFT", quantity=5, request_id="P1"),
            Cancel(trader=trader, order_id="A1", request_id="C1"),
        ]
    )


class Note(Entity, kind="note"):
    trader: Name
    note_id: Annotated[Name, Key]
    account: Annotated[Name, Index] = "ACC1"
    reference: Annotated[Name | None, Unique] = None
    words: str | None = None
    size: Annotated[int, Index(sorted=True)] = 7


N = TypeVar("N", bound=Note)
T = TypeVar("T")


class Brief(Note, kind="brief", ttl=60):
    """A note that expires."""


def _note(kind: type[N], trader: str, **fields: object) -> N:
    return kind.model_validate({"trader": trader, "note_id": "N1", "reference": "R1", "words": "one", **fields})


def _noted(kind: type[Note]) -> Callable[[Book, str], object]:
    return lambda book, trader: book.table(kind).insert(_note(kind, trader))


def _persistent(book: Book, trader: str) -> None:
    """Have a note that expires, of a kind whose notes do not any more."""
    book.table(_WasBrief).insert(_note(_WasBrief, trader))


class _WasBrief(Note, kind="note", ttl=60):
    pass


def _own_unit(book: Book, trader: str) -> object:
    other = _note(Note, trader, note_id="N2")
    return book.commit([Delete(Note, trader, "N1", request_id="D1"), Insert(other), limit(trader, "B1")])


def _each(outcomes: Sequence[Outcome[T]]) -> object:
    return [outcome.result() for outcome in outcomes]


def _batch(book: Book, trader: str) -> object:
    return _each(
        cast(
            "list[Outcome[object]]",
            book.orders.apply_many([limit(trader, "B1"), execution(trader), Cancel(trader=trader, order_id="A1")]),
        )
    )


def _both(request: Callable[..., OrderRequest], **fields: object) -> Callable[[Book, str], object]:
    """Return a change of both plain orders in one call."""

    def change(book: Book, trader: str) -> object:
        requests = [request(trader=trader, order_id=name, request_id=f"R{name}", **fields) for name in ("A1", "A2")]
        return _each(cast("list[Outcome[object]]", book.orders.apply_many(requests)))

    return change


def _fill(book: Book, trader: str) -> object:
    return book.orders.fill(execution(trader))


def _replace(book: Book, trader: str) -> object:
    return book.orders.replace(trader, "A1", quantity=150, price="188", request_id="R1", ts_ns=7)


def _cancel(book: Book, trader: str) -> object:
    return book.orders.cancel(trader, "A1", request_id="C1", ts_ns=7)


def _own_orders(book: Book, trader: str) -> None:
    """Have two orders with own fields, one of which has ended."""
    book.orders.of(DeskOrder).place_many([desk_order(trader), desk_order(trader, "A2", target=None)])
    book.orders.cancel(trader, "A2")


def _own_closed(book: Book, trader: str) -> None:
    _own_orders(book, trader)
    _cancel(book, trader)


def _adjust(book: Book, trader: str) -> object:
    return book.positions.adjust(trader, "AAPL", 5, request_id="P1", ts_ns=7)


CHANGES = (
    Change("place", _nothing, lambda book, trader: book.orders.place(limit(trader, text="note"))),
    Change("roll of an account", _of_account, lambda book, trader: book.positions.roll(trader, "AAPL", request_id="R")),
    Change("place another", _order, lambda book, trader: book.orders.place(limit(trader, "A2"))),
    Change("place headless", _order, lambda book, trader: book.orders.place(limit(trader, "A2")), removed="book"),
    Change("fill", _order, _fill),
    Change("fill the rest", _order, lambda book, trader: book.orders.fill(execution(trader, quantity=90))),
    Change("plain fill", _plain, _fill),
    Change("plain fill of the rest", _plain, lambda book, trader: book.orders.fill(execution(trader, quantity=90))),
    Change("plain replace", _plain, _replace),
    Change("plain cancel", _plain, _cancel),
    Change("plain places", _plain, lambda b, t: _each(b.orders.place_many([limit(t, "B1"), limit(t, "B2")]))),
    Change(
        "plain fills",
        _plain,
        lambda b, t: _each(b.orders.fill_many([execution(t), execution(t, "Y2", 90, order_id="A2")])),
    ),
    Change("plain replaces", _plain, _both(Replace, quantity=150)),
    Change("plain cancels", _plain, _both(Cancel)),
    Change("replace", _order, _replace),
    Change("cancel", _order, _cancel),
    Change("reject", lambda book, trader: book.orders.place(limit(trader)), lambda b, t: b.orders.reject(t, "A1")),
    Change("cancel by another id", _named, lambda book, trader: book.orders.cancel(trader, "C9", request_id="C1")),
    Change("expire", _order, lambda book, trader: book.orders.expire(trader, "A1")),
    Change("adjust", _order, _adjust),
    Change("set", _nothing, lambda book, trader: book.positions.set(trader, "AAPL", 5)),
    Change("check", _order, lambda book, trader: book.positions.check_and_update(trader, "AAPL", 5, 50)),
    Change("delete", _closed, lambda book, trader: book.orders.delete(trader, "A1")),
    Change("place with own fields", _nothing, lambda b, t: b.orders.of(DeskOrder).place(desk_order(t))),
    Change("cancel with own fields", _own_orders, _cancel),
    Change("delete with own fields", _own_closed, lambda book, trader: book.orders.delete(trader, "A1")),
    Change("set limits", _nothing, lambda b, t: b.limits.set(_limits(t), request_id="L1")),
    Change("remove limits", _limited, lambda b, t: b.limits.delete(t, "AAPL", request_id="L2")),
    Change("halt", _order, lambda b, t: b.trading(t, "halted", request_id="H1")),
    Change("place under limits", _limited, lambda b, t: b.orders.place(limit(t, "A2"))),
    Change("replace under limits", _limited, _replace),
    Change("unit", _order, _unit),
    Change("batch", _order, _batch),
    Change("insert", _nothing, _noted(Note)),
    Change("insert a brief", _nothing, _noted(Brief)),
    Change("put", _noted(Note), lambda b, t: b.table(Note).put(_note(Note, t, reference="R2", words=None))),
    Change("put a brief", _noted(Brief), lambda b, t: b.table(Brief).put(_note(Brief, t))),
    Change("put what stays", _persistent, lambda b, t: b.table(Note).put(_note(Note, t))),
    Change(
        "update",
        _noted(Note),
        lambda b, t: b.table(Note).update(t, "N1", {"account": "ACC2", "words": None, "size": 8}),
    ),
    Change("remove", _noted(Note), lambda b, t: b.table(Note).delete(t, "N1")),
    Change("own unit", _noted(Note), _own_unit),
    Change("fill again", _done(_fill), _fill),
    Change("replace again", _done(_replace), _replace),
    Change("cancel again", _done(_cancel), _cancel),
    Change("adjust again", _done(_adjust), _adjust),
)
