"""Read what is to be known before an execution is revised: its order, and the changes of its position. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from ...models.cost import ZERO, Basis
from ...models.cost_path import Move
from ...models.enums import EventType, Side
from ...models.event import OrderEvent
from ...models.fill_details import fee_taken
from ...models.keys import TraderKeys
from ...models.numbers import EXACT, multiplied
from ...models.wire import decode
from ...topology.call import Call, Reply, command, evaluate
from ..replies import entry_id, fields, flag, rows, text
from .recorded import position_then
from .scripts import load

FIRST_PAGE, NEXT_PAGE = 200, 1_000
"""The events that one call reads: most executions that are revised are young."""
REVISABLE = load("slotbook.repositories.changes", "revisable")


class Revisable(NamedTuple):
    """The known facts about an execution and its order."""

    order_id: str
    """The order's own id, whatever the report names it by."""
    symbol: str
    is_buy: bool
    multiplier: Decimal
    is_known: bool
    """True when the report or the fill is remembered, so that it is a repeat."""
    root: int | None
    """The number of the event of the execution that is revised; 0 when that is no longer kept, None when it is not
    known."""
    has_approximations: bool
    """True when the position's cost was approximate at some time."""
    account: str = ""
    """The account of the order; "" for none."""
    has_account_approximations: bool = False
    """The same of the account's position."""


Entry: TypeAlias = tuple[str, dict[str, str]]
"""The id and the fields of an event."""


class Page(NamedTuple):
    """Some events of a stream, the latest first."""

    entries: list[Entry]
    is_last: bool
    """True when no event before them is kept."""


def revisable(keys: TraderKeys, order_id: str, exec_id: str, exec_ref_id: str) -> Call[Revisable | None]:
    """Return the call that reads what is known of an execution; None when there is no such order."""

    def read(reply: Reply) -> Revisable | None:
        match rows(reply):
            case []:
                return None
            case [own_id, symbol, side, multiplier, known, root, approximated, account, of_account]:
                is_buy = text(side) in Side.__members__ and Side[text(side)].is_buy
                root_number = int(text(root)) if text(root) else None
                return Revisable(
                    *(text(own_id), text(symbol), is_buy, Decimal(text(multiplier)), flag(known)),
                    *(root_number, text(approximated) != ""),
                    *(text(account), text(of_account) != ""),
                )
            case other:
                raise ValueError(other)

    return evaluate(
        f"executions of {keys.trader}/{order_id}",
        REVISABLE,
        REVISABLE.keys(order=keys.order(order_id), applied=keys.applied(order_id), events=keys.events),
        REVISABLE.arguments(base=keys.base, order_id=order_id, exec_id=exec_id, exec_ref_id=exec_ref_id),
        decode=read,
        readonly=True,
        tag=keys.trader,
    )


def is_remembered(keys: TraderKeys, request_id: str) -> Call[bool]:
    """Return the call that reads whether a change of a position is remembered, so that it is a repeat."""
    name = f"request {request_id} of {keys.trader}"
    return command(name, "GET", keys.request(request_id), decode=lambda reply: reply is not None, tag=keys.trader)


def page_before(keys: TraderKeys, before: str, count: int) -> Call[Page]:
    """Return the call that reads the events before an id, "" for the last ones."""

    def read(reply: Reply) -> Page:
        entries = [(entry_id(number), fields(flat)) for number, flat in map(rows, rows(reply))]
        return Page(entries, len(entries) < count)

    start = f"({before}" if before else "+"
    arguments = (keys.events, start, "-", "COUNT", str(count))
    return command(f"events of {keys.trader}", "XREVRANGE", *arguments, decode=read, tag=keys.trader)


def move_of(keys: TraderKeys, event_id: str, entry: Mapping[str, str]) -> Move:
    """Return the change of a position that an event says. Raises CorruptRecord, or ValueError."""
    event = decode(OrderEvent, keys.events, {**entry, "trader": keys.trader, "sequence": event_id.partition("-")[0]})
    then = position_then(keys.events, {}, entry)
    stated = Basis(Decimal(then["quantity"]), Decimal(then["open_cost"]), Decimal(then["realized_profit"]))
    return move_of_event(event, int(then["version"]), stated)


def move_of_event(event: OrderEvent, version: int, stated: Basis) -> Move:
    """Return the change of a position that an event says, and the position that it states."""
    if event.type is EventType.TRADE_DETAILS:
        return Move(event.type, version, stated)
    if event.type.is_execution:
        quantity = Decimal(event.last_quantity or 0)
        is_buy = event.side is not None and event.side.is_buy
        return Move(
            event.type,
            version,
            stated,
            event.order_id or "",
            event.exec_id or "",
            event.exec_ref_id,
            quantity if is_buy else EXACT.minus(quantity),
            multiplied(event.last_price or ZERO, event.multiplier),
            fee_taken(event.details),
            is_approximate=event.cost_basis == "approximate",
        )
    profit = ZERO
    if event.type is EventType.ROLL:
        profit = period_profit(event.period or "")
    return Move(
        event.type,
        version,
        stated,
        quantity=Decimal(event.position_change or 0),
        has_set_cost=event.position_cost is not None,
        period_profit=profit,
        cost_change=event.position_cost_change or ZERO,
    )


def period_profit(period: str) -> Decimal:
    """Return the realized profit in the totals that a roll has set back.

    >>> period_profit('{"bought_quantity":"3","realized_profit":"-7.5"}')
    Decimal('-7.5')
    """
    return Decimal(period.partition('"realized_profit":"')[2].partition('"')[0])
