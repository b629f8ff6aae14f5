"""Limits of a trader's orders, the switch of trading, and the requests that change them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, cast

from pydantic import BeforeValidator, Field

from .record import Record
from .types import AmountOrZero, Count, Name, Nanoseconds, QuantityOrZero, Text, new_id
from .wire import text

LIMIT_NAMES = ("max_order", "max_notional", "max_position", "orders_per_second")
"""The limits, in the order in which they are stored and looked at."""
_NONE = "-"


class Trading(StrEnum):
    """The switch of a trader's trading: what ``place`` and ``replace`` may do. All else passes."""

    ACTIVE = "ACTIVE"
    """Everything within the limits."""
    REDUCING = "REDUCING"
    """Orders that make the position smaller, even when all that is open on that side is filled."""
    HALTED = "HALTED"
    """Nothing."""


class Limits(Record):
    """The limits of one trader: in a symbol, or, where no symbol is named, in all of them. None sets no limit.

    Of the trader's and the symbol's largest order, notional and orders per second each holds; a symbol's
    ``max_position`` takes the place of the trader's.

    >>> Limits(trader="T001", symbol="AAPL", max_order=1_000, max_position=5_000).max_notional is None
    True
    """

    trader: Name
    symbol: Name | None = None
    """The symbol in which they hold; None for all."""
    max_order: QuantityOrZero | None = None
    """The largest quantity of an order, in the symbol's unit."""
    max_notional: AmountOrZero | None = None
    """The largest quantity times price of an order, in the symbol's currency, without its sign."""
    max_position: QuantityOrZero | None = None
    """The largest position on either side of zero, in the symbol's unit, with all that is open on that side filled."""
    orders_per_second: Count | None = None
    """The most orders placed and replaced in one second of the server's clock."""

    @property
    def is_empty(self) -> bool:
        """True when nothing is limited, as where there are no limits."""
        return all(getattr(self, name) is None for name in LIMIT_NAMES)


class LimitsChange(Limits):
    """A request to set the limits of a trader or of a symbol, all of them anew; empty ones remove what is there.

    It is known by its ``request_id`` for the book's ``request_ttl``, as a change of a position is.

    ::

        book.commit([LimitsChange(trader="T001", symbol="AAPL", max_position=5_000), order])
    """

    request_id: Name = Field(default_factory=new_id)
    """Identity of the request; by default random."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """Time of the change in nanoseconds since the epoch; by default the caller's time now."""


def _as_trading(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class TradingChange(Record):
    """A request to turn the switch of a trader's trading.

    It is known by its ``request_id`` for the book's ``request_ttl``.

    >>> TradingChange(trader="T001", trading="halted").trading
    <Trading.HALTED: 'HALTED'>
    """

    trader: Name
    trading: Annotated[Trading, BeforeValidator(_as_trading)]
    request_id: Name = Field(default_factory=new_id)
    """Identity of the request; by default random."""
    ts_ns: Nanoseconds = Field(default_factory=time.time_ns)
    """Time of the change in nanoseconds since the epoch; by default the caller's time now."""
    text: Text | None = None
    """Free text, such as the reason."""


@dataclass(frozen=True, slots=True)
class LimitsResult:
    """The result of a change of limits.

    ::

        result = book.limits.set(Limits(trader="T001", max_order=1_000))
        print(result.limits, result.applied)
    """

    limits: Limits
    """The limits that the change has set; empty ones when it has removed them."""
    applied: bool
    """False for a repeat, which changed nothing."""
    sequence: int
    """The sequence number of the change's event; see :class:`~slotbook.models.results.OrderResult`."""
    replicas: int | None = None
    """The number of confirming replicas or disks."""


@dataclass(frozen=True, slots=True)
class TradingResult:
    """The result of turning the switch of trading.

    ::

        result = book.trading("T001", "halted")
        print(result.trading, result.sequence)
    """

    trading: Trading
    """The position of the switch that the change has set."""
    applied: bool
    """False for a repeat, which changed nothing."""
    sequence: int
    """The sequence number of the change's event; see :class:`~slotbook.models.results.OrderResult`."""
    replicas: int | None = None
    """The number of confirming replicas or disks."""


def written_limits(limits: Limits) -> str:
    """Return the stored form of limits: a word for each, ``-`` for none.

    >>> written_limits(Limits(trader="T001", max_order=100, max_notional="5000.50"))
    '100 5000.5 - -'
    """
    values = (cast("object", getattr(limits, name)) for name in LIMIT_NAMES)
    return " ".join([_NONE if value is None else text(value) for value in values])


def limits_of(trader: str, symbol: str | None, written: str) -> Limits:
    """Return limits from their stored form. Raises ValueError for what was never written.

    >>> limits_of("T001", "AAPL", "100 5000.5 - -").max_notional
    Decimal('5000.5')
    """
    given = {name: word for name, word in zip(LIMIT_NAMES, written.split(" "), strict=True) if word != _NONE}
    found = Limits.model_validate({"trader": trader, "symbol": symbol, **given})
    if written_limits(found) != written:
        raise ValueError(written)
    return found


def document_of(limits: Limits) -> str:
    """Return limits as an event has them: a JSON object with the text of each; an empty one when they are removed.

    >>> document_of(Limits(trader="T001", max_order=100))
    '{"max_order":"100"}'
    """
    found = {name: cast("Decimal | int | None", getattr(limits, name)) for name in LIMIT_NAMES}
    texts = {name: text(value) for name, value in found.items() if value is not None}
    return json.dumps(texts, separators=(",", ":"))


def limits_in(trader: str, symbol: str | None, document: str) -> Limits:
    """Return limits from an event's text. Raises ValueError for what was never written."""
    found = cast("object", json.loads(document))
    if not isinstance(found, dict):
        raise ValueError(document)
    made = Limits.model_validate({"trader": trader, "symbol": symbol, **cast("dict[str, object]", found)})
    if document_of(made) != document:
        raise ValueError(document)
    return made
