"""Take executions of orders back, or put them right, for asyncio."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import cast

from ....models.arguments import without_none
from ....models.enums import Liquidity
from ....models.execution_changes import Bust, Correct
from ....models.record import checked
from ....models.results import FillResult, OrderResult
from ....models.types import Quantity
from ....topology.durability import Durability
from ...changes._async import AsyncChanges
from ..reads._async import AsyncOrderReads, OrderT
from ..verbs import BUST, CORRECT, OrderRequest


class AsyncRevisions(AsyncOrderReads[OrderT]):
    """The part of :class:`~slotbook.repositories.orders._async.AsyncOrderRepository` that revises executions."""

    _changes: AsyncChanges[OrderRequest, OrderResult[OrderT] | FillResult[OrderT]]

    async def bust(
        self,
        trader: str,
        order_id: str,
        exec_ref_id: str,
        *,
        exec_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        durability: Durability | str | None = None,
    ) -> FillResult[OrderT]:
        """Take an execution back, which has not happened, once per ``exec_id``.

        Its quantity and amount leave the order and the position exactly. A ``FILLED`` order is open again; one that was
        canceled, rejected or expired stays so. An execution that another report has busted stays as it is.

        What the position has cost is folded anew from the trader's events, as if the execution had never been; the
        result's ``cost_basis`` says whether they reach back far enough. Three round trips: one reads the order, one the
        last 200 events, one is the change. One more for each 1,000 events back to the execution, and two or more when
        the position moves meanwhile. After the deadline the cost is not folded any more, and approximate.

        Args:
            trader: The trader of the order.
            order_id: The id of the order.
            exec_ref_id: The execution, or a correction of it (FIX ExecRefID, tag 19).
            exec_id: The identity of the report (ExecID, tag 17); by default random.
            ts_ns: The time of the report; by default now.
            text: Free text, such as the reason (tag 58).
            durability: The copies that the change waits for; by default the book's.

        Raises:
            OrderNotFound: There is no such order.
            ExecutionNotFound: The order has no such execution.
            DuplicateRequest: The ``exec_id`` was used for another report of this order.
            AmountOverflow: The position would grow past what can be counted exactly.
        """
        given = {"exec_id": exec_id, "ts_ns": ts_ns}
        request = checked(
            Bust,
            trader=trader,
            order_id=order_id,
            exec_ref_id=exec_ref_id,
            text=text,
            **without_none(given),
        )
        return cast("FillResult[OrderT]", await self._changes.call(BUST, request, durability))

    async def correct(
        self,
        trader: str,
        order_id: str,
        exec_ref_id: str,
        *,
        quantity: Quantity | str | float,
        price: Decimal | str | int,
        exec_id: str | None = None,
        ts_ns: int | None = None,
        text: str | None = None,
        fee: Decimal | str | int | None = None,
        fee_currency: str | None = None,
        fee_from_quantity: bool | None = None,
        liquidity: Liquidity | str | None = None,
        settlement_date: date | str | None = None,
        account: str | None = None,
        durability: Durability | str | None = None,
    ) -> FillResult[OrderT]:
        """Put quantity and price of an execution right, once per ``exec_id``; round trips as for ``bust``.

        The difference moves the order and the position exactly; the order's status is what its fills leave, and the
        position's cost is folded anew, as for ``bust``. A correction replaces the execution, or the last correction of
        it.

        Args:
            trader: The trader of the order.
            order_id: The id of the order.
            exec_ref_id: The execution, or a correction of it (FIX ExecRefID, tag 19).
            quantity: The quantity that it really had (LastQty, tag 32).
            price: The price that it really had (LastPx, tag 31).
            exec_id: The identity of the report (ExecID, tag 17); by default random.
            ts_ns: The time of the report; by default now.
            text: Free text, such as the reason (tag 58).
            fee: The fee that it really had (tag 12); that of the execution before does not stay.
            fee_currency: The currency of the fee (tag 479).
            fee_from_quantity: True where the fee is taken from the quantity that is bought.
            liquidity: The part that it had in the venue's liquidity (tag 851).
            settlement_date: The day of settlement (tag 64).
            account: The account that it is for (tag 1).
            durability: The copies that the change waits for; by default the book's.

        Raises:
            OrderNotFound: There is no such order.
            OrderMismatch: A fee is taken from the quantity of an order that sells.
            ExecutionNotFound: The order has no such execution, or it was busted.
            Overfill: The quantity is more than the order has left for it.
            DuplicateRequest: The ``exec_id`` was used for another report of this order.
            AmountOverflow: The position would grow past what can be counted exactly.
        """
        given = {
            **{"exec_id": exec_id, "ts_ns": ts_ns, "fee": fee, "fee_currency": fee_currency, "liquidity": liquidity},
            **{"settlement_date": settlement_date, "account": account, "fee_from_quantity": fee_from_quantity},
        }
        request = checked(
            Correct,
            trader=trader,
            order_id=order_id,
            exec_ref_id=exec_ref_id,
            quantity=quantity,
            price=price,
            text=text,
            **without_none(given),
        )
        return cast("FillResult[OrderT]", await self._changes.call(CORRECT, request, durability))
