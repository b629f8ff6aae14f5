"""Set and read the limits of traders, and turn the switch of trading, for asyncio."""

from __future__ import annotations

from typing import cast

from ...models.arguments import must_be, without_none
from ...models.limits import Limits, LimitsChange, LimitsResult, Trading, TradingChange, TradingResult
from ...models.record import checked
from ...topology._async.backend import AsyncBackend
from ...topology.durability import Durability
from ..changes._async import AsyncChanges
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from .calls import SET_LIMITS, TURN, LimitCalls


class AsyncLimitsRepository:
    """The limits under which ``place`` and ``replace`` decide, and the switch of a trader's trading.

    ::

        await book.limits.set(Limits(trader="T001", symbol="AAPL", max_order=1_000, max_position=5_000))
        await book.trading("T001", "halted")

    An order is decided on in the same atomic step in which it is placed or replaced, so no two of them pass a limit
    together; one that would is refused with LimitExceeded. What makes the position smaller passes every limit. Every
    change of limits or of the switch is an event of the book, and is made once per ``request_id``.
    See docs/explanation/limits.md.
    """

    def __init__(
        self, backend: AsyncBackend, loss_detector: LossDetector | None = None, fence: Fence = NO_FENCE
    ) -> None:
        self._backend = backend
        self._calls = LimitCalls(backend.settings, loss_detector or LossDetector(backend.notices), fence)
        self._changes = AsyncChanges(backend, self._calls)

    async def get(self, trader: str, symbol: str | None = None) -> Limits | None:
        """Return the limits of a symbol, or, without one, the trader's own; None where there are none. One round trip.

        Raises:
            CorruptRecord: What is stored cannot be read.
        """
        return await self._backend.run(self._calls.get(trader, symbol))

    async def all(self, trader: str) -> list[Limits]:
        """Return all limits of a trader: the trader's own first, then by symbol. One round trip."""
        return await self._backend.run(self._calls.all(trader))

    async def set(
        self,
        limits: Limits,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> LimitsResult:
        """Set the limits of a symbol or of a trader, all of them anew. One round trip.

        What is open or held already stays, whatever the limits say; from now on only what reduces it passes.

        Args:
            limits: The limits; those that it does not have are removed.
            request_id: The identity of the request, which the book remembers for its ``request_ttl``; by default
                random: a lost reply is still handled, but a second call is another request.
            ts_ns: The time of the change; by default now.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            DuplicateRequest: The ``request_id`` was used for another change.
        """
        must_be(limits, Limits)
        given = {"request_id": request_id, "ts_ns": ts_ns}
        values = limits.model_dump(include={*Limits.model_fields})
        change = checked(LimitsChange, **values, **without_none(given))
        return cast("LimitsResult", await self._changes.call(SET_LIMITS, change, durability))

    async def delete(
        self,
        trader: str,
        symbol: str | None = None,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> LimitsResult:
        """Remove the limits of a symbol, or, without one, the trader's own. One round trip.

        The other arguments and the errors are those of ``set``.
        """
        empty = checked(Limits, trader=trader, symbol=symbol)
        return await self.set(empty, request_id=request_id, ts_ns=ts_ns, durability=durability)

    async def trading(self, trader: str) -> Trading:
        """Return the switch of a trader's trading. One round trip."""
        return await self._backend.run(self._calls.trading(trader))

    async def turn(
        self,
        trader: str,
        to: Trading | str,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        durability: Durability | str | None = None,
    ) -> TradingResult:
        """Turn the switch of a trader's trading; ``book.trading`` is this method. One round trip.

        From its acknowledgement on, "halted" refuses every ``place`` and ``replace``, and "reducing" those that do not
        make the position smaller, with TradingHalted. Cancels, fills and all other reports always pass.

        Args:
            trader: The trader.
            to: "active", "reducing" or "halted".
            request_id: The identity of the request; see ``set``.
            ts_ns: The time of the change; by default now.
            text: Free text, such as the reason.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            DuplicateRequest: The ``request_id`` was used for another change.
        """
        given = {"request_id": request_id, "ts_ns": ts_ns, "text": text}
        change = checked(TradingChange, trader=trader, trading=to, **without_none(given))
        return cast("TradingResult", await self._changes.call(TURN, change, durability))
