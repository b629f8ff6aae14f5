"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """How often and how much; the figures are the same with more of it, only steadier."""

    block: int
    """Operations in a block of single calls."""
    rounds: int
    rounds_of_batches: int
    crowd: int
    """Calls of a crowd in one block."""
    store: int
    """Orders in the store that is compared with one of 1,000."""
    opens: tuple[int, ...]
    """Orders of a trader whose open ones are asked for."""
    weighed: int
    """Orders whose memory is measured."""
    rows: int | None
    """Rows of the journal; None for all."""
    replays: int
    events: int
    """Events whose way to a follower is timed, on each topology."""


FULL = Scope(100, 40, 15, 2_000, 1_000_000, (10, 1_000, 100_000), 20_000, None, 3, 2_000)
QUICK = Scope(10, 3, 2, 200, 3_000, (10, 1_000), 500, 1_000, 1, 100)
