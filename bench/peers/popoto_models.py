"""The peer popoto: the same fields in a model of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, cast

from ...models.order import Order
from ..measure import one_by_one
from .peer import Peer, Site

ENUMS = ("side", "type", "time_in_force", "status")


class Saved(Protocol):
    """A record of popoto."""

    def save(self) -> object:
        """Store the record."""
        ...


def peer(site: Site) -> Peer:
    """Define a model and return the peer; popoto has one client for the whole process."""
    popoto = importlib.import_module("popoto")  # popoto has no type hints
    if site.is_cluster:  # popoto does not support clusters
        return Peer()
    connection = importlib.import_module("popoto.redis_db")
    host, port = site.address
    connection.set_REDIS_DB_settings(host=host, port=port, password=site.password)
    text, whole = popoto.StringField, popoto.IntField
    fields = {
        "order_id": popoto.KeyField(),
        **{name: text() for name in ("trader", "symbol", "side", "type", "time_in_force", "status")},
        **{name: whole() for name in ("quantity", "filled_quantity", "version", "ts_ns")},
        **{name: popoto.DecimalField() for name in ("price", "filled_notional")},
    }
    model = type("StoredOrder", (popoto.Model,), {**fields, "__module__": __name__})
    get = cast("Callable[..., object]", cast(Any, model).query.get)

    def save(order: Order) -> None:
        values = {name: value for name, value in order if name in fields}
        cast("Callable[..., Saved]", model)(**{**values, **{name: str(values[name]) for name in ENUMS}}).save()

    def ids(orders: Sequence[Order]) -> list[str]:
        for order in orders:
            save(order)
        return [order.order_id for order in orders]

    return Peer(
        weigh={"popoto": save},
        blocks={
            "get": {
                "popoto": one_by_one(
                    lambda size: [partial(get, order_id=order_id) for order_id in ids(site.material.orders(size))]
                )
            },
            "place": {
                "popoto": one_by_one(lambda size: [partial(save, order) for order in site.material.orders(size)])
            },
        },
    )
