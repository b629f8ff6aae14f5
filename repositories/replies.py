"""Read the replies of scripts: records, and the refusals that several scripts share."""

from __future__ import annotations

from typing import TypeVar, cast

from ..models.errors import (
    AmountOverflow,
    CorruptRecord,
    FenceRefused,
    OrderClosed,
    OrderNotFound,
    Refused,
    SlotbookError,
    UnexpectedReply,
    WrongType,
)
from ..models.record import Record
from ..models.types import MAX_QUANTITY
from ..models.wire import decode, pairs
from ..topology.call import Reply

R = TypeVar("R", bound=Record)

_NO_END = (
    "the totals of a position are never set back: go on under another name of the trader or the symbol, "
    "or in a larger unit"
)
_OPEN = "would reach 10**20: cancel or fill some of the open orders first"
_OVERFLOWS = {
    "quantity": f"the position would pass {MAX_QUANTITY:,}, the most that is counted: reduce it first, or count the "
    "symbol in a larger unit",
    "bought_quantity": f"bought_quantity would reach 10**20; {_NO_END}",
    "sold_quantity": f"sold_quantity would reach 10**20; {_NO_END}",
    "bought_notional": f"bought_notional would reach 10**30; {_NO_END}",
    "sold_notional": f"sold_notional would reach 10**30; {_NO_END}",
    "filled_notional": "filled_notional of the order would reach 10**30: fill the rest as another order",
    "open_buy_quantity": f"what is open to buy in the symbol {_OPEN}",
    "open_sell_quantity": f"what is open to sell in the symbol {_OPEN}",
}
"""Texts of AmountOverflow, by the field that would pass its bound: the bound, and what to do."""


def record(model: type[R], key: str, flat: Reply) -> R:
    """Return a record, from a flat list of its fields and their values. Raises CorruptRecord, which names its key."""
    return decode(model, key, pairs(cast("list[str]", flat)))


def record_of(model: type[R], base: str, field: str, flat: Reply) -> R:
    """Return a record, like :func:`record`, whose key is ``base`` and the value of one of its fields."""
    fields = pairs(cast("list[str]", flat))
    return decode(model, base + fields.get(field, "?"), fields)


def state(model: type[R], key: str, text: Reply) -> R:
    """Return a record from the text in which the engine answers it: fields and values, each on a line of its own."""
    return decode(model, key, fields_of(key, text))


def fields_of(key: str, text: Reply) -> dict[str, str]:
    """Return the fields in a text of fields and values. Raises CorruptRecord when a value has a line feed."""
    lines = str(text).split("\n")
    if len(lines) % 2:
        raise CorruptRecord(key, "?", "a value has a line feed, which no value that was ever written has")
    return dict(zip(lines[::2], lines[1::2], strict=True))


def rows(reply: Reply) -> list[Reply]:
    """Return the reply as a list. Raises UnexpectedReply when it is none."""
    if not isinstance(reply, list):
        raise UnexpectedReply(f"the server answered {reply!r} in place of a list")
    return reply


def refusal(name: str, reply: list[Reply]) -> SlotbookError:  # noqa: PLR0911 (a table)
    """Return the error for a refusal that any change may get; UnexpectedReply for any other reply."""
    match reply:
        case ["error", str(text)]:
            remedy = "another program wrote to a key of this book; give the book a prefix of its own"
            return WrongType(f"{name}: the server answered {text!r}; {remedy}")
        case ["ran"]:
            return Refused(f"{name}: it was refused when it was first sent; the reply that said why was lost")
        case ["missing"]:
            return OrderNotFound(f"{name}: there is no such order; it was never placed, was deleted, or has expired")
        case ["closed", str(status)]:
            return OrderClosed(f"{name}: too late, the order is {status}")
        case ["fence", str(lock), str(fence)]:
            return FenceRefused(f"{name}: {lock} is no longer held with fence {fence}; nothing was changed")
        case ["overflow", str(what)]:
            return AmountOverflow(f"{name}: {_OVERFLOWS.get(what, what)}")
        case ["corrupt", str(key), str(field), str(value)]:
            return CorruptRecord(
                key, field, f"{value[:80]!r} is not a value that was ever written" if value else "is missing"
            )
        case _:
            return UnexpectedReply(f"{name}: the script answered {reply!r}")
