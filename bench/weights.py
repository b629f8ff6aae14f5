"""The memory of an order in bytes, from the server's ``used_memory`` before and after."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..models.order import Order
from ..models.wire import encode
from ..topology.call import pack
from ..topology.embedded import Deployment
from .floor import BareSocket
from .material import Material, fill_of
from .measure import SLOTBOOK, Goal, Result
from .peers import open_peers
from .peers.peer import Site
from .scope import Scope
from .stage import address_of, private_book

_USED = re.compile(r"^used_memory:(\d+)", re.MULTILINE)
JOB = "memory of an open order"


def weigh(scope: Scope) -> list[Result]:
    """Measure each way to store an order, on a new server each."""
    plain = Result(JOB, "standalone", "bytes", (Goal("bare hash", 3.0), Goal("redis-om, with its index", 1.0)))
    filled = Result("memory of an order with a fill", "standalone", "bytes", (Goal("bare hash", 2.8),))
    with private_book("standalone") as (deployment, book):
        site, bare = _site(deployment, Material(book)), _bare(deployment)
        orders = site.material.orders(scope.weighed)

        def store(order: Order) -> None:
            fields = [part for pair in encode(order).items() for part in pair]
            bare.ask(pack(("HSET", f"{{{order.trader}}}:order:{order.order_id}", *fields)))

        plain.figures["bare hash"] = filled.figures["bare hash"] = [_bytes_each(bare, orders, store)]
    with private_book("standalone") as (deployment, book):
        site, bare = _site(deployment, Material(book)), _bare(deployment)
        orders = site.material.orders(scope.weighed)
        for fill in site.material.fills(1):  # so that the scripts are loaded
            book.orders.fill(fill)
        plain.figures[SLOTBOOK] = [_bytes_each(bare, orders, book.orders.place)]
        more = _bytes_each(bare, orders, lambda order: book.orders.fill(fill_of(order)))
        filled.figures[SLOTBOOK] = [plain.figures[SLOTBOOK][0] + more]
    with private_book("standalone") as (deployment, book):
        site, bare = _site(deployment, Material(book)), _bare(deployment)
        peers, _ = open_peers(site)
        for peer in peers:
            for name, save in peer.weigh.items():
                plain.figures[name] = [_bytes_each(bare, site.material.orders(scope.weighed), save)]
            peer.close()
    return [plain, filled]


def _bytes_each(bare: BareSocket, orders: Sequence[Order], store: Callable[[Order], object]) -> float:
    before = _used(bare)
    for order in orders:
        store(order)
    return (_used(bare) - before) / len(orders)


def _used(bare: BareSocket) -> int:
    found = _USED.search(str(bare.ask(pack(("INFO", "memory")))))
    return int(found[1]) if found else 0


def _bare(deployment: Deployment) -> BareSocket:
    return BareSocket(address_of(deployment), deployment.password)


def _site(deployment: Deployment, material: Material) -> Site:
    return Site(address_of(deployment), deployment.password, is_cluster=False, material=material)
