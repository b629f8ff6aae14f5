"""Hash tags by which every primary is reached without its address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shards:
    """Every primary, each identified by a hash tag whose slot it serves.

    Two objects are equal as long as no slot has moved to another primary between them.
    """

    tags: tuple[str, ...]
    """One hash tag for each primary."""
    edition: int = 0
    """A number that grows with every slot that moves to another primary, as far as the backend has learned of it."""
    tag_of: Callable[[int], str | None] = field(default=lambda _: "0", compare=False)
    """Return the tag of the primary that serves a slot; None when that is not known."""
