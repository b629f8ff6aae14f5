# Generated from repositories/positions/_async.py by scripts/generate_sync.py: edit that one.
"""Positions, for threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from ...models.arguments import identities, several
from ...models.enums import PositionAction
from ...models.position import Position, PositionChange
from ...models.record import checked
from ...models.results import Outcome, PositionResult, SymbolTotal
from ...models.stored import POSITIONS
from ...models.types import check_name
from ...topology._sync.backend import Backend, open_backend
from ...topology.durability import Durability
from ...topology.settings import Settings
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..search._sync.find import Find, Search
from .calls import PositionCalls, totals

TRADERS_AT_ONCE = 200


class PositionRepository:
    """The positions of a desk: the fold of its fills, and of the adjustments that came without one.

    Verbs raise a :class:`~slotbook.models.errors.SlotbookError`; those that end in ``_many`` answer per item instead.
    About ``durability`` see :class:`~slotbook.topology.durability.Durability`. Changes of a lock's holder
    (``held.positions``) raise FenceRefused when they come too late.
    """

    def __init__(self, backend: Backend, loss_detector: LossDetector | None = None, fence: Fence = NO_FENCE) -> None:
        self._backend = backend
        self._calls = PositionCalls(backend.settings, loss_detector or LossDetector(), fence)
        self._search = Search(backend, POSITIONS)

    @classmethod
    def from_url(cls, url: str | Settings | None = None) -> Self:
        """A repository with servers of its own; see :func:`slotbook.connect` for the URL. Close it when done."""
        return cls(open_backend(url))

    def get(self, trader: str, symbol: str) -> Position:
        """The position; flat when the trader never had one. One round trip. Raises CorruptRecord."""
        return self._backend.run(self._calls.get(trader, symbol))

    def get_many(self, ids: Sequence[tuple[str, str]]) -> list[Outcome[Position]]:
        """Many positions by ``(trader, symbol)``: one round trip per node, one outcome each, in the order given."""
        return self._backend.run_many([self._calls.get(trader, symbol) for trader, symbol in identities("ids", ids)])

    def all(self, trader: str) -> list[Position]:
        """Every position of a trader, by symbol. One round trip."""
        return self._backend.run(self._calls.all(trader))

    def find(self, *conditions: object) -> Find[Position]:
        """Search the positions of all traders, on servers with search, by fields of
        :data:`slotbook.models.hashes.PositionHash`; see ``OrderRepository.find``. Raises InvalidArgument.
        """
        return self._search.find(conditions)

    def set(
        self,
        trader: str,
        symbol: str,
        quantity: int,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> PositionResult:
        """Set a position's quantity, once per ``request_id``; what was bought and sold stays as it is.

        One round trip. Without a ``request_id`` one is made up, which makes this call safe to retry by itself, but
        not by you. Raises DuplicateRequest.
        """
        return self._change(PositionAction.SET, trader, symbol, quantity, None, request_id, ts_ns, durability)

    def adjust(
        self,
        trader: str,
        symbol: str,
        delta: int,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> PositionResult:
        """Add ``delta`` to a position's quantity, once per ``request_id``.

        One round trip. About the ``request_id`` see ``set``. Raises DuplicateRequest, AmountOverflow.
        """
        return self._change(PositionAction.ADJUST, trader, symbol, delta, None, request_id, ts_ns, durability)

    def check_and_update(
        self,
        trader: str,
        symbol: str,
        delta: int,
        max_position: int,
        *,
        request_id: str | None = None,
        ts_ns: int | None = None,
        durability: Durability | str | None = None,
    ) -> PositionResult:
        """Add ``delta`` unless the quantity's absolute value would pass ``max_position``; once per ``request_id``.

        One round trip. ``accepted`` is False when the limit said no: nothing changed, and the same request may be tried
        again later. About the ``request_id`` see ``set``. Raises DuplicateRequest, AmountOverflow.
        """
        limit, action = max_position, PositionAction.ADJUST
        return self._change(action, trader, symbol, delta, limit, request_id, ts_ns, durability)

    def apply_many(
        self, changes: Sequence[PositionChange], *, durability: Durability | str | None = None
    ) -> list[Outcome[PositionResult]]:
        """Apply many changes: one round trip per node, one outcome each; those of one position in the order given."""
        calls = [self._calls.change(change) for change in several("changes", changes)]
        return self._backend.run_many(calls, self._durability(durability))

    def net(self, symbol: str) -> int:
        """The quantity of a symbol over all traders; reads the whole store as ``totals`` does."""
        check_name("symbol", symbol)
        total = (self.totals()).get(symbol)
        return total.quantity if total else 0

    def totals(self) -> dict[str, SymbolTotal]:
        """Every symbol over all traders: a SCAN of every primary for the traders, then one round trip per 200 of them.

        Each trader's positions are read at one moment, different traders' at different ones.
        """
        traders = self._calls.traders(self._backend.scan(self._calls.keys.traders_pattern))
        held: list[Position] = []
        for begin in range(0, len(traders), TRADERS_AT_ONCE):
            calls = [self._calls.all(trader) for trader in traders[begin : begin + TRADERS_AT_ONCE]]
            for outcome in self._backend.run_many(calls):
                held.extend(outcome.result())
        return totals(held)

    def close(self) -> None:
        """Close the connections; those of a book are closed with the book."""
        self._backend.close()

    def _change(
        self,
        action: PositionAction,
        trader: str,
        symbol: str,
        quantity: int,
        max_position: int | None,
        request_id: str | None,
        ts_ns: int | None,
        durability: Durability | str | None,
    ) -> PositionResult:
        given = {"request_id": request_id, "ts_ns": ts_ns}
        change = checked(
            PositionChange,
            action=action,
            trader=trader,
            symbol=symbol,
            quantity=quantity,
            max_position=max_position,
            **{name: value for name, value in given.items() if value is not None},
        )
        return self._backend.run(self._calls.change(change), self._durability(durability))

    def _durability(self, wanted: Durability | str | None) -> Durability:
        return self._backend.settings.durability if wanted is None else Durability.parse(wanted)
