"""Tell whether a column of a SQL table can hold a field's values exactly. No I/O.

A column that would change a value without a word is refused. One that is too small for some values is not: the database
refuses those by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin
from uuid import UUID

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo
from sqlalchemy import (
    CHAR,
    JSON,
    REAL,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Time,
    Uuid,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import CITEXT, DOMAIN, INTERVAL
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from ...models.numbers import DIGITS_OF, plain

_READERS: dict[Callable[..., Any], tuple[int, int]] = {**DIGITS_OF}
"""The digits before and after the point that the readers of Slotbook's own decimals take."""
_BITS_OF_A_SINGLE = 24
_MICROSECONDS = 6


class ExactDecimal(TypeDecorator[Decimal]):
    """The type of a column of exact decimals: NUMERIC of any size, or text on SQLite, whose NUMERIC is a float."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:
        """Return NUMERIC, or text on SQLite."""
        return cast("TypeEngine[Any]", dialect.type_descriptor(String() if dialect.name == "sqlite" else Numeric()))

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> Any:
        """Return the form in which a value is written."""
        return plain(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        """Return a value that was read, without the zeros that NUMERIC pads it with."""
        return None if value is None else Decimal(plain(Decimal(value)))


@dataclass(frozen=True)
class Kind:
    """The kind of a field's values."""

    type: type
    """Their type; of enums the type of their values."""
    digits: tuple[int, int] | None = None
    """Of decimals, the digits before and after the point, as far as the model bounds them."""


def kind_of(field: FieldInfo) -> Kind | None:
    """Return the kind of a field's values, but for None; None when there are several."""
    members = list(_members(field.annotation, tuple(field.metadata)))
    kinds = {_value_type(member) for member, _ in members}
    if len(kinds) != 1 or None in kinds:
        return None
    (kind,) = kinds
    bounds = [_digits(metadata) for _, metadata in members] if kind is Decimal else []
    whole, places = zip(*[bound for bound in bounds if bound], strict=True) if bounds and all(bounds) else ((), ())
    return Kind(kind or NoneType, (max(whole), max(places)) if whole else None)


def column_for(kind: Kind | None) -> TypeEngine[Any] | None:
    """Return the type of a new column for values of a kind; None when they do not fit one column."""
    from_type: dict[type, Callable[[], TypeEngine[Any]]] = {
        bool: Boolean, Decimal: ExactDecimal, int: BigInteger, float: Float, str: String,
    }  # fmt: skip
    make = from_type.get(kind.type) if kind else None
    return make() if make else None


def takes_none(field: FieldInfo) -> bool:
    """Return True for a field that may be None."""
    return NoneType in get_args(field.annotation) or field.annotation is NoneType


def is_padded(column: Column[Any], dialect: str) -> bool:
    """Return True for CHAR, which is read with spaces up to its length."""
    return isinstance(_inner(column.type), CHAR) and dialect != "sqlite"


def problem(kind: Kind | None, column: Column[Any], dialect: str, *, is_key: bool) -> str | None:
    """Return why a column cannot hold values of a kind exactly; None when it can."""
    held = _inner(column.type)
    if kind is None:
        return "has values of several types, or of one that no column holds"
    if is_key and kind.type is not str:
        return "is the key, and no text"
    if is_key and isinstance(held, CITEXT):
        return f"is the key, and {_name(held)} finds keys that were not asked for"
    fits = _FITS.get(kind.type)
    if fits is None or not fits(held, kind, dialect):
        return f"is not held exactly by {_name(held)}"
    return None


def _fits_int(held: TypeEngine[Any], kind: Kind, dialect: str) -> bool:
    is_whole = isinstance(held, Numeric) and not isinstance(held, Float) and dialect != "sqlite"
    return isinstance(held, Integer) or is_whole


def _fits_float(held: TypeEngine[Any], kind: Kind, dialect: str) -> bool:
    if dialect == "sqlite":  # all its floats are doubles
        return isinstance(held, Float)
    return isinstance(held, Float) and not isinstance(held, REAL) and (held.precision or 53) > _BITS_OF_A_SINGLE


def _fits_decimal(held: TypeEngine[Any], kind: Kind, dialect: str) -> bool:
    if isinstance(held, ExactDecimal):
        return True
    if isinstance(held, String):
        return not isinstance(held, CHAR) and (held.length is None or held.length >= _longest(kind))
    if not isinstance(held, Numeric) or isinstance(held, Float) or dialect == "sqlite":
        return False
    if held.precision is None:
        return dialect == "postgresql"
    places = held.scale or 0
    return kind.digits is not None and places >= kind.digits[1] and held.precision - places >= kind.digits[0]


def _longest(kind: Kind) -> int:
    return sum(kind.digits) + 2 if kind.digits else 40


def _fits_datetime(held: TypeEngine[Any], kind: Kind, dialect: str) -> bool:
    return isinstance(held, DateTime) and (getattr(held, "precision", None) or _MICROSECONDS) >= _MICROSECONDS


def _fits_time(held: TypeEngine[Any], kind: Kind, dialect: str) -> bool:
    return isinstance(held, Time) and (getattr(held, "precision", None) or _MICROSECONDS) >= _MICROSECONDS


def _is_a(*types: type[TypeEngine[Any]]) -> Callable[[TypeEngine[Any], Kind, str], bool]:
    return lambda held, kind, dialect: isinstance(held, types)


_FITS: dict[type, Callable[[TypeEngine[Any], Kind, str], bool]] = {
    bool: _is_a(Boolean, Integer),
    int: _fits_int,
    float: _fits_float,
    Decimal: _fits_decimal,
    str: _is_a(String),
    bytes: _is_a(LargeBinary),
    datetime: _fits_datetime,
    date: _is_a(Date),
    time: _fits_time,
    timedelta: _is_a(Interval, INTERVAL),
    UUID: _is_a(Uuid),
    list: _is_a(JSON),
    dict: _is_a(JSON),
}


def _inner(held: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type that a domain of PostgreSQL stands for."""
    while isinstance(held, DOMAIN):
        held = held.data_type
    return held


def is_unknown(column: Column[Any]) -> bool:
    """Return True for a column of which the database does not say a type that SQLAlchemy knows."""
    return isinstance(_inner(column.type), NullType)


def _name(held: TypeEngine[Any]) -> str:
    try:
        return f"a column {held.compile()}"
    except Exception:  # a type without a name of its own in SQL
        return f"a column {type(held).__name__}"


def _members(annotation: Any, metadata: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Yield the types of an annotation that are not None, each with its metadata."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        yield from _members(inner, (*metadata, *more))
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member, metadata)
    elif origin is Literal:
        for value in get_args(annotation):
            yield type(value), metadata
    elif annotation is not NoneType:
        yield origin or annotation, metadata


def _value_type(member: Any) -> type | None:
    if not isinstance(member, type):
        return None
    if issubclass(member, Enum):
        kinds: set[type] = {type(cast("object", one.value)) for one in member}
        return kinds.pop() if len(kinds) == 1 else None
    return next((kind for kind in _FITS if issubclass(member, kind)), None)


def _digits(metadata: tuple[Any, ...]) -> tuple[int, int] | None:
    for item in _flat(metadata):
        if isinstance(item, BeforeValidator) and (known := _READERS.get(item.func)):
            return known
    most = next((item.max_digits for item in _flat(metadata) if getattr(item, "max_digits", None)), None)
    places = next((item.decimal_places for item in _flat(metadata) if getattr(item, "decimal_places", None)), None)
    return (most - places, places) if most and places is not None else None


def _flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for item in metadata:
        yield from (_flat(tuple(item.metadata)) if isinstance(item, FieldInfo) else (item,))
