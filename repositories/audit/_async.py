"""Audits, for asyncio: what is stored, compared with what orders, fills and events make of it."""

from __future__ import annotations

from ...topology._async.backend import AsyncBackend
from .calls import AuditCalls
from .findings import Finding, Repair
from .steps import Audit


class AsyncAuditor:
    """Rebuilds a trader's positions and indexes from the orders, their recorded fills and the events, as far back as
    those reach, and compares them with what is stored. The book may be in use meanwhile.

    Verbs raise a :class:`~slotbook.models.errors.SlotbookError` when the servers fail; a broken book is a finding.
    """

    def __init__(self, backend: AsyncBackend) -> None:
        self._backend = backend
        self._calls = AuditCalls(backend.settings)

    async def traders(self) -> list[str]:
        """Every trader of the store: three SCANs of every primary."""
        found: set[str] = set()
        for pattern in self._calls.patterns:
            for key in await self._backend.scan(pattern):
                if trader := self._calls.trader_of(key):
                    found.add(trader)
        return sorted(found)

    async def verify(self, trader: str) -> list[Finding]:
        """Every difference, and last what is too old, or gone, to be compared. Only reads.

        About a dozen round trips, and one more for each symbol, for 200 orders and for 1,000 events.
        """
        return await self._backend.drive(Audit(self._calls, trader).verify())

    async def repair(self, trader: str) -> list[Repair]:
        """Verify, then repair what can be: indexes and their expiries, positions and their list; no orders, no events.

        Each repair is one atomic script that writes only if what it was compared with is still there, so no change that
        comes meanwhile is lost; then it is looked at again. Two more round trips for each thing that is repaired.
        """
        return await self._backend.drive(Audit(self._calls, trader).repair())
