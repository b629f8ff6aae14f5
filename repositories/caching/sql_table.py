"""How a flat Pydantic model is kept in a table of a SQL database: statements only, no I/O and no colour."""

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

PAGE = 1_000
"""Keys and rows that one statement asks for; SQLite takes no more than 999 parameters before version 3.32."""
IN_AT_ONCE = 500


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal that stays what it is: NUMERIC, but text on SQLite, whose NUMERIC is a float."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """NUMERIC(30, 9), or text."""
        return dialect.type_descriptor(String(40) if dialect.name == "sqlite" else Numeric(30, 9))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Write a value."""
        return plain(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Read a value, without the zeros that NUMERIC pads it with."""
        return None if value is None else Decimal(plain(Decimal(value)))


_TYPES: tuple[tuple[type, type[TypeEngine[Any]]], ...] = (
    (bool, Boolean),
    (Decimal, ExactDecimal),
    (int, BigInteger),
    (float, Float),
    (Enum, String),
    (str, String),
)


class SqlRows(Generic[M]):
    """The statements that read and write a model's rows; one column for each field, named like it."""

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

    def load(self, keys: Sequence[str]) -> Select[Any]:
        """The rows of some keys."""
        return select(self._key, *self._columns).where(self._key.in_(keys))

    def page(self, after: str) -> Select[Any]:
        """The next keys, in the database's own order."""
        return select(self._key).where(self._key > after).order_by(self._key).limit(PAGE)

    def upsert(self, dialect: str) -> Insert:
        """Insert a row, or change the one that has its key. Raises InvalidArgument."""
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

    def row(self, value: M) -> Mapping[str, object]:
        """What is written of a value."""
        fields = {name: getattr(value, name) for name in self._names}
        return {name: field.value if isinstance(field, Enum) else field for name, field in fields.items()}

    def value(self, row: Sequence[Any]) -> tuple[str, M]:
        """A key and its value."""
        return str(row[0]), self._model.model_validate(dict(zip(self._names, row[1:], strict=True)))


def table_of(model: type[BaseModel], key: str, name: str) -> Table:
    """A table for a flat model. Raises InvalidArgument for a field that is not a plain value."""
    columns: list[Column[Any]] = []
    for field, info in model.model_fields.items():
        annotation: Any = info.annotation
        kinds: list[Any] = [annotation]
        if get_origin(annotation) in {Union, UnionType}:
            kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        columns.append(
            Column(field, _type_of(model, field, kinds), primary_key=field == key, nullable=annotation not in kinds)
        )
    return Table(name, MetaData(), *columns)


def _type_of(model: type[BaseModel], field: str, kinds: Sequence[Any]) -> TypeEngine[Any]:
    plain_kinds: list[Any] = [get_args(kind)[0] if hasattr(kind, "__metadata__") else kind for kind in kinds]
    for python, sql in _TYPES:
        if all(isinstance(kind, type) and issubclass(kind, python) for kind in plain_kinds):
            return sql()
    raise InvalidArgument(f"{model.__name__}.{field} does not fit one column; pass a Table of your own")
