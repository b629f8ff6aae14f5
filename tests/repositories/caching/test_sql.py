"""SqlSource and AsyncSqlSource on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import BaseModel
from slotbook.models import OrderStatus, SymbolInfo
from slotbook.models.errors import InvalidArgument, SourceFailed
from slotbook.repositories.sql import AsyncSqlSource, SqlSource
from sqlalchemy import Column, MetaData, String, Table, create_engine, text

from ...support.callers import CALLERS, Blocking
from ...support.make import fresh
from .conftest import CacheSetup, symbol


class Instrument(BaseModel):
    """A model with a field of each type that fits a column."""

    code: str
    name: str | None
    lot: int
    tick: Decimal
    ratio: float
    active: bool
    status: OrderStatus


def instrument(code: str, **changes: Any) -> Instrument:
    values = {"name": None, "lot": 2**62, "tick": Decimal("0.25"), "ratio": 0.1, "active": True}
    return Instrument.model_validate({"code": code, **values, "status": OrderStatus.NEW, **changes})


class Listing(Blocking):
    """A source for asyncio that is called like one for threads, ``all_keys`` included."""

    @property
    def target(self) -> object:
        return self._target

    def all_keys(self, after: str = "") -> list[str]:
        async def collect() -> list[str]:
            return [key async for key in cast("AsyncIterator[str]", cast(Any, self._target).all_keys(after))]

        return self._runner.run(collect())


def source(urls: tuple[str, str], caller: str, runner: asyncio.Runner, model: Any, table: Any, key: str) -> Any:
    if caller == "sync":
        return SqlSource[Any].from_url(urls[0], model, table, key=key)
    return Listing(AsyncSqlSource[Any].from_url(urls[1], model, table, key=key), runner)


@pytest.mark.parametrize("caller", CALLERS)
def test_what_was_stored_is_loaded(urls: tuple[str, str], caller: str, runner: asyncio.Runner) -> None:
    made = source(urls, caller, runner, SymbolInfo, fresh("t"), "symbol")
    made.create()
    made.create()
    infos = {f"S{number}": symbol(f"S{number}") for number in range(1_100)}
    made.store_many(infos)
    changed = symbol("S7", tick_size=None, lot_size="999999999999999999.999999999999999999", currency=None)
    made.store_many({"S7": changed, "NEW": symbol("NEW", tick_size="0.000000001")})
    found = made.load_many([*infos, "NEW", "NONE"])
    assert found == {**infos, "S7": changed, "NEW": symbol("NEW", tick_size="0.000000001")}
    keys = list(made.all_keys())
    assert (len(keys), set(keys)) == (1_101, set(found))
    assert list(made.all_keys(keys[599])) == keys[600:]
    made.close()


@pytest.mark.parametrize("caller", CALLERS)
def test_every_type_of_field_comes_back_exactly(urls: tuple[str, str], caller: str, runner: asyncio.Runner) -> None:
    made = source(urls, caller, runner, Instrument, fresh("t"), "code")
    made.create()
    one = instrument("É'; --", tick=Decimal("12345678901234567890.123456789"))
    made.store_many({one.code: one})
    found = made.load_many([one.code])[one.code]
    assert found == one
    assert str(found.tick) == "12345678901234567890.123456789"
    made.close()


@pytest.mark.parametrize("caller", CALLERS)
def test_all_or_none_are_stored(urls: tuple[str, str], caller: str, runner: asyncio.Runner) -> None:
    made = source(urls, caller, runner, Instrument, fresh("t"), "code")
    made.create()
    with pytest.raises(Exception, match=r"(?i)too large|out of range"):
        made.store_many({"A": instrument("A"), "B": instrument("B", lot=2**70)})
    assert made.load_many(["A", "B"]) == {}
    made.close()


def test_a_table_of_the_callers_own(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/own.db")
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE sym (symbol TEXT PRIMARY KEY, name TEXT, exchange TEXT, lot_size TEXT, tick_size TEXT, currency TEXT, multiplier TEXT, more TEXT)"  # noqa: E501
            )
        )
        connection.execute(text("INSERT INTO sym VALUES ('AAPL', 'Apple', NULL, '1', '0.01', 'USD', NULL, 'else')"))
    table = Table("sym", MetaData(), autoload_with=engine)
    made = SqlSource(engine, SymbolInfo, table, key="symbol")
    assert made.load_many(["AAPL"])["AAPL"].tick_size == Decimal("0.01")
    made.store_many({"AAPL": symbol(tick_size=None)})
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name, more FROM sym")).one() == ("AAPL Inc.", "else")
    made.close()


class Nested(BaseModel):
    code: str
    legs: dict[str, int]


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"Nested\.legs"):
        SqlSource[Any].from_url("sqlite://", Nested, "t", key="code")
    with pytest.raises(InvalidArgument, match=r"no field 'id'"):
        SqlSource[Any].from_url("sqlite://", SymbolInfo, "t", key="id")
    with pytest.raises(InvalidArgument, match="no column 'name'"):
        SqlSource[Any].from_url("sqlite://", SymbolInfo, Table("t", MetaData(), Column("symbol", String)), key="symbol")


def test_a_cache_in_front_of_it(urls: tuple[str, str], standalone: CacheSetup, runner: asyncio.Runner) -> None:
    caller = standalone.caller
    made = source(urls, caller, runner, SymbolInfo, fresh("t"), "symbol")
    made.create()
    standalone.source = made if caller == "sync" else made.target
    symbols = standalone.symbols()
    assert symbols.write_through(symbol())
    assert symbols.write_through_many([symbol(f"S{number}") for number in range(50)]) == [True] * 50
    symbols.invalidate_matching("*")
    assert symbols.get_or_load("AAPL") == symbol()
    assert symbols.get_or_load("NONE") is None
    warmed = symbols.warm(only_missing=True, batch=20)
    assert (warmed.loaded, warmed.kept, warmed.absent) == (50, 1, 0)
    made.close()


def test_a_database_that_cannot_be_reached(standalone: CacheSetup, runner: asyncio.Runner) -> None:
    urls = "sqlite:////nowhere/x.db", "sqlite+aiosqlite:////nowhere/x.db"
    made = source(urls, standalone.caller, runner, SymbolInfo, "t", "symbol")
    standalone.source = made if standalone.caller == "sync" else made.target
    symbols = standalone.symbols()
    for ask in (lambda: symbols.get_or_load("AAPL"), lambda: symbols.write_through(symbol()), symbols.warm):
        with pytest.raises((SourceFailed, Exception), match="unable to open database file"):
            ask()
    assert symbols.get("AAPL") is None
