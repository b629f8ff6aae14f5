"""Compare what a venue's report says of an order with the order. This module does no I/O."""

from __future__ import annotations

from decimal import Decimal

from ...models.enums import ExecType
from ...models.execution_report import ExecutionReport
from ...models.order import Order
from ...models.order_reports import CancelReject
from ...models.report_results import Difference


def differences(report: ExecutionReport, order: Order) -> tuple[Difference, ...]:
    """Return what a report says otherwise than the order has it; what it does not say agrees."""
    kind = order.type
    compared: list[Difference] = [
        Difference("status", report.status, order.status),
        Difference("quantity", report.quantity, order.quantity),
        Difference("cumulative_quantity", report.cumulative_quantity, order.filled_quantity),
        Difference("open_quantity", report.open_quantity, order.open_quantity),
    ]
    if kind.takes_price:
        compared.append(Difference("price", report.price, order.price))
    if kind.takes_stop_price:
        compared.append(Difference("stop_price", report.stop_price, order.stop_price))
    if report.exec_type is ExecType.REPLACED:
        compared.append(Difference("client_order_id", report.client_order_id, order.client_order_id))
    found = [one for one in compared if one.reported is not None and one.reported != one.book]
    average = order.average_price
    if report.average_price is not None and not _is_average(report.average_price, average):
        found.append(Difference("average_price", report.average_price, average))
    return tuple(found)


def status_difference(request: CancelReject, order: Order) -> tuple[Difference, ...]:
    """Return the status that a refusal says, where the order has another."""
    if request.status is None or request.status is order.status:
        return ()
    return (Difference("status", request.status, order.status),)


def _is_average(reported: Decimal, average: Decimal | None) -> bool:
    """Return True for an average price that is rounded or cut off, to the places that it is written with or to two.

    >>> _is_average(Decimal("33.333"), Decimal(100) / 3), _is_average(Decimal("33.3"), Decimal("33.35"))
    (True, False)
    """
    if average is None:
        return reported == 0  # the average of no fills
    places = reported.as_tuple().exponent
    unit = Decimal(1).scaleb(min(places, -2) if isinstance(places, int) else -2)
    return abs(reported - average) < unit
