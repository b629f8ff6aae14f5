"""Fault "access denied": each command and each key pattern that changes of a book use, denied in turn."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, TypeVar, cast

import pytest
from slotbook import Book, Expect
from slotbook.models import Cancel, Delete, Entity, Index, Insert, Key, Limits, PositionChange, Replace, Unique
from slotbook.models.enums import OrderStatus
from slotbook.models.errors import AccessDenied
from slotbook.models.results import Outcome
from slotbook.models.types import Name
from slotbook.repositories.changes.scripts import engine

from ..support.faults.permissions import User, commands_in, dumps, forget, judged, run_by
from ..support.faults.stand import Stand
from ..support.make import execution, fresh, limit
from ..support.own_orders import DeskOrder, desk_order

COMMANDS = sorted(commands_in(engine().source) | {"evalsha", "eval"})
"""Every command that the engine calls; a new one is found."""
NEVER_FAIL = {"publish", "spublish"}
"""Commands without which every change succeeds: the stream has the events."""


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


def _each(outcomes: list[Outcome[object]]) -> object:
    return [outcome.result() for outcome in outcomes]


def _batch(book: Book, trader: str) -> object:
    return _each(
        cast(
            "list[Outcome[object]]",
            book.orders.apply_many([limit(trader, "B1"), execution(trader), Cancel(trader=trader, order_id="A1")]),
        )
    )


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
KEYS = (
    *[
        f"{{TRADER}}:{name}"
        for name in (
            *("book", "events", "positions", "limits", "order:*", "alias:*", "applied:*", "position:*", "request:*"),
            *("account_position:*", "account_positions"),
        )
    ],
    "{TRADER}:orders_by_symbol:*",
    "{TRADER}:orders_by_+*",
    *[
        f"{{TRADER}}:{kind}{rest}"
        for kind in ("note", "brief")
        for rest in (":*", "_keys*", "_by_*", "_sorted_*", "_unique_*", "_deleted:*")
    ],
    *["{TRADER}:orders_by_status:" + status for status in OrderStatus],
)
"""The patterns of a trader's keys, none of which is a part of another."""


@pytest.fixture
def user(lone_stand: Stand) -> Iterator[User]:
    """Yield a user."""
    found = User(lone_stand)
    yield found
    found.forget()


def keys_of(trader: str) -> str:
    """Return the pattern of a trader's keys."""
    return f"{{{trader}}}:*"


def prepared(stand: Stand, user: User, change: Change) -> str:
    """Return a trader who has what a change needs."""
    trader = fresh()
    change.prepare(user.owner, trader)
    if change.removed:
        stand.control.ask("", "UNLINK", f"{{{trader}}}:{change.removed}")
    for status in ("NEW", "FILLED", "CANCELED", "EXPIRED"):  # an entry of an order that has expired
        stand.control.ask("", "ZADD", f"{{{trader}}}:orders_by_status:{status}", 1, "gone")
    return trader


def run_for(stand: Stand, user: User, change: Change) -> list[tuple[str, ...]]:
    """Return the commands that a change runs when nothing is denied: what it does not use, need not be denied."""
    trader = prepared(stand, user, change)
    commands = run_by(lambda: change.call(user.book, trader), stand)
    forget(stand, keys_of(trader))
    return [tuple(word.replace(trader, "TRADER") for word in words) for words in commands]


def refused(stand: Stand, user: User, change: Change, denials: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the denials under which a change is refused, each with its rules.

    After each, compare what is stored with what the caller was told.
    """
    found: set[str] = set()
    trader = ""
    for denied, rules in denials.items():
        trader = trader or prepared(stand, user, change)
        user.set(*[rule.replace("TRADER", trader) for rule in rules])
        error = judged(lambda name=trader: change.call(user.book, name), stand, keys_of(trader), rules)
        if error:
            found.add(denied)
        if not isinstance(error, AccessDenied):  # otherwise nothing has changed, and all is prepared for the next
            forget(stand, keys_of(trader))
            trader = ""
    forget(stand, keys_of(trader))
    user.allow()
    return found


def test_each_command(lone_stand: Stand, user: User) -> None:
    reached: set[str] = set()
    for change in CHANGES:
        run = {words[0].lower() for words in run_for(lone_stand, user, change)}
        denials = {command: ("~*", "+@all", f"-{command}") for command in COMMANDS if command in run}
        denied = refused(lone_stand, user, change, denials)
        assert not denied & NEVER_FAIL, change.name
        assert {"evalsha", "hmget"} <= denied, f"what every change needs: {change.name}"
        reached |= denied
    unseen = set(COMMANDS) - NEVER_FAIL - {"eval", "xrevrange"} - reached
    assert not unseen, "the list of changes reaches every command"


@pytest.mark.parametrize("allowed", ["", "%R~"], ids=["closed", "read-only"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_each_key_pattern(lone_stand: Stand, user: User, change: Change, allowed: str) -> None:
    words = {word for words in run_for(lone_stand, user, change) for word in words if word.startswith("{TRADER}:")}
    strange = [word for word in words if not any(fnmatch.fnmatchcase(word, pattern) for pattern in KEYS)]
    assert not strange, "with a key that no pattern allows, every change would be refused"
    denials: dict[str, Sequence[str]] = {}
    for pattern in (one for one in KEYS if fnmatch.filter(words, one)):
        others = [f"~{one}" for one in KEYS if one != pattern]
        denials[pattern] = ["+@all", *others, *([f"{allowed}{pattern}"] if allowed else [])]
    assert set(KEYS[:2]) <= refused(lone_stand, user, change, denials)


def test_a_loss_that_may_not_be_looked_into(lone_stand: Stand, user: User) -> None:
    """The stream may not be read backwards: nothing is changed, and the loss is told when it may."""
    trader = lone_stand.trader
    user.book.orders.place(limit(trader))
    lone_stand.ask("UNLINK", *dumps(lone_stand, keys_of(trader)))
    user.set("~*", "+@all", "-xrevrange")
    with pytest.raises(AccessDenied):
        user.book.orders.place(limit(trader, "A2"))
    assert dumps(lone_stand, keys_of(trader)) == {}
    user.allow()
    (loss,) = user.book.losses()
    assert (loss.first, loss.last) == (1, 1)
