"""Build the calls of the positions' repository, and read their replies. This module does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, cast

from ...models.enums import EventType
from ...models.errors import DuplicateRequest, InexactSplit
from ...models.keys import TraderKeys
from ...models.numbers import EXACT, plain
from ...models.position import Position, PositionChange, Roll, Split
from ...models.results import PositionResult, SymbolTotal
from ...models.types import check_name
from ...models.wire import decode, text
from ...topology.call import Call, Reply, command, evaluate
from ...topology.settings import Settings
from ..changes.engine import ChangeCalls
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.recorded import position_then
from ..changes.scripts import load
from ..changes.verb import AnyVerb, Step, Verb
from ..replies import (
    fields,
    fields_of,
    identified,
    integer,
    record,
    record_of,
    refusal,
    remembered_number,
    rows,
    state,
)

_PACKAGE = "slotbook.repositories.positions"
ALL = load(_PACKAGE, "all")

PositionRequest: TypeAlias = PositionChange | Split | Roll
"""Any request that changes a position without an order."""


def _keys(keys: TraderKeys, change: PositionRequest) -> tuple[str, ...]:
    return keys.position(change.symbol), keys.request(change.request_id)


def _arguments(change: PositionChange) -> tuple[str, ...]:
    return (
        change.symbol,
        change.request_id,
        change.action.value,
        plain(change.quantity),
        "" if change.max_position is None else plain(change.max_position),
        str(change.ts_ns),
        _terms(change),
    )


def _terms(change: PositionChange) -> str:
    """Return the cost of what is set, "-" for none, and its multiplier; "" where neither is given."""
    cost, multiplier = change.cost, change.multiplier
    if cost is None and multiplier is None:
        return ""
    return f"{'-' if cost is None else plain(cost)}{'' if multiplier is None else f'*{plain(multiplier)}'}"


def _split_arguments(split: Split) -> tuple[str, ...]:
    resulting = "" if split.quantity is None else text(split.quantity)
    ratio = f"{split.new}/{split.old}"
    return split.symbol, split.request_id, EventType.SPLIT.value, ratio, "", str(split.ts_ns), resulting


def _roll_arguments(roll: Roll) -> tuple[str, ...]:
    return roll.symbol, roll.request_id, EventType.ROLL.value, "0", "", str(roll.ts_ns), ""


def _named(name: str) -> Callable[[Split | Roll], str]:
    return lambda request: f"{name} position {request.trader}/{request.symbol} (request {request.request_id})"


def _describe(change: PositionChange) -> str:
    return f"{change.action.lower()} position {change.trader}/{change.symbol} (request {change.request_id})"


def _changed(step: Step[Any], answer: list[Reply]) -> PositionResult:
    request = cast("PositionRequest", step.request)
    key, identity = step.keys.position(request.symbol), {"trader": request.trader, "symbol": request.symbol}
    match answer:
        case ["applied", str(sequence), position]:
            moved = state(Position, key, position, identity)
            return PositionResult(moved, applied=True, accepted=True, sequence=integer(sequence))
        case ["repeat", str(sequence), position, list(event)]:
            then = decode(Position, key, position_then(key, fields_of(key, position), fields(event)))
            known = remembered_number(step.keys.request(request.request_id), "sequence", sequence)
            return PositionResult(identified(then, key, identity), applied=False, accepted=True, sequence=known)
        case ["limit", position]:
            return PositionResult(state(Position, key, position, identity), applied=False, accepted=False, sequence=0)
        case ["duplicate"]:
            raise DuplicateRequest(f"{step.name}: the request_id was used for another change")
        case ["inexact", str(held)]:
            given = request.quantity if isinstance(request, Split) else None
            why = (
                "is not exact: say the quantity that it results in"
                if given is None
                else f"cannot result in {plain(given)}"
            )
            raise InexactSplit(f"{step.name}: the split of {held} {why}")
        case other:
            raise refusal(step.name, other)


CHANGE = Verb(
    name="change",
    request=PositionChange,
    event=EventType.POSITION,
    step="change",
    keys=_keys,
    arguments=_arguments,
    read_answer=_changed,
    describe=_describe,
)
"""The verb that changes a position's quantity; its request says how."""
SPLIT = Verb(
    name="split",
    request=Split,
    event=EventType.SPLIT,
    step="change",
    keys=_keys,
    arguments=_split_arguments,
    read_answer=_changed,
    describe=_named("split"),
)
ROLL = Verb(
    name="roll",
    request=Roll,
    event=EventType.ROLL,
    step="change",
    keys=_keys,
    arguments=_roll_arguments,
    read_answer=_changed,
    describe=_named("roll"),
)
POSITION_VERBS: tuple[AnyVerb, ...] = (CHANGE, SPLIT, ROLL)
"""Every verb that changes a position without an order."""


class PositionCalls(ChangeCalls[PositionRequest, PositionResult]):
    """The calls of one book's positions."""

    def __init__(self, settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE) -> None:
        super().__init__(POSITION_VERBS, settings, loss_detector, fence)

    def get(self, trader: str, symbol: str) -> Call[Position]:
        """Return the call that reads one position, which is flat when there is none."""
        keys, symbol = self.keys.of(trader), check_name("symbol", symbol)
        key, trader = keys.position(symbol), keys.trader

        def read(reply: Reply) -> Position:
            if not rows(reply):
                return Position.flat(trader, symbol)
            return record(Position, key, reply, {"trader": trader, "symbol": symbol})

        return command(f"get position {trader}/{symbol}", "HGETALL", key, decode=read)

    def all(self, trader: str) -> Call[list[Position]]:
        """Return the call that reads every position of a trader, sorted by symbol."""
        keys = self.keys.of(trader)
        base, trader = keys.position(""), keys.trader

        def read(reply: Reply) -> list[Position]:
            held = (record_of(Position, base, "symbol", flat, trader) for flat in rows(reply))
            # A position that was never changed is there for what is open of the trader's orders.
            return sorted((one for one in held if one.version), key=lambda one: one.symbol)

        return evaluate(
            f"positions of {trader}",
            ALL,
            ALL.keys(positions=keys.positions),
            ALL.arguments(base=base),
            decode=read,
            readonly=True,
        )

    def traders(self, keys: Iterable[str]) -> list[str]:
        """Return the traders of the books whose headers are among some keys, sorted; other keys are left out."""
        return sorted({trader for key in keys if (trader := self.keys.trader_of(key)) is not None})


def totals(positions: Sequence[Position]) -> dict[str, SymbolTotal]:
    """Return the exact sums of many traders' positions by symbol, sorted by symbol."""
    sums: dict[str, SymbolTotal] = {}
    for held in positions:
        so_far = sums.get(held.symbol)
        sums[held.symbol] = SymbolTotal(
            symbol=held.symbol,
            traders=(so_far.traders if so_far else 0) + 1,
            quantity=EXACT.add(so_far.quantity if so_far else 0, held.quantity),
            bought_quantity=EXACT.add(so_far.bought_quantity if so_far else 0, held.bought_quantity),
            sold_quantity=EXACT.add(so_far.sold_quantity if so_far else 0, held.sold_quantity),
            cash=EXACT.add(so_far.cash, held.cash) if so_far else held.cash,
        )
    return dict(sorted(sums.items()))
