"""A fee is taken from a quantity that is bought, of which it leaves something, and named as what is bought."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError
from slotbook.models import Correct, Execution, Fill, FillDetails

FILL = {"trader": "T1", "order_id": "A1", "exec_id": "X1", "quantity": "0.5", "price": "2499.5"}
TAKEN = {"fee": "0.0005", "fee_currency": "ETH", "fee_from_quantity": True}


@pytest.mark.parametrize("model", [Fill, Correct])
def test_it_needs_a_fee_that_leaves_something_of_a_bought_quantity(model: type[Fill] | type[Correct]) -> None:
    values = {**FILL, "exec_ref_id": "X0"} if model is Correct else FILL
    told = model.model_validate({**values, **TAKEN, "side": "BUY"})
    assert told.fee_from_quantity is True
    assert told.details == '{"fee":"0.0005","fee_currency":"ETH","fee_from_quantity":"1"}'
    for changes, problem in (
        ({"fee": None}, "needs a fee and its fee_currency"),
        ({"fee_currency": None}, "needs a fee and its fee_currency"),
        ({"fee": "0.5"}, "a fee of 0.5 cannot be taken from a quantity of 0.5"),
        ({"fee": "0.0000000000000000001"}, "more than 18 decimal"),
        ({"side": "SELL"}, "a quantity that is bought, and this is a SELL"),
    ):
        with pytest.raises(ValidationError, match=problem):
            model.model_validate({**values, **TAKEN, **changes})


def test_what_is_not_taken_is_not_said() -> None:
    bare = Fill.model_validate({**FILL, **TAKEN, "fee_from_quantity": False})
    assert bare.details == '{"fee":"0.0005","fee_currency":"ETH"}'
    assert Fill.model_validate({**FILL, "fee": 0}).details == '{"fee":"0"}'
    assert Fill.model_validate({**FILL, "fee_from_quantity": False}).details == ""


def test_a_rebate_may_be_added_to_it() -> None:
    rebate = Fill.model_validate({**FILL, **TAKEN, "fee": "-0.5"})
    assert FillDetails.read(rebate.details).model_dump(exclude_none=True) == {
        "fee": Decimal("-0.5"),
        "fee_currency": "ETH",
        "fee_from_quantity": True,
    }


def test_an_execution_says_what_has_arrived() -> None:
    values = {**FILL, "sequence": 1, "live_quantity": "0.4", "live_price": "2499.5"}
    assert Execution.model_validate({**values, **TAKEN}).arrived_quantity == Decimal("0.3995")
    bare = Execution.model_validate({**values, **TAKEN, "fee_from_quantity": None})
    assert bare.arrived_quantity == Decimal("0.4")
