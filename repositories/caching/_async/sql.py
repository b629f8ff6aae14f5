"""A SQL database as the source of a cache, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Generic, Self, TypeVar

from pydantic import BaseModel
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ..sql_table import IN_AT_ONCE, SqlRows

M = TypeVar("M", bound=BaseModel)


class AsyncSqlSource(Generic[M]):
    """The rows of a table as flat Pydantic models: a column for each field, PostgreSQL or SQLite.

    ``table`` is a SQLAlchemy Table of yours whose columns are named like the model's fields, or the name of one;
    ``key`` is the field that is its primary key. Decimals are exact on both databases.
    """

    def __init__(self, engine: AsyncEngine, model: type[M], table: Table | str, *, key: str) -> None:
        self._engine = engine
        self._rows = SqlRows(model, key, table)

    @classmethod
    def from_url(cls, url: str, model: type[M], table: Table | str, *, key: str) -> Self:
        """A source with an engine of its own, for SQLAlchemy's URL; connects when it is first asked. Close it."""
        return cls(create_async_engine(url), model, table, key=key)

    async def create(self) -> None:
        """Make the table if it is not there."""
        async with self._engine.begin() as connection:
            await connection.run_sync(self._rows.table.create, checkfirst=True)

    async def load_many(self, keys: Sequence[str]) -> Mapping[str, M]:
        """The values of those keys that exist: one statement for every 500 keys, in one transaction."""
        found: dict[str, M] = {}
        async with self._engine.connect() as connection:
            for begin in range(0, len(keys), IN_AT_ONCE):
                rows = await connection.execute(self._rows.load(keys[begin : begin + IN_AT_ONCE]))
                found.update(self._rows.value(row) for row in rows)
        return found

    async def store_many(self, values: Mapping[str, M]) -> None:
        """Insert or change the values' rows, all of them or none. A row's key is the value's own."""
        if not values:
            return
        async with self._engine.begin() as connection:
            # In one order always, so that two writers of the same rows cannot wait for each other.
            rows = [self._rows.row(values[key]) for key in sorted(values)]
            await connection.execute(self._rows.upsert(self._engine.dialect.name), rows)

    async def all_keys(self, after: str = "") -> AsyncIterator[str]:
        """Every key behind ``after`` in the database's order, 1,000 to a statement."""
        while True:
            async with self._engine.connect() as connection:
                page = [str(row[0]) for row in await connection.execute(self._rows.page(after))]
            if not page:
                return
            for key in page:
                after = key
                yield key

    async def close(self) -> None:
        """Close the engine's connections."""
        await self._engine.dispose()
