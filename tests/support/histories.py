"""Hypothesis strategies for requests of few orders, symbols and ids, so that they repeat and refuse each other."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias, cast

from hypothesis import strategies as st
from slotbook.models import (
    Bust,
    Correct,
    Fill,
    FillResult,
    LimitsResult,
    Order,
    OrderResult,
    OrderType,
    PositionAction,
    PositionChange,
    PositionResult,
    Replace,
    Roll,
    Side,
    Split,
    TradingResult,
)
from slotbook.models.record import Record
from slotbook.repositories.orders.verbs import ORDER_VERBS

from .make import TS
from .reference import MOST, Answer

OWN_IDS = ["A1", "A1", "A2", "A3"]
CLIENT_IDS = st.sampled_from(["C1", "C2", "C3", "C4", "C5", "A2"])
VENUE_IDS = st.sampled_from([None, None, None, "V1", "V2", "V3", "A3"])
"""Ids that requests give their orders; some are an order's own, and so refused for another."""
NAMES = ["C1", "C2", "C3", "V1", "V2"]
ORDER_IDS = st.sampled_from([*OWN_IDS, *OWN_IDS, *NAMES])
"""Ids that a request may ask for an order by: mostly its own."""
SYMBOLS = st.sampled_from(["AAPL", "MSFT"])
REQUEST_IDS = st.sampled_from(["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8"])
EXEC_IDS = st.sampled_from([f"X{number}" for number in range(12)])
LARGEST = MOST - 1
PARTS = tuple(map(Decimal, ("0.25", "1.5", "0.12345678", "0.000000000000000001", "2.000000000000000001")))
"""Quantities that are not whole: of few places, of the eight of coins, and of all that there may be."""
QUANTITIES = st.sampled_from([1, 2, 3, 4, 5, 10, LARGEST - 1, LARGEST]) | st.sampled_from(PARTS)
SIGNED = st.sampled_from([0, 1, -1, 5, -5, LARGEST, -LARGEST, *PARTS, *(part.copy_negate() for part in PARTS)])
PRICES = st.sampled_from(["187.23", "187.22", "0", "-37.63", "0.000000001", "999999999999.999999999"])
TIMES = st.integers(TS, TS + 3)
TEXTS = st.sampled_from([None, "text"])
STATED = {
    "symbol": st.sampled_from([None, None, None, None, "AAPL", "MSFT"]),
    "side": st.sampled_from([None, None, None, None, Side.BUY, Side.SELL]),
}
"""What a request says of its order, which is often wrong: fields of every request that is about one."""
OVERFILL = st.sampled_from([None, None, "refuse", "record"])
SECOND = st.sampled_from([False, False, False, True])
"""True for the second of the two traders; most requests are the first one's."""


Draft: TypeAlias = "tuple[type[Record], dict[str, object]]"
"""A request that lacks only its trader."""


def drafts(kind: type[Record], /, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[Draft]:
    return st.tuples(st.just(kind), st.fixed_dictionaries(fields))


def with_fitting_prices(draft: Draft) -> Draft:
    kind, values = draft
    order_type = OrderType(str(values["type"]))
    may_have = bool(cast("int", values["quantity"]) % 2)
    price = order_type.has_price or (order_type.takes_price and may_have)
    stop_price = order_type.has_stop_price or (order_type.takes_stop_price and may_have)
    return kind, {
        **values,
        "price": values["price"] if price else None,
        "stop_price": values["stop_price"] if stop_price else None,
    }


def with_fitting_cost(draft: Draft) -> Draft:
    kind, values = draft
    has_cost = values["action"] is PositionAction.SET and values["quantity"] != 0
    multiplier = values["multiplier"] if values["action"] is PositionAction.SET else None
    return kind, {**values, "cost": values["cost"] if has_cost else None, "multiplier": multiplier}


ACCOUNTS = ["ACC 1", '"']
"""The accounts of orders and changes of positions."""


def changes_something(draft: Draft) -> bool:
    return any(draft[1][field] is not None for field in ("quantity", "price", "stop_price"))


placings = drafts(
    Order,
    order_id=st.sampled_from([*OWN_IDS, *OWN_IDS, *OWN_IDS, "C1", "V1"]),
    symbol=SYMBOLS,
    side=st.sampled_from(Side),
    type=st.sampled_from(["LIMIT", "LIMIT", "LIMIT", *OrderType]),
    account=st.sampled_from([None, None, *ACCOUNTS]),
    display_quantity=st.sampled_from([None, None, None, 0, 7]),
    currency=st.sampled_from([None, None, None, "USDT"]),
    multiplier=st.sampled_from([None, None, None, None, "50", "1"]),
    quantity=QUANTITIES,
    price=PRICES,
    stop_price=PRICES,
    status=st.sampled_from(["NEW", "NEW", "NEW", "PENDING_NEW"]),
    time_in_force=st.sampled_from(["DAY", "DAY", "GTC"]),
    ts_ns=TIMES,
    text=TEXTS,
).map(with_fitting_prices)
DETAILS: dict[str, st.SearchStrategy[object]] = {
    "fee": st.sampled_from(["0.25", "-0.5", "0", "1"]),
    "fee_currency": st.sampled_from([None, None, "EUR", "USD"]),
    "liquidity": st.sampled_from([None, None, "ADDED", "REMOVED"]),
    "settlement_date": st.sampled_from([None, None, "20231124"]),
    "account": st.sampled_from([None, None, 'A "1"/\\', "ACC"]),
    "fee_from_quantity": st.sampled_from([None, True]),
}
"""What the report of an execution may say beside quantity and price."""
fillings = drafts(
    Fill,
    overfill=OVERFILL,
    order_id=ORDER_IDS,
    exec_id=EXEC_IDS,
    venue_order_id=VENUE_IDS,
    quantity=QUANTITIES,
    price=PRICES,
    ts_ns=TIMES,
    **STATED,
)


def with_fitting_fee(draft: Draft) -> Draft:
    """Return a report whose fee is only taken from a quantity of which it leaves something."""
    kind, values = draft
    if not values.get("fee_from_quantity"):
        return draft
    is_taken = values["fee_currency"] is not None and values["side"] is not Side.SELL
    is_taken = is_taken and Decimal(str(values["fee"])) < Decimal(str(values["quantity"]))
    return kind, {**values, "fee_from_quantity": is_taken}


def with_details(reports: st.SearchStrategy[Draft]) -> st.SearchStrategy[Draft]:
    pairs = st.tuples(reports, st.fixed_dictionaries(DETAILS))
    return pairs.map(lambda one: with_fitting_fee((one[0][0], {**one[0][1], **one[1]})))


fillings |= with_details(fillings)
replacings = drafts(
    Replace,
    order_id=ORDER_IDS,
    request_id=REQUEST_IDS,
    quantity=st.none() | QUANTITIES,
    price=st.none() | PRICES,
    stop_price=st.sampled_from([None, None, None, "187.23", "0"]),
    revision=st.sampled_from([None, None, 0, 1, 2, 3]),
    client_order_id=st.none() | CLIENT_IDS,
    venue_order_id=VENUE_IDS,
    ts_ns=TIMES,
    text=TEXTS,
    **STATED,
).filter(changes_something)
REPORT_IDS = st.sampled_from(["B1", "B2", "B3", "B4", "B5", "B6", "X0", "X1"])
REVISED_IDS = st.one_of(EXEC_IDS, st.sampled_from(["B1", "B2", "B3", "B4"]))
corrections = drafts(
    Correct,
    order_id=ORDER_IDS,
    exec_id=REPORT_IDS,
    exec_ref_id=REVISED_IDS,
    quantity=QUANTITIES,
    price=PRICES,
    ts_ns=TIMES,
    text=TEXTS,
    **STATED,
)
revisions = st.one_of(
    drafts(
        Bust,
        order_id=ORDER_IDS,
        exec_id=REPORT_IDS,
        exec_ref_id=REVISED_IDS,
        venue_order_id=VENUE_IDS,
        ts_ns=TIMES,
        text=TEXTS,
        **STATED,
    ),
    corrections,
    with_details(corrections),
).filter(lambda draft: draft[1]["exec_id"] != draft[1]["exec_ref_id"])
_SAID: dict[str, st.SearchStrategy[object]] = {
    "client_order_id": CLIENT_IDS,
    "venue_order_id": VENUE_IDS,
    "reason": st.sampled_from([None, None, "1"]),
    "status": st.sampled_from([None, None, None, "NEW", "PARTIALLY_FILLED", "PENDING_CANCEL"]),
    "quantity": st.none() | QUANTITIES,
    "price": st.none() | PRICES,
    "stop_price": st.sampled_from([None, None, None, "187.23"]),
}
"""What some requests about an order may say beside."""


def _about(kind: type[Record]) -> st.SearchStrategy[Draft]:
    more = {name: values for name, values in _SAID.items() if name in kind.model_fields}
    if "client_order_id" in more and not kind.model_fields["client_order_id"].is_required():
        more["client_order_id"] = st.none() | CLIENT_IDS
    return drafts(kind, order_id=ORDER_IDS, request_id=REQUEST_IDS, ts_ns=TIMES, text=TEXTS, **STATED, **more)


closings = st.one_of(*(_about(verb.request) for verb in ORDER_VERBS if verb.step == "close"))
reports = st.one_of(*(_about(verb.request) for verb in ORDER_VERBS if verb.step == "report" or verb.name == "restate"))
changes = drafts(
    PositionChange,
    symbol=SYMBOLS,
    quantity=SIGNED,
    action=st.sampled_from(PositionAction),
    max_position=st.sampled_from([None, None, 0, 5, LARGEST, PARTS[0]]),
    multiplier=st.sampled_from([None, None, "50", "1", "0.000000001"]),
    cost=st.sampled_from([None, None, "0", "18700.25", "-0.000000001", "999999999999999999999"]),
    account=st.sampled_from([None, None, None, *ACCOUNTS, "A:1%"]),
    request_id=REQUEST_IDS,
    ts_ns=TIMES,
).map(with_fitting_cost)
splits = drafts(
    Split,
    symbol=SYMBOLS,
    new=st.sampled_from([1, 2, 3, 2**53 - 1]),
    old=st.sampled_from([1, 1, 2, 10]),
    quantity=st.sampled_from([None, None, 0, 1, -1, 7]),
    accounts=st.sampled_from([{}, {}, {}, {"ACC 1": 3}, {"ACC 1": 0, '"': 2}]),
    request_id=REQUEST_IDS,
    ts_ns=TIMES,
)
of_orders = st.one_of(fillings, replacings, placings, closings, reports, revisions)
moves = changes | splits | drafts(Roll, symbol=SYMBOLS, request_id=REQUEST_IDS, ts_ns=TIMES)


def as_answer(result: object) -> Answer:
    match result:
        case OrderResult():
            return Answer(result.applied, result.sequence, result.order)
        case FillResult():
            return Answer(
                result.applied,
                result.sequence,
                result.order,
                result.position,
                result.account_position,
                result.late,
                overfilled=result.overfilled,
                cost_basis=result.cost_basis,
            )
        case PositionResult():
            return Answer(result.applied, result.sequence, position=result.position, accepted=result.accepted)
        case LimitsResult() | TradingResult():
            return Answer(result.applied, result.sequence)
        case _:
            raise AssertionError(result)
