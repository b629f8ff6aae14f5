"""Details of an execution, which its report may say beside quantity and price: fee, liquidity, settlement, account."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self, cast

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo

from .enums import Liquidity, Side
from .errors import CorruptRecord
from .json_schemas import CONTROL, same_form
from .numbers import exact_quantity, plain
from .record import Record
from .types import Amount, Boolean, Name
from .wire import decode, text

DETAILS = ("fee", "fee_currency", "liquidity", "settlement_date", "account", "fee_from_quantity")
"""The fields of an execution that few reports have, in the order in which they are written."""

FeeCurrency = Annotated[
    str,
    # A pattern that counted such characters would take 20 ms to compile in each of several models.
    StringConstraints(strict=True, max_length=64, pattern=r'^[^\s{}"\\\p{C}]+$'),
    same_form({"type": "string", "maxLength": 64, "pattern": rf'^[^\s{{}}"\\{CONTROL}]+$'}),
]
"""The currency of a fee as venues name it, which is not always a code (FIX CommCurrency, tag 479): 1 to 64 characters
without blanks, braces, quotes, backslashes and control characters."""

_DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)", re.ASCII).fullmatch


def exact_day(value: object) -> date:
    """Return a day that is given as a date, or as text in the form of ISO 8601 or of FIX. Raises ValueError.

    >>> exact_day("20261130")
    datetime.date(2026, 11, 30)
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    written = _DAY(value) if isinstance(value, str) else None
    if written is None or cast("str", value).count("-") == 1:
        raise ValueError("a day is a date, or text such as 2026-11-30 or 20261130")
    return date(*map(int, written.groups()))


SettlementDate = Annotated[date, BeforeValidator(exact_day)]
"""A day of settlement (FIX SettlDate, tag 64)."""


def _with_fee(currency: str | None, info: ValidationInfo) -> str | None:
    if info.data.get("fee") is None and currency is not None:
        raise ValueError("a fee_currency needs a fee")
    return currency


CurrencyOfFee = Annotated[FeeCurrency | None, AfterValidator(_with_fee)]
"""The currency of the `fee` of a report, a field before it, without which it cannot be given."""


def _from_quantity(value: bool | None, info: ValidationInfo) -> bool | None:
    if not value:
        return value
    said = info.data
    fee, side = cast("Decimal | None", said.get("fee")), said.get("side")
    quantity = cast("Decimal | None", said.get("last_quantity", said.get("quantity")))
    if fee is None or said.get("fee_currency") is None:
        raise ValueError("a fee_from_quantity needs a fee and its fee_currency, the name of what is bought")
    exact_quantity(fee)
    if quantity is not None and fee >= quantity:
        raise ValueError(f"a fee of {plain(fee)} cannot be taken from a quantity of {plain(quantity)}")
    if isinstance(side, Side) and not side.is_buy:
        raise ValueError(f"a fee is taken from a quantity that is bought, and this is a {side}")
    return True


FeeFromQuantity = Annotated[Boolean | None, AfterValidator(_from_quantity)]
"""True where the fee before it is taken from the quantity that is bought; neither None nor False is written."""


class FillDetails(Record):
    """The details of an execution, as an event has them.

    >>> FillDetails.read('{"fee":"0.25","fee_currency":"USD"}').fee
    Decimal('0.25')
    """

    fee: Amount | None = None
    """The amount that was charged: paid where positive, a rebate where negative (FIX Commission, tag 12)."""
    fee_currency: FeeCurrency | None = None
    """The currency of the fee (CommCurrency, tag 479); None for that of the price."""
    liquidity: Liquidity | None = None
    """The part that it had in the venue's liquidity (LastLiquidityInd, tag 851)."""
    settlement_date: SettlementDate | None = None
    """The day of settlement (SettlDate, tag 64)."""
    account: Name | None = None
    """The account that the execution is for (Account, tag 1); None for the order's."""
    fee_from_quantity: FeeFromQuantity = None
    """True where the fee was taken from the quantity that was bought; None where it was not."""

    @classmethod
    def read(cls, written: str | None, key: str = "details") -> Self:
        """Return the details in a JSON object, none in None or ''. Raises CorruptRecord, which names ``key``.

        Args:
            written: The ``details`` or ``reversed_details`` of an event.
            key: The key that an error names.
        """
        if not written:
            return cls()
        try:
            found = cast("object", json.loads(written))
        except (ValueError, RecursionError):
            found = None
        values = cast("dict[str, object]", found) if isinstance(found, dict) else {"": None}
        if values.keys() <= {*DETAILS} and all(isinstance(value, str) for value in values.values()):
            details = decode(cls, key, cast("dict[str, str]", values))
            if details_of(details) == written:
                return details
        raise CorruptRecord(key, "details", f"{written[:80]!r} is not what a book writes")


def details_of(report: object) -> str:
    """Return the written values of DETAILS, as far as a report has them, as a JSON object; '' for none."""
    said = {name: getattr(report, name) for name in DETAILS}
    written = {name: text(value) for name, value in said.items() if value is not None and value is not False}
    return json.dumps(written, ensure_ascii=False, separators=(",", ":")) if written else ""


def fee_taken(written: str | None) -> Decimal:
    """Return the fee in written details that is taken from the bought quantity, 0 for none. Raises CorruptRecord.

    >>> fee_taken('{"fee":"0.25","fee_currency":"BTC","fee_from_quantity":"1"}'), fee_taken('{"fee":"0.25"}')
    (Decimal('0.25'), Decimal('0'))
    """
    details = FillDetails.read(written)
    return details.fee if details.fee_from_quantity and details.fee is not None else Decimal(0)
