"""The peer redis-om: the same fields in a HashModel of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

import redis

from ...models.order import Order
from ..measure import one_by_one
from .peer import Peer, Site


class _Saved(Protocol):
    pk: str

    def save(self) -> object: ...


def peer(site: Site) -> Peer:
    """Define a model and return the peer; redis-om takes its client when a class is defined."""
    if site.is_cluster:  # redis-om does not support clusters
        return Peer()
    host, port = site.address
    client = redis.Redis(host=host, port=port, password=site.password, decode_responses=True)

    fields = {
        **dict.fromkeys(("trader", "order_id", "symbol", "side", "type", "time_in_force", "status"), str),
        **dict.fromkeys(("quantity", "filled_quantity", "version", "ts_ns"), int),
        **dict.fromkeys(("price", "filled_notional"), float),
    }
    meta = type("Meta", (), {"database": client, "global_key_prefix": "redis-om"})
    # The same as ``class StoredOrder(HashModel, index=True)``, made by a call because redis-om has no type hints.
    redis_om = importlib.import_module("redis_om")
    base = redis_om.HashModel
    indexed = {name: redis_om.Field(index=True) for name in ("trader", "symbol", "status")}  # as Slotbook's own are
    names = {**indexed, "__annotations__": fields, "__module__": __name__, "__qualname__": "StoredOrder", "Meta": meta}
    stored = type(base)("StoredOrder", (base,), names, index=True)
    model = cast("Callable[..., _Saved]", stored)
    get = cast("Callable[[str], object]", stored.get)
    command = cast("Callable[..., object]", client.execute_command)  # pyright: ignore[reportUnknownMemberType]

    def made(order: Order) -> _Saved:
        return model(**{name: value for name, value in order if name in fields})

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
        },
        close=client.close,
    )


def _index(command: Callable[..., object], model: object) -> bool:
    """Have the server index what is saved, as redis-om's Migrator would; False where it cannot."""
    schema = cast("Callable[[], str]", getattr(model, "redisearch_schema"))()  # noqa: B009 (it is not typed)
    try:
        command("FT.CREATE", "redis-om", *schema.split())
    except redis.ResponseError:
        return False
    return True
