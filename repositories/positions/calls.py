"""Build the calls of the positions' repository, and read their replies. This module does no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...models.enums import EventType
from ...models.errors import DuplicateRequest
from ...models.keys import TraderKeys
from ...models.position import Position, PositionChange
from ...models.results import PositionResult, SymbolTotal
from ...models.types import EXACT, check_name
from ...topology.call import Call, Reply, command, evaluate
from ...topology.scripts import Value
from ...topology.settings import Settings
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.scripts import load
from ..changes.verb import ChangeCalls, ChangePolicy, Verb
from ..replies import record, record_of, refusal, rows

_PACKAGE = "slotbook.repositories.positions"
_CHANGE = load(_PACKAGE, "change")
ALL = load(_PACKAGE, "all")


def _change_keys(keys: TraderKeys, change: PositionChange, lock: str | None) -> tuple[str, ...]:
    return _CHANGE.keys(
        position=keys.position(change.symbol),
        positions=keys.positions,
        request=keys.request(change.request_id),
        events=keys.events,
        lock=lock,
    )


def _change_arguments(
    policy: ChangePolicy, keys: TraderKeys, change: PositionChange, acknowledged: str, fence: int | str
) -> tuple[Value, ...]:
    return _CHANGE.arguments(
        trader=change.trader,
        symbol=change.symbol,
        request_id=change.request_id,
        action=change.action,
        quantity=change.quantity,
        max_position="" if change.max_position is None else change.max_position,
        ts_ns=change.ts_ns,
        request_ttl=policy.request_ttl,
        events_policy=policy.events,
        acknowledged=acknowledged,
        fence=fence,
    )


def _describe(change: PositionChange) -> str:
    return f"{change.action.lower()} position {change.trader}/{change.symbol} (request {change.request_id})"


def _changed(name: str, key: str, change: PositionChange, reply: list[Reply]) -> PositionResult:
    match reply:
        case [("applied" | "repeat" | "limit") as state, str(sequence), list(flat)]:
            return PositionResult(record(Position, key, flat), state == "applied", state != "limit", int(sequence))
        case ["duplicate"]:
            raise DuplicateRequest(f"{name}: the request_id was used for another change")
        case other:
            raise refusal(name, other)


CHANGE = Verb(
    name="change",
    request=PositionChange,
    event=EventType.POSITION,
    script=_CHANGE,
    keys=_change_keys,
    arguments=_change_arguments,
    read_reply=_changed,
    describe=_describe,
)
"""The one verb that changes a position; its request says how."""


class PositionCalls(ChangeCalls[PositionChange, PositionResult]):
    """The calls of one book's positions."""

    def __init__(self, settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE) -> None:
        super().__init__((CHANGE,), settings, loss_detector, fence)

    def get(self, trader: str, symbol: str) -> Call[Position]:
        """Return the call that reads one position, which is flat when there is none."""
        key = self.keys.of(trader).position(check_name("symbol", symbol))
        return command(
            f"get position {trader}/{symbol}",
            "HGETALL",
            key,
            decode=lambda reply: record(Position, key, reply) if reply else Position.flat(trader, symbol),
        )

    def all(self, trader: str) -> Call[list[Position]]:
        """Return the call that reads every position of a trader, sorted by symbol."""
        keys = self.keys.of(trader)
        base = f"{keys.base}position:"

        def read(reply: Reply) -> list[Position]:
            return sorted(
                (record_of(Position, base, "symbol", flat) for flat in rows(reply)), key=lambda held: held.symbol
            )

        return evaluate(
            f"positions of {trader}",
            ALL,
            ALL.keys(positions=keys.positions),
            ALL.arguments(base=base),
            decode=read,
            readonly=True,
        )

    def traders(self, keys: Iterable[str]) -> list[str]:
        """Return the traders whose positions some keys list, sorted; other keys are left out."""
        return sorted({trader for key in keys if (trader := self.keys.trader_of(key)) is not None})


def totals(positions: Sequence[Position]) -> dict[str, SymbolTotal]:
    """Return the exact sums of many traders' positions by symbol, sorted by symbol."""
    sums: dict[str, SymbolTotal] = {}
    for held in positions:
        so_far = sums.get(held.symbol)
        sums[held.symbol] = SymbolTotal(
            symbol=held.symbol,
            traders=(so_far.traders if so_far else 0) + 1,
            quantity=(so_far.quantity if so_far else 0) + held.quantity,
            bought_quantity=(so_far.bought_quantity if so_far else 0) + held.bought_quantity,
            sold_quantity=(so_far.sold_quantity if so_far else 0) + held.sold_quantity,
            cash=EXACT.add(so_far.cash, held.cash) if so_far else held.cash,
        )
    return dict(sorted(sums.items()))
