"""The jobs of tables of a desk's own: single inserts and reads, and a query of one trader's many records."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial

from ..topology.call import Call
from .allocations import Allocation, Allocations
from .floor import Floor
from .measure import FLOOR, SLOTBOOK, Block, Goal, Race, one_by_one
from .peers.peer import Peer, Site
from .scope import Scope
from .stage import private_book

_GOALS = (Goal(FLOOR, 1.20), Goal("redis-om", 1 / 2))
_TRADER = "T001"


def races(site: Site, floor: Floor, peers: Sequence[Peer], scope: Scope) -> list[Race]:
    """Return the races of one deployment."""
    records = site.material.allocations
    table = records.table

    def bare(calls: Callable[[int], Sequence[Call[object]]]) -> Block:
        return one_by_one(lambda size: [partial(floor.of(call).ask, call.packed) for call in calls(size)])

    jobs: dict[str, dict[str, Block]] = {
        "table get": {
            FLOOR: bare(records.get_calls),
            SLOTBOOK: one_by_one(lambda size: [partial(table.get, *ids) for ids in records.ids(size)]),
        },
        "table insert": {
            FLOOR: bare(records.insert_calls),
            SLOTBOOK: one_by_one(lambda size: [partial(table.insert, record) for record in records.new(size)]),
        },
    }
    where = "cluster" if site.is_cluster else "standalone"
    for job in jobs:
        for peer in peers:
            jobs[job] |= peer.blocks.get(job, {})
    return [Race(job, where, blocks, scope.block, scope.rounds, _GOALS) for job, blocks in jobs.items()]


@contextmanager
def full(scope: Scope) -> Generator[list[Race]]:
    """Yield the races of reading one trader's records where there are many, and where there are a thousand."""
    with private_book("standalone") as (_, small), private_book("standalone") as (_, large):
        few, many = Allocations(small), Allocations(large)
        of_few = _reads(few, few.stored(1_000, _TRADER))
        of_many = _reads(many, many.stored(scope.store, _TRADER))
        yield [
            Race(
                f"table {job}, {scope.store:,} of one trader",
                "standalone",
                {"1,000 of one trader": of_few[job], SLOTBOOK: of_many[job]},
                max(1, scope.block // (100 if job == "page" else 1)),
                scope.rounds,
                (Goal("1,000 of one trader", 1.15),),
            )
            for job in of_few
        ]


def _reads(records: Allocations, stored: list[Allocation]) -> dict[str, Block]:
    """Return what is read of one trader's records, each time of others."""
    table = records.table
    step = max(1, len(stored) // 1_000)

    def each(act: Callable[[Allocation], object]) -> Block:
        return one_by_one(lambda size: [partial(act, stored[number * step % len(stored)]) for number in range(size)])

    return {
        "by": each(lambda one: table.by(_TRADER, {"order_id": one.order_id})),
        "get": each(lambda one: table.get(_TRADER, one.allocation_id)),
        "count": each(lambda one: table.count(_TRADER, {"order_id": one.order_id})),
        "count of all": each(lambda _: table.count(_TRADER)),
        "page": each(lambda _: table.all(_TRADER, limit=500, after=stored[len(stored) // 4].allocation_id)),
    }
