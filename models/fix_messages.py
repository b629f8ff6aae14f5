"""Read FIX messages, as parsers give them, into the fields of reports: those of FIX 4.2, 4.4 and 5.0. No I/O here.

A message is a mapping from tags to values, or its pairs in their order, such as simplefix's ``message.pairs``. Tags are
numbers or their text, values texts, bytes or numbers. Tags that no field is about are ignored; what contradicts itself,
is missing, or has a form that FIX does not know is refused with the tag and what to do.

>>> tags = tags_of("11=A1|54=1|60=20231117-12:30:45.123|")
>>> tags[11], nanoseconds_of(60, tags[60])
('A1', 1700224245123000000)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias, TypeVar, cast

from pydantic import ValidationError

from .enums import ExecType, Liquidity, OrderStatus, OrderType, Side, TimeInForce
from .errors import InvalidArgument
from .record import Record

FixValue: TypeAlias = str | bytes | int | Decimal
"""The value of a tag; a float is none, for it may not be what the message had."""
FixMessage: TypeAlias = (
    Mapping[int, FixValue]
    | Mapping[str, FixValue]
    | Mapping[int | str, FixValue]
    | Mapping[bytes, FixValue]
    | Iterable[tuple[int | str | bytes, FixValue]]
    | str
)
"""A message: its tags and their values, or its text with | or the sign of FIX (SOH) between them."""
R = TypeVar("R", bound=Record)

_NAMES = {
    **{1: "Account", 6: "AvgPx", 11: "ClOrdID", 12: "Commission", 13: "CommType", 14: "CumQty", 17: "ExecID"},
    **{19: "ExecRefID", 20: "ExecTransType", 31: "LastPx", 32: "LastQty", 35: "MsgType", 37: "OrderID", 38: "OrderQty"},
    **{39: "OrdStatus", 40: "OrdType", 41: "OrigClOrdID", 44: "Price", 54: "Side", 55: "Symbol", 58: "Text"},
    **{59: "TimeInForce", 60: "TransactTime", 64: "SettlDate", 99: "StopPx", 102: "CxlRejReason", 103: "OrdRejReason"},
    **{126: "ExpireTime", 137: "MiscFeeAmt", 138: "MiscFeeCurr", 150: "ExecType", 151: "LeavesQty"},
    **{378: "ExecRestatementReason", 479: "CommCurrency", 851: "LastLiquidityInd"},
}
_REPORT = {
    **{"exec_id": 17, "symbol": 55, "quantity": 38, "cumulative_quantity": 14, "open_quantity": 151, "text": 58},
    **{"last_quantity": 32, "last_price": 31, "average_price": 6, "price": 44, "stop_price": 99, "exec_ref_id": 19},
    **{"client_order_id": 11, "original_client_order_id": 41, "venue_order_id": 37, "settlement_date": 64},
    "account": 1,
}
_REJECT = {
    **{"client_order_id": 11, "original_client_order_id": 41, "venue_order_id": 37, "reason": 102, "text": 58},
    "symbol": 55,
}
_SAME = {"side": 54, "status": 39, "exec_type": 150, "type": 40, "time_in_force": 59, "liquidity": 851}
_TIMES = {"ts_ns": 60, "expire_at": 126}
_CODES: dict[str, Callable[[str], object]] = {
    "side": Side.from_fix,
    "type": OrderType.from_fix,
    "time_in_force": TimeInForce.from_fix,
    "liquidity": Liquidity.from_fix,
}
_OLD_EXECUTIONS = ("1", "2")
"""The codes of ExecType for an execution in FIX 4.2, where an order is filled in part or whole by it."""
_TRANSACTIONS = {"0": None, "1": ExecType.TRADE_CANCEL, "2": ExecType.TRADE_CORRECT, "3": ExecType.ORDER_STATUS}
"""The kinds of a report by ExecTransType (20), which FIX 4.2 has and later versions do not."""
_SAYS = re.compile(r"(\d{8})-(\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?", re.ASCII).fullmatch


def report_values(message: FixMessage, order_id: str | None, given: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of an ExecutionReport (8), as a message says them and the caller does, who wins.

    Raises InvalidArgument, which names the tag.
    """
    tags = tags_of(message)
    _check_type(tags, "8", "an ExecutionReport")
    values: dict[str, object] = {name: tags[tag] for name, tag in _REPORT.items() if tag in tags}
    for name, code_of in _CODES.items():
        if (tag := _SAME[name]) in tags and name not in given:
            values[name] = _coded(tag, tags[tag], code_of)
    values |= {name: nanoseconds_of(tag, tags[tag]) for name, tag in _TIMES.items() if tag in tags}
    if "exec_type" not in given and 150 in tags:
        values["exec_type"] = _exec_type(tags)
    if "status" not in given and 39 in tags:
        values["status"] = _status(tags)
    kind = given.get("exec_type", values.get("exec_type"))
    if (reason := tags.get(103 if kind == ExecType.REJECTED else 378)) is not None:
        values["reason"] = reason
    if "fee" not in given:
        values |= _fee(tags)
    return _named(values, order_id, given)


def reject_values(message: FixMessage, order_id: str | None, given: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of a CancelReject (9), likewise."""
    tags = tags_of(message)
    _check_type(tags, "9", "a CancelReject")
    values: dict[str, object] = {name: tags[tag] for name, tag in _REJECT.items() if tag in tags}
    if 54 in tags and "side" not in given:
        values["side"] = _coded(54, tags[54], Side.from_fix)
    if 60 in tags:
        values["ts_ns"] = nanoseconds_of(60, tags[60])
    if "status" not in given and 39 in tags:
        values["status"] = _status(tags)
    if "client_order_id" not in {**values, **given}:
        raise InvalidArgument(f"{_tag(11)} is missing, by which the refused request is known; give client_order_id=…")
    return _named(values, order_id, given)


def record_of(kind: type[R], values: Mapping[str, object]) -> R:
    """Return the record of fields that a message says. Raises InvalidArgument, which names the tag."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = first["msg"].removeprefix("Value error, ")
        where = {**_REPORT, **_REJECT, **_SAME, **_TIMES, "fee": 12, "fee_currency": 479}
        name = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "missing":
            problem = f"is missing; give {name}=… if the message does not say it"
        elif name:
            problem = f"{values.get(name)!r}: {problem}"
        tag = where.get(name)
        said = [_tag(where[one]) for one in re.findall(r"\b[a-z]+(?:_[a-z]+)*\b", problem) if one in where and not name]
        more = f": {', '.join(dict.fromkeys(said))}" if said else ""
        raise InvalidArgument(f"{_tag(tag) if tag else name or kind.__name__} {problem}{more}") from None


def tags_of(message: FixMessage) -> dict[int, str]:
    """Return the tags of a message that are not empty, with their values as text.

    Raises InvalidArgument for what is no message, and for a tag of ours that is there twice with different values.
    """
    tags: dict[int, str] = {}
    twice: dict[int, str] = {}
    for tag, value in _pairs(message):
        number, text = _number(tag), _text(tag, value)
        if text == "":
            continue
        if tags.setdefault(number, text) != text:
            twice[number] = text
    for number, text in twice.items():
        if number in _NAMES:
            raise InvalidArgument(
                f"{_tag(number)} is there twice, {tags[number]!r} and {text!r}: leave out the one that is not meant"
            )
    return tags


def nanoseconds_of(tag: int, text: str) -> int:
    """Return a UTCTimestamp in nanoseconds since the epoch. Raises InvalidArgument, which names the tag."""
    said = _SAYS(text)
    fraction = (said[3] or "").rstrip("0") if said else ""
    if said is None or len(fraction) > 9:
        raise InvalidArgument(
            f"{_tag(tag)} {text!r} is no time such as 20231117-12:30:45.123, to the nanosecond at most"
        )
    try:
        seconds = datetime.strptime(f"{said[1]} {said[2]}", "%Y%m%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise InvalidArgument(f"{_tag(tag)} {text!r} is no time: {error}") from None
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


def _pairs(message: FixMessage) -> list[tuple[object, object]]:
    if isinstance(message, str):
        parts = [part for part in re.split(r"[|\x01]", message.strip()) if part]
        if any("=" not in part for part in parts):
            raise InvalidArgument("a message in text is tag=value with | between, or the sign of FIX")
        return [cast("tuple[object, object]", tuple(part.split("=", 1))) for part in parts]
    if isinstance(message, Mapping):
        return list(cast("Mapping[object, object]", message).items())
    pairs = list(cast("Iterable[tuple[object, object]]", message))
    if any(not isinstance(cast("object", pair), tuple) or len(pair) != 2 for pair in pairs):
        raise InvalidArgument("a message is a mapping from tags to values, or pairs of a tag and a value")
    return pairs


def _number(tag: object) -> int:
    text = tag.decode("ascii", "replace") if isinstance(tag, bytes) else str(tag)
    if isinstance(tag, bool) or not text.isascii() or not text.isdecimal():
        raise InvalidArgument(f"{text[:40]!r} is no tag: tags are numbers")
    return int(text)


def _text(tag: object, value: object) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidArgument(
                f"tag {_number(tag)} is not UTF-8: decode it, and give the message as texts"
            ) from None
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise InvalidArgument(f"tag {_number(tag)} is a {type(value).__name__}: give the text that the message had")


def _tag(number: int) -> str:
    return f"tag {number} ({_NAMES[number]})"


def _check_type(tags: Mapping[int, str], code: str, name: str) -> None:
    if tags.get(35, code) != code:
        raise InvalidArgument(f"{_tag(35)} is {tags[35]!r}, and {code!r} is {name}: read it as what it is")


def _coded(tag: int, code: str, read: Callable[[str], object]) -> object:
    try:
        return read(code)
    except InvalidArgument as error:
        raise InvalidArgument(f"{_tag(tag)}: {error}") from None


def _exec_type(tags: Mapping[int, str]) -> object:
    code, transaction = tags[150], tags.get(20, "0")
    if transaction not in _TRANSACTIONS:
        raise InvalidArgument(f"{_tag(20)} {transaction!r} is no code that is known; give exec_type=…")
    instead = _TRANSACTIONS[transaction]
    if instead is None:
        return ExecType.TRADE if code in _OLD_EXECUTIONS else _coded(150, code, ExecType.from_fix)
    kind = None if code in _OLD_EXECUTIONS or instead is ExecType.ORDER_STATUS else _coded(150, code, ExecType.from_fix)
    if kind in (None, ExecType.TRADE, instead) or code == tags.get(39):
        return instead  # FIX 4.2 puts the order's status into 150 there
    raise InvalidArgument(f"{_tag(20)} {transaction!r} and {_tag(150)} {code!r} are of two kinds; give exec_type=…")


def _status(tags: Mapping[int, str]) -> object:
    if tags[39] != "5":
        return _coded(39, tags[39], OrderStatus.from_fix)
    # FIX 4.2 had a status for an order that was replaced; later versions say how much of it is filled.
    filled, left = tags.get(14), tags.get(151)
    try:
        if filled is not None and left is not None:
            if not Decimal(filled):
                return OrderStatus.NEW
            return OrderStatus.PARTIALLY_FILLED if Decimal(left) else OrderStatus.FILLED
    except ArithmeticError:
        pass
    raise InvalidArgument(f"{_tag(39)} '5' needs {_tag(14)} and {_tag(151)}, by which it is known; give status=…")


def _fee(tags: Mapping[int, str]) -> dict[str, object]:
    """Return the fee of an execution: the commission, or else the one other fee."""
    if 12 in tags and 137 in tags:
        raise InvalidArgument(f"{_tag(12)} and {_tag(137)} are two fees; give fee=… and fee_currency=…")
    amount, currency = (12, 479) if 12 in tags else (137, 138)
    if amount not in tags:
        return {}
    if amount == 12 and tags.get(13) != "3":
        how = f"is {tags[13]!r}" if 13 in tags else "is missing"
        raise InvalidArgument(f"{_tag(12)} is an amount where {_tag(13)} is '3', which {how}; give fee=…")
    return {"fee": tags[amount], **({"fee_currency": tags[currency]} if currency in tags else {})}


def _named(values: dict[str, object], order_id: str | None, given: Mapping[str, object]) -> dict[str, object]:
    """Return the fields with the id by which the order is looked for, and with what the caller says."""
    if values.get("venue_order_id") == "NONE":  # as FIX has it for an order that the venue does not know
        del values["venue_order_id"]
    names = ("original_client_order_id", "client_order_id", "venue_order_id")
    found = order_id if order_id is not None else next((values[name] for name in names if name in values), None)
    if found is None:
        raise InvalidArgument(
            f"{_tag(41)}, {_tag(11)} and {_tag(37)} are missing, which name the order; give order_id=…"
        )
    return {**values, "order_id": found, **given}
