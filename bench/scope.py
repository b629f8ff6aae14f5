"""The sizes of the benchmark: full and quick."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The sizes and numbers of rounds; larger ones make the figures steadier and do not change what is measured."""

    block: int
    """Operations in a block of single calls."""
    rounds: int
    """Rounds of each job with single calls."""
    rounds_of_batches: int
    """Rounds of each job with batches."""
    rounds_by_server: int
    """Rounds of each job whose time on the server is measured."""
    crowd: int
    """Calls of all asyncio tasks in one block."""
    store: int
    """Orders in the store that is compared with one of 1,000."""
    opens: tuple[int, ...]
    """Orders of a trader whose open orders are read; one job for each number."""
    weighed: int
    """Orders whose memory is measured."""
    rows: int | None
    """Rows of the journal; None for all."""
    replays: int
    """Rounds of the replay."""
    events: int
    """Events whose latency is measured, on each topology."""


FULL = Scope(100, 40, 15, 25, 2_000, 1_000_000, (10, 1_000, 100_000), 20_000, None, 3, 2_000)
QUICK = Scope(10, 3, 2, 2, 200, 3_000, (10, 1_000), 500, 1_000, 1, 100)
