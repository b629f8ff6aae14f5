"""Build the calls of units: changes of one trader's orders, positions and own records, all made or none."""

from __future__ import annotations

from typing import TypeAlias

from ...models.entity import Entity
from ...models.guards import Expect
from ...models.limits import LimitsChange, LimitsResult, TradingChange, TradingResult
from ...models.results import FillResult, OrderResult, PositionResult, RecordResult
from ...topology.settings import Settings
from ..changes.engine import ChangeCalls
from ..changes.fence import NO_FENCE, Fence
from ..changes.loss_detector import LossDetector
from ..changes.order_models import ANY_ORDERS
from ..limits.calls import LIMIT_VERBS
from ..orders.verbs import ORDER_VERBS, OrderRequest
from ..positions.calls import POSITION_VERBS, PositionRequest
from ..records.verbs import OWN_VERBS, OwnChange

UnitRequest: TypeAlias = OrderRequest | PositionRequest | LimitsChange | TradingChange | OwnChange
"""A change that a unit may have."""
UnitStep: TypeAlias = UnitRequest | Expect
"""A step of a unit: a change, or a guard."""
UnitResult: TypeAlias = OrderResult | FillResult | PositionResult | LimitsResult | TradingResult | RecordResult[Entity]
"""The result of a change of a unit."""


def unit_calls(
    settings: Settings, loss_detector: LossDetector, fence: Fence = NO_FENCE
) -> ChangeCalls[UnitRequest, UnitResult]:
    """Return the builder of the units of one book."""
    verbs = (*ORDER_VERBS, *POSITION_VERBS, *LIMIT_VERBS, *OWN_VERBS)
    return ChangeCalls(verbs, settings, loss_detector, fence, ANY_ORDERS)
