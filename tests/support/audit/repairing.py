"""Repair a book, and look at it between its verification and its repair."""

from __future__ import annotations

import pytest
from slotbook.repositories.audit.findings import Finding, Repair
from slotbook.repositories.audit.steps import Audit
from slotbook.topology.steps import Steps

from ..desk import Desk
from .image import Image, image_of


def repairs_of(desk: Desk, damaged: Image) -> list[Repair]:
    """Repair the book of the desk's trader; fail if what it begins with, all of ``verify``, writes anything.

    So a damaged book need not be verified by itself before: that would be the same once more.
    """
    verify, images = Audit.verify, list[Image]()

    def watched(audit: Audit) -> Steps[list[Finding]]:
        findings = yield from verify(audit)
        images.append(image_of(desk))
        return findings

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Audit, "verify", watched)
        repairs = desk.book.audit.repair(desk.trader)
    assert images == [damaged], "verify wrote"
    return repairs
