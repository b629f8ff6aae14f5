"""redis-om: the same fields in a HashModel of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

import redis
import redis_om

from ...models.order import Order
from ..measure import one_by_one
from .peer import Peer, Site


class _Saved(Protocol):
    pk: str

    def save(self) -> object: ...


def peer(site: Site) -> Peer:
    """Define a model; redis-om makes its client when a class is defined."""
    if site.is_cluster:  # it knows no cluster
        return Peer()
    host, port = site.address
    client = redis.Redis(host=host, port=port, password=site.password, decode_responses=True)

    class StoredOrder(redis_om.HashModel, index=True):
        trader: str
        order_id: str
        symbol: str
        side: str
        type: str
        time_in_force: str
        quantity: int
        price: float
        status: str
        filled_quantity: int
        filled_notional: float
        version: int
        ts_ns: int

        class Meta:
            database = client
            global_key_prefix = "redis-om"

    model = cast("Callable[..., _Saved]", StoredOrder)
    get = cast("Callable[[str], object]", StoredOrder.get)

    def made(order: Order) -> _Saved:
        return model(**{name: value for name, value in order if name in StoredOrder.model_fields})

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
        weigh={"redis-om, no index": place},
        blocks={
            "get": {"redis-om": one_by_one(lambda size: [partial(get, key) for key in keys(size)])},
            "place": {
                "redis-om": one_by_one(lambda size: [partial(place, order) for order in site.material.orders(size)])
            },
            "get 1000": {"redis-om": get_many(1_000)},
        },
        close=client.close,
    )
