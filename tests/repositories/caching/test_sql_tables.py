"""A SqlSource gives back what was stored, refuses a table that would change it, and keeps a row's trouble to itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from pydantic import BaseModel, Field
from slotbook.models import SymbolInfo
from slotbook.models.errors import InvalidArgument, RowsFailed, SourceFailed
from slotbook.models.numbers import MAX_QUANTITY
from slotbook.repositories.sql import AsyncSqlSource, SqlSource
from sqlalchemy import (
    CHAR,
    JSON,
    REAL,
    BigInteger,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    create_engine,
    text,
)  # fmt: skip
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import SingletonThreadPool

from ...support.callers import CALLERS
from ...support.make import fresh
from .conftest import CacheSetup, symbol
from .test_sql import Listing, source

COLUMNS = {
    "symbol": "VARCHAR(20) PRIMARY KEY", "name": "TEXT", "exchange": "TEXT", "lot_size": "NUMERIC(36, 18)",
    "tick_size": "NUMERIC(30, 18)", "currency": "TEXT", "multiplier": "NUMERIC(30, 18)",
}  # fmt: skip


def execute(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def table(url: str, extra: str = "", **columns: str) -> str:
    """Create a table for symbols, with some columns of another type, and return its name."""
    name = fresh("t").replace("-", "_")
    named = {
        **COLUMNS,
        **(dict.fromkeys(("tick_size", "lot_size", "multiplier"), "TEXT") if url.startswith("sqlite") else {}),
        **columns,
    }
    execute(url, f"CREATE TABLE {name} ({', '.join(f'{one} {of}' for one, of in named.items())}{extra})")
    return name


@pytest.fixture(params=CALLERS)
def postgresql(request: pytest.FixtureRequest, postgres: Any, runner: asyncio.Runner) -> Iterator[Any]:
    """Yield a function that makes a source for symbols in a table of PostgreSQL."""
    made: list[Any] = []

    def make(name: str, model: Any = SymbolInfo, key: str = "symbol") -> Any:
        made.append(source((postgres.url, postgres.url), request.param, runner, model, name, key))
        return made[-1]

    make.url = postgres.url  # type: ignore[attr-defined]
    yield make
    for one in made:
        one.close()


def test_char_columns_come_back_as_they_were_stored(postgresql: Any) -> None:
    name = table(postgresql.url, symbol="CHAR(8) PRIMARY KEY", name="CHAR(40)")
    made = postgresql(name)
    infos = {key: symbol(key) for key in ("AAPL", "F", "EXACTLY8")}
    made.store_many(infos)
    assert made.load_many([*infos, "NONE"]) == infos
    assert list(made.all_keys()) == sorted(infos)
    assert list(made.all_keys("AAPL")) == ["EXACTLY8", "F"]
    with pytest.raises(InvalidArgument, match="ends in a space"):
        made.store_many({"AAPL": symbol().model_copy(update={"name": "Apple "})})
    assert made.load_many(["AAPL"]) == {"AAPL": symbol()}


@pytest.mark.parametrize(
    ("column", "of"),
    [
        ("symbol", "INTEGER PRIMARY KEY"),
        ("tick_size", "NUMERIC(10, 2)"),
        ("tick_size", "NUMERIC(29, 18)"),
        ("tick_size", "NUMERIC(30, 17)"),
        ("tick_size", "REAL"),
        ("tick_size", "VARCHAR(60)"),
        ("tick_size", "DOUBLE PRECISION"),
        ("lot_size", "DOUBLE PRECISION"),
        ("lot_size", "BIGINT"),
        ("lot_size", "NUMERIC(35, 18)"),
        ("lot_size", "NUMERIC(36, 17)"),
        ("name", "JSON"),
        ("currency", "UUID"),
    ],
)
def test_a_table_that_changes_values_is_refused_at_the_first_call(postgresql: Any, column: str, of: str) -> None:
    made = postgresql(table(postgresql.url, **{column: of}))
    asks: list[Callable[[], object]] = [
        lambda: made.load_many(["AAPL"]), lambda: made.store_many({"AAPL": symbol()}), lambda: list(made.all_keys()),
    ]  # fmt: skip
    for ask in asks:
        with pytest.raises(InvalidArgument, match=rf"SymbolInfo\.{column} "):
            ask()


@pytest.mark.parametrize("of", ["NUMERIC(30, 18)", "NUMERIC", "DECIMAL(38, 20)"])
def test_a_table_that_holds_every_price_is_taken(postgresql: Any, of: str) -> None:
    made = postgresql(table(postgresql.url, tick_size=of))
    infos = {
        "AAPL": symbol(tick_size="999999999999.999999999999999999", lot_size=MAX_QUANTITY),
        "MSFT": symbol("MSFT", tick_size="0.000000000000000001", lot_size="0.000000000000000001"),
    }
    made.store_many(infos)
    assert made.load_many(["AAPL", "MSFT"]) == infos


class Amount(BaseModel):
    code: str
    amount: Decimal
    cents: Decimal = Field(default=Decimal(0), max_digits=10, decimal_places=2)


def test_any_decimal_comes_back_from_a_table_of_ours(urls: tuple[str, str]) -> None:
    made = SqlSource[Any].from_url(urls[0], Amount, fresh("t"), key="code")
    made.create()
    for number in ("0.000000000000000001", "12345678901234567890123456789012345.123456789012345678", "1E-40", "-7E+30"):
        value = Amount(code="A", amount=Decimal(number), cents=Decimal("12345678.99"))
        made.store_many({"A": value})
        assert made.load_many(["A"]) == {"A": value}
    made.close()


def own(*columns: Column[Any]) -> Table:
    return Table("own", MetaData(), *columns)


class Level(IntEnum):
    LOW = 1


class Wide(BaseModel):
    code: str
    at: datetime | None = None
    level: Level = Level.LOW
    tags: list[str] = []
    ratio: float = 0.0


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: own(Column("code", Integer, primary_key=True)), r"Amount\.code is not held exactly"),
        (lambda: own(Column("code", String, primary_key=True), Column("day", String, primary_key=True)), "alone"),
        (lambda: own(Column("code", String)), "alone"),
        (lambda: own(Column("code", String, primary_key=True), Column("amount", Float)), r"Amount\.amount"),
        (lambda: own(Column("code", String, primary_key=True), Column("amount", Numeric)), r"Amount\.amount"),
    ],
)
def test_a_table_that_changes_values_is_refused_when_the_source_is_made(made: Any, said: str) -> None:
    given = made()
    for name in ("amount", "cents"):
        if name not in given.c:
            given.append_column(Column(name, String(60)))
    with pytest.raises(InvalidArgument, match=said):
        SqlSource[Any].from_url("sqlite://", Amount, given, key="code")
    with pytest.raises(InvalidArgument, match=said):
        AsyncSqlSource[Any].from_url("sqlite+aiosqlite://", Amount, given, key="code")


def test_a_column_of_cents_holds_a_field_of_cents() -> None:
    def made(cents: Any) -> Table:
        return own(Column("code", String, primary_key=True), Column("amount", Numeric), Column("cents", cents))

    SqlSource[Any].from_url("postgresql+psycopg://", Amount, made(Numeric(10, 2)), key="code")
    with pytest.raises(InvalidArgument, match=r"Amount\.cents"):
        SqlSource[Any].from_url("postgresql+psycopg://", Amount, made(Numeric(9, 2)), key="code")


def wide(**changes: Any) -> Table:
    types: dict[str, Any] = {
        "at": DateTime(timezone=True), "level": Integer(), "tags": JSON(), "ratio": Float(), **changes,
    }  # fmt: skip
    return own(Column("code", String, primary_key=True), *(Column(name, of) for name, of in types.items()))


@pytest.mark.parametrize(("name", "of"), [("level", String), ("tags", String), ("ratio", REAL), ("at", BigInteger)])
def test_other_types_are_refused_as_well(name: str, of: Any) -> None:
    with pytest.raises(InvalidArgument, match=name):
        SqlSource[Any].from_url("postgresql+psycopg://", Wide, wide(**{name: of()}), key="code")


def test_times_enums_and_lists_in_a_table_of_the_callers(postgres: Any) -> None:
    engine, given = create_engine(postgres.url), wide()
    given.create(engine)
    made = SqlSource(engine, Wide, given, key="code")
    value = Wide(code="A", at=datetime(2026, 11, 26, 9, 30, 0, 123456, tzinfo=UTC), tags=["a", "é"], ratio=0.1)
    made.store_many({"A": value})
    assert made.load_many(["A"]) == {"A": value}
    for bad in (value.model_copy(update={"at": datetime(2026, 1, 1)}), value.model_copy(update={"tags": [("a",)]})):
        with pytest.raises(InvalidArgument):
            made.store_many({"A": bad})
    given.drop(engine)
    made.close()


def test_a_key_made_of_two_columns_is_refused(postgresql: Any) -> None:
    name = table(postgresql.url, ", day DATE, PRIMARY KEY (symbol, day)", symbol="VARCHAR(20)")
    with pytest.raises(InvalidArgument, match="alone does not name a row"):
        postgresql(name).load_many(["AAPL"])
    unique = table(postgresql.url, ", id SERIAL PRIMARY KEY", symbol="VARCHAR(20) UNIQUE")
    made = postgresql(unique)
    made.store_many({"AAPL": symbol()})
    made.store_many({"AAPL": symbol(lot_size=5)})
    assert made.load_many(["AAPL"]) == {"AAPL": symbol(lot_size=5)}


def test_a_row_that_was_not_asked_for_is_refused(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/own.db"
    made = SqlSource[Any].from_url(url, SymbolInfo, table(url, symbol="TEXT COLLATE NOCASE PRIMARY KEY"), key="symbol")
    made.store_many({"AAPL": symbol()})
    with pytest.raises(SourceFailed, match="not asked for, 'AAPL'"):
        made.load_many(["aapl"])
    made.close()


@pytest.mark.parametrize("caller", CALLERS)
def test_a_value_whose_key_is_another_is_refused(urls: tuple[str, str], caller: str, runner: asyncio.Runner) -> None:
    made = source(urls, caller, runner, SymbolInfo, fresh("t"), "symbol")
    made.create()
    with pytest.raises(InvalidArgument, match="'AAPL' has another symbol, 'MSFT'"):
        made.store_many({"IBM": symbol("IBM"), "AAPL": symbol("MSFT")})
    unchecked = SymbolInfo.model_construct(symbol="AAPL", name=None, lot_size="5")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="'AAPL' does not fit its row"):
        made.store_many({"AAPL": unchecked})
    assert made.load_many(["AAPL", "MSFT", "IBM"]) == {}
    made.close()


def test_one_bad_row_is_that_row_s_error(standalone: CacheSetup, urls: tuple[str, str], runner: asyncio.Runner) -> None:
    name = table(urls[0])
    made = source(urls, standalone.caller, runner, SymbolInfo, name, "symbol")
    infos = {f"S{number}": symbol(f"S{number}") for number in range(5)}
    made.store_many(infos)
    execute(urls[0], f"UPDATE {name} SET lot_size = -1 WHERE symbol IN ('S2', 'S3')")  # noqa: S608
    with pytest.raises(RowsFailed, match=r"the row 'S[23]' of the table .*: lot_size: .*, and 1 more") as failed:
        made.load_many([*infos, "NONE"])
    assert failed.value.found == {key: infos[key] for key in ("S0", "S1", "S4")}
    assert failed.value.errors.keys() == {"S2", "S3"}
    standalone.source = made if standalone.caller == "sync" else made.target
    symbols = standalone.symbols(retry_after=60)
    outcomes = dict(zip([*infos, "NONE"], symbols.get_or_load_many([*infos, "NONE"]), strict=True))
    assert [key for key, outcome in outcomes.items() if outcome.error] == ["S2", "S3"]
    assert outcomes["S1"].result() == infos["S1"]
    with pytest.raises(SourceFailed, match=r"'S2' of the table .*not tried again"):
        symbols.get_or_load("S2")
    warmed = symbols.warm(batch=2)
    assert (warmed.loaded, warmed.failed, sorted(warmed.errors)) == (3, 2, ["S2", "S3"])
    made.close()


KILL = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"""


def with_engine(url: str, caller: str, runner: asyncio.Runner) -> Any:
    """Return a source with an engine of the caller's, which does not try connections before it uses them."""
    if caller == "sync":
        return SqlSource(create_engine(url), SymbolInfo, fresh("t"), key="symbol")
    return Listing(AsyncSqlSource(create_async_engine(url), SymbolInfo, fresh("t"), key="symbol"), runner)


@pytest.mark.parametrize("engine", ["of its own", "of the caller's"])
@pytest.mark.parametrize("caller", CALLERS)
def test_a_connection_that_died_is_replaced(postgres: Any, caller: str, engine: str, runner: asyncio.Runner) -> None:
    url = postgres.url
    made = source((url, url), caller, runner, SymbolInfo, fresh("t"), "symbol") if engine == "of its own" else None
    made = made or with_engine(url, caller, runner)
    made.create()
    for number in range(3):
        info = symbol(tick_size=f"0.{number + 1}")
        execute(url, KILL)
        made.store_many({"AAPL": info})
        execute(url, KILL)
        assert made.load_many(["AAPL"]) == {"AAPL": info}
        execute(url, KILL)
        assert list(made.all_keys()) == ["AAPL"]
    made.close()


def test_a_database_in_memory_is_one_for_all_threads(standalone: CacheSetup, runner: asyncio.Runner) -> None:
    urls = "sqlite://", "sqlite+aiosqlite:///:memory:"
    made = source(urls, standalone.caller, runner, SymbolInfo, "t", "symbol")
    made.create()
    infos = {f"S{number}": symbol(f"S{number}") for number in range(40)}

    def store(key: str) -> None:
        made.store_many({key: infos[key]})

    def load(key: str) -> object:
        return made.load_many([key])

    if standalone.caller == "sync":
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(store, infos))
            found = list(threads.map(load, infos))
    else:

        async def all_at_once() -> list[Any]:
            await asyncio.gather(*(made.target.store_many({key: infos[key]}) for key in infos))
            return await asyncio.gather(*(made.target.load_many([key]) for key in infos))

        found = runner.run(all_at_once())
    assert found == [{key: infos[key]} for key in infos]
    made.close()


def test_an_engine_with_a_database_for_each_thread_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="each thread has a database of its own"):
        SqlSource(create_engine("sqlite://", poolclass=SingletonThreadPool), SymbolInfo, "t", key="symbol")


def test_a_char_of_sqlite_is_text_like_any_other(tmp_path: Any) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/own.db")
    columns = (Column(name, CHAR(8), primary_key=name == "code") for name in ("code", "amount", "cents"))
    with pytest.raises(InvalidArgument, match=r"Amount\.amount"):  # it may be too short
        SqlSource(engine, Amount, own(*columns), key="code")
    engine.dispose()
