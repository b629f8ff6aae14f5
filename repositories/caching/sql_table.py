"""Map a flat Pydantic model to a table of a SQL database, and build the statements for it. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from sqlalchemy import BigInteger, Boolean, Column, Float, MetaData, Numeric, String, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import TypeDecorator, TypeEngine

from ...models.errors import InvalidArgument
from ...models.types import plain

M = TypeVar("M", bound=BaseModel)

KEYS_PER_PAGE = 1_000
"""The number of keys that one statement lists."""
KEYS_PER_SELECT = 500
"""The number of keys that one statement asks for; SQLite before version 3.32 takes at most 999 parameters."""


class ExactDecimal(TypeDecorator[Decimal]):
    """The type of a column of exact decimals: NUMERIC, or text on SQLite, whose NUMERIC is a float."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return NUMERIC(30, 9), or text on SQLite."""
        return dialect.type_descriptor(String(40) if dialect.name == "sqlite" else Numeric(30, 9))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Return the form in which a value is written."""
        return plain(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Return a value that was read, without the zeros that NUMERIC pads it with."""
        return None if value is None else Decimal(plain(Decimal(value)))


_COLUMN_TYPES: tuple[tuple[type, type[TypeEngine[Any]]], ...] = (
    (bool, Boolean),
    (Decimal, ExactDecimal),
    (int, BigInteger),
    (float, Float),
    (Enum, String),
    (str, String),
)
"""The column type for each Python type; the first that fits is taken, so bool comes before int, and Enum before str."""


class SqlRows(Generic[M]):
    """The rows of a table as values of a model: statements that read and write them, and the conversion of each.

    The table has a column for each field of the model, with the field's name.
    """

    def __init__(self, model: type[M], key: str, table: Table | str) -> None:
        if key not in model.model_fields:
            raise InvalidArgument(f"{model.__name__} has no field {key!r} to be the key of its table")
        self._model = model
        self._names = tuple(model.model_fields)
        self.table = table_of(model, key, table) if isinstance(table, str) else table
        missing = [name for name in self._names if name not in self.table.c]
        if missing:
            raise InvalidArgument(f"the table {self.table.name} has no column {missing[0]!r}")
        self._key: Column[Any] = self.table.c[key]
        self._columns = [self.table.c[name] for name in self._names]

    def select_rows(self, keys: Sequence[str]) -> Select[Any]:
        """Return the statement that reads the rows of some keys."""
        return select(self._key, *self._columns).where(self._key.in_(keys))

    def select_keys(self, after: str) -> Select[Any]:
        """Return the statement that lists the next keys after one, in the database's own order."""
        return select(self._key).where(self._key > after).order_by(self._key).limit(KEYS_PER_PAGE)

    def upsert(self, dialect: str) -> Insert:
        """Return the statement that inserts a row, or updates the one that has its key.

        Raises InvalidArgument for a dialect that is not ``sqlite`` or ``postgresql``.
        """
        inserts: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
            "sqlite": sqlite.insert,
            "postgresql": postgresql.insert,
        }
        if dialect not in inserts:
            raise InvalidArgument(f"SqlSource writes to PostgreSQL and SQLite, not to {dialect}")
        insert = inserts[dialect](self.table).values({name: bindparam(name) for name in self._names})
        changed = {name: insert.excluded[name] for name in self._names if name != self._key.name}
        if not changed:
            return insert.on_conflict_do_nothing(index_elements=[self._key])
        return insert.on_conflict_do_update(index_elements=[self._key], set_=changed)

    def to_row(self, value: M) -> Mapping[str, object]:
        """Return the columns of a value, by name."""
        fields = {name: getattr(value, name) for name in self._names}
        return {name: field.value if isinstance(field, Enum) else field for name, field in fields.items()}

    def from_row(self, row: Sequence[Any]) -> tuple[str, M]:
        """Return the key and the value of a row that ``select_rows`` has read."""
        return str(row[0]), self._model.model_validate(dict(zip(self._names, row[1:], strict=True)))


def table_of(model: type[BaseModel], key: str, name: str) -> Table:
    """Return a table for a flat model, with a column for each field.

    Raises InvalidArgument for a field whose values do not fit one column.
    """
    columns: list[Column[Any]] = []
    for field, info in model.model_fields.items():
        annotation: Any = info.annotation
        types: list[Any] = [annotation]
        if get_origin(annotation) in {Union, UnionType}:
            types = [member for member in get_args(annotation) if member is not type(None)]
        sql_type = _column_type(model, field, types)
        columns.append(Column(field, sql_type, primary_key=field == key, nullable=annotation not in types))
    return Table(name, MetaData(), *columns)


def _column_type(model: type[BaseModel], field: str, types: Sequence[Any]) -> TypeEngine[Any]:
    """Return the type of a field's column; ``types`` are the members of its annotation, which may be ``Annotated``."""
    plain_types: list[Any] = [get_args(member)[0] if hasattr(member, "__metadata__") else member for member in types]
    for python_type, sql_type in _COLUMN_TYPES:
        if all(isinstance(member, type) and issubclass(member, python_type) for member in plain_types):
            return sql_type()
    raise InvalidArgument(f"{model.__name__}.{field} does not fit one column; pass a Table of your own")
