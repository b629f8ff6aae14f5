"""Read, set and adjust positions, for asyncio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Self

from ...models.arguments import position_identities, several, without_none
from ...models.enums import PositionAction
from ...models.position import Position, PositionChange, Roll, Split
from ...models.record import checked
from ...models.results import Outcome, PositionResult, SymbolTotal
from ...models.stored import POSITIONS
from ...models.types import Quantity, check_name
from ...topology._async.backend import AsyncBackend
from ...topology._async.opening import open_async_backend
from ...topology.durability import Durability
from ...topology.settings import Settings
from ..changes._async import AsyncChanges
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..search._async.find import AsyncFind, AsyncSearch
from .calls import PositionCalls, PositionRequest, totals

TRADERS_AT_ONCE = 200
"""The number of traders whose positions one round trip of ``totals`` reads."""


class AsyncPositionRepository:
    """The positions of a desk: the sum of its fills, and of adjustments that came without a fill.

    ::

        result = await book.positions.check_and_update("T001", "AAPL", 100, max_position=5_000)
        print(result.accepted, result.position.quantity)

    Methods raise a :class:`~slotbook.models.errors.SlotbookError`; those whose names end in ``_many`` return one
    :class:`~slotbook.models.results.Outcome` for each item instead. Every change takes a ``durability``, by default the
    book's (:class:`~slotbook.topology.durability.Durability`). It raises UnderReplicated when it was applied, but too
    few replicas confirmed it, and StateLost when the server has lost earlier changes. A change under a lock
    (``held.positions``) raises FenceRefused when the lock is no longer held.

    Quantities are in the symbol's unit, long positive and short negative. Times (``ts_ns``) are nanoseconds since the
    epoch, by default the caller's clock.
    """

    def __init__(
        self, backend: AsyncBackend, loss_detector: LossDetector | None = None, fence: Fence = NO_FENCE
    ) -> None:
        self._backend = backend
        self._calls = PositionCalls(backend.settings, loss_detector or LossDetector(backend.notices), fence)
        self._changes = AsyncChanges(backend, self._calls)
        self._search = AsyncSearch(backend, POSITIONS)

    @classmethod
    async def from_url(cls, url: str | Settings | None = None) -> Self:
        """Open a repository with connections of its own, to be closed with ``close``.

        Args:
            url: The servers of the book, as for :func:`slotbook.aconnect`.
        """
        return cls(await open_async_backend(url))

    async def get(self, trader: str, symbol: str, *, account: str | None = None) -> Position:
        """Return a position, which is flat when the trader never had one. One round trip.

        Args:
            trader: The trader of the position.
            symbol: The symbol of the position.
            account: The account whose part of it is read: what orders that name the account have traded, and changes
                for it have added. By default the whole.

        Raises:
            CorruptRecord: A stored field is missing or cannot be read.
        """
        return await self._backend.run(self._calls.get(trader, symbol, account))

    async def get_many(self, ids: Sequence[tuple[str, str] | tuple[str, str, str | None]]) -> list[Outcome[Position]]:
        """Return many positions: one round trip per node, and one outcome for each id, in the order given.

        Args:
            ids: ``(trader, symbol)`` for each position, or ``(trader, symbol, account)`` for an account's part of it.
        """
        return await self._backend.run_many([self._calls.get(*names) for names in position_identities("ids", ids)])

    async def all(self, trader: str) -> list[Position]:
        """Return every position of a trader, sorted by symbol: the whole of each, with all accounts. One round trip."""
        return await self._backend.run(self._calls.all(trader))

    async def by_account(self, trader: str, account: str | None = None, symbol: str | None = None) -> list[Position]:
        """Return the positions of a trader's accounts, sorted by symbol and account. One round trip.

        What no account has, of orders without one and changes without one, is in ``all`` alone.

        Args:
            trader: The trader of the positions.
            account: The account; by default every one.
            symbol: The symbol; by default every one.
        """
        return await self._backend.run(self._calls.by_account(trader, account, symbol))

    def find(self, *conditions: object) -> AsyncFind[Position]:
        """Search the positions of all traders, on servers with search. Nothing is sent yet.

        The query is sent by ``all``, ``page``, ``first`` or ``count`` of what this returns: docs/how-to/redis-om.md.

        Args:
            conditions: Comparisons of fields of :data:`slotbook.models.hashes.PositionHash`, as redis-om writes them,
                all of which must be true; none finds every position. Values are compared exactly.

        Raises:
            InvalidArgument: A condition is not one that can be searched for.
            MissingExtra: redis-om is not installed.
        """
        return self._search.find(conditions)

    async def set(
        self,
        trader: str,
        symbol: str,
        quantity: Quantity | str | float,
        *,
        cost: Decimal | str | int | None = None,
        multiplier: Decimal | str | int | None = None,
        account: str | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> PositionResult:
        """Set a position's quantity, once per ``request_id``. One round trip.

        The quantities and amounts that were bought and sold stay as they are.

        Args:
            trader: The trader of the position.
            symbol: The symbol of the position.
            quantity: The new quantity.
            cost: The open cost of the quantity, such as that of a position at the start of the day: what was paid for a
                long one, minus what was received for a short one; what was realized stays. By default the cost stays,
                and is realized where the quantity comes to zero or goes through it.
            multiplier: The multiplier of the position, which its orders then have to have; by default it keeps its own.
            account: The account whose position is set: the trader's changes by the same quantity, and its cost by the
                same amount, and the result has the account's. By default the trader's alone is set.
            request_id: The identity of the request, which the book remembers for its ``request_ttl``; by default
                random: a lost reply is still handled, but a second call is another request.
            ts_ns: The time of the change; by default now.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            DuplicateRequest: The ``request_id`` was used for another change.
            MultiplierMismatch: The position has another multiplier, and orders are open in the symbol, something was
                bought or sold since its last roll, or an account holds something.
        """
        action, more = PositionAction.SET, {"cost": cost, "multiplier": multiplier, "account": account}
        return await self._change(action, trader, symbol, quantity, None, request_id, ts_ns, durability, more)

    async def adjust(
        self,
        trader: str,
        symbol: str,
        delta: Quantity | str | float,
        *,
        account: str | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> PositionResult:
        """Add ``delta`` to a position's quantity, once per ``request_id``. One round trip.

        The other arguments are those of ``set``.

        Raises:
            DuplicateRequest: The ``request_id`` was used for another change.
            AmountOverflow: The quantity would reach 10**18.
        """
        action, more = PositionAction.ADJUST, {"account": account}
        return await self._change(action, trader, symbol, delta, None, request_id, ts_ns, durability, more)

    async def check_and_update(
        self,
        trader: str,
        symbol: str,
        delta: Quantity | str | float,
        max_position: Quantity | str | float,
        *,
        account: str | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> PositionResult:
        """Add ``delta`` to a position's quantity within a limit, once per ``request_id``. One round trip.

        The check *is* a change, as ``adjust`` is: it is for quantities that come without a fill. It is no check of an
        order before ``place``, for the order's fills would move the position once more; and it counts what is held, not
        what is open.

        When the limit would be passed, nothing changes, and the result's ``accepted`` is False; the same request may be
        sent again later. A change that makes the absolute value smaller, or keeps it, is let through above the limit
        too.

        Args:
            trader: The trader of the position.
            symbol: The symbol of the position.
            delta: The quantity to add, which may be negative.
            max_position: The limit of the quantity's absolute value.
            account: The account whose position it is, and its limit; see ``set``.
            request_id: The identity of the request; see ``set``.
            ts_ns: The time of the change; by default now.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            DuplicateRequest: The ``request_id`` was used for another change.
            AmountOverflow: The quantity would reach 10**18.
        """
        limit, action, more = max_position, PositionAction.ADJUST, {"account": account}
        return await self._change(action, trader, symbol, delta, limit, request_id, ts_ns, durability, more)

    async def split(
        self,
        trader: str,
        symbol: str,
        new: int,
        old: int = 1,
        *,
        quantity: Quantity | str | float | None = None,
        accounts: Mapping[str, Quantity | str | float] | None = None,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> PositionResult:
        """Multiply a position's quantity by a split of ``new`` units for ``old`` ones, once per ``request_id``.

        The positions of accounts in the symbol are split with it, all or none. The cost stays, so that the average open
        price changes. What is open of orders is not changed. One round trip.

        Args:
            trader: The trader of the position.
            symbol: The symbol of the position.
            new: The number of new units.
            old: The number of old units that they are given for.
            quantity: The quantity that results, where fractions are paid out; by default just what the ratio makes.
            accounts: The quantities that result for accounts, where fractions are paid out, by account.
            request_id: The identity of the request; see ``set``.
            ts_ns: The time of the change; by default now.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            InexactSplit: The ratio makes no quantity that can be held, or the one given is on the other side; an
                account that is named has no position.
            Refused: More than 256 accounts have a position in the symbol.
            DuplicateRequest: The ``request_id`` was used for another change.
        """
        given = {"quantity": quantity, "accounts": accounts, "request_id": request_id, "ts_ns": ts_ns}
        said = without_none(given)
        return await self._changes.apply(
            checked(Split, trader=trader, symbol=symbol, new=new, old=old, **said), durability
        )

    async def roll(
        self,
        trader: str,
        symbol: str,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> PositionResult:
        """Close a period of a position, once per ``request_id``: its totals go on from zero. One round trip.

        So it is with the positions of accounts in the symbol, all or none.
        The quantity and its open cost stay; the quantities and amounts that were bought and sold, and the realized
        profit, are in the event (``period``). The arguments and errors are those of ``split``.
        """
        given = {"request_id": request_id, "ts_ns": ts_ns}
        said = without_none(given)
        return await self._changes.apply(checked(Roll, trader=trader, symbol=symbol, **said), durability)

    async def apply_many(
        self, changes: Sequence[PositionRequest], *, durability: Durability | str | None = None
    ) -> list[Outcome[PositionResult]]:
        """Apply many changes: one round trip per node, and one outcome for each, in the order given.

        Changes of one trader go together, up to 24 in a call, and are applied in the order given.
        """
        return await self._changes.many(several("changes", changes), None, durability)

    async def net(self, symbol: str) -> Decimal:
        """Return the sum of all traders' positions in a symbol; this reads the whole store, as ``totals`` does."""
        total = (await self.totals()).get(check_name("symbol", symbol))
        return total.quantity if total else Decimal(0)

    async def totals(self) -> dict[str, SymbolTotal]:
        """Return the sums of all traders' positions, by symbol.

        Traders are found with SCAN on every primary; then each 200 of them take one round trip per node. The positions
        of one trader are read at one moment, those of different traders at different moments.
        """
        traders = self._calls.traders(await self._backend.scan(self._calls.keys.traders_pattern))
        held: list[Position] = []
        for begin in range(0, len(traders), TRADERS_AT_ONCE):
            calls = [self._calls.all(trader) for trader in traders[begin : begin + TRADERS_AT_ONCE]]
            for outcome in await self._backend.run_many(calls):
                held.extend(outcome.result())
        return totals(held)

    async def close(self) -> None:
        """Close the connections; those of a book are closed with the book."""
        await self._backend.close()

    async def _change(
        self,
        action: PositionAction,
        trader: str,
        symbol: str,
        quantity: Quantity | str | float,
        max_position: Quantity | str | float | None,
        request_id: str | None,
        ts_ns: int | None,
        durability: Durability | str | None,
        more: Mapping[str, Decimal | str | int | None] | None = None,
    ) -> PositionResult:
        given = {"request_id": request_id, "ts_ns": ts_ns, **(more or {})}
        change = checked(
            PositionChange,
            action=action,
            trader=trader,
            symbol=symbol,
            quantity=quantity,
            max_position=max_position,
            **without_none(given),
        )
        return await self._changes.apply(change, durability)
