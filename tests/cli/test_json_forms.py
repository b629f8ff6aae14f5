"""The JSON of commands is that of the models, whichever command prints it: decimals are strings, counts are numbers."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slotbook.cli.output import fields_of
from slotbook.models.record import Record

from ..support.strategies import MODELS


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(data=st.data())
def test_a_command_prints_what_the_model_dumps(model: type[Record], data: st.DataObject) -> None:
    record = model.model_validate(data.draw(MODELS[model]))
    printed: dict[str, object] = json.loads(json.dumps(fields_of(record)))
    dumped: dict[str, object] = json.loads(record.model_dump_json())
    assert printed.keys() == dumped.keys()
    for name, value in printed.items():
        if isinstance(getattr(record, name), Decimal):
            assert isinstance(value, str), name
            assert Decimal(value) == Decimal(str(dumped[name]))
            assert value == "0" or not value.startswith(("-0", "0")) or "." in value
            assert "." not in value or not value.endswith("0")
        else:
            assert value == dumped[name], name
    assert model.model_validate(printed) == record
