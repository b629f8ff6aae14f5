"""Map a flat Pydantic model to a table of a SQL database, and build the statements for it. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel
from sqlalchemy import Column, MetaData, Table, UniqueConstraint, bindparam, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, NoSuchTableError
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool, QueuePool, SingletonThreadPool
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import JSON, String

from ...models.arguments import shown
from ...models.errors import InvalidArgument, RowsFailed, SourceFailed
from ...models.numbers import plain
from ...models.sameness import is_same
from .source import first_problem
from .sql_columns import ExactDecimal, column_for, is_padded, is_unknown, kind_of, problem, takes_none

M = TypeVar("M", bound=BaseModel)

KEYS_PER_PAGE = 1_000
"""The number of keys that one statement lists."""
KEYS_PER_SELECT = 500
"""The number of keys that one statement asks for; SQLite before version 3.32 takes at most 999 parameters."""


class SqlRows(Generic[M]):
    """The rows of a table as values of a model: statements that read and write them, and the conversion of each.

    The table has a column for each field of the model, with the field's name, which holds its values exactly.
    """

    def __init__(self, model: type[M], key: str, table: Table | str, dialect: str) -> None:
        if key not in model.model_fields:
            raise InvalidArgument(f"{model.__name__} has no field {key!r} to be the key of its table")
        self._model = model
        self._names = tuple(model.model_fields)
        self._kinds = {name: kind_of(field) for name, field in model.model_fields.items()}
        self._key_name = key
        self._dialect = dialect
        self.table = table_of(model, key, table) if isinstance(table, str) else table
        self._check(self.table)
        self._key: Column[Any] = self.table.c[key]
        self._columns = [self.table.c[name] for name in self._names]
        self._padded = {name for name in self._names if is_padded(self.table.c[name], dialect)}
        self.is_checked = False
        """True once the database's own table has been looked at."""

    def check_own(self, connection: Connection) -> None:
        """Look at the table as the database has it; raise InvalidArgument when it cannot hold the model exactly."""
        try:
            own = Table(self.table.name, MetaData(), schema=self.table.schema, autoload_with=connection)
        except NoSuchTableError:  # the statement says so
            return
        self._check(own, is_own=True)
        self._padded |= {name for name in self._names if is_padded(own.c[name], self._dialect)}
        self.is_checked = True

    def select_rows(self, keys: Sequence[str]) -> list[Select[Any]]:
        """Return the statements that read the rows of some keys."""
        pages = (keys[begin : begin + KEYS_PER_SELECT] for begin in range(0, len(keys), KEYS_PER_SELECT))
        return [select(self._key, *self._columns).where(self._key.in_(page)) for page in pages]

    def select_keys(self, after: str) -> Select[Any]:
        """Return the statement that lists the next keys after one, in the database's own order."""
        return select(self._key).where(self._key > after).order_by(self._key).limit(KEYS_PER_PAGE)

    def upsert(self) -> Insert:
        """Return the statement that inserts a row, or updates the one that has its key.

        Raises InvalidArgument for a dialect that is not ``sqlite`` or ``postgresql``.
        """
        inserts: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
            "sqlite": sqlite.insert,
            "postgresql": postgresql.insert,
        }
        if self._dialect not in inserts:
            raise InvalidArgument(f"SqlSource writes to PostgreSQL and SQLite, not to {self._dialect}")
        insert = inserts[self._dialect](self.table).values({name: bindparam(name) for name in self._names})
        changed = {name: insert.excluded[name] for name in self._names if name != self._key.name}
        if not changed:
            return insert.on_conflict_do_nothing(index_elements=[self._key])
        return insert.on_conflict_do_update(index_elements=[self._key], set_=changed)

    def to_rows(self, values: Mapping[str, M]) -> list[Mapping[str, object]]:
        """Return the columns of values, by name, in the order of their keys.

        The order is always the same, so that two writers of the same rows cannot wait for each other. Raises
        InvalidArgument for a value that the table would not hold as it is.
        """
        return [self._to_row(key, values[key]) for key in sorted(values)]

    def found(self, keys: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, M]:
        """Return the values of rows that ``select_rows`` has read, by key.

        Raises RowsFailed when some cannot be read as the model, and SourceFailed for a row that was not asked for.
        """
        asked, found, errors = set(keys), dict[str, M](), dict[str, SourceFailed]()
        for row in rows:
            key = self.key_of(row)
            if key not in asked or key in found:
                why = "has two rows of" if key in asked else "answers a row that was not asked for,"
                raise SourceFailed(
                    f"the table {self.table.name} {why} {shown(key)}; its key column has to be exact text"
                )
            try:
                found[key] = self._from_row(row[1:])
            except Exception as error:  # a validator of the caller's may raise anything
                errors[key] = SourceFailed(
                    f"the row {shown(key)} of the table {self.table.name}: {first_problem(error)}"
                )
        if errors:
            more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
            raise RowsFailed(f"{next(iter(errors.values()))}{more}", found, errors)
        return found

    def key_of(self, row: Sequence[Any]) -> str:
        """Return the key of a row, which is its first column."""
        return cast("str", self._unpadded(self._key_name, row[0]))

    def _check(self, table: Table, *, is_own: bool = False) -> None:
        missing = [name for name in self._names if name not in table.c]
        if missing:
            raise InvalidArgument(f"the table {table.name} has no column {missing[0]!r}")
        for name in self._names:
            if is_own and is_unknown(table.c[name]):
                continue
            if is_own and self._dialect != "sqlite" and _is_text_for_decimals(self.table.c[name], table.c[name]):
                raise InvalidArgument(f"{self._model.__name__}.{name} is kept as text; pass a Table that says so")
            why = problem(self._kinds[name], table.c[name], self._dialect, is_key=name == self._key_name)
            if why:
                raise InvalidArgument(f"{self._model.__name__}.{name} {why} (table {table.name})")
        if not _is_unique(table, self._key_name):
            raise InvalidArgument(f"the column {self._key_name!r} alone does not name a row of the table {table.name}")

    def _to_row(self, key: str, value: M) -> Mapping[str, object]:
        if type(value) is not self._model or value.__pydantic_extra__:
            raise InvalidArgument(f"the value of {shown(key)} is no plain {self._model.__name__}")
        if (named := getattr(value, self._key_name)) != key:
            raise InvalidArgument(f"the value of {shown(key)} has another {self._key_name}, {shown(named)}")
        try:
            row = {name: self._to_column(name, getattr(value, name)) for name in self._names}
            same = is_same(self._from_row([row[name] for name in self._names]), value)
        except InvalidArgument:
            raise
        except Exception as error:  # a validator of the caller's may raise anything
            raise InvalidArgument(f"the value of {shown(key)} does not fit its row: {first_problem(error)}") from None
        if not same:
            raise InvalidArgument(f"the value of {shown(key)} would not come back the same from its row")
        return row

    def _to_column(self, name: str, value: object) -> object:
        if isinstance(value, Enum):
            value = value.value
        column = self.table.c[name]
        if isinstance(value, Decimal) and isinstance(column.type, String):
            return plain(value)
        if isinstance(column.type, JSON) and not is_same(json.loads(json.dumps(value)), value):
            raise InvalidArgument(f"{name} {shown(value)} would not come back the same from JSON")
        if isinstance(value, str) and name in self._padded and value.endswith(" "):
            raise InvalidArgument(f"{name} {shown(value)} ends in a space, which a column CHAR does not keep")
        if isinstance(value, (datetime, time)):
            is_aware = value.tzinfo is not None
            if is_aware != bool(getattr(column.type, "timezone", False)) or (is_aware and self._dialect == "sqlite"):
                raise InvalidArgument(
                    f"{name} {shown(value)} {'has a' if is_aware else 'lacks the'} time zone of its column"
                )
        return value

    def _from_row(self, columns: Sequence[Any]) -> M:
        values = {name: self._unpadded(name, held) for name, held in zip(self._names, columns, strict=True)}
        return self._model.model_validate(values, by_alias=False, by_name=True)

    def _unpadded(self, name: str, held: Any) -> Any:
        return held.rstrip(" ") if name in self._padded and isinstance(held, str) else held


def table_of(model: type[BaseModel], key: str, name: str) -> Table:
    """Return a table for a flat model, with a column for each field.

    Raises InvalidArgument for a field whose values do not fit one column.
    """
    columns: list[Column[Any]] = []
    for field, info in model.model_fields.items():
        sql_type = column_for(kind_of(info))
        if sql_type is None:
            raise InvalidArgument(f"{model.__name__}.{field} does not fit one column; pass a Table of your own")
        columns.append(Column(field, sql_type, primary_key=field == key, nullable=takes_none(info)))
    return Table(name, MetaData(), *columns)


def engine_options(url: str) -> dict[str, Any]:
    """Return the options of an engine: a connection is tried before it is used, since the database may have ended it.

    A database in memory is that of one connection, which threads and tasks then use in turn.
    """
    parsed = make_url(url)
    in_memory = parsed.database in (None, "", ":memory:") or parsed.query.get("mode") == "memory"
    if parsed.get_backend_name() != "sqlite" or not in_memory:
        return {"pool_pre_ping": True}
    pool = AsyncAdaptedQueuePool if parsed.get_driver_name() == "aiosqlite" else QueuePool
    alone = {"poolclass": pool, "pool_size": 1, "max_overflow": 0}
    return {**alone, "connect_args": {"check_same_thread": False}}


def check_pool(pool: Pool) -> None:
    """Raise InvalidArgument for a pool with which each thread has a database of its own, in memory."""
    if isinstance(pool, SingletonThreadPool):
        raise InvalidArgument(
            "with this engine each thread has a database of its own; use from_url, or poolclass=StaticPool"
        )


def is_disconnect(error: DBAPIError) -> bool:
    """Return True when the database had ended the connection; the pool has dropped those that are as old."""
    return error.connection_invalidated


def _is_unique(table: Table, key: str) -> bool:
    uniques = [list(table.primary_key.columns.keys())]
    uniques += [list(one.columns.keys()) for one in table.constraints if isinstance(one, UniqueConstraint)]
    uniques += [[column.name for column in index.columns] for index in table.indexes if index.unique]
    return [key] in uniques or bool(table.c[key].unique)


def _is_text_for_decimals(declared: Column[Any], own: Column[Any]) -> bool:
    return isinstance(declared.type, ExactDecimal) and isinstance(own.type, String)
