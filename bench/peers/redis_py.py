"""The peer redis-py: Slotbook's script and hash on its client, and the calls that one writes without a script."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, cast

import redis
import redis.asyncio
import redis.cluster

from ...models.fill import Fill
from ...models.numbers import plain
from ...models.order import Cancel, Order
from ..material import Material, cancel_of, fill_of, ids_of
from ..measure import Block, one_by_one
from . import by_hand
from .peer import Peer, ReadHash, Site

_DAY = 86_400
PLAIN_PIPELINE = "redis-py pipeline, plain calls"


class _Writer(Protocol):
    """The methods that a client and its pipeline share; redis-py's own type hints mix the sync and async results."""

    def hset(self, name: str, key: str | None = None, value: object = None, mapping: object = None) -> object: ...
    def expire(self, name: str, time: int) -> object: ...
    def sadd(self, name: str, *values: str) -> object: ...
    def publish(self, channel: str, message: str) -> object: ...
    def evalsha(self, sha: str, numkeys: int, *keys_and_args: object) -> object: ...


class _Pipeline(_Writer, Protocol):
    def hgetall(self, name: str) -> object: ...
    def execute(self) -> object: ...


class _Client(_Writer, Protocol):
    def hgetall(self, name: str) -> dict[str, str]: ...
    def srem(self, name: str, *values: str) -> object: ...
    def smembers(self, name: str) -> set[str]: ...
    def incrby(self, name: str, amount: int) -> object: ...
    def get(self, name: str) -> object: ...
    def pipeline(self, transaction: bool = ...) -> _Pipeline: ...
    def close(self) -> None: ...


class _AsyncClient(Protocol):
    def hgetall(self, name: str) -> Awaitable[object]: ...

    async def aclose(self) -> None: ...


def peer(site: Site) -> Peer:
    """Connect, and return the peer."""
    host, port = site.address
    kind = redis.cluster.RedisCluster if site.is_cluster else redis.Redis
    client = cast(_Client, kind(host=host, port=port, password=site.password, decode_responses=True))
    name = "RedisCluster" if site.is_cluster else "redis-py"
    own = site.material.allocations.get_calls
    material, calls, scripts = site.material, site.material.calls, by_hand.ByHand(site.material.settings)

    def reads(size: int) -> list[str]:
        return [calls.get(*ids).keys[0] for ids in ids_of(material.placed(size))]

    def run(words: Sequence[str]) -> object:
        return _evalsha(client, words)

    def piped_places(orders: int) -> Block:
        def block(size: int) -> Callable[[], object]:
            batches = [material.orders(orders) for _ in range(size)]

            def go() -> None:
                for batch in batches:
                    pipeline = client.pipeline(transaction=False)
                    for words in scripts.batches(batch):
                        _evalsha(pipeline, words)
                    pipeline.execute()

            return go

        return block

    def piped_reads(orders: int) -> Block:
        def block(size: int) -> Callable[[], object]:
            batches = [reads(orders) for _ in range(size)]

            def go() -> None:
                for keys in batches:
                    pipeline = client.pipeline(transaction=False)
                    for key in keys:
                        pipeline.hgetall(key)
                    pipeline.execute()

            return go

        return block

    jobs = Peer(close=client.close)
    jobs.blocks = {
        "get": {name: one_by_one(lambda size: [partial(client.hgetall, key) for key in reads(size)])},
        **{job: {name: block} for job, block in by_hand.blocks(material, run).items()},
        "table get": {name: one_by_one(lambda size: [partial(client.hgetall, call.keys[0]) for call in own(size)])},
        "near": {f"{name} GET": one_by_one(lambda size: [partial(client.get, "bench:absent")] * size)},
    }
    for orders in (100, 1_000):
        jobs.blocks[f"place {orders}"] = {f"{name} pipeline": piped_places(orders)}
        jobs.blocks[f"get {orders}"] = {f"{name} pipeline": piped_reads(orders)}
    if not site.is_cluster:
        _by_calls(jobs, client, site)
        jobs.crowd["redis.asyncio"] = partial(_asyncio, site)
        jobs.list_hashes = partial(_listed, client)
    return jobs


def _by_calls(jobs: Peer, client: _Client, site: Site) -> None:
    """Add the jobs with one call for each step, as one writes them first; a failure leaves them half done."""
    material = site.material

    def place(order: Order, to: _Writer = client) -> None:
        key = f"order:{order.order_id}"
        fields = {
            "trader": order.trader,
            "symbol": order.symbol,
            "side": order.side.value,
            "quantity": plain(order.quantity),
            "price": str(order.price),
            "status": "NEW",
            "filled": "0",
            "timestamp": str(time.time_ns()),
        }
        to.hset(key, mapping=fields)
        to.expire(key, _DAY)
        to.sadd("orders_by_status:NEW", order.order_id)
        to.publish("order_events", f"{order.order_id} NEW")

    def move(order_id: str, was: str, status: str) -> None:
        client.hset(f"order:{order_id}", "status", status)
        client.srem(f"orders_by_status:{was}", order_id)
        client.sadd(f"orders_by_status:{status}", order_id)
        client.publish("order_events", f"{order_id} {status}")

    def fill(fill: Fill) -> None:
        key = f"order:{fill.order_id}"
        order = client.hgetall(key)
        filled = int(order["filled"]) + int(fill.quantity)
        client.hset(key, "filled", str(filled))
        client.incrby(f"position:{fill.trader}:{order['symbol']}", int(fill.quantity))
        status = "FILLED" if filled == int(order["quantity"]) else "PARTIALLY_FILLED"
        move(fill.order_id, order["status"], status)

    def cancel(cancel: Cancel) -> None:
        move(cancel.order_id, client.hgetall(f"order:{cancel.order_id}")["status"], "CANCELED")

    def stored(size: int) -> list[Order]:
        orders = material.orders(size)
        for order in orders:
            place(order)
        return orders

    def fills(size: int) -> list[Callable[[], object]]:
        return [partial(fill, fill_of(order)) for order in stored(size)]

    def cancels(size: int) -> list[Callable[[], object]]:
        return [partial(cancel, cancel_of(order)) for order in stored(size)]

    name = "redis-py, call by call"
    jobs.weigh[f"{name}, hash and index"] = place
    jobs.blocks["place"][name] = one_by_one(lambda size: [partial(place, order) for order in material.orders(size)])
    jobs.blocks["fill"][name] = one_by_one(fills)
    jobs.blocks["cancel"][name] = one_by_one(cancels)
    for number in (100, 1_000):
        jobs.blocks[f"place {number}"][PLAIN_PIPELINE] = _batches(material, place, client, number)


def _batches(material: Material, place: Callable[[Order, _Writer], None], client: _Client, orders: int) -> Block:
    """Return a block of batches, each placed with the same calls in one pipeline."""

    def place_many(batch: Sequence[Order]) -> None:
        pipeline = client.pipeline(transaction=False)
        for order in batch:
            place(order, pipeline)
        pipeline.execute()

    return one_by_one(lambda size: [partial(place_many, material.orders(orders)) for _ in range(size)])


def _listed(client: _Client, trader: str, keys: list[str]) -> dict[str, Callable[[], object]]:
    """Read an index, then the hashes that it names in one pipeline: two round trips."""
    index = f"open_orders:{trader}"
    client.sadd(index, *keys)

    def ask() -> None:
        pipeline = client.pipeline(transaction=False)
        for key in client.smembers(index):
            pipeline.hgetall(key)
        pipeline.execute()

    return {"redis-py": ask}


@contextlib.asynccontextmanager
async def _asyncio(site: Site) -> AsyncGenerator[ReadHash]:
    host, port = site.address
    # The default pool has 100 connections and refuses the 101st task; with this pool the task waits.
    pool: object = redis.asyncio.BlockingConnectionPool(
        max_connections=100, timeout=None, host=host, port=port, password=site.password, decode_responses=True
    )
    client = cast(_AsyncClient, cast("Callable[..., object]", redis.asyncio.Redis)(connection_pool=pool))
    try:
        yield client.hgetall
    finally:
        await client.aclose()


def _evalsha(client: _Client | _Pipeline, words: Sequence[str]) -> object:
    digest, keys, *rest = words
    return client.evalsha(digest, int(keys), *rest)
