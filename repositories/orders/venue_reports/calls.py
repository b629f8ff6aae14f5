"""Carry out a venue's report step by step: read the order where it has to be, and change it. This module does no I/O.

What is read may be another's by the time that it is changed. So the changes go as a unit that expects the order as it
was read, and the report is decided anew when it is not.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, cast

from ....models.arguments import must_be
from ....models.enums import EventType, ExecType, OrderStatus
from ....models.errors import (
    DuplicateOrder,
    DuplicateRequest,
    OrderNotFound,
    Overfill,
    SlotbookError,
    StateLost,
    UnderReplicated,
    VersionConflict,
)
from ....models.execution_report import ExecutionReport
from ....models.guards import Expect
from ....models.keys import TraderKeys
from ....models.order import Order
from ....models.record import as_stored, copied
from ....models.report_results import ReportedChange, ReportResult
from ....models.results import FillResult, OrderResult, Outcome
from ....models.wire import text
from ....topology.call import Call, Reply, evaluate
from ....topology.settings import Settings
from ...changes.cost_plan import CostPlan
from ...changes.engine import ChangeCalls
from ...changes.fence import Fence
from ...changes.loss_detector import LossDetector
from ...changes.order_models import OrderModels
from ...changes.scripts import load
from ...changes.verb import PositionMoved, Step, Verb
from ...replies import refusal, rows
from ..calls import OrderCalls
from ..differences import differences
from ..replies import found
from ..verbs import ORDER_VERBS, OrderRequest
from .plan import Known, changes_of, check_instrument, described, entries_of, fill_of, opening

TRIES = 16
"""The times that a report is decided when others change its order meanwhile."""
KNOWN = load("slotbook.repositories.orders", "known")

Own = TypeVar("Own", bound=Order)
Changed: TypeAlias = OrderResult[Own] | FillResult[Own]
ReportSteps: TypeAlias = Generator[Call[object], object, ReportResult[Own]]
"""The calls that a report takes, each of which is answered with its value or its error."""


@dataclass(frozen=True, slots=True)
class ExpectTerms:
    """A guard of a unit: an order has a quantity, and does not remember a change. Each is looked at unless it is ''."""

    trader: str
    order_id: str
    quantity: str
    unknown: str


def _read_guard(step: Step[ExpectTerms], answer: list[Reply]) -> None:
    match answer:
        case ["expected"]:
            return
        case ["missing"]:
            raise OrderNotFound(f"{step.name}: there is no such order")
        case ["terms", str(quantity)]:
            raise VersionConflict(f"{step.name}: the order has {quantity}, or has seen another report with its exec_id")
        case other:
            raise refusal(step.name, other)


def _keys(keys: TraderKeys, guard: ExpectTerms) -> tuple[str, ...]:
    return keys.order(guard.order_id), keys.applied(guard.order_id), keys.alias(guard.order_id)


EXPECT_TERMS: Verb[ExpectTerms, None] = Verb(
    name="expect_terms",
    request=ExpectTerms,
    event=None,
    step="expect",
    keys=_keys,
    arguments=lambda guard: (guard.order_id, "", guard.quantity, guard.unknown),
    read_answer=_read_guard,
    describe=lambda guard: f"report of {guard.trader}/{guard.order_id}",
)


class ReportCalls(Generic[Own]):
    """The calls that carry out the reports of one book, whose orders are read as one class."""

    def __init__(
        self,
        calls: OrderCalls[Own],
        settings: Settings,
        loss_detector: LossDetector,
        fence: Fence,
        model: type[Own],
    ) -> None:
        self._calls = calls
        self._model = model
        self._fence = fence
        self._changes: ChangeCalls[OrderRequest | ExpectTerms, Changed[Own]] = ChangeCalls(
            (*ORDER_VERBS, EXPECT_TERMS),
            settings,
            loss_detector,
            fence,
            OrderModels(model, takes_own=model is not Order),
        )

    def checked(self, report: ExecutionReport) -> ExecutionReport:
        """Return a report that can be carried out. Raises InvalidArgument, as for one with fields of its own."""
        must_be(report, ExecutionReport)
        self._fence.check_trader(report.trader)
        return as_stored(report, ExecutionReport)

    def steps(self, report: ExecutionReport, *, external: bool) -> ReportSteps[Own]:
        """Return the calls that carry out a report: one for a fill that fits, else two, and two more for each try."""
        if report.exec_type is ExecType.TRADE:
            result = yield from self._at_once(report, external=external)
            if result is not None:
                return result
        conflict: SlotbookError | None = None
        for _ in range(TRIES):
            known = yield from self._read(report)
            if known.order is not None:
                report = copied(report, order_id=known.order.order_id)
            changes, guard = self._plan(report, known, external=external)
            if not changes:
                order = cast("Own", known.order)
                return ReportResult(order, applied=False, sequence=0, differences=differences(report, order))
            try:
                return (yield from self._change(report, changes, guard))
            except VersionConflict as error:
                conflict = error
            except DuplicateOrder as error:
                if known.order is not None:
                    raise
                conflict = error  # another has opened the order meanwhile
        raise VersionConflict(
            f"{described(report)}: others have changed the order {TRIES} times meanwhile; apply the report again"
        ) from conflict

    def _at_once(
        self, report: ExecutionReport, *, external: bool
    ) -> Generator[Call[object], object, ReportResult[Own] | None]:
        """Apply a fill to an order that is as the report says; return None when it has to be looked at first."""
        _, change, _, _ = entries_of(report)
        quantity = "" if not report.quantity else text(report.quantity)
        guard = ExpectTerms(report.trader, report.order_id, quantity, change)
        try:
            return (yield from self._change(report, [fill_of(report)], [guard]))
        except (VersionConflict, Overfill):
            return None  # the order may have another quantity
        except OrderNotFound as error:
            if not external:
                raise _not_found(report) from error
            return None

    def _change(
        self, report: ExecutionReport, changes: Sequence[OrderRequest], guard: Sequence[ExpectTerms | Expect]
    ) -> ReportSteps[Own]:
        """Make changes as a unit, and return what they come to."""
        plan = CostPlan(self._changes.unit_steps([*guard, *changes]))
        try:
            results = yield from self._folded(plan)
        except (StateLost, UnderReplicated) as error:
            given = error.result
            if isinstance(given, list):
                error.result = self._result(report, changes, cast("list[Changed[Own]]", given))
            raise
        return self._result(report, changes, cast("list[Changed[Own]]", results))

    def _folded(self, plan: CostPlan) -> Generator[Call[object], object, object]:
        """Make changes as a unit, after the costs of revised executions were folded; return its results."""
        while True:
            while reads := plan.reads():
                answers: list[Outcome[object]] = []
                for call in reads:
                    answers.append(Outcome((yield call)))
                plan.learn(answers)
            try:
                return (yield cast("Call[object]", self._changes.unit_of(plan.steps)))
            except PositionMoved as error:
                plan.take(Outcome(error=error))

    def _result(
        self, report: ExecutionReport, changes: Sequence[OrderRequest], results: Sequence[Changed[Own]]
    ) -> ReportResult[Own]:
        last = results[-1]
        types = [
            EventType[change.status.name] if isinstance(change, Order) else self._changes.verb_of(change).event
            for change in changes
        ]
        fills = [result for result in results if isinstance(result, FillResult)]
        return ReportResult(
            last.order,
            applied=any(result.applied for result in results),
            sequence=last.sequence,
            replicas=last.replicas,
            position=fills[-1].position if fills else None,
            late=any(fill.late for fill in fills),
            differences=differences(report, last.order),
            changes=tuple(
                ReportedChange(kind, result.sequence)
                for kind, result in zip(types, results, strict=True)
                if kind is not None
            ),
        )

    def _plan(
        self, report: ExecutionReport, known: Known, *, external: bool
    ) -> tuple[list[OrderRequest], list[Expect | ExpectTerms]]:
        """Return the changes that a report asks for, and the guard under which they are made."""
        if known.order is None:
            return self._opened(report, external=external), []
        order, is_execution = known.order, report.exec_type is ExecType.TRADE or report.exec_type.revises
        check_instrument(report, order)
        if report.exec_type is not ExecType.ORDER_STATUS and (known.change if is_execution else known.execution):
            raise DuplicateRequest(f"{described(report)}: the exec_id was used for a report of another kind")
        return changes_of(report, known, order), [Expect(order.order_id, order.version)]

    def _opened(self, report: ExecutionReport, *, external: bool) -> list[OrderRequest]:
        """Return the changes that open an order which is not there, and do to it what is reported."""
        if not external:
            raise _not_found(report)
        order = opening(report, self._model)
        placed = copied(order, version=1, marks=None if order.status is OrderStatus.NEW else order.status.value)
        changes = changes_of(report, Known(placed), placed)
        if not changes and not report.status.is_open:
            raise OrderNotFound(
                f"{described(report)}: there is no such order, and the report opens none that has ended"
            )
        return [order, *changes]

    def _read(self, report: ExecutionReport) -> Generator[Call[object], object, Known]:
        """Read the order of a report, by any of its ids."""
        known = cast("Known", (yield self._known(report, report.order_id)))
        if known.order is None and (named := (yield self._calls.named_by(report.trader, report.order_id))) is not None:
            known = cast("Known", (yield self._known(report, cast("str", named))))
        return known

    def _known(self, report: ExecutionReport, order_id: str) -> Call[object]:
        """Return the call that reads an order, and what it remembers of a report."""
        keys = self._changes.keys.of(report.trader)
        key = keys.order(order_id)

        def read(reply: Reply) -> Known:
            flat, entries = rows(reply)
            execution, change, terms, named = (entry is not None for entry in rows(entries))
            order = found(self._model, key, report.trader, order_id, flat)
            return Known(order, execution, change, terms, named)

        return evaluate(
            described(report),
            KNOWN,
            KNOWN.keys(order=key, applied=keys.applied(order_id)),
            KNOWN.arguments(entries=entries_of(report)),
            decode=read,
            readonly=True,
            tag=report.trader,
        )


def _not_found(report: ExecutionReport) -> OrderNotFound:
    return OrderNotFound(
        f"{described(report)}: there is no such order; it was never placed, was deleted, or has expired, and only with "
        "external=True a report opens one"
    )


def advance(steps: ReportSteps[Own], answer: Outcome[object] | None) -> Call[object] | Outcome[ReportResult[Own]]:
    """Return the next call of a report, given the answer to the last one; or its outcome, when it has no more."""
    try:
        if answer is None:
            return next(steps)
        return steps.send(answer.value) if answer.error is None else steps.throw(answer.error)
    except StopIteration as end:
        return Outcome(cast("ReportResult[Own]", end.value))
    except SlotbookError as error:
        return Outcome(error=error)
