"""Audits, for asyncio."""

from __future__ import annotations

from ...topology._async.backend import AsyncBackend
from .calls import AuditCalls
from .findings import Finding, Repair


class AsyncAuditor:
    """Compare the records of a trader's book with each other, and repair what they prove; reached as ``book.audit``.

    ::

        findings = await book.audit.verify("T001")
        repairs = await book.audit.repair("T001")

    An order, its digest, what was applied to it, its events, its indexes, the positions, records of the desk's own with
    their indexes and unique values, remembered requests, the header and the expiries of keys say the same facts twice
    or more often. Where they disagree, a finding says who says what;
    :data:`~slotbook.repositories.audit.statements.ONLY_ONCE` lists what is recorded once, so that a change by hand is
    not seen. The book may be in use meanwhile. Methods raise a :class:`~slotbook.models.errors.SlotbookError` when the
    servers fail; a broken book is a finding.
    """

    def __init__(self, backend: AsyncBackend) -> None:
        self._backend = backend
        self._calls = AuditCalls(backend.settings)

    async def traders(self) -> list[str]:
        """Return every trader of the store, sorted. Takes four SCANs of every primary."""
        found: set[str] = set()
        for pattern in self._calls.patterns:
            for key in await self._backend.scan(pattern):
                if trader := self._calls.trader_of(key):
                    found.add(trader)
        return sorted(found)

    async def verify(self, trader: str) -> list[Finding]:
        """Return every difference, then everything that could not be compared because its evidence is gone. Only reads.

        About 25 round trips, one more for each symbol, for each 200 orders or own records, for each 200 indexes of
        own records and for each 1,000 events, and a SCAN for the trader's keys, which passes over all keys of every
        primary.
        """
        from .steps import Audit

        found = await self._backend.scan(self._calls.pattern_of(trader))
        return await self._backend.drive(Audit(self._calls, trader, found).verify())

    async def repair(self, trader: str) -> list[Repair]:
        """Verify, then repair orders, indexes, unique values, positions, their list, and expiries.

        Events, fills, the header and own records themselves are never written. What is written is what all other
        records say, at least two of them independently of each other, where so many stored values agree that two that
        were changed by hand could not make them; in doubt it is left. Each repair is one atomic script, which writes
        only if the record is still as it was compared, so no change that comes meanwhile is lost; then the record is
        compared again. Two more round trips for each record that is repaired.
        """
        from .repairs import Repairs

        found = await self._backend.scan(self._calls.pattern_of(trader))
        return await self._backend.drive(Repairs(self._calls, trader, found).repair())
