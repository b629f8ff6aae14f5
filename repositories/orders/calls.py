"""Build the calls of the orders' repository, and read their replies. This module does no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Generic, NamedTuple, cast

from typing_extensions import TypeVar

from ...models.arguments import mapping
from ...models.enums import OrderStatus
from ...models.errors import InvalidArgument
from ...models.execution import Execution
from ...models.order import Order
from ...models.own_fields import own_fields
from ...models.results import FillResult, OrderResult, Outcome
from ...models.types import check_name
from ...topology.call import Call, Reply, command, evaluate, pack, slot_of_tag
from ...topology.reads import Reads
from ...topology.settings import Settings
from ...topology.steps import Steps, ask, ask_many
from ..changes.engine import ChangeCalls
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.order_models import OrderModels
from ..changes.scripts import load
from ..replies import integer, record_of, rows, text
from .executions import read_fills
from .replies import found
from .verbs import ORDER_VERBS, OrderRequest

PAGE = 1_000
"""The number of orders that one script returns: a script that took longer would hold up the server's other callers."""

_PACKAGE = "slotbook.repositories.orders"
SELECT = load(_PACKAGE, "select")
COUNT = load(_PACKAGE, "count")
BY = load(_PACKAGE, "by")
COUNT_BY = load(_PACKAGE, "count_by")

Own = TypeVar("Own", bound=Order, default=Order)


class _Indexes(NamedTuple):
    """The indexes that orders are found by."""

    keys: list[str]
    """The keys of those of own fields, and after them of those of a symbol and a status."""
    parts: list[str]
    """For each of an own field two words: what its members have before an id, and the key of the set beside it."""


class OrderCalls(ChangeCalls[OrderRequest, OrderResult[Own] | FillResult[Own]], Generic[Own]):
    """The calls of one book's orders, read as one class: changes, which derive from ORDER_VERBS, and reads."""

    def __init__(
        self,
        settings: Settings,
        loss_detector: LossDetector,
        fence: Fence = NO_FENCE,
        model: type[Own] | None = None,
        *,
        takes_any: bool = False,
    ) -> None:
        self._model = model or cast("type[Own]", Order)
        models = OrderModels(self._model, takes_own=takes_any or self._model is not Order)
        super().__init__(ORDER_VERBS, settings, loss_detector, fence, models)

    def get(self, trader: str, order_id: str) -> Call[Own | None]:
        """Return the call that reads one order."""
        keys, order_id = self.keys.of(trader), check_name("order_id", order_id)
        key, trader = keys.order(order_id), keys.trader
        return command(
            f"get {trader}/{order_id}",
            "HGETALL",
            key,
            decode=partial(found, self._model, key, trader, order_id),
            tag=trader,
        )

    def named_by(self, trader: str, name: str) -> Call[str | None]:
        """Return the call that reads which order has an id beside its own, None for none."""
        keys, name = self.keys.of(trader), check_name("order_id", name)
        return command(f"get {keys.trader}/{name}", "GET", keys.alias(name), decode=_name_or_none, tag=keys.trader)

    def get_by_alias(self, trader: str, name: str) -> Steps[Own | None]:
        """Return the steps that read an order by an id beside its own."""
        order_id = yield from ask(self.named_by(trader, name))
        return None if order_id is None else (yield from ask(self.get(trader, order_id)))

    def get_many_by_alias(self, ids: Sequence[tuple[str, str]]) -> Steps[list[Outcome[Own | None]]]:
        """Return the steps that read many orders by ids beside their own."""
        found: list[Outcome[Own | None]] = [Outcome()] * len(ids)
        named = yield from ask_many([self.named_by(*one) for one in ids])
        known: list[int] = []
        for number, outcome in enumerate(named):
            if outcome.error is not None:
                found[number] = Outcome(error=outcome.error)
            elif outcome.value is not None:
                known.append(number)
        orders = yield from ask_many([self.get(ids[number][0], named[number].value or "") for number in known])
        for number, order in zip(known, orders, strict=True):
            found[number] = order
        return found

    def get_many(self, ids: Sequence[tuple[str, str]]) -> Reads[Own | None]:
        """Return the reads of many orders."""
        ids = [(check_name("trader", trader), check_name("order_id", order_id)) for trader, order_id in ids]
        keys = [self.keys.of(trader).order(order_id) for trader, order_id in ids]
        return Reads(
            [slot_of_tag(trader) for trader, _ in ids],
            [pack(("HGETALL", key)) for key in keys],
            lambda number, reply: found(self._model, keys[number], *ids[number], reply),
            lambda number: self.get(*ids[number]),
        )

    def fills(self, trader: str, order_id: str) -> Steps[list[Execution]]:
        """Return the steps that read the fills of an order, by any of its ids."""
        keys, order_id = self.keys.of(trader), check_name("order_id", order_id)
        found = yield from read_fills(keys, order_id)
        if not found and (named := (yield from ask(self.named_by(trader, order_id)))) is not None:
            return (yield from read_fills(keys, named))
        return found

    def count(
        self,
        trader: str,
        values: Mapping[str, object] | None,
        status: OrderStatus | str | None,
        symbol: str | None,
    ) -> Steps[int]:
        """Return the steps that count a trader's live orders: all, or those with some values, a status, or a symbol."""
        keys = self.keys.of(trader)
        trader = keys.trader
        if values is not None:
            if status is not None or symbol is not None:
                raise InvalidArgument("count takes values, a status or a symbol, not several: values may have them all")
            return (yield from self._count_by(trader, self._indexes(trader, values)))
        if status is not None and symbol is not None:
            raise InvalidArgument("count takes a status or a symbol, not both: no index knows both")
        if symbol is not None:
            indexes = [keys.symbol(check_name("symbol", symbol))]
        else:
            indexes = [keys.statuses[_status(status)]] if status is not None else list(keys.statuses.values())
        return (
            yield from ask(
                evaluate(
                    f"count orders of {trader}",
                    COUNT,
                    COUNT.keys(indexes=indexes),
                    (),
                    decode=lambda reply: sum(map(integer, rows(reply))),
                    readonly=True,
                )
            )
        )

    def _count_by(self, trader: str, indexes: _Indexes) -> Steps[int]:
        """Count the live orders that are in every one of some indexes, as many in a call as hold up no others."""

        def read(reply: Reply) -> tuple[int, str]:
            number, cursor = rows(reply)
            return integer(number), text(cursor)

        total, after = 0, ""
        while True:
            number, after = yield from ask(
                evaluate(
                    f"count orders of {trader}",
                    COUNT_BY,
                    COUNT_BY.keys(indexes=indexes.keys),
                    COUNT_BY.arguments(after=after, parts=indexes.parts),
                    decode=read,
                    readonly=True,
                    tag=trader,
                )
            )
            total += number
            if not after:
                return total

    def open(self, trader: str) -> Steps[list[Own]]:
        """Return the steps that read the open orders."""
        statuses = self.keys.of(trader).statuses
        return self._select(trader, [statuses[status] for status in OrderStatus if status.is_open])

    def by_status(self, trader: str, status: OrderStatus | str) -> Steps[list[Own]]:
        """Return the steps that read the orders with a status."""
        return self._select(trader, [self.keys.of(trader).statuses[_status(status)]])

    def by_symbol(self, trader: str, symbol: str) -> Steps[list[Own]]:
        """Return the steps that read the orders in a symbol."""
        return self._select(trader, [self.keys.of(trader).symbol(check_name("symbol", symbol))])

    def by(self, trader: str, values: Mapping[str, object], limit: int | None, after: str | None) -> Steps[list[Own]]:
        """Return the steps that read the orders with some values, page by page, in the order of their ids."""
        indexes, after = self._indexes(trader, values), "" if after is None else check_name("after", after)
        found: list[Own] = []
        while True:
            wanted = PAGE if limit is None else min(PAGE, limit - len(found))
            page, after = yield from ask(self._page(trader, indexes, after, wanted))
            found += page
            if not after or len(found) == limit:
                return found

    def _page(self, trader: str, indexes: _Indexes, after: str, limit: int) -> Call[tuple[list[Own], str]]:
        """Return the call that reads the next orders, and the id after which it stopped, '' at the end."""
        keys = self.keys.of(trader)
        base, trader = keys.order(""), keys.trader

        def read(reply: Reply) -> tuple[list[Own], str]:
            cursor, *words = rows(reply)
            ids = list(map(text, words[::2]))
            if len(ids) > limit:
                raise ValueError(len(ids))
            page = [
                found(self._model, base + order_id, trader, order_id, flat)
                for order_id, flat in zip(ids, words[1::2], strict=True)
            ]
            return [order for order in page if order is not None], text(cursor)

        return evaluate(
            f"orders of {trader}",
            BY,
            BY.keys(indexes=indexes.keys),
            BY.arguments(base=base, after=after, limit=str(limit), parts=indexes.parts),
            decode=read,
            readonly=True,
            tag=trader,
        )

    def _indexes(self, trader: str, values: Mapping[str, object]) -> _Indexes:
        """Return the indexes of some values: of own fields, and of the symbol and the status."""
        keys, own = self.keys.of(trader), dict(mapping("values", values))
        indexes: list[str] = []
        if (symbol := own.pop("symbol", None)) is not None:
            indexes.append(keys.symbol(check_name("symbol", cast("str", symbol))))
        if (status := own.pop("status", None)) is not None:
            indexes.append(keys.statuses[_status(cast("str", status))])
        if not own and indexes:
            return _Indexes(indexes, [])
        written = own_fields(self._model).index_texts(own)
        walked = [keys.own_order_index(*one) for one in written.items()]
        beside = [keys.own_order_index(*one, beside=True) for one in written.items()]
        return _Indexes(walked + indexes, [word for one in beside for word in ("", one)])

    def _select(self, trader: str, indexes: Sequence[str]) -> Steps[list[Own]]:
        """Read the live orders of some indexes: the first page in one call, the others by their ids."""
        keys = self.keys.of(trader)
        base, trader = keys.order(""), keys.trader

        def read(reply: Reply) -> tuple[list[Own], list[str]]:
            *found, left = rows(reply)
            return [record_of(self._model, base, "order_id", flat, trader) for flat in found], list(
                map(text, rows(left))
            )

        orders, ids = yield from ask(
            evaluate(
                f"orders of {trader}",
                SELECT,
                SELECT.keys(indexes=indexes),
                SELECT.arguments(base=base, limit=str(PAGE)),
                decode=read,
                readonly=True,
            )
        )
        for start in range(0, len(ids), PAGE):
            outcomes = yield from ask_many([self.get(trader, order_id) for order_id in ids[start : start + PAGE]])
            page = [outcome.result() for outcome in outcomes]
            orders.extend(order for order in page if order is not None and self._is_in(order, indexes))
        return orders

    def _is_in(self, order: Own, indexes: Sequence[str]) -> bool:
        keys = self.keys.of(order.trader)
        return keys.statuses[order.status] in indexes or keys.symbol(order.symbol) in indexes


def _name_or_none(reply: Reply) -> str | None:
    return None if reply is None else text(reply)


def _status(value: OrderStatus | str) -> OrderStatus:
    try:
        return OrderStatus[value]
    except (KeyError, TypeError):
        raise InvalidArgument(f"there is no status {value!r}; there are {', '.join(OrderStatus)}") from None
