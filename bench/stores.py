"""The jobs that depend on the store: open orders among many, a full store, the near cache, a replay."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import cast

from ..models.order import Cancel
from ..models.symbol import SymbolInfo
from ..repositories import Book
from ..repositories.changes.loss_detector import LossDetector
from ..repositories.orders.calls import OrderCalls
from ..repositories.orders.verbs import OrderRequest
from ..topology.call import Call
from .floor import Floor
from .material import Material, batch_of, ids_of
from .measure import FLOOR, SLOTBOOK, Goal, Race, one_by_one, repeated
from .peers.peer import Peer, Site
from .scope import Scope
from .singles import in_one_write
from .stage import private_book

BATCH = 1_000
_OPEN = 10


def open_orders(site: Site, book: Book, floor: Floor, peers: Sequence[Peer], scope: Scope) -> Iterator[Race]:
    """Yield a race for each number of stored orders: read the ten open orders among them."""
    for stored in scope.opens:
        trader = f"OPEN{stored}"
        orders = site.material.placed(stored, trader)
        for begin in range(_OPEN, stored, BATCH):
            cancels = [Cancel(trader=trader, order_id=order.order_id) for order in orders[begin : begin + BATCH]]
            for outcome in book.orders.apply_many(cancels):
                outcome.result()
        call = _first_page(site.material.calls, trader)
        ids = ids_of(orders[:_OPEN])
        keys = [site.material.calls.get(*one).keys[0] for one in ids]
        blocks = {
            FLOOR: repeated(partial(floor.of(call).ask, call.packed)),
            SLOTBOOK: repeated(partial(book.orders.open, trader)),
        }
        for peer in peers:
            if peer.list_hashes is not None:
                blocks |= {name: repeated(act) for name, act in peer.list_hashes(trader, keys).items()}
        yield Race(f"open orders, {stored:,} stored", "standalone", blocks, scope.block, scope.rounds)


def _first_page(calls: OrderCalls, trader: str) -> Call[object]:
    pages = calls.open(trader)
    return cast("Call[object]", next(pages))


def near(site: Site, book: Book, peers: Sequence[Peer], scope: Scope) -> Race:
    """Return the race of a hit in the near cache against the cheapest call to the server."""
    info = SymbolInfo(symbol="AAPL", name="Apple Inc.", exchange="XNAS")
    book.symbols.put(info)
    kept = book.symbols.near(10, bound=30.0)
    kept.get("AAPL")
    blocks = {SLOTBOOK: repeated(partial(kept.get, "AAPL"))}
    for peer in peers:
        blocks |= peer.blocks.get("near", {})
    return Race("near cache hit", "standalone", blocks, scope.block, scope.rounds, (Goal("redis-py GET", 1 / 100),))


@contextmanager
def full(scope: Scope) -> Generator[Race]:
    """Yield the race of placing an order in a store of many orders and in one of a thousand."""
    with private_book("standalone") as (_, small), private_book("standalone") as (_, large):
        few, many = Material(small), Material(large)
        few.placed(1_000)
        many.placed(scope.store)

        def places(book: Book, material: Material) -> Callable[[int], list[Callable[[], object]]]:
            return lambda size: [partial(book.orders.place, order) for order in material.orders(size)]

        yield Race(
            f"place, {scope.store:,} stored",
            "standalone",
            {"1,000 stored": one_by_one(places(small, few)), SLOTBOOK: one_by_one(places(large, many))},
            scope.block,
            scope.rounds,
            (Goal("1,000 stored", 1.15),),
        )


def replay(site: Site, book: Book, floor: Floor, requests: Sequence[OrderRequest], scope: Scope) -> Race:
    """Return the race of replaying a journal in batches, each time under a new prefix."""
    settings, numbers = book.backend.settings, count()

    def bare(_: int) -> Callable[[], object]:
        calls = OrderCalls(settings.model_copy(update={"prefix": f"floor{next(numbers)}:"}), LossDetector())
        writes = [
            write
            for begin in range(0, len(requests), BATCH)
            for write in in_one_write(floor, batch_of(calls, requests[begin : begin + BATCH]))
        ]

        def run() -> None:
            for write in writes:
                write()

        return run

    def slotbook(_: int) -> Callable[[], object]:
        prefixed = Book.open(settings.model_copy(update={"prefix": f"book{next(numbers)}:"}))

        def run() -> None:
            for begin in range(0, len(requests), BATCH):
                for outcome in prefixed.orders.apply_many(requests[begin : begin + BATCH]):
                    outcome.result()
            prefixed.close()

        return run

    return Race(
        f"replay of {len(requests):,} rows",
        "standalone",
        {FLOOR: bare, SLOTBOOK: slotbook},
        1,
        scope.replays,
        (Goal(FLOOR, 1.5),),
        len(requests),
    )
