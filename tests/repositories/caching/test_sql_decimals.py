"""A column of a table in PostgreSQL holds every sum of money that Slotbook holds, or the table is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel
from slotbook.models.errors import InvalidArgument
from slotbook.models.types import Amount
from slotbook.repositories.sql import SqlSource

from ...support.make import fresh
from .test_sql_tables import execute


class Sum(BaseModel):
    code: str
    sum: Amount


def source(url: str, of: str) -> SqlSource[Any]:
    name = fresh("t").replace("-", "_")
    execute(url, f"CREATE TABLE {name} (code TEXT PRIMARY KEY, sum {of})")
    return SqlSource[Any].from_url(url, Sum, name, key="code")


@pytest.mark.parametrize("of", ["NUMERIC(72, 36)", "NUMERIC"])
def test_a_sum_of_money_keeps_all_its_places(postgres: Any, of: str) -> None:
    made = source(postgres.url, of)
    sums = [Decimal(f"{sign}{'9' * 36}.{'9' * 36}") for sign in ("", "-")] + [Decimal("1E-36")]
    records = {str(at): Sum(code=str(at), sum=one) for at, one in enumerate(sums)}
    made.store_many(records)
    assert made.load_many(list(records)) == records
    made.close()


@pytest.mark.parametrize("of", ["NUMERIC(71, 36)", "NUMERIC(72, 35)"])
def test_a_column_that_would_cut_a_sum_is_refused(postgres: Any, of: str) -> None:
    made = source(postgres.url, of)
    with pytest.raises(InvalidArgument, match=r"Sum\.sum is not held exactly"):
        made.load_many(["0"])
    made.close()
