# Generated from repositories/audit/_async.py by scripts/generate_sync.py: edit that one.
"""Audits, for threads."""

from __future__ import annotations

from ...topology._sync.backend import Backend
from .calls import AuditCalls
from .findings import Finding, Repair
from .steps import Audit


class Auditor:
    """Verify a trader's positions and indexes against orders, recorded fills and events; reached as ``book.audit``.

    ::

        findings = book.audit.verify("T001")
        repairs = book.audit.repair("T001")

    Positions and indexes are built anew from the evidence, as far back as it reaches, and compared with what is stored.
    The book may be in use meanwhile. Methods raise a :class:`~slotbook.models.errors.SlotbookError` when the servers
    fail; a broken book is a finding.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._calls = AuditCalls(backend.settings)

    def traders(self) -> list[str]:
        """Return every trader of the store, sorted. Takes four SCANs of every primary."""
        found: set[str] = set()
        for pattern in self._calls.patterns:
            for key in self._backend.scan(pattern):
                if trader := self._calls.trader_of(key):
                    found.add(trader)
        return sorted(found)

    def verify(self, trader: str) -> list[Finding]:
        """Return every difference, then everything that could not be compared because its evidence is gone. Only reads.

        About a dozen round trips, and one more for each symbol, for each 200 orders and for each 1,000 events.
        """
        return self._backend.drive(Audit(self._calls, trader).verify())

    def repair(self, trader: str) -> list[Repair]:
        """Verify, then repair indexes, their expiries, positions and their list; never orders or events.

        Each repair is one atomic script, which writes only if the record is still as it was compared, so no change that
        comes meanwhile is lost; then the record is compared again. Two more round trips for each record that is
        repaired.
        """
        return self._backend.drive(Audit(self._calls, trader).repair())
