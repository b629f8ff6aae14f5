"""The peer redis-om: the same fields in a HashModel of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, cast

import redis

from ...models.order import Order
from ..allocations import Allocation
from ..measure import Block, one_by_one
from .peer import Peer, Site


class _Saved(Protocol):
    pk: str

    def save(self) -> object: ...


_ORDER = {
    **dict.fromkeys(("trader", "order_id", "symbol", "side", "type", "time_in_force", "status"), str),
    **dict.fromkeys(("quantity", "filled_quantity", "version", "ts_ns"), int),
    **dict.fromkeys(("price", "filled_notional"), float),
}
_ALLOCATION = {
    **dict.fromkeys(("trader", "allocation_id", "order_id", "account", "side"), str),
    **dict.fromkeys(("quantity", "executed_ns", "version"), int),
    "price": float,
}


def _define(client: object, name: str, fields: Mapping[str, type], indexes: Sequence[str]) -> type:
    """Define a model with an index of some fields, as Slotbook has them."""
    meta = type("Meta", (), {"database": client, "global_key_prefix": "redis-om"})
    # The same as ``class StoredOrder(HashModel, index=True)``, made by a call because redis-om has no type hints.
    redis_om = importlib.import_module("redis_om")
    base = redis_om.HashModel
    indexed = {name: redis_om.Field(index=True) for name in indexes}
    names = {**indexed, "__annotations__": dict(fields), "__module__": __name__, "__qualname__": name, "Meta": meta}
    return cast("type", type(base)(name, (base,), names, index=True))


def peer(site: Site) -> Peer:
    """Define models and return the peer; redis-om takes its client when a class is defined."""
    if site.is_cluster:  # redis-om does not support clusters
        return Peer()
    host, port = site.address
    client = redis.Redis(host=host, port=port, password=site.password, decode_responses=True)
    stored = _define(client, "StoredOrder", _ORDER, ("trader", "symbol", "status"))
    model = cast("Callable[..., _Saved]", stored)
    get = cast("Callable[[str], object]", getattr(stored, "get"))  # noqa: B009 (it is not typed)
    command = cast("Callable[..., object]", client.execute_command)  # pyright: ignore[reportUnknownMemberType]

    def made(order: Order) -> _Saved:
        return model(**{name: value for name, value in order if name in _ORDER})

    def fresh(size: int) -> list[_Saved]:
        return [made(order) for order in site.material.orders(size)]

    def keys(size: int) -> list[str]:
        saved = fresh(size)
        for one in saved:
            one.save()
        return [one.pk for one in saved]

    def place(order: Order) -> None:
        made(order).save()

    def get_many(orders: int) -> Callable[[int], Callable[[], object]]:
        def block(size: int) -> Callable[[], object]:
            batches = [keys(orders) for _ in range(size)]
            return lambda: [[get(key) for key in batch] for batch in batches]

        return block

    return Peer(
        weigh={"redis-om, with its index" if _index(command, stored) else "redis-om, no index": place},
        blocks={
            "get": {"redis-om": one_by_one(lambda size: [partial(get, key) for key in keys(size)])},
            "place": {
                "redis-om": one_by_one(lambda size: [partial(place, order) for order in site.material.orders(size)])
            },
            "get 1000": {"redis-om": get_many(1_000)},
            **_own_records(client, command, site),
        },
        close=client.close,
    )


def _own_records(client: object, command: Callable[..., object], site: Site) -> dict[str, dict[str, Block]]:
    """Return the jobs of records of a desk's own."""
    stored = _define(client, "StoredAllocation", _ALLOCATION, ("trader", "order_id", "account"))
    _index(command, stored)
    model = cast("Callable[..., _Saved]", stored)
    get = cast("Callable[[str], object]", getattr(stored, "get"))  # noqa: B009 (it is not typed)

    def made(record: Allocation) -> _Saved:
        return model(**{name: value for name, value in record if name in _ALLOCATION})

    def keys(size: int) -> list[str]:
        saved = [made(record) for record in site.material.allocations.new(size)]
        for one in saved:
            one.save()
        return [one.pk for one in saved]

    def insert(record: Allocation) -> None:
        made(record).save()

    return {
        "table get": {"redis-om": one_by_one(lambda size: [partial(get, key) for key in keys(size)])},
        "table insert": {
            "redis-om": one_by_one(lambda size: [partial(insert, one) for one in site.material.allocations.new(size)])
        },
    }


def _index(command: Callable[..., object], model: type) -> bool:
    """Have the server index what is saved, as redis-om's Migrator would; False where it cannot."""
    schema = cast("Callable[[], str]", getattr(model, "redisearch_schema"))()  # noqa: B009 (it is not typed)
    try:
        command("FT.CREATE", f"redis-om:{model.__name__}", *schema.split())
    except redis.ResponseError:
        return False
    return True
