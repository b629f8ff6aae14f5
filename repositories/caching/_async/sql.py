"""A table of a SQL database as the source of a cache, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel
from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import Select

from ..sql_table import SqlRows, check_pool, engine_options, is_disconnect

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
            such columns. Each column has to hold every value of its field exactly; a CHAR is read without the spaces
            at its end.
        key: The field, of text, that is the primary key of the table.

    Raises InvalidArgument when the model does not fit one table, or the table lacks a column, has one that would change
    values (NUMERIC(10, 2) for a price, REAL, DECIMAL on SQLite), or more than the key in its primary key. The table
    that the database has is looked at with the first call, which then raises it.
    """

    def __init__(self, engine: AsyncEngine, model: type[M], table: Table | str, *, key: str) -> None:
        check_pool(engine.pool)
        self._engine = engine
        self._rows = SqlRows(model, key, table, engine.dialect.name)

    @classmethod
    def from_url(cls, url: str, model: type[M], table: Table | str, *, key: str) -> Self:
        """Return a source with an engine of its own, which connects at the first call; close the source when done.

        A connection that the database has ended is replaced. A SQLite database in memory is the same for all threads.

        Args:
            url: A URL of SQLAlchemy, such as ``postgresql+psycopg://user@host/database``.
            model: The model of a row; see the class.
            table: The table, or its name; see the class.
            key: The field that is the primary key.
        """
        return cls(create_async_engine(url, **engine_options(url)), model, table, key=key)

    async def create(self) -> None:
        """Create the table if it does not exist."""
        async with self._engine.begin() as connection:
            await connection.run_sync(self._rows.table.create, checkfirst=True)

    async def load_many(self, keys: Sequence[str]) -> Mapping[str, M]:
        """Return the values of those keys that exist, by key: one statement for every 500 keys, in one transaction.

        Raises RowsFailed when some rows cannot be read as the model; it has the others.
        """
        return self._rows.found(keys, await self._read(self._rows.select_rows(keys)))

    async def store_many(self, values: Mapping[str, M]) -> None:
        """Insert or update the values' rows in one transaction; the key of a row is the value's own field.

        Raises InvalidArgument for a value whose field is another key, or that the table does not hold as it is, and for
        a database that is neither PostgreSQL nor SQLite. Nothing was written then.
        """
        if not values:
            return
        statement, last = self._rows.upsert(), False
        while True:
            async with self._engine.connect() as connection:
                try:
                    await self._check(connection)
                    await connection.execute(statement, self._rows.to_rows(values))
                except DBAPIError as error:
                    if last or not is_disconnect(error):
                        raise
                    last = True  # nothing was committed, so it is sent once more
                    continue
                await connection.commit()
                return

    async def all_keys(self, after: str = "") -> AsyncIterator[str]:
        """Yield every key that follows ``after`` in the database's order, which is read 1,000 keys at a time."""
        while page := await self._read([self._rows.select_keys(after)]):
            for row in page:
                after = self._rows.key_of(row)
                yield after

    async def close(self) -> None:
        """Close the engine's connections."""
        await self._engine.dispose()

    async def _read(self, statements: Sequence[Select[Any]]) -> list[Sequence[Any]]:
        """Return the rows of some statements, in one transaction; once more if the connection had ended."""
        try:
            return await self._read_once(statements)
        except DBAPIError as error:
            if not is_disconnect(error):
                raise
            return await self._read_once(statements)

    async def _read_once(self, statements: Sequence[Select[Any]]) -> list[Sequence[Any]]:
        async with self._engine.connect() as connection:
            await self._check(connection)
            return [row for statement in statements for row in await connection.execute(statement)]

    async def _check(self, connection: AsyncConnection) -> None:
        if not self._rows.is_checked:
            await connection.run_sync(self._rows.check_own)
