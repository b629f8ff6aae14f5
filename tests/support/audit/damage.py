"""What tests break by hand, and how they expect it to be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slotbook.repositories.audit.findings import Finding, FindingKind

from ..desk import Desk
from ..raw import Word

Command = tuple[Word, ...]


@dataclass(frozen=True)
class Wrong:
    """A finding, as a test expects it; ``%`` stands for ``{trader}:``."""

    kind: FindingKind
    key: str
    entry: str | None
    stored: str | None
    expected: str | None


def told(trader: str, findings: Sequence[Finding]) -> list[Wrong]:
    """The differences, in a comparable form."""
    return [
        Wrong(one.kind, one.key.replace(f"{{{trader}}}:", "%"), one.entry, one.stored, one.expected)
        for one in findings
        if one.is_difference
    ]


def damage(desk: Desk, commands: Sequence[Command]) -> None:
    for command in commands:
        desk.vandalise(*command)
