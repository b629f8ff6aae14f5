"""How a cached value is written to the fields of a hash and read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from ...models.arguments import each, shown
from ...models.errors import CorruptRecord, InvalidArgument
from ...models.record import Record
from ...models.symbol import SymbolInfo
from ...models.wire import decode, encode

T = TypeVar("T")
R = TypeVar("R", bound=Record)

FIELD = "value"


class CacheCodec(Protocol[T]):
    """The written form of one type; a value is never without fields."""

    def encode(self, value: T) -> Mapping[str, str]:
        """The fields of a value. Raises InvalidArgument."""
        ...

    def decode(self, key: str, fields: Mapping[str, str]) -> T:
        """The value of fields; ``key`` names it in errors. Raises CorruptRecord."""
        ...


class RecordCodec(Generic[R]):
    """A record of Slotbook's own: one field for each of the model's."""

    def __init__(self, model: type[R]) -> None:
        self._model = model

    def encode(self, value: R) -> Mapping[str, str]:
        return encode(value)

    def decode(self, key: str, fields: Mapping[str, str]) -> R:
        return decode(self._model, key, fields)


class JsonCodec(Generic[T]):
    """Anything that Pydantic can write as JSON, in one field."""

    def __init__(self, model: type[T]) -> None:
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(model)
            self._adapter.rebuild()  # a name in quotes is looked up only now
        except Exception as error:  # whatever Pydantic makes of what is no type
            raise InvalidArgument(f"{shown(model)} is no type that Pydantic knows: {type(error).__name__}") from error

    def encode(self, value: T) -> Mapping[str, str]:
        try:
            return {FIELD: self._adapter.dump_json(value, by_alias=True, warnings="error").decode()}
        except PydanticSerializationError as error:
            raise InvalidArgument(f"the value cannot be written as JSON: {error}") from None

    def decode(self, key: str, fields: Mapping[str, str]) -> T:
        if FIELD not in fields:
            raise CorruptRecord(key, FIELD, "is missing")
        try:
            return self._adapter.validate_json(fields[FIELD])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise CorruptRecord(key, FIELD, f"{fields[FIELD][:80]!r}: {first['msg']}") from None


def by_symbol(infos: Iterable[SymbolInfo]) -> dict[str, SymbolInfo]:
    """Symbols by their names. Raises InvalidArgument."""
    found: dict[str, SymbolInfo] = {}
    for info in each("infos", infos):
        given = cast("object", info)
        if not isinstance(given, SymbolInfo):
            raise InvalidArgument(f"this is no SymbolInfo but a {type(given).__name__}")
        found[info.symbol] = info
    return found
