"""Load the scripts of a book, with the names and limits of enums and models that they share with Python."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import cache

from ...models.cost import COST_PLACES, MOST_PLACES
from ...models.entity_codec import DIGEST_FIELD, LAST_VERSION, SCHEMA_FIELD
from ...models.enums import OUTLIVE_THE_DAY, OrderStatus, OrderType, Side, TimeInForce
from ...models.fill_details import DETAILS
from ...models.limits import LIMIT_NAMES, Trading
from ...models.numbers import AMOUNT_DIGITS, AMOUNT_PLACES, MAX_COUNT, PLACES, QUANTITY_DIGITS, TOTAL_DIGITS
from ...models.order import TERMS
from ...models.order_reports import MARKS
from ...models.own_fields import OWN_NAMES
from ...topology.scripts import Constant, Function, Script, joined
from ...topology.scripts import load as load_script

FORMAT = "1"
"""The number of the format in which a book is stored; its header has it."""

RARE_FIELDS = (
    *("stop_price", "text", "placed_quantity", "placed_price", "placed_stop_price", "revision"),
    *("marks", "pending", "client_order_id", "venue_order_id", "aliases"),
)
"""The fields of an order that a change may touch, that few orders have, and that no event has."""

MOST_ACCOUNTS = 256
"""The accounts with a position in one symbol that a split or a roll may touch."""

CONSTANTS: Mapping[str, Constant] = {
    "ACTIVE": Trading.ACTIVE.value,
    "AMOUNT_DIGITS": AMOUNT_DIGITS,
    "AMOUNT_PLACES": AMOUNT_PLACES,
    "DETAILS": DETAILS,
    "DIGEST_FIELD": DIGEST_FIELD,
    "FORMAT": FORMAT,
    "HALTED": Trading.HALTED.value,
    "LAST_VERSION": LAST_VERSION,
    "LEAST_COST_PLACES": COST_PLACES,
    "LIMIT_NAMES": LIMIT_NAMES,
    "MARKS": frozenset(MARKS),
    "MAX_COUNT": MAX_COUNT,
    "MOST_ACCOUNTS": MOST_ACCOUNTS,
    "MAX_VERSION": MAX_COUNT - 1,
    "MOST_PLACES": MOST_PLACES,
    "OUTLIVE_THE_DAY": OUTLIVE_THE_DAY,
    "OWN_NAMES": OWN_NAMES,
    "OPEN_STATUSES": frozenset(status for status in OrderStatus if status.is_open),
    "QUANTITY_DIGITS": QUANTITY_DIGITS,
    "QUANTITY_PLACES": PLACES,
    "RARE_FIELDS": RARE_FIELDS,
    "SCHEMA_FIELD": SCHEMA_FIELD,
    "SIDES": {str(side): "BUY" if side.is_buy else "SELL" for side in Side},
    "STATUSES": tuple(OrderStatus),
    "STATUS_NAMES": frozenset(OrderStatus),
    "TAKE_PRICE": frozenset(kind for kind in OrderType if kind.takes_price and not kind.has_price),
    "TAKE_STOP_PRICE": frozenset(kind for kind in OrderType if kind.takes_stop_price and not kind.has_stop_price),
    "TERMS": TERMS,
    "TIMES_IN_FORCE": frozenset(TimeInForce),
    "TOTAL_DIGITS": TOTAL_DIGITS,
    "TRADING": frozenset(Trading),
}

STEPS: Mapping[str, tuple[str, int]] = {
    "place": ("place_order", 15),
    "fill": ("fill_order", 9),
    "replace": ("replace_order", 15),
    "revise": ("revise_execution", 12),
    "close": ("close_order", 10),
    "report": ("report_order", 15),
    "delete": ("delete_order", 1),
    "change": ("change_position", 7),
    "expect": ("expect_order", 4),
    "record": ("change_own", 14),
    "migrate": ("migrate_own", 6),
    "limits": ("change_limits", 5),
    "trading": ("change_trading", 4),
}
"""By the name of a step: the function of the engine that decides it, and the number of arguments that it takes."""


def load(package: str, name: str, *, guarded: bool = True) -> Script:
    """Load a script of a package of repositories; see :func:`slotbook.topology.scripts.load`."""
    return load_script(package, name, CONSTANTS, guarded=guarded)


LIMITED = frozenset({"place", "replace"})
"""The steps that limits and the switch of trading may refuse."""
SELDOM = frozenset({"record", "migrate", "limits", "trading"})
"""The steps that a call of several kinds has but seldom."""
BOOK_STEPS = tuple(step for step in STEPS if step not in SELDOM)
"""The steps of a call that changes several kinds of things, but no record of the desk's own."""
GUARD = "expect"
"""The step that changes nothing, and guards the others of its call."""
BUILT_WHEN_CALLED = frozenset({"limits", "trading", "report", "delete", "revise"})
"""The steps whose functions a script of several kinds of steps builds when they are called."""
UNIT_STEPS = (*BOOK_STEPS, "record", "limits", "trading")
"""The steps of a call that changes several kinds of things."""
SELDOM_GIVEN = 6
"""The last arguments of a step ``record``, which a lone one leaves out where all are ''."""
SHORT_WAYS: Mapping[str, str] = {
    "close": "short_close",
    "fill": "short_fill",
    "place": "short_place",
    "record": "insert",
    "replace": "short_replace",
}
"""By the name of a step: the script before the engine that makes the usual change in the shortest way."""


def leave_out_seldom(words: list[str]) -> None:
    """Remove the arguments that a lone step ``record``, the last of these words, leaves out where all are ''."""
    if not any(words[-SELDOM_GIVEN:]):
        del words[-SELDOM_GIVEN:]


def _function_of(step: str, *, is_one: bool) -> Function:
    """Return the function of a step; among others, one that is seldom called is built then.

    A function in Lua 5.1 has at most 200 local names (LUAI_MAXVARS), and all steps together have more.
    """
    name = STEPS[step][0]
    return Function(name if is_one or step not in BUILT_WHEN_CALLED else f"function(at) return RARE.{name}(at) end")


@cache
def engine(*steps: str) -> Script:
    """Return the engine for some kinds of steps: a server builds every function of a script anew for each call.

    >>> engine("fill") is engine("fill"), "place_order" in engine("fill").source
    (True, False)
    """
    steps = steps or UNIT_STEPS
    whole = long_way(*steps)
    short = SHORT_WAYS.get(steps[0]) if len(steps) == 1 else None
    if short is None:
        return whole
    return joined(load("slotbook.repositories.changes", short, guarded=False), whole)


@cache
def long_way(*steps: str) -> Script:
    """Return the engine for some kinds of steps without the short way that usual ones take before it."""
    has_book = not {"record", "migrate", GUARD}.issuperset(steps)
    constants: dict[str, Constant] = {
        "VERBS": {step: _function_of(step, is_one=len({*steps} - {GUARD}) <= 1) for step in steps},
        "ARGUMENTS": {step: STEPS[step][1] for step in steps},
        "WRITE_BOOK": Function("write_book" if has_book else "nil"),
        "WRITE_INDEX": Function("write_index" if has_book else "nil"),
        "WRITE_OWN": Function("write_own" if {"record", "migrate"} & set(steps) else "nil"),
    }
    return load_script("slotbook.repositories.changes", "engine", {**CONSTANTS, **constants}, guarded=False)


def engine_for(kinds: Set[str]) -> Script:
    """Return the engine for a call of some kinds of steps. Those of one kind, guarded or not, have one of their own.

    >>> engine_for({"fill", "expect"}) is engine("expect", "fill"), engine_for({"fill", "place"}) is engine(*BOOK_STEPS)
    (True, True)
    """
    if len(kinds) == 1:  # as most calls
        return engine(*kinds)
    if len(kinds - {GUARD}) <= 1:
        return engine(*sorted(kinds))
    return engine() if kinds & SELDOM else engine(*BOOK_STEPS)
