"""Damage that tests do by hand, and the findings that they expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slotbook.repositories.audit.findings import Finding, FindingKind

from ..desk import Desk
from ..raw import Word

Command = tuple[Word, ...]


@dataclass(frozen=True)
class Expected:
    """A finding as a test expects it; ``%`` stands for ``{trader}:``."""

    kind: FindingKind
    key: str
    entry: str | None
    stored: str | None
    expected: str | None


def differences_of(trader: str, findings: Sequence[Finding]) -> list[Expected]:
    """Return the differences among findings, in a form to compare with what is expected."""
    return [
        Expected(one.kind, one.key.replace(f"{{{trader}}}:", "%"), one.entry, one.stored, one.expected)
        for one in findings
        if one.is_difference
    ]


def damage(desk: Desk, commands: Sequence[Command]) -> None:
    """Send commands that break the desk's book."""
    for command in commands:
        desk.vandalise(*command)
