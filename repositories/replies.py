"""Read the replies of scripts: records, and the refusals that several scripts share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar, cast

from ..models.errors import (
    AmbiguousId,
    AmountOverflow,
    CorruptRecord,
    FenceRefused,
    LimitExceeded,
    MultiplierMismatch,
    OrderClosed,
    OrderNotFound,
    Refused,
    SlotbookError,
    TradingHalted,
    UnexpectedReply,
    WrongType,
    never_written,
)
from ..models.numbers import AMOUNT_DIGITS, QUANTITY_DIGITS, TOTAL_DIGITS
from ..models.record import Record
from ..models.wire import decode, pairs
from ..topology.call import Reply
from ..topology.misreadings import shortened

R = TypeVar("R", bound=Record)

_ROLL = "roll the position first, which begins its totals anew"
_OPEN = f"would reach 10**{TOTAL_DIGITS}: cancel or fill some of the open orders first"
_OVERFLOWS = {
    "quantity": f"the position would reach 10**{QUANTITY_DIGITS}: reduce it first, "
    "or count the symbol in a larger unit",
    "filled_quantity": f"filled_quantity of the order would reach 10**{QUANTITY_DIGITS}: take another order",
    "bought_quantity": f"bought_quantity would reach 10**{TOTAL_DIGITS}: {_ROLL}",
    "sold_quantity": f"sold_quantity would reach 10**{TOTAL_DIGITS}: {_ROLL}",
    "bought_notional": f"bought_notional would reach 10**{AMOUNT_DIGITS}: {_ROLL}",
    "sold_notional": f"sold_notional would reach 10**{AMOUNT_DIGITS}: {_ROLL}",
    "open_cost": f"open_cost would reach 10**{AMOUNT_DIGITS}: reduce the position first",
    "realized_profit": f"realized_profit would reach 10**{AMOUNT_DIGITS}: {_ROLL}",
    "filled_notional": f"filled_notional of the order would reach 10**{AMOUNT_DIGITS}: fill the rest as another order",
    "fees": f"the fees in one currency would reach 10**{AMOUNT_DIGITS}: {_ROLL}",
    "places": "the amount would have too many decimal places: those of quantity, price and multiplier together",
    "open_buy_quantity": f"what is open to buy in the symbol {_OPEN}",
    "open_sell_quantity": f"what is open to sell in the symbol {_OPEN}",
}
"""Texts of AmountOverflow, by the field that would pass its bound: the bound, and what to do."""
_ASKED = {
    "max_order": "the order has {asked}",
    "max_notional": "the order has {asked}",
    "max_position": "with {open} open on this side, the position of {held} could become {asked} on it",
    "orders_per_second": "this is number {asked} in this second",
}
_NO_PRICE = "the order has no price to value it by; give it a reference_price"

_ONLY_TEXT = frozenset((str,))
_IS_ENTRY_ID = re.compile("[0-9]{1,20}-[0-9]{1,20}", re.ASCII).fullmatch
_IS_NUMBER = re.compile("-?[0-9]{1,30}", re.ASCII).fullmatch


def record(model: type[R], key: str, flat: Reply, identity: Mapping[str, str]) -> R:
    """Return a record, from a flat list of its fields and their values.

    Raises CorruptRecord, which names its key, also for the record of another ``identity``.
    """
    return identified(decode(model, key, fields(flat)), key, identity)


def record_of(model: type[R], base: str, field: str, flat: Reply, trader: str) -> R:
    """Return a record of a trader, like :func:`record`, whose key is ``base`` and the value of one of its fields."""
    found = fields(flat)
    key = base + found.get(field, "?")
    return identified(decode(model, key, found), key, {"trader": trader})


def state(model: type[R], key: str, lines: Reply, identity: Mapping[str, str]) -> R:
    """Return a record from the answer of the engine: fields and values, in a text each on a line of its own, or a list.

    Raises CorruptRecord, which names its key, also for the record of another ``identity``.
    """
    return identified(decode(model, key, fields_of(key, lines)), key, identity)


def identified(found: R, key: str, identity: Mapping[str, str]) -> R:
    """Return a record that has the identity that was asked for; else raise CorruptRecord.

    A connection whose replies are out of step has the record of another, which is as readable.
    """
    for name, asked in identity.items():
        if (value := getattr(found, name)) != asked:
            raise CorruptRecord(key, name, f"{value!r} is not {asked!r}: it is the record of another key")
    return found


def fields(flat: Reply) -> dict[str, str]:
    """Return the fields in a flat list of names and values. Raises ValueError for anything else."""
    words = rows(flat)
    if not _ONLY_TEXT.issuperset(map(type, words)):
        raise ValueError(words)
    return pairs(cast("list[str]", words))


def rows_of(number: int, reply: Reply) -> list[Reply]:
    """Return the reply as a list of so many parts. Raises UnexpectedReply, or ValueError for another number."""
    found = rows(reply)
    if len(found) != number:
        raise ValueError(found)
    return found


def integer(reply: Reply) -> int:
    """Return an integer, or the one whose digits a text has. Raises ValueError for anything else."""
    if type(reply) is int:
        return reply
    if not isinstance(reply, str) or not _IS_NUMBER(reply):
        raise ValueError(reply)
    return int(reply)


def text(reply: Reply) -> str:
    """Return a text. Raises ValueError for anything else."""
    if not isinstance(reply, str):
        raise ValueError(reply)  # one error says that a reply has another form
    return reply


def entry_id(reply: Reply) -> str:
    """Return the id of an entry of a stream, which may be sent back. Raises ValueError for anything else."""
    if not isinstance(reply, str) or not _IS_ENTRY_ID(reply):
        raise ValueError(reply)
    return reply


def flag(reply: Reply) -> bool:
    """Return True for 1 and False for 0. Raises ValueError for anything else."""
    if type(reply) is not int or reply not in (0, 1):
        raise ValueError(reply)
    return reply == 1


def remembered_number(key: str, field: str, written: str) -> int:
    """Return the number of an event that is remembered under a key. Raises CorruptRecord for what is no number."""
    if not (_IS_NUMBER(written) and written[0] != "-"):
        raise never_written(key, field, written)
    return int(written)


def fields_of(key: str, written: Reply) -> dict[str, str]:
    """Return the fields in a text of fields and values, or in a list of them, as an order with own fields is answered.

    Raises CorruptRecord when a value in a text has a line feed.
    """
    if isinstance(written, list):
        return fields(written)
    lines = text(written).split("\n")
    if len(lines) % 2:
        raise CorruptRecord(key, "?", "a value has a line feed, which no value that was ever written has")
    return dict(zip(lines[::2], lines[1::2], strict=True))


def rows(reply: Reply) -> list[Reply]:
    """Return the reply as a list. Raises UnexpectedReply when it is none."""
    if not isinstance(reply, list):
        raise UnexpectedReply(f"the server answered {shortened(reply)} in place of a list")
    return reply


def refusal(name: str, reply: list[Reply]) -> SlotbookError:  # noqa: PLR0911 (a table)
    """Return the error for a refusal that any change may get; UnexpectedReply for any other reply."""
    match reply:
        case ["error", str(words)]:
            remedy = "another program wrote to a key of this book; give the book a prefix of its own"
            return WrongType(f"{name}: the server answered {words!r}; {remedy}")
        case ["ran"]:
            return Refused(f"{name}: it was refused when it was first sent; the reply that said why was lost")
        case ["missing"]:
            return OrderNotFound(f"{name}: there is no such order; it was never placed, was deleted, or has expired")
        case ["ambiguous", str(one), str(order_id)]:
            return AmbiguousId(
                f"{name}: the id {one} is order {order_id}'s; nothing was changed, for it would name two", one, order_id
            )
        case ["closed", str(status)]:
            return OrderClosed(f"{name}: too late, the order is {status}")
        case ["beyond", *_] | ["halted", str(_)]:
            return _limit_refusal(name, reply)
        case ["fence", str(lock), str(fence)]:
            return FenceRefused(f"{name}: {lock} is no longer held with fence {fence}; nothing was changed")
        case ["multiplier", str(asked), str(held)]:
            keeps = "a position keeps its own while an order is open, or something was traded since its last roll"
            return MultiplierMismatch(f"{name}: the multiplier is {asked}, and the position's is {held}; {keeps}")
        case ["overflow", str(what)]:
            return AmountOverflow(f"{name}: {_OVERFLOWS.get(what, what)}")
        case ["corrupt", str(key), str(field), str(value)]:
            return never_written(key, field, value) if value else CorruptRecord(key, field, "is missing")
        case _:
            return UnexpectedReply(f"{name}: the script answered {shortened(reply)}")


def _limit_refusal(name: str, reply: list[Reply]) -> SlotbookError:
    """Return the error of such an answer. Raises ValueError for what is none."""
    match reply:
        case ["beyond", str(limit), str(symbol), str(value), str(asked), str(held), str(open_quantity)]:
            whose = f"{limit} in {symbol}" if symbol else f"{limit} of the trader"
            found = _ASKED[limit].format(asked=asked, held=held, open=open_quantity) if asked else _NO_PRICE
            try:
                numbers = Decimal(value), Decimal(asked) if asked else None
            except InvalidOperation:
                raise ValueError(reply) from None
            return LimitExceeded(f"{name}: {whose} is {value}, and {found}", limit, symbol or None, *numbers)
        case ["halted", str(trading)]:
            what = "only what reduces the position passes" if trading == "REDUCING" else "nothing passes"
            return TradingHalted(f"{name}: trading is {trading}, so {what}; book.trading turns it on again", trading)
        case _:
            raise ValueError(reply)
