"""Every public method of the repositories, found by looking, and what may be given to each of its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import strategies as st
from slotbook import Book
from slotbook.models import Limits, PositionChange, SymbolInfo
from slotbook.models.coordination import Algorithm
from slotbook.models.enums import OrderStatus
from slotbook.repositories import (
    Auditor,
    Cache,
    Lock,
    OrderEventRepository,
    OrderRepository,
    PositionRepository,
    RateLimiter,
    SearchIndexes,
    SessionRepository,
    SymbolInfoRepository,
    ValueRepository,
)
from slotbook.repositories.orders.verbs import ORDER_VERBS

from ..make import example, execution, limit
from .garbage import ANYTHING

TRADER = "T1"
LONG = 3_600.0
"""Seconds for which what expires is there: a short one could end amid a test, which would then blame a call for it."""
_ORDER = limit(TRADER)
_CHANGE = PositionChange.model_validate({"trader": TRADER, "symbol": "AAPL", "action": "ADJUST", "quantity": 3})
SYMBOL = SymbolInfo.model_validate({"symbol": "AAPL", "name": "Apple", "lot_size": 100, "tick_size": "0.01"})

Method: TypeAlias = Callable[..., Any]
"""Any, for it is given what is of the wrong type on purpose."""
Asked: TypeAlias = tuple[str, list[object], dict[str, object]]
"""``room.method``, what it is given in a row, and what by name."""

ROOMS: dict[str, tuple[type, Callable[[Book], object]]] = {
    "book": (Book, lambda book: book),
    "orders": (OrderRepository, lambda book: book.orders),
    "positions": (PositionRepository, lambda book: book.positions),
    "events": (OrderEventRepository, lambda book: book.events),
    "symbols": (SymbolInfoRepository, lambda book: book.symbols),
    "cache": (Cache, lambda book: book.cache(SymbolInfo, "other")),
    "values": (ValueRepository, lambda book: book.values),
    "sessions": (SessionRepository, lambda book: book.sessions),
    "limiter": (RateLimiter, lambda book: book.limiter(5, LONG)),
    "lock": (Lock, lambda book: book.lock("L1", wait=0.1)),
    "auditor": (Auditor, lambda book: book.audit),
    "indexes": (SearchIndexes, lambda book: book.indexes),
}
NOT_CALLED = {"book.open", *(f"{room}.{name}" for room in ROOMS for name in ("from_url", "close", "near"))}
"""What begins and ends a book, and what changes how all of it reads."""

USUAL: dict[str, tuple[object, ...]] = {
    "trader": (TRADER,),
    "traders": (TRADER, [TRADER]),
    "order_id": ("A1", "A2"),
    "symbol": ("AAPL",),
    "order": (_ORDER,),
    "orders": ([_ORDER], [limit(TRADER, "A2"), _ORDER]),
    "fill": (execution(TRADER),),
    "fills": ([execution(TRADER, "X2", 10)],),
    "request": tuple(example(verb.request, TRADER) for verb in ORDER_VERBS),
    "requests": tuple([example(verb.request, TRADER)] for verb in ORDER_VERBS),
    "journal": ([_ORDER], iter([_ORDER])),
    "changes": (
        [PositionChange.model_validate({"trader": TRADER, "symbol": "AAPL", "action": "ADJUST", "quantity": 3})],
    ),
    "ids": ([(TRADER, "A1")],),
    "status": (OrderStatus.NEW, "FILLED"),
    "quantity": (60, 0),
    "delta": (5, -5),
    "max_position": (50,),
    "price": ("187.5", 187),
    "exec_ref_id": ("X1",),
    "client_order_id": ("C1",),
    "new": (2,),
    "old": (1,),
    "to": ("halted",),
    "limits": (Limits(trader=TRADER, max_order=500),),
    "ts_ns": (None, 5),
    "request_id": (None, "R1"),
    "revision": (None, 1),
    "text": (None, "because"),
    "name": ("L1",),
    "key": ("AAPL",),
    "keys": (["AAPL"],),
    "value": ("v", SYMBOL),
    "values": ({"AAPL": SYMBOL},),
    "info": (SYMBOL,),
    "infos": ([SYMBOL],),
    "expected": (None, "v"),
    "expected_version": (0, 1),
    "model": (SymbolInfo, int),
    "session_id": ("0" * 64,),
    "data": (None, {"a": "b"}),
    "ttl": (None, 5.0),
    "event": (),
    "before": (1, 2),
    "channels": ("order_events",),
    "patterns": ("events.*",),
    "group": ("g",),
    "consumer": ("c",),
    "pattern": ("A*",),
    "cost": (1,),
    "limit": (3,),
    "window": (1.0,),
    "algorithm": (*Algorithm,),
    "wait": (0.0, 0.1),
    "lease": (1.0,),
    "batch": (10,),
    "kinds": (["order"],),
    "conditions": (),
}


METHODS = [
    f"{room}.{name}"
    for room, (kind, _) in ROOMS.items()
    for name, _ in inspect.getmembers(kind, callable)
    if not name.startswith("_") and f"{room}.{name}" not in NOT_CALLED
]


def calls(others: st.SearchStrategy[object] = ANYTHING) -> st.SearchStrategy[Asked]:
    """Draw a method and arguments for it: each a usual one, one of the others, or left out where it may be."""
    return st.one_of([_asked(named, others) for named in METHODS])


def _asked(named: str, others: st.SearchStrategy[object]) -> st.SearchStrategy[Asked]:
    room, name = named.split(".")
    several: st.SearchStrategy[list[object]] = st.just([])
    always: dict[str, st.SearchStrategy[object]] = {}
    optional: dict[str, st.SearchStrategy[object]] = {}
    for parameter in list(inspect.signature(getattr(ROOMS[room][0], name)).parameters.values())[1:]:
        usual = USUAL.get(parameter.name)
        value = st.one_of(others, st.sampled_from(usual)) if usual else ANYTHING
        if parameter.kind is parameter.VAR_POSITIONAL:
            several = st.lists(value, max_size=3)
        else:
            (always if parameter.default is parameter.empty else optional)[parameter.name] = value
    return st.tuples(st.just(named), several, st.fixed_dictionaries(always, optional=optional))


def call(book: Book, asked: Asked) -> None:
    """Call it, ask what it gives back to be asked, and end what it has begun."""
    named, several, one_each = asked
    room, name = named.split(".")
    method: Method = getattr(ROOMS[room][1](book), name)
    result = method(*several, **one_each)
    # A cache, also one with a source, would close the book, for all calls to come.
    ends = () if named == "book.cache" or name == "using" else ("close",)
    for more in ("all", "release", *ends):
        if callable(act := getattr(result, more, None)):
            act()
