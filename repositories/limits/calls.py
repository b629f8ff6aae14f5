"""Build the calls of limits and of the switch of trading, and read their replies. This module does no I/O."""

from __future__ import annotations

from typing import Any, TypeAlias

from ...models.enums import EventType
from ...models.errors import DuplicateRequest
from ...models.keys import TraderKeys
from ...models.limits import (
    Limits,
    LimitsChange,
    LimitsResult,
    Trading,
    TradingChange,
    TradingResult,
    document_of,
    written_limits,
)
from ...models.types import check_name
from ...topology.call import Call, Reply, command
from ...topology.settings import Settings
from ..changes.engine import ChangeCalls
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.stored_limits import SYMBOL, TRADER, limits_in_hash, read_limits, read_trading
from ..changes.verb import AnyVerb, Step, Verb
from ..replies import fields, refusal, remembered_number, text

LimitRequest: TypeAlias = LimitsChange | TradingChange
"""Any request that changes limits or the switch of trading."""


def _keys(keys: TraderKeys, change: LimitRequest) -> tuple[str, ...]:
    return keys.limits, keys.request(change.request_id)


def _sequence(step: Step[Any], answer: list[Reply]) -> tuple[int, bool]:
    """Return the number of a change's event, and False for a repeat. Raises the refusal."""
    match answer:
        case ["applied", str(sequence)]:
            applied = True
        case ["repeat", str(sequence), list(_)]:
            applied = False
        case ["duplicate"]:
            raise DuplicateRequest(f"{step.name}: the request_id was used for another change")
        case other:
            raise refusal(step.name, other)
    return remembered_number(step.keys.request(step.request.request_id), "sequence", sequence), applied


def _limits_set(step: Step[LimitsChange], answer: list[Reply]) -> LimitsResult:
    sequence, applied = _sequence(step, answer)
    asked = step.request.model_dump(include=set(Limits.model_fields))
    return LimitsResult(Limits.model_construct(**asked), applied=applied, sequence=sequence)


def _turned(step: Step[TradingChange], answer: list[Reply]) -> TradingResult:
    sequence, applied = _sequence(step, answer)
    return TradingResult(step.request.trading, applied=applied, sequence=sequence)


SET_LIMITS: AnyVerb = Verb(
    name="limits",
    request=LimitsChange,
    event=EventType.LIMITS,
    step="limits",
    keys=_keys,
    arguments=lambda change: (
        change.symbol or "",
        change.request_id,
        written_limits(change),
        document_of(change),
        str(change.ts_ns),
    ),
    read_answer=_limits_set,
    describe=lambda change: f"set limits of {change.trader}{f' in {change.symbol}' if change.symbol else ''}",
)
TURN: AnyVerb = Verb(
    name="trading",
    request=TradingChange,
    event=EventType.TRADING,
    step="trading",
    keys=_keys,
    arguments=lambda change: (change.trading.value, change.request_id, str(change.ts_ns), change.text or ""),
    read_answer=_turned,
    describe=lambda change: f"turn trading of {change.trader} to {change.trading}",
)
LIMIT_VERBS: tuple[AnyVerb, ...] = (SET_LIMITS, TURN)
"""The verbs that change limits and the switch."""


class LimitCalls(ChangeCalls[LimitRequest, LimitsResult | TradingResult]):
    """The calls of one book's limits."""

    def __init__(self, settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE) -> None:
        super().__init__(LIMIT_VERBS, settings, loss_detector, fence)

    def get(self, trader: str, symbol: str | None) -> Call[Limits | None]:
        """Return the call that reads the limits of a symbol, or the trader's own; None where there are none."""
        keys = self.keys.of(trader)
        field = TRADER if symbol is None else SYMBOL + check_name("symbol", symbol)

        def read(reply: Reply) -> Limits | None:
            return None if reply is None else read_limits(keys, field, text(reply))

        return command(f"get limits of {trader}", "HGET", keys.limits, field, decode=read)

    def all(self, trader: str) -> Call[list[Limits]]:
        """Return the call that reads all limits of a trader."""
        keys = self.keys.of(trader)
        return command(
            f"get limits of {trader}",
            "HGETALL",
            keys.limits,
            decode=lambda reply: limits_in_hash(keys, fields(reply)),
        )

    def trading(self, trader: str) -> Call[Trading]:
        """Return the call that reads the switch of a trader's trading."""
        keys = self.keys.of(trader)
        name = f"get trading of {trader}"
        return command(name, "HGET", keys.book, "trading", decode=lambda reply: read_trading(keys, reply))
