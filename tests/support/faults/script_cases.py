"""A case for every script that writes, the engine excepted: what is stored before, its keys and its arguments.

The scripts are read from the package, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from slotbook import Book
from slotbook.models.numbers import MAX_COUNT
from slotbook.topology.call import evaluate
from slotbook.topology.scripts import Script

from ..make import execution, limit
from ..package import MODULES
from .alias_cases import REPAIR_ALIAS
from .own_cases import REPAIR_OWN, REPAIR_OWN_FIELD
from .reference_cases import REFERENCE_CASES, REWRITE
from .reference_cases import STORED as STORED_VENUE
from .schema_cases import SCHEMA_CASES

Words = tuple[str | int, ...]


def _scripts() -> dict[str, Script]:
    """Return every script that a module of the package has, by the module's room and the script's name in it."""
    found: dict[str, Script] = {}
    for name in MODULES:
        if ".repositories." not in name:
            continue
        for attribute, value in vars(importlib.import_module(name)).items():
            scripts = cast("dict[str, object]", value) if isinstance(value, dict) else {attribute: value}
            for label, script in scripts.items():
                if isinstance(script, Script):
                    found[f"{name.split('.')[2]}/{label.lower()}"] = script
    return found


SCRIPTS = _scripts()
WRITING = {name for name, script in SCRIPTS.items() if "run_write(" in script.source}
"""The scripts that write; the engine is none of them."""


@dataclass(frozen=True)
class Case:
    """A call of a script; NAME in any text stands for a name that nothing else has."""

    script: str
    keys: Mapping[str, object]
    arguments: Mapping[str, object] = field(default_factory=dict[str, object])
    before: tuple[Words, ...] = ()
    """What is stored before, as commands."""
    prepare: Callable[[Book, str], object] = lambda _book, _name: None
    what: str = ""
    exact: bool = True
    """False for a script whose first write may find nothing to change: its outcome is called unknown all the same."""

    def call(self, book: Book, name: str) -> object:
        """Call the script."""
        script = SCRIPTS[self.script]
        keys = script.keys(**{key: _named(value, name) for key, value in self.keys.items()})
        declared = {one.rstrip(".?") for one in script.argument_names}
        given = {key: _named(value, name) for key, value in self.arguments.items() if key in declared}
        arguments = script.arguments(**given)
        return book.backend.run(evaluate(self.script, script, keys, arguments, decode=lambda reply: reply))

    def __str__(self) -> str:
        return f"{self.script} {self.what}".strip()


def _named(value: object, name: str) -> str | list[str] | None:
    if isinstance(value, list):
        return [str(one).replace("NAME", name) for one in cast("list[object]", value)]
    return None if value is None else str(value).replace("NAME", name)


def _orders(book: Book, trader: str) -> None:
    book.orders.place(limit(trader))
    book.orders.place(limit(trader, "A2"))
    book.orders.fill(execution(trader))


VALUE = {"value": "{NAME}:value", "last_version": "{NAME}:value:version", "request": "{NAME}:swapped:R1"}
SWAP = {"field": "version", "new_value": "b", "request_ttl": 9_000, "version_ttl": 9_000}
STORED = ("HSET", "{NAME}:value", "value", "a", "version", 5)
SESSION = {"session": "{NAME}:session:D", "sessions": "{NAME}:sessions"}
LIVE = ("HSET", "{NAME}:session:D", "created_ms", 1, "expires_ms", 4 * 10**12, "ttl_ms", 9_000, "data", "{}")
LISTED = ("ZADD", "{NAME}:sessions", 4 * 10**12, "D", 1, "expired")
LIMIT = {"counter": "{NAME}:limit:r", "permit": "{NAME}:permit:r:1"}
WINDOW = {"limit": 3, "window": 10**7, "cost": 1, "remembered": 10**7, "now": ""}
BUCKET = {"cost": 1, "remembered": 10**7, "now": "", "burst": 3, "inflow": 1, "token": 10**6}
LATER = "1800000000000000"
CACHE = {"entry": "symbol:NAME", "load_state": "{symbol:NAME}:load"}
ENTRY = ("HSET", "symbol:NAME", "old", 1)
LOADED = ("HSET", "{symbol:NAME}:load", "lease", "t", "lease_until", 4 * 10**12, "noted_at", 1)
WRITTEN = ("HSET", "{symbol:NAME}:load", "writing:t", 4 * 10**12, "noted_at", 1)
OVER = ("HSET", "{symbol:NAME}:load", "lease", "t", "lease_until", 5, "noted_at", 1)
BEHIND = ("HSET", "{symbol:NAME}:load", "lease", "t", "lease_until", 5 * 10**12, "noted_at", 4 * 10**12)
FIELDS = ["new", "1"]
LOCK = {"lock": "{NAME}:lock"}
HELD = ("HSET", "{NAME}:lock", "owner", "t", "fence", 5, "ends_ms", 4 * 10**12, "lease_ms", 5 * 10**12)
BASE = "{NAME}:"
BY_SYMBOL = "{NAME}:orders_by_symbol:AAPL"
ENTRY_OF = {"base": BASE, "order_id": "A1"}

GIVEN: dict[str, object] = {
    **{"group": "risk", "consumer": "one", "count": 10, "since": 0, "after": ">", "start": "0-0", "min_idle": 0},
    **{"id": "1-0", "ids": ["1-0", "2-0"], "max_letters": 100, "error": "poison", "before": 2, "idle": 0},
    **{"known": "", "digest": "", "hand_overs": 2, "unhandled": ["1-0", 0], "letters": ["1-1"]},
}
"""A value for each argument of the scripts of consumers."""
GROUP: Words = ("XGROUP", "CREATE", "{NAME}:events", "risk", 0)
GIVEN_ONE: Words = ("XREADGROUP", "GROUP", "risk", "one", "COUNT", 1, "STREAMS", "{NAME}:events", ">")
GIVEN_BACK: Words = ("XCLAIM", "{NAME}:events", "risk", "{given back}", 0, "1-0", "JUSTID")
STATES: dict[str, tuple[Words, ...]] = {
    "no group": (),
    "nothing given": (GROUP, ("XGROUP", "CREATECONSUMER", "{NAME}:events", "risk", "two")),
    "one event given": (GROUP, GIVEN_ONE),
    "ahead of the stream": (("XGROUP", "CREATE", "{NAME}:events", "risk", "9-0"),),
    "given back": (GROUP, GIVEN_ONE, GIVEN_BACK),
    "a dead letter": (GROUP, ("XADD", "{NAME}:events:dead", "1-1", "sequence", 1, "group", "risk", "a", 1)),
}
EVENT: Words = ("XADD", "{NAME}:events", "1-0", "a", 1)
TIMED = frozenset({"events/read", "events/claim", "events/hand_over", "events/leave"})
"""Scripts that write the time into what a group has pending: within one millisecond that changes nothing."""


def _of_events() -> list[Case]:
    """Return a case for each script of consumers and each state of a group."""
    keys = {"events": "{NAME}:events", "dead_letters": "{NAME}:events:dead"}
    cases: list[Case] = []
    for name in sorted(WRITING):
        script = SCRIPTS[name]
        if name.startswith("events/"):
            named = [one.rstrip(".?") for one in script.argument_names]
            for what, before in STATES.items():
                events = (EVENT, (*EVENT[:2], "2-0", *EVENT[3:]))
                given = {one: GIVEN[one] for one in named}
                case = partial(Case, name, before=(*events, *before), exact=name not in TIMED)
                if name == "events/read" and what == "one event given":
                    cases.append(case({"events": keys["events"]}, {**given, "after": "0-0"}, what="own"))
                if name == "events/leave" and what == "nothing given":
                    cases.append(case({"events": keys["events"]}, {**given, "unhandled": []}, what="with nothing"))
                cases.append(case({one: keys[one] for one in script.key_names}, given, what=what))
    return cases


def _counted_later(book: Book, name: str) -> None:
    """Have something counted in the future: the clock has gone back since."""
    keys = {"counter": LIMIT["counter"], "permit": "{NAME}:permit:r:0"}
    Case("coordination/sliding_window", keys, {**WINDOW, "now": LATER, "request_id": "0"}).call(book, name)


UNREACHED = {
    "coordination/create": {"hdel", "persist", "zrem"},
    "coordination/touch": {"hdel", "persist", "zrem"},
    "coordination/revoke": {"persist", "zadd", "zremrangebyscore"},
}
"""Commands that are refused to no case: of shared parts to which a script never comes, as no session lives for ever."""

CASES = (
    Case("coordination/swap", VALUE, {**SWAP, "expected": 0, "ttl": 9_000}, what="first"),
    Case("coordination/swap", VALUE, {**SWAP, "expected": 5, "ttl": ""}, (STORED, ("PEXPIRE", "{NAME}:value", 9_000))),
    Case("coordination/create", SESSION, {"digest": "D", "ttl": 9_000, "data": "{}", "remembered": 1}),
    Case(
        "coordination/create",
        SESSION,
        {"digest": "D", "ttl": 9_000, "data": "{}", "remembered": 1},
        (LISTED,),
        what="2",
    ),
    Case("coordination/touch", SESSION, {"digest": "D", "remembered": 1}, (LIVE, LISTED)),
    Case("coordination/revoke", SESSION, {"base": "{NAME}:session:", "digest": "D"}, (LIVE, LISTED)),
    Case(
        "coordination/revoke", SESSION, {"base": "{NAME}:session:", "digest": "D"}, (LIVE, (*LISTED, 5 * 10**12, "E"))
    ),
    Case(
        "coordination/revoke",
        {"session": None, "sessions": "{NAME}:sessions"},
        {"base": "{NAME}:session:", "digest": ""},
        (LIVE, LISTED),
        what="all",
    ),
    Case("coordination/acquire", LOCK, {"token": "t", "lease": 9_000}),
    Case("coordination/acquire", LOCK, {"token": "u", "lease": 9_000}, ((*HELD[:-1], 10),), what="clock went back"),
    Case("coordination/renew", LOCK, {"token": "t", "lease": 9_000}, (HELD,)),
    Case("coordination/release", LOCK, {"token": "t", "fence": 5}, (HELD,)),
    Case("coordination/fixed_window", LIMIT, WINDOW),
    Case("coordination/sliding_window", LIMIT, {**WINDOW, "request_id": "1"}),
    Case(
        "coordination/sliding_window",
        LIMIT,
        {**WINDOW, "request_id": "1"},
        prepare=_counted_later,
        what="clock went back",
        exact=False,
    ),
    Case(
        "coordination/sliding_window",
        LIMIT,
        {**WINDOW, "request_id": "1"},
        (("ZADD", "{NAME}:limit:r", LATER, f"{MAX_COUNT}:1"),),
        what="from zero again",
        exact=False,
    ),
    Case("coordination/token_bucket", LIMIT, BUCKET),
    Case("caching/put", CACHE, {"lifetime": 9_000, "fields": FIELDS}, what="first"),
    Case("caching/put", CACHE, {"lifetime": 9_000, "fields": FIELDS}, (ENTRY, LOADED), what="over another"),
    Case("caching/put", CACHE, {"lifetime": 9_000, "fields": FIELDS}, (ENTRY, BEHIND), what="clock went back"),
    Case("caching/claim", CACHE, {"token": "t", "lease": 9_000, "stale": 0, "early": 0, "scope": "NEEDED"}),
    Case(
        "caching/claim",
        CACHE,
        {"token": "u", "lease": 9_000, "stale": 0, "early": 0, "scope": "ALL"},
        (ENTRY, (*LOADED, "failed", "x", "failed_until", 5)),
        what="all",
    ),
    Case("caching/store", CACHE, {"token": "t", "lifetime": 9_000, "fields": FIELDS}, (ENTRY, LOADED)),
    Case("caching/store", CACHE, {"token": "t", "lifetime": 9_000, "fields": []}, (ENTRY, LOADED), what="absent"),
    Case("caching/fail_load", CACHE, {"token": "t", "retry_after": 9_000, "reason": "away"}, (ENTRY, LOADED)),
    Case("caching/invalidate", CACHE, {}, (ENTRY, LOADED)),
    Case("caching/invalidate", CACHE, {}, (ENTRY, WRITTEN), what="while it is written"),
    Case("caching/begin_write", CACHE, {"token": "t", "window": 9_000}, (ENTRY, LOADED)),
    Case("caching/begin_write", CACHE, {"token": "t", "window": 9_000}, (ENTRY, OVER), what="after another"),
    Case("caching/finish_write", CACHE, {"token": "t", "lifetime": 9_000, "fields": FIELDS}, (ENTRY, WRITTEN)),
    Case(
        "caching/finish_write",
        CACHE,
        {"token": "u", "lifetime": 9_000, "fields": FIELDS},
        (ENTRY, WRITTEN),
        what="late",
    ),
    Case(
        "audit/repair_entry",
        {"index": BY_SYMBOL},
        {**ENTRY_OF, "stored": "", "expected": "inf"},
        (("ZREM", BY_SYMBOL, "A1"),),
        _orders,
        "missing",
    ),
    Case(
        "audit/repair_entry",
        {"index": BY_SYMBOL},
        {**ENTRY_OF, "stored": "1", "expected": "inf"},
        (("ZADD", BY_SYMBOL, 1, "A1"),),
        _orders,
        "wrong",
    ),
    Case(
        "audit/repair_entry",
        {"index": BY_SYMBOL},
        {"base": BASE, "order_id": "gone", "stored": "4000000000000", "expected": ""},
        (
            ("ZADD", BY_SYMBOL, 4 * 10**12, "gone"),
            ("ZADD", BY_SYMBOL, 5 * 10**12, "other"),
            ("ZREM", BY_SYMBOL, "A1", "A2"),
        ),
        _orders,
        "gone",
    ),
    *(Case("audit/repair_entry", prepare=_orders, **one) for one in REPAIR_OWN_FIELD),
    Case(
        "audit/repair_expiry",
        {"index": BY_SYMBOL},
        {"counted": BY_SYMBOL, "beside": ""},
        (("PEXPIREAT", BY_SYMBOL, 4 * 10**12),),
        _orders,
    ),
    Case(
        "audit/repair_expiry",
        {"index": BY_SYMBOL},
        {"counted": BY_SYMBOL, "beside": ""},
        (("ZADD", BY_SYMBOL, 4 * 10**12, "A1", 4 * 10**12, "A2"),),
        _orders,
        "ends",
    ),
    Case(
        "audit/repair_expiry",
        {"index": "{NAME}:allocation_keys"},
        {"counted": "{NAME}:allocation_keys", "beside": "{NAME}:allocation_keys@expiry"},
        (
            ("ZADD", "{NAME}:allocation_keys", 0, "L1"),
            ("ZADD", "{NAME}:allocation_keys@expiry", 4 * 10**12, "L1"),
        ),
        what="of own records",
    ),
    *(Case("audit/repair_own", **one) for one in REPAIR_OWN),
    Case(
        "audit/repair_listing",
        {"positions": "{NAME}:positions"},
        {"base": f"{BASE}position:", "name": "AAPL", "listed": 1},
        (("SREM", "{NAME}:positions", "AAPL"),),
        _orders,
    ),
    Case(
        "audit/repair_listing",
        {"positions": "{NAME}:positions"},
        {"base": f"{BASE}position:", "name": "X", "listed": 0},
        (("SADD", "{NAME}:positions", "X"),),
        _orders,
        "none",
    ),
    *(Case("audit/repair_alias", prepare=_orders, **one) for one in REPAIR_ALIAS),
    Case(
        "audit/repair_lifetime",
        {"key": "{NAME}:order:A1"},
        {"stored": "4000000000000", "expected": "inf"},
        (("PEXPIREAT", "{NAME}:order:A1", 4 * 10**12),),
        _orders,
    ),
    Case(
        "audit/repair_lifetime",
        {"key": "{NAME}:order:A1"},
        {"stored": "inf", "expected": "4000000000000"},
        (),
        _orders,
        "ends",
    ),
    Case(
        "audit/repair_order",
        {"order": "{NAME}:order:A1"},
        {"stored_size": 1, "fields": ["a", "1", "a", "", "b", "2"]},
        (("HSET", "{NAME}:order:A1", "a", 1),),
    ),
    Case(
        "audit/repair_position",
        {"position": "{NAME}:position:X", "positions": "{NAME}:positions"},
        {"name": "X", "stored_size": 1, "fields": ["a", "1", "a", "", "b", "2"]},
        (("HSET", "{NAME}:position:X", "a", 1),),
    ),
    *_of_events(),
    Case("references/rewrite", {"record": "venue:NAME"}, REWRITE, (STORED_VENUE,)),
    *[Case("references/change", *case, what=what) for what, case in REFERENCE_CASES.items()],
    *[Case(*case, what=what) for what, case in SCHEMA_CASES.items()],
)
