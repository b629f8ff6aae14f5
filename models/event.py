"""Events: one change of a book each, as the trader's stream holds them, and their JSON documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from pydantic import StrictStr

from .cost_path import CostBasis
from .enums import EventType, OrderStatus, Side
from .errors import CorruptRecord
from .limits import Trading
from .record import Record
from .types import (
    Amount,
    Boolean,
    Count,
    MultiplierOrNone,
    Name,
    Nanoseconds,
    Price,
    Quantity,
    QuantityOrZero,
    SignedQuantity,
    SignedTotal,
    Text,
)

INTERNAL_FIELDS = frozenset({"account_totals", "count", "totals"})
"""The fields of a stream's entry that no message has: the writer's count of its changes, by which it notices a loss,
and the totals of positions after the change, with which a repeat is answered."""


class OrderEvent(Record):
    """One change of one trader's book, with a sequence number that has no gaps (FIX ExecutionReport, MsgType 8).

    ::

        for event in book.events.history("T001"):
            print(event.sequence, event.type, event.order_id, event.status)
    """

    trader: Name
    sequence: Count
    """1 for the trader's first change, then one more for each; the id of the stream entry is ``sequence-0``."""
    type: EventType
    ts_ns: Nanoseconds
    """The time of the change, by the exchange's or the caller's clock (TransactTime, tag 60)."""
    symbol: Name | None = None
    """The instrument (Symbol, tag 55); None for a change of a record of the desk's own."""
    order_id: Name | None = None
    """The order that was changed (ClOrdID, tag 11); None for a change of a position without an order."""
    side: Side | None = None
    status: OrderStatus | None = None
    """The order's status after the change (OrdStatus, tag 39)."""
    quantity: Quantity | None = None
    """The order's quantity after the change (OrderQty, tag 38), in the symbol's unit."""
    price: Price | None = None
    """The order's limit price after the change (Price, tag 44)."""
    filled_quantity: QuantityOrZero | None = None
    """The order's filled quantity after the change (CumQty, tag 14)."""
    exec_id: Name | None = None
    """The execution of a TRADE or of TRADE_DETAILS, or the report that busts or corrects one (ExecID, tag 17)."""
    exec_ref_id: Name | None = None
    """The execution that was busted or corrected (ExecRefID, tag 19)."""
    last_quantity: Quantity | None = None
    """The quantity that this fill executed, or the corrected one (LastQty, tag 32); None for one that was busted."""
    last_price: Price | None = None
    """The price of this fill, or the corrected one (LastPx, tag 31)."""
    reversed_quantity: Quantity | None = None
    """The quantity that counted until it was busted or corrected."""
    reversed_price: Price | None = None
    """The price of what counted until then."""
    cost_basis: CostBasis | None = None
    """"approximate" where the cost that a bust or a correction has left is; None for an exact one."""
    late: Boolean | None = None
    """True for a fill that arrived after its order was canceled, rejected or expired."""
    overfilled: Boolean | None = None
    """True for a fill that went past the quantity of its order, and was recorded."""
    details: StrictStr | None = None
    """The written values of what a fill or a correction says beside quantity and price, or of what TRADE_DETAILS adds
    to it, as a JSON object, which ``FillDetails.read`` reads; None without any."""
    reversed_details: StrictStr | None = None
    """The same of what counted until it was busted or corrected."""
    request_id: Name | None = None
    """The request of a replace, or of a change of a position or a record of the desk's own."""
    position_quantity: SignedQuantity | None = None
    """The trader's position in the symbol after the change; None when the change did not move it."""
    position_change: SignedTotal | None = None
    """The quantity that a change of a position without an order has added, also by setting it; None for others."""
    position_cost: Amount | None = None
    """The open cost that a position was set with; None where the cost follows from the change."""
    multiplier: MultiplierOrNone = None
    """The multiplier of the order whose execution this is, or of the position that was changed; None for 1."""
    period: StrictStr | None = None
    """The totals that a roll has set back, by their names, as a JSON object of written values; None for others."""
    text: Text | None = None
    """Free text of the change (Text, tag 58)."""
    requested_quantity: Quantity | None = None
    """The total quantity that a pending request asks for, a stop guarantees, or a replace asked for where the order got
    another one: it was below what is filled."""
    requested_price: Price | None = None
    """The limit price that a pending request asks for, or a stop guarantees."""
    requested_stop_price: Price | None = None
    """The trigger price that a pending request asks for."""
    client_order_id: Name | None = None
    """The request that this is about (ClOrdID, tag 11)."""
    original_client_order_id: Name | None = None
    """The id that the request names the order by (OrigClOrdID, tag 41)."""
    venue_order_id: Name | None = None
    """The venue's id of the order, by the report (OrderID, tag 37)."""
    reason: Name | None = None
    """FIX's code of the reason (tags 102, 103 and 378)."""
    reported_status: OrderStatus | None = None
    """The status that the venue said, where the order shows another."""
    open_quantity: QuantityOrZero | None = None
    """The order's open quantity after the change (LeavesQty, tag 151), where it is not what status and quantities say:
    0 of an order that is done for its only day."""
    kind: Name | None = None
    """The kind of the record of the desk's own that was changed; None for any other change."""
    key: StrictStr | None = None
    """The text of that record's key."""
    version: Count | None = None
    """That record's version after the change."""
    changed: StrictStr | None = None
    """The written values of that record's fields that changed, as a JSON object: all of them for INSERT and PUT, null
    for one that an UPDATE removed. None for DELETE."""
    own: StrictStr | None = None
    """The written values of the fields of the desk's own that the order was placed with, for NEW, or that the fill has,
    for TRADE, as a JSON object; None without any."""
    terms: StrictStr | None = None
    """The written values of an order's account, display_quantity, execution_instructions, expire_at, currency and
    multiplier, as far as it was placed with them, for NEW, as a JSON object; None without any."""
    limits: StrictStr | None = None
    """The limits that a LIMITS event has set, of the symbol or else of the trader: a JSON object with the text of each,
    an empty one where they were removed."""
    refused: StrictStr | None = None
    """The reason of a LIMIT_REFUSED event, as a JSON object: ``limit``, ``symbol`` where it is a symbol's, ``value``,
    ``asked``, ``position`` and ``open``, or ``trading``, the position of the switch; None for others."""
    trading: Trading | None = None
    """The position of the switch of trading after a TRADING event."""
    account: Name | None = None
    """The account whose position was changed as well: that of the order, or of the request; None for none."""
    account_quantity: SignedQuantity | None = None
    """That account's position in the symbol after the change."""
    account_cost: Amount | None = None
    """The open cost that the account's position was set with."""
    position_cost_change: Amount | None = None
    """The amount that the open cost of the trader's position has gained by that which an account's was set with; of one
    that is flat after the change it was realized."""
    account_cost_basis: CostBasis | None = None
    """``cost_basis`` of the account's position."""
    accounts: StrictStr | None = None
    """The positions of accounts that a split or a roll has changed, as a JSON object by account: of each the
    ``position_quantity`` after the change, its ``position_change``, and for a roll the ``period``."""
    writer: Name | None = None
    """The book object that made the change: a random name that lasts as long as the object."""


class DeadLetter(Record):
    """An event that a consumer group gave up, because no consumer could handle it."""

    event: OrderEvent
    group: Name
    consumer: str
    """The consumer that it was delivered to last."""
    deliveries: Count
    """The number of times that it was delivered."""
    error: str
    """The reason for which it was given up."""


def document(fields: Mapping[str, str]) -> str:
    """Return the JSON document of an event, which is published on its channels, from the event's written fields.

    Every value is a string, as in the stream, so that a reader in any language gets decimals and nanoseconds exactly.
    """
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def fields_of_document(channel: str, text: str) -> dict[str, str]:
    """Return the written fields of an event from its JSON document.

    Raises CorruptRecord, which names the channel.
    """
    try:
        found: object = json.loads(text)
    except ValueError:
        found = None
    fields = cast("dict[str, object]", found) if isinstance(found, dict) else {"": None}
    if not all(isinstance(value, str) for value in fields.values()):
        raise CorruptRecord(channel, "message", f"{text[:80]!r} is not the document of an event")
    return cast("dict[str, str]", fields)
