"""How to reach every primary without knowing where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shards:
    """Every primary, known by a hash tag whose slot it serves; equal as long as no slot has changed hands."""

    tags: tuple[str, ...]
    edition: int = 0
    tag_of: Callable[[int], str | None] = field(default=lambda _: "0", compare=False)
    """The tag of the primary that serves a slot."""
