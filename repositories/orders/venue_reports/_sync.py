# Generated from repositories/orders/venue_reports/_async.py by scripts/generate_sync.py: edit that one.
"""Carry out requests of any verb, and what venues report, for threads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypeAlias, cast, overload

from ....models.arguments import several
from ....models.errors import SlotbookError
from ....models.execution_report import ExecutionReport
from ....models.order_reports import CancelReject
from ....models.report_results import ReportResult
from ....models.results import FillResult, OrderResult, Outcome
from ....topology._sync.backend import Backend
from ....topology.durability import LOCAL, Durability
from ...changes._sync import Changes
from ...changes.fence import Fence
from ...changes.loss_detector import LossDetector
from ..reads._sync import OrderReads, OrderT
from ..verbs import OrderRequest
from .batch import ReportBatch
from .calls import ReportCalls, ReportSteps

Applied: TypeAlias = OrderResult[OrderT] | FillResult[OrderT]
"""A result of a change of an order."""


class VenueReports(OrderReads[OrderT]):
    """The part of :class:`~slotbook.repositories.orders._sync.OrderRepository` that takes any request."""

    _changes: Changes[OrderRequest, Applied[OrderT]]

    def __init__(self, backend: Backend, loss_detector: LossDetector, fence: Fence, model: type[OrderT]) -> None:
        super().__init__(backend, loss_detector, fence, model)
        self._reports = ReportCalls(self._calls, backend.settings, loss_detector, fence, model)

    @overload
    def apply(
        self,
        request: ExecutionReport | CancelReject,
        *,
        external: bool = False,
        durability: Durability | str | None = None,
    ) -> ReportResult[OrderT]: ...
    @overload
    def apply(
        self, request: OrderRequest, *, external: bool = False, durability: Durability | str | None = None
    ) -> OrderResult[OrderT] | FillResult[OrderT]: ...
    def apply(
        self,
        request: OrderRequest | ExecutionReport,
        *,
        external: bool = False,
        durability: Durability | str | None = None,
    ) -> OrderResult[OrderT] | FillResult[OrderT]:
        """Carry out a request of any verb: place an Order, apply a Fill, a Cancel, a venue's report and so on.

        One round trip. An :class:`~slotbook.models.execution_report.ExecutionReport` is carried out by the verbs that
        it stands for, all or nothing; one of a fill that fits the order takes one round trip, any other two, and two
        more whenever others change the order meanwhile. Its result says what of it the order does not agree with.

        Args:
            request: The request.
            external: Let a report open an order that the book does not have, as the report describes it.
            durability: The copies that the change waits for; by default the book's.

        Raises what the method for such a request raises; for a report also:

        Raises:
            OrderNotFound: There is no such order, and ``external`` is not set.
            OrderMismatch: The report names another symbol or side than the order's.
            DuplicateRequest: The ``exec_id`` was used for another report of this order.
            VersionConflict: Others have changed the order all the time meanwhile.
        """
        if isinstance(request, ExecutionReport):
            report = self._reports.checked(request)
            return self._carry_out(self._reports.steps(report, external=external), durability)
        return self._changes.apply(request, durability)

    def apply_many(
        self,
        requests: Sequence[OrderRequest | ExecutionReport],
        *,
        external: bool = False,
        durability: Durability | str | None = None,
    ) -> list[Outcome[OrderResult[OrderT] | FillResult[OrderT]]]:
        """Carry out any mix of requests, such as a journal, with one outcome for each, in the order given.

        Requests of one trader go together, up to 24 in a call, and are applied in the order given. One round trip per
        node as long as no order's requests are in several calls; each further call for the same order takes another.
        Reports (:class:`~slotbook.models.execution_report.ExecutionReport`) of several traders go side by side, those
        of one trader one after the other, and those behind a request of another kind after it.

        Args:
            requests: The requests.
            external: Let a report open an order that the book does not have, as for ``apply``.
            durability: The copies that the changes wait for; by default the book's.
        """
        given = several("requests", requests)
        if not any(isinstance(request, ExecutionReport) for request in given):
            return self._changes.many(cast("Sequence[OrderRequest]", given), None, durability)
        checked = [
            self._reports.checked(one) if isinstance(one, ExecutionReport) else self._calls.checked([one])[0].request
            for one in given
        ]
        outcomes: list[Outcome[Applied[OrderT]]] = []
        for are_reports, group in groupby(checked, key=lambda one: isinstance(one, ExecutionReport)):
            if are_reports:
                reports = cast("list[ExecutionReport]", list(group))
                outcomes += self._carry_out_many(reports, external=external, durability=durability)
            else:
                outcomes += self._changes.many(cast("list[OrderRequest]", list(group)), None, durability)
        return outcomes

    def _carry_out(self, steps: ReportSteps[OrderT], durability: Durability | str | None) -> ReportResult[OrderT]:
        wanted = self._backend.settings.wanted(durability)
        try:
            call = next(steps)
            while True:
                try:
                    answer = self._backend.run(call, LOCAL if call.readonly else wanted)
                except SlotbookError as error:
                    call = steps.throw(error)
                else:
                    call = steps.send(answer)
        except StopIteration as end:
            return cast("ReportResult[OrderT]", end.value)

    def _carry_out_many(
        self, reports: Sequence[ExecutionReport], *, external: bool, durability: Durability | str | None
    ) -> list[Outcome[Applied[OrderT]]]:
        wanted = self._backend.settings.wanted(durability)
        batch = ReportBatch((report.trader, self._reports.steps(report, external=external)) for report in reports)
        while calls := batch.calls:
            only_reads = all(call.readonly for call in calls)
            batch.answer(self._backend.run_many(calls, LOCAL if only_reads else wanted))
        return cast("list[Outcome[Applied[OrderT]]]", batch.outcomes)
