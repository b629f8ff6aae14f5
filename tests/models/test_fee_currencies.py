"""The currency of a fee, which cannot be said without the fee, in every report of an execution."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from slotbook.models import Correct, ExecutionReport, Fill
from slotbook.models.record import Record

EXECUTION = {"trader": "T001", "order_id": "A1", "exec_id": "X2"}
TRADED = {**EXECUTION, "quantity": 40, "price": "187.22"}
REPORTS = [
    (Fill, TRADED),
    (Correct, {**TRADED, "exec_ref_id": "X1"}),
    (
        ExecutionReport,
        {
            **{**EXECUTION, "exec_type": "TRADE", "status": "FILLED", "symbol": "AAPL", "side": "BUY"},
            **{"last_quantity": 40, "last_price": "187.22"},
        },
    ),
]


@pytest.mark.parametrize(("model", "values"), REPORTS, ids=[model.__name__ for model, _ in REPORTS])
def test_a_currency_needs_a_fee(model: type[Record], values: dict[str, object]) -> None:
    without: list[dict[str, object]] = [{}, {"fee": None}]
    for fee in without:
        with pytest.raises(ValidationError, match="a fee_currency needs a fee"):
            model.model_validate({**values, **fee, "fee_currency": "USD"})
    told = model.model_validate({**values, "fee": "-0.25", "fee_currency": "USD"})
    assert getattr(told, "fee_currency") == "USD"  # noqa: B009 (its type is that of any record)


@pytest.mark.parametrize(("model", "values"), REPORTS, ids=[model.__name__ for model, _ in REPORTS])
def test_a_currency_has_1_to_64_characters_of_those_that_are_seen(
    model: type[Record], values: dict[str, object]
) -> None:
    for currency in ("x", "\u20ac" * 64):
        told = model.model_validate({**values, "fee": 1, "fee_currency": currency})
        assert getattr(told, "fee_currency") == currency  # noqa: B009
    for wrong in ("", "\u20ac" * 65, "U D", "USD\n", "U\u200bD", 'U"D', "U\\D", "U{D", "U}D"):
        with pytest.raises(ValidationError, match="fee_currency"):
            model.model_validate({**values, "fee": 1, "fee_currency": wrong})
