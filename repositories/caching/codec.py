"""Write cached values to the fields of a hash, and read them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from ...models.arguments import each, shown
from ...models.errors import CorruptRecord, InvalidArgument
from ...models.record import Record, as_stored
from ...models.symbol import SymbolInfo
from ...models.wire import decode, encode

T = TypeVar("T")
R = TypeVar("R", bound=Record)

JSON_FIELD = "value"


class CacheCodec(Protocol[T]):
    """The stored form of the values of one type. Every value has a field, for without fields there is no hash."""

    def encode(self, value: T) -> Mapping[str, str]:
        """Return the fields of a value. Raises InvalidArgument."""
        ...

    def decode(self, key: str, fields: Mapping[str, str]) -> T:
        """Return the value of fields; ``key`` names it in errors. Raises CorruptRecord."""
        ...


class RecordCodec(Generic[R]):
    """The stored form of one of Slotbook's own models: a field of the hash for each field of the model."""

    def __init__(self, model: type[R]) -> None:
        self._model = model

    def encode(self, value: R) -> Mapping[str, str]:
        """Return the fields of a record, without those that are None."""
        return encode(value)

    def decode(self, key: str, fields: Mapping[str, str]) -> R:
        """Return the record of fields; ``key`` names it in errors. Raises CorruptRecord."""
        return decode(self._model, key, fields)


class JsonCodec(Generic[T]):
    """The stored form of values that Pydantic can write as JSON: all of it in one field."""

    def __init__(self, model: type[T]) -> None:
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(model)
            self._adapter.rebuild()  # resolves forward references, so that an unknown one is found here
        except Exception as error:  # Pydantic raises many types of error for a model that it does not know
            raise InvalidArgument(f"{shown(model)} is no type that Pydantic knows: {type(error).__name__}") from error

    def encode(self, value: T) -> Mapping[str, str]:
        """Return the one field of a value. Raises InvalidArgument when it cannot be written as JSON."""
        try:
            return {JSON_FIELD: self._adapter.dump_json(value, by_alias=True, warnings="error").decode()}
        except PydanticSerializationError as error:
            raise InvalidArgument(f"the value cannot be written as JSON: {error}") from None

    def decode(self, key: str, fields: Mapping[str, str]) -> T:
        """Return the value of its field; ``key`` names it in errors. Raises CorruptRecord."""
        if JSON_FIELD not in fields:
            raise CorruptRecord(key, JSON_FIELD, "is missing")
        try:
            return self._adapter.validate_json(fields[JSON_FIELD])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise CorruptRecord(key, JSON_FIELD, f"{fields[JSON_FIELD][:80]!r}: {first['msg']}") from None


def by_symbol(infos: Iterable[SymbolInfo]) -> dict[str, SymbolInfo]:
    """Return symbols by their names. Raises InvalidArgument for anything that is not a SymbolInfo."""
    found: dict[str, SymbolInfo] = {}
    for info in each("infos", infos):
        given = cast("object", info)
        if not isinstance(given, SymbolInfo):
            raise InvalidArgument(f"this is no SymbolInfo but a {type(given).__name__}")
        found[given.symbol] = as_stored(given, SymbolInfo)
    return found
