"""A table of a SQL database as the source of a cache, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Generic, Self, TypeVar

from pydantic import BaseModel
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ..sql_table import KEYS_PER_SELECT, SqlRows

M = TypeVar("M", bound=BaseModel)


class AsyncSqlSource(Generic[M]):
    """The rows of a PostgreSQL or SQLite table as flat Pydantic models, with a column for each field.

    Decimals are exact on both databases. Use it like this::

        source = AsyncSqlSource.from_url("postgresql+psycopg://desk@db/desk", SymbolInfo, "symbols", key="symbol")
        symbols = book.symbols.using(source)

    Args:
        engine: An engine of SQLAlchemy; :meth:`close` closes its connections.
        model: A model all of whose fields fit one column each: numbers, text, enums, and None.
        table: A SQLAlchemy ``Table`` whose columns are named like the model's fields, or the name of a table that has
            such columns.
        key: The field that is the primary key of the table.

    Raises InvalidArgument when the model does not fit one table, or the table lacks a column.
    """

    def __init__(self, engine: AsyncEngine, model: type[M], table: Table | str, *, key: str) -> None:
        self._engine = engine
        self._rows = SqlRows(model, key, table)

    @classmethod
    def from_url(cls, url: str, model: type[M], table: Table | str, *, key: str) -> Self:
        """Return a source with an engine of its own, which connects at the first call; close the source when done.

        Args:
            url: A URL of SQLAlchemy, such as ``postgresql+psycopg://user@host/database``.
            model: The model of a row; see the class.
            table: The table, or its name; see the class.
            key: The field that is the primary key.
        """
        return cls(create_async_engine(url), model, table, key=key)

    async def create(self) -> None:
        """Create the table if it does not exist."""
        async with self._engine.begin() as connection:
            await connection.run_sync(self._rows.table.create, checkfirst=True)

    async def load_many(self, keys: Sequence[str]) -> Mapping[str, M]:
        """Return the values of those keys that exist, by key: one statement for every 500 keys, in one transaction."""
        found: dict[str, M] = {}
        async with self._engine.connect() as connection:
            for begin in range(0, len(keys), KEYS_PER_SELECT):
                rows = await connection.execute(self._rows.select_rows(keys[begin : begin + KEYS_PER_SELECT]))
                found.update(self._rows.from_row(row) for row in rows)
        return found

    async def store_many(self, values: Mapping[str, M]) -> None:
        """Insert or update the values' rows in one transaction; the key of a row is the value's own field.

        Raises InvalidArgument for a database that is neither PostgreSQL nor SQLite.
        """
        if not values:
            return
        async with self._engine.begin() as connection:
            # Always in the same order, so that two writers of the same rows cannot wait for each other.
            rows = [self._rows.to_row(values[key]) for key in sorted(values)]
            await connection.execute(self._rows.upsert(self._engine.dialect.name), rows)

    async def all_keys(self, after: str = "") -> AsyncIterator[str]:
        """Yield every key that follows ``after`` in the database's order, which is read 1,000 keys at a time."""
        while True:
            async with self._engine.connect() as connection:
                page = [str(row[0]) for row in await connection.execute(self._rows.select_keys(after))]
            if not page:
                return
            for key in page:
                after = key
                yield key

    async def close(self) -> None:
        """Close the engine's connections."""
        await self._engine.dispose()
