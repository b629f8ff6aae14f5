"""What each verb of positions sends, and what its answer means. No I/O and no colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...models.arguments import must_be
from ...models.errors import DuplicateRequest
from ...models.keys import Keys
from ...models.position import Position, PositionChange
from ...models.results import PositionResult, SymbolTotal
from ...models.types import EXACT, check_name
from ...topology.call import Call, Reply, command, evaluate
from ...topology.settings import Settings
from ..changes.event_policy import events_policy
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.scripts import load
from ..replies import record, record_of, refusal, rows

_PACKAGE = "slotbook.repositories.positions"
CHANGE = load(_PACKAGE, "change")
ALL = load(_PACKAGE, "all")


class PositionCalls:
    """The calls of one book, with its prefix and lifetimes."""

    def __init__(self, settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE) -> None:
        self.keys = Keys(settings.prefix)
        self._loss_detector = loss_detector
        self._fence = fence
        self._request_ttl = max(1, round(settings.request_ttl * 1000))
        self._events_policy = events_policy(settings)

    def get(self, trader: str, symbol: str) -> Call[Position]:
        """One position; flat when there is none."""
        key = self.keys.of(trader).position(check_name("symbol", symbol))
        return command(
            f"get position {trader}/{symbol}",
            "HGETALL",
            key,
            decode=lambda reply: record(Position, key, reply) if reply else Position.flat(trader, symbol),
        )

    def all(self, trader: str) -> Call[list[Position]]:
        """Every position of a trader, by symbol."""
        keys = self.keys.of(trader)
        base = f"{keys.base}position:"

        def read(reply: Reply) -> list[Position]:
            return sorted(
                (record_of(Position, base, "symbol", flat) for flat in rows(reply)), key=lambda held: held.symbol
            )

        return evaluate(f"positions of {trader}", ALL, (keys.positions,), (base,), decode=read, readonly=True)

    def change(self, change: PositionChange) -> Call[PositionResult]:
        """A change without an order."""
        must_be(change, PositionChange)
        keys = self.keys.of(change.trader)
        name = f"{change.action.lower()} position {change.trader}/{change.symbol} (request {change.request_id})"
        key = keys.position(change.symbol)

        lock, number = self._fence.of(change.trader)
        return evaluate(
            name,
            CHANGE,
            (key, keys.positions, keys.request(change.request_id), keys.events, *lock),
            (
                change.trader,
                change.symbol,
                change.request_id,
                change.action,
                change.quantity,
                "" if change.max_position is None else change.max_position,
                change.ts_ns,
                self._request_ttl,
                self._events_policy,
                self._loss_detector.told(change.trader),
                *number,
            ),
            decode=self._loss_detector.watch(change.trader, _changed, name, key, change),
            builder=self,
            request=change,
        )

    def traders(self, keys: Iterable[str]) -> list[str]:
        """The traders of keys that list positions."""
        return sorted({trader for key in keys if (trader := self.keys.trader_of(key)) is not None})


def _changed(name: str, key: str, change: PositionChange, reply: list[Reply]) -> PositionResult:
    match reply:
        case [("applied" | "repeat" | "limit") as state, str(sequence), list(flat)]:
            return PositionResult(record(Position, key, flat), state == "applied", state != "limit", int(sequence))
        case ["duplicate"]:
            raise DuplicateRequest(f"{name}: the request_id was used for another change")
        case other:
            raise refusal(name, other)


def totals(positions: Sequence[Position]) -> dict[str, SymbolTotal]:
    """Positions of many traders, summed by symbol; exact."""
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
