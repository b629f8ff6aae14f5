"""The everyday jobs of a desk: single calls one after another, and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from ..topology.call import Call
from .floor import Floor
from .material import Material, batch_of, ids_of
from .measure import FLOOR, SLOTBOOK, Block, Goal, Race, one_by_one
from .peers.peer import Peer, Site
from .scope import Scope

_ON_ONE = {
    "get": (Goal(FLOOR, 1.20), Goal("redis-py", 1 / 1.3), Goal("redis-om", 1 / 2)),
    "place": (
        Goal(FLOOR, 1.20),
        Goal("redis-py", 1 / 1.3),
        Goal("redis-py, call by call", 1 / 4),
        Goal("redis-om", 1 / 2),
    ),
    "fill": (Goal(FLOOR, 1.20), Goal("redis-py", 1 / 1.3), Goal("redis-py, call by call", 1 / 4)),
    "cancel": (Goal(FLOOR, 1.20), Goal("redis-py", 1 / 1.3), Goal("redis-py, call by call", 1 / 4)),
}
_ON_A_CLUSTER = (Goal(FLOOR, 1.25), Goal("RedisCluster", 1 / 1.6))
_BATCHES = {
    "place 1000": (Goal(FLOOR, 1.4), Goal("redis-py pipeline", 1.0), Goal("redis-py pipeline, plain calls", 1.0)),
    "get 1000": (Goal(FLOOR, 2.5), Goal("redis-py pipeline", 1.0), Goal("redis-om", 1 / 8)),
}


def races(site: Site, floor: Floor, peers: Sequence[Peer], scope: Scope) -> list[Race]:
    """Return the races of one deployment."""
    slotbook = _slotbook(site.material)
    bare = _bare(site.material, floor)
    where = "cluster" if site.is_cluster else "standalone"
    jobs: list[Race] = []
    for job in ("get", "place", "fill", "cancel"):
        goals = _ON_A_CLUSTER if site.is_cluster else _ON_ONE[job]
        blocks = {FLOOR: bare[job], SLOTBOOK: slotbook[job], **_peers(peers, job)}
        jobs.append(Race(job, where, blocks, scope.block, scope.rounds, goals))
    for job in ("place 100", "get 100", "place 1000", "get 1000") if not site.is_cluster else ():
        orders = int(job.split()[1])
        blocks = {FLOOR: bare[job], SLOTBOOK: slotbook[job], **_peers(peers, job)}
        jobs.append(
            Race(job, where, blocks, max(5, 500 // orders), scope.rounds_of_batches, _BATCHES.get(job, ()), orders)
        )
    return jobs


def _peers(peers: Sequence[Peer], job: str) -> dict[str, Block]:
    return {name: block for peer in peers for name, block in peer.blocks.get(job, {}).items()}


def _slotbook(material: Material) -> dict[str, Block]:
    def batches(make: Callable[[int], Sequence[object]], act: Callable[..., object], orders: int) -> Block:
        return one_by_one(lambda size: [partial(act, make(orders)) for _ in range(size)])

    orders = material.repository
    blocks: dict[str, Block] = {
        "get": one_by_one(lambda size: [partial(orders.get, *ids) for ids in ids_of(material.placed(size))]),
        "place": one_by_one(lambda size: [partial(orders.place, order) for order in material.orders(size)]),
        "fill": one_by_one(lambda size: [partial(orders.fill, fill) for fill in material.fills(size)]),
        "cancel": one_by_one(
            lambda size: [
                partial(orders.cancel, cancel.trader, cancel.order_id, ts_ns=cancel.ts_ns)
                for cancel in material.cancels(size)
            ]
        ),
    }
    for number in (100, 1_000):
        blocks[f"place {number}"] = batches(material.orders, orders.place_many, number)
        blocks[f"get {number}"] = batches(lambda size: ids_of(material.placed(size)), orders.get_many, number)
    return blocks


def _bare(material: Material, floor: Floor) -> dict[str, Block]:
    calls = material.calls

    def bare(make: Callable[[int], Sequence[Call[object]]]) -> Block:
        return one_by_one(lambda size: [partial(floor.of(call).ask, call.packed) for call in make(size)])

    def batches(make: Callable[[int], Sequence[Call[object]]], orders: int) -> Block:
        return one_by_one(lambda size: [partial(_ask_all, in_one_write(floor, make(orders))) for _ in range(size)])

    def gets(size: int) -> Sequence[Call[object]]:
        return [calls.get(*ids) for ids in ids_of(material.placed(size))]

    blocks: dict[str, Block] = {
        "get": bare(gets),
        "place": bare(lambda size: [calls.change(order) for order in material.orders(size)]),
        "fill": bare(lambda size: [calls.change(fill) for fill in material.fills(size)]),
        "cancel": bare(lambda size: [calls.change(cancel) for cancel in material.cancels(size)]),
    }
    for number in (100, 1_000):
        blocks[f"place {number}"] = batches(lambda size: batch_of(calls, material.orders(size)), number)
        blocks[f"get {number}"] = batches(gets, number)
    return blocks


Write = Callable[[], object]


def in_one_write(floor: Floor, calls: Sequence[Call[object]]) -> list[Write]:
    """Return the floor of a batch: for each server a function that sends it one write and reads the replies."""
    grouped = groupby(sorted(calls, key=lambda call: id(floor.of(call))), key=floor.of)
    packets = [(server, [call.packed for call in group]) for server, group in grouped]
    return [partial(server.ask_all, b"".join(packed), len(packed)) for server, packed in packets]


def _ask_all(writes: Sequence[Write]) -> None:
    for write in writes:
        write()
