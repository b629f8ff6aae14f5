"""Random queries: redis-om expressions, each with a plain Python filter of the same meaning."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from hypothesis import strategies as st
from slotbook.models import Order, OrderStatus, Side
from slotbook.models.hashes import Condition, OrderHash

from ..make import TS
from .orders import PRICES, QUANTITIES, SYMBOLS, TEXTS
from .server import TRADERS


@dataclass(frozen=True)
class Filter:
    """A query as it is sent, and as a function that filters."""

    shown: str
    expression: Condition
    holds: Callable[[Order], bool]

    def __repr__(self) -> str:
        return self.shown


NUMBERS: dict[str, st.SearchStrategy[object]] = {
    "price": st.sampled_from([*PRICES, Decimal(250)])
    .flatmap(lambda price: st.sampled_from([price, price + Decimal("1e-9"), price - Decimal("1e-9")]))
    .filter(lambda price: abs(price) < 10**12),
    "stop_price": st.sampled_from(PRICES),
    "quantity": st.sampled_from([*QUANTITIES, 0, 500, Decimal("100.5")]),
    "filled_quantity": st.sampled_from([0, 1, 33, 100]),
    "filled_notional": st.sampled_from([0, 1, Decimal("187.23"), Decimal("0.000000001")]),
    "ts_ns": st.integers(TS - 1, TS + 2_001),
    "updated_ns": st.integers(TS - 1, TS + 2_003),
    "version": st.sampled_from([1, 2]),
}
WORDS: dict[str, st.SearchStrategy[str]] = {
    "symbol": st.sampled_from([*SYMBOLS, "none such", "", "{", "AAPL MSFT"]),
    "trader": st.integers(0, TRADERS).map(lambda number: f"T{number:02d}"),
    "order_id": st.integers(0, 3_000).map(lambda number: f"A{number}"),
    "text": st.sampled_from([*TEXTS, "nobody wrote this", "halted ", " ", ""]),
    "side": st.sampled_from(Side),
    "status": st.sampled_from(OrderStatus),
}
COMPARISONS: dict[str, Callable[..., object]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _comparison(name: str, sign: str, value: object) -> Filter:
    compare = COMPARISONS[sign]

    def holds(order: Order) -> bool:
        stored: object = getattr(order, name)
        if sign in ("==", "!="):
            return bool(compare(stored, value))
        return stored is not None and bool(compare(stored, value))

    expression = cast(Condition, compare(getattr(OrderHash, name), value))
    return Filter(f"({name} {sign} {value!r})", expression, holds)


def _one_of(name: str, values: Sequence[object], negated: bool) -> Filter:
    field = getattr(OrderHash, name)
    expression = field >> list(values) if negated else field << list(values)
    shown = f"({name} {'>>' if negated else '<<'} {list(values)!r})"
    return Filter(shown, expression, lambda order: (getattr(order, name) in values) is not negated)


def _part(name: str, method: str, value: str) -> Filter:
    def holds(order: Order) -> bool:
        stored = getattr(order, name)
        if stored is None:
            return False
        if method == "contains":
            return value in stored
        return bool(getattr(str(stored), method)(value))

    return Filter(f"{name}.{method}({value!r})", getattr(getattr(OrderHash, name), method)(value), holds)


def _both(one: Filter, other: Filter) -> Filter:
    return Filter(
        f"({one} & {other})", one.expression & other.expression, lambda order: one.holds(order) and other.holds(order)
    )


def _either(one: Filter, other: Filter) -> Filter:
    return Filter(
        f"({one} | {other})", one.expression | other.expression, lambda order: one.holds(order) or other.holds(order)
    )


def _negated(one: Filter) -> Filter:
    return Filter(f"~{one}", ~one.expression, lambda order: not one.holds(order))


def _numbers() -> st.SearchStrategy[Filter]:
    return st.sampled_from(sorted(NUMBERS)).flatmap(
        lambda name: (
            st.builds(_comparison, st.just(name), st.sampled_from(sorted(COMPARISONS)), NUMBERS[name])
            | st.builds(_one_of, st.just(name), st.lists(NUMBERS[name], max_size=4), st.booleans())
        )
    )


def _words() -> st.SearchStrategy[Filter]:
    return st.sampled_from(sorted(WORDS)).flatmap(
        lambda name: (
            st.builds(_comparison, st.just(name), st.sampled_from(("==", "!=")), WORDS[name])
            | st.builds(_one_of, st.just(name), st.lists(WORDS[name], max_size=4), st.booleans())
        )
    )


def _parts() -> st.SearchStrategy[Filter]:
    return st.builds(
        _part,
        st.sampled_from(("symbol", "text", "order_id", "status", "trader")),
        st.sampled_from(("startswith", "endswith", "contains")),
        st.sampled_from(("A", "AAP", "T0", "halt", "ed", " ", "\\", "*", "|", "1", "CAN", "")),
    )


def _absence() -> st.SearchStrategy[Filter]:
    return st.builds(
        _comparison,
        st.sampled_from(("price", "stop_price", "text", "updated_ns")),
        st.sampled_from(("==", "!=")),
        st.none(),
    )


expressions: st.SearchStrategy[Filter] = st.recursive(
    st.one_of(_numbers(), _words(), _words(), _numbers(), _parts(), _absence()),
    lambda inner: st.builds(_both, inner, inner) | st.builds(_either, inner, inner) | st.builds(_negated, inner),
    max_leaves=6,
)

orders_to_sort_by: st.SearchStrategy[list[str]] = st.lists(
    st.builds(
        str.__add__,
        st.sampled_from(("", "-")),
        st.sampled_from(("price", "ts_ns", "symbol", "status", "quantity", "stop_price", "trader", "updated_ns")),
    ),
    max_size=3,
    unique_by=lambda name: name.lstrip("-"),
)


def in_order(found: list[Order], names: Sequence[str]) -> list[Order]:
    """Return orders sorted by these fields, absent ones last, then by the key."""
    result = sorted(found, key=lambda order: (order.trader, order.order_id))
    for name in reversed(names):
        field, descends = name.lstrip("-"), name.startswith("-")
        present = [order for order in result if getattr(order, field) is not None]
        absent = [order for order in result if getattr(order, field) is None]
        present.sort(key=lambda order, field=field: getattr(order, field), reverse=descends)
        result = present + absent
    return result
