"""Hypothesis strategies: valid values for every model, and values of all sorts that most fields refuse."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from hypothesis import strategies as st
from slotbook.models import (
    Accept,
    Bust,
    Calculate,
    Cancel,
    CancelReject,
    Correct,
    DoneForDay,
    EventType,
    Expire,
    Fill,
    Liquidity,
    Order,
    OrderEvent,
    OrderStatus,
    OrderType,
    PendingCancel,
    PendingReplace,
    Position,
    PositionAction,
    PositionChange,
    Reject,
    Replace,
    Restate,
    Roll,
    Side,
    Split,
    Stop,
    Suspend,
    SymbolInfo,
    TimeInForce,
)
from slotbook.models.fees import Fees
from slotbook.models.numbers import MAX_COUNT, MAX_QUANTITY
from slotbook.models.record import Record

Values: TypeAlias = "dict[str, Any]"

_words = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="{}"), min_size=1, max_size=128)
_several = st.tuples(_words, st.sampled_from([" ", "   "]), _words.map(lambda word: word[:100]))
names: st.SearchStrategy[str] = _words | _several.map("".join)
"""Names, some of which have blanks inside."""
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=256)


def decimals(least: Decimal | int, most: Decimal | int, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(least, most, places=places, allow_nan=False, allow_infinity=False)


_UNIT, _HUGE = Decimal("1E-18"), Decimal("9" * 36)
quantities = st.integers(1, 10**18 - 1) | decimals(Decimal("0.00000001"), 10**6, 8) | decimals(_UNIT, MAX_QUANTITY, 18)
counts = st.integers(0, MAX_COUNT)
totals = st.just(Decimal(0)) | quantities
traded = st.integers(0, 10**36 - 1) | decimals(0, _HUGE, 18)
signed = st.integers(-(10**18) + 1, 10**18 - 1) | decimals(MAX_QUANTITY.copy_negate(), MAX_QUANTITY, 18)
times = st.integers(0, 315_532_799) | st.integers(315_532_800 * 10**9, 2**63 - 1)
sides = st.sampled_from(Side)
prices = decimals(-(10**12) + 1, 10**12 - 1, 18) | decimals(-1000, 1000, 2)
amounts = decimals(_HUGE.copy_negate(), _HUGE, 36) | decimals(-(10**12), 10**12, 4)
multipliers = decimals(_UNIT, 10**12 - 1, 18) | decimals(_UNIT.scaleb(16), 1000, 2)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


@st.composite
def orders(draw: st.DrawFn) -> Values:
    kind = draw(st.sampled_from(OrderType))
    values: Values = {
        "trader": draw(names),
        "order_id": draw(names),
        "symbol": draw(names),
        "side": draw(sides),
        "type": kind,
        "time_in_force": (force := draw(st.sampled_from(TimeInForce))),
        "expire_at": draw(times) if force is TimeInForce.GTD else None,
        "account": draw(maybe(names)),
        "display_quantity": draw(maybe(totals)),
        "execution_instructions": draw(maybe(names)),
        "currency": draw(maybe(st.sampled_from(["USD", "USDT", "1000SATS", "a" * 12]))),
        "multiplier": draw(maybe(multipliers)),
        "quantity": draw(quantities),
        "price": draw(prices) if kind.has_price else draw(maybe(prices)) if kind.takes_price else None,
        "stop_price": draw(prices) if kind.has_stop_price else draw(maybe(prices)) if kind.takes_stop_price else None,
        "reference_price": draw(maybe(prices)),
        "text": draw(maybe(texts)),
        "status": draw(st.sampled_from(OrderStatus)),
        "filled_quantity": draw(totals),
        "filled_notional": draw(amounts),
        "placed_quantity": draw(maybe(quantities)),
        "placed_price": draw(maybe(prices)),
        "placed_stop_price": draw(maybe(prices)),
        "revision": draw(maybe(counts)),
        "venue_order_id": draw(maybe(names)),
        "aliases": draw(maybe(counts)),
        "version": draw(counts),
        "ts_ns": draw(times),
        "updated_ns": draw(maybe(times)),
    }
    return values


fills = st.fixed_dictionaries(
    {
        "trader": names,
        "order_id": names,
        "exec_id": names,
        "quantity": quantities,
        "price": prices,
        "ts_ns": times,
    },
    optional={
        **{"symbol": names, "side": sides, "account": names, "fee": amounts, "venue_order_id": names},
        **{"liquidity": st.sampled_from(Liquidity), "settlement_date": st.dates()},
    },
) | st.fixed_dictionaries(
    {
        **{"trader": names, "order_id": names, "exec_id": names, "quantity": quantities, "price": prices},
        **{"ts_ns": times, "fee": amounts, "fee_currency": st.sampled_from(["USD", "8", "₪", "x" * 64])},
    }
)
positions = st.fixed_dictionaries(
    {
        "trader": names,
        "symbol": names,
        "quantity": signed,
        "bought_quantity": traded,
        "sold_quantity": traded,
        "bought_notional": amounts,
        "sold_notional": amounts,
        "open_cost": amounts,
        "realized_profit": amounts,
        "fees": st.dictionaries(st.sampled_from(["", "EUR", "USD", "₪"]), amounts).map(Fees.of),
        "multiplier": maybe(multipliers),
        "version": counts,
        "updated_ns": maybe(times),
    }
)
events = st.fixed_dictionaries(
    {"trader": names, "sequence": counts, "type": st.sampled_from(EventType), "ts_ns": times, "symbol": names},
    optional={
        "order_id": names,
        "side": sides,
        "status": st.sampled_from(OrderStatus),
        "quantity": quantities,
        "price": prices,
        "filled_quantity": totals,
        "exec_id": names,
        "last_quantity": quantities,
        "last_price": prices,
        "late": st.booleans(),
        "details": st.just('{"fee":"0.25"}'),
        "cost_basis": st.sampled_from(["exact", "approximate"]),
        "request_id": names,
        "position_quantity": signed,
        "position_cost": amounts,
        "multiplier": multipliers,
        "period": st.just('{"bought_quantity":"0"}'),
        "position_change": signed,
        "text": texts,
        "requested_quantity": quantities,
        "venue_order_id": names,
    },
)
symbols = st.fixed_dictionaries(
    {"symbol": names, "name": texts},
    optional={
        "exchange": names,
        "lot_size": quantities,
        "tick_size": st.decimals("0.000000001", 1000, places=9),
        "currency": st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3),
        "multiplier": st.decimals("0.000000001", 1000, places=9),
    },
)
replaces = st.fixed_dictionaries(
    {"trader": names, "order_id": names, "request_id": names, "quantity": quantities, "ts_ns": times},
    optional={
        **{"price": prices, "stop_price": prices, "revision": counts, "text": texts, "venue_order_id": names},
        **{"symbol": names, "side": sides},
    },
)
closings = st.fixed_dictionaries(
    {"trader": names, "order_id": names, "ts_ns": times},
    optional={
        **{"text": texts, "request_id": names, "symbol": names, "side": sides},
        **{"client_order_id": names, "venue_order_id": names, "reason": names},
    },
)
_OF_CLOSINGS = ("request_id", "client_order_id", "reason")
busts = closings.flatmap(
    lambda values: st.fixed_dictionaries({"exec_id": names, "exec_ref_id": names}).map(
        lambda ids: {**{name: value for name, value in values.items() if name not in _OF_CLOSINGS}, **ids}
    )
).filter(lambda values: values["exec_id"] != values["exec_ref_id"])
corrections = st.tuples(busts, quantities, prices).map(lambda one: {**one[0], "quantity": one[1], "price": one[2]})
changes = st.fixed_dictionaries(
    {"trader": names, "symbol": names, "quantity": signed, "request_id": names, "ts_ns": times},
    optional={"action": st.sampled_from(PositionAction), "max_position": totals},
)

splits = st.fixed_dictionaries(
    {"trader": names, "symbol": names, "new": st.integers(1, MAX_COUNT), "request_id": names, "ts_ns": times},
    optional={"old": st.integers(1, MAX_COUNT), "quantity": signed},
)
rolls = st.fixed_dictionaries({"trader": names, "symbol": names, "request_id": names, "ts_ns": times})
statuses = st.sampled_from(OrderStatus)


def reports(*, has_client_id: bool | None = None, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Values]:
    """Return arguments of a report; with True its client_order_id is needed, with False it may be left out."""
    needed = {"trader": names, "order_id": names, "ts_ns": times}
    ids = {} if has_client_id is None else {"original_client_order_id": names}
    if has_client_id:
        needed["client_order_id"] = names
    elif has_client_id is False:
        ids["client_order_id"] = names
    stated = {"text": texts, "request_id": names, "reason": names, "symbol": names, "side": sides}
    stated["venue_order_id"] = names
    return st.fixed_dictionaries(needed, optional={**stated, **ids, **more})


MODELS: dict[type[Record], st.SearchStrategy[Values]] = {
    Order: orders(),
    Fill: fills,
    Position: positions,
    OrderEvent: events,
    SymbolInfo: symbols,
    Replace: replaces,
    Cancel: closings,
    Reject: closings,
    Expire: closings,
    Calculate: closings,
    Accept: reports(status=statuses),
    PendingCancel: reports(has_client_id=True),
    PendingReplace: reports(has_client_id=True, quantity=quantities, price=prices, stop_price=prices),
    CancelReject: reports(has_client_id=False, status=statuses),
    DoneForDay: reports(),
    Stop: reports(quantity=quantities, price=prices),
    Suspend: reports(),
    Restate: reports(quantity=quantities, price=prices, stop_price=prices),
    PositionChange: changes,
    Bust: busts,
    Correct: corrections,
    Split: splits,
    Roll: rolls,
}
"""Valid arguments for each model."""


class _Odd:
    def __str__(self) -> str:
        raise RuntimeError("has no text")


odd_things: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**40, -(10**400), 10**5000, 2**53, 2**63, -1, 0]),
    st.floats(),
    st.decimals(),
    st.sampled_from(
        [
            *map(Decimal, ("sNaN", "-sNaN123", "NaN", "Infinity", "-Infinity", "1E+999999", "1E-999999", "0E+999999")),
            *map(Decimal, ("0E-999999", "-0", "1E+999999999999999999", "1." + "0" * 5000, "9" * 5000)),
        ]
    ),
    st.text(),
    st.text(st.characters(categories=["Cs", "Cc", "Nd", "Zs"])),
    st.sampled_from(["", " 1", "1_000", "٣", "0x10", "1e5", "1e999999999", "nan", "-inf", "9" * 5000, "{", "\ud800"]),
    st.binary(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.tuples(st.integers()),
    st.complex_numbers(),
    st.builds(object),
    st.just(_Odd()),
    st.just(len),
    st.just(int),
    st.just(datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)),  # noqa: UP017
    st.sampled_from([Side.BUY, OrderStatus.NEW, OrderType.LIMIT, PositionAction.SET]),
)

Numbers: TypeAlias = Callable[[object], object]
