"""Write cached values to the fields of a hash, and read them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar, cast

from pydantic import TypeAdapter

from ...models.arguments import each, must_be, shown
from ...models.building import adapter
from ...models.errors import CorruptRecord, InvalidArgument
from ...models.exactness import lost_parts, reads_its_aliases
from ...models.record import Record, as_stored
from ...models.sameness import is_same
from ...models.symbol import SymbolInfo
from ...models.wire import decode, encode
from .source import first_problem

T = TypeVar("T")
R = TypeVar("R", bound=Record)

JSON_FIELD = "value"


class CacheCodec(Protocol[T]):
    """The stored form of the values of one type. Every value has a field, for without fields there is no hash."""

    def encode(self, key: str, value: T) -> Mapping[str, str]:
        """Return the fields of a key's value. Raises InvalidArgument for one that would not come back the same."""
        ...

    def decode(self, entry: str, key: str, fields: Mapping[str, str]) -> T:
        """Return a key's value from its fields; ``entry`` names it in errors. Raises CorruptRecord."""
        ...


class RecordCodec(Generic[R]):
    """The stored form of one of Slotbook's own models: a field of the hash for each field of the model.

    ``identity`` is the field that has the key.
    """

    def __init__(self, model: type[R], identity: str) -> None:
        self._model = model
        self._identity = identity

    def encode(self, key: str, value: R) -> Mapping[str, str]:
        """Return the fields of a record, without those that are None. Raises InvalidArgument."""
        must_be(value, self._model)
        fields = encode(as_stored(value, self._model))
        try:
            again = self.decode(self._model.__name__, key, fields)
        except CorruptRecord as error:
            raise InvalidArgument(f"what was given for {key} is no {self._model.__name__}: {error}") from None
        if not is_same(again.__dict__, value.__dict__):
            raise _changed(key, value, again)
        return fields

    def decode(self, entry: str, key: str, fields: Mapping[str, str]) -> R:
        """Return the record of fields; ``entry`` names it in errors. Raises CorruptRecord, also for another key's."""
        record = decode(self._model, entry, fields)
        if (named := getattr(record, self._identity)) != key:
            raise CorruptRecord(entry, self._identity, f"{named!r} is not {key!r}: it is the record of another key")
        return record


class JsonCodec(Generic[T]):
    """The stored form of values that Pydantic can write as JSON: all of it in one field.

    What is written comes back the same, or it is refused: by its type here, by its value in :meth:`encode`. Where a
    field is written under an alias that it is not read by, all fields are written under their own names.
    """

    def __init__(self, model: type[T]) -> None:
        try:
            self._adapter: TypeAdapter[T] = adapter(model)
            schema: Mapping[str, Any] = self._adapter.core_schema
        except Exception as error:  # Pydantic raises many types of error for a model that it does not know
            raise InvalidArgument(f"{shown(model)} is no type that Pydantic knows: {type(error).__name__}") from error
        name = getattr(model, "__name__", "value")
        if lost := next(lost_parts(schema, name), None):
            raise InvalidArgument(f"values of {shown(model)} cannot be cached: {lost}")
        self._by_alias = reads_its_aliases(schema, name)

    def encode(self, key: str, value: T) -> Mapping[str, str]:
        """Return the one field of a value. Raises InvalidArgument for one that JSON does not bring back the same."""
        try:
            # round_trip leaves out what is computed, and writes JSON in JSON as text.
            written = self._adapter.dump_json(value, by_alias=self._by_alias, warnings="error", round_trip=True)
        except Exception as error:  # what serializes a type of the caller's may raise anything
            raise InvalidArgument(f"the value of {key} cannot be written as JSON: {error}") from None
        try:
            again = self._read(written)
        except Exception as error:
            raise InvalidArgument(f"the value of {key} cannot be read back: {first_problem(error)}") from None
        try:
            same = is_same(value, again)
        except Exception:  # what compares a type of the caller's may raise anything
            same = False
        if not same:
            raise _changed(key, value, again)
        return {JSON_FIELD: written.decode()}

    def decode(self, entry: str, key: str, fields: Mapping[str, str]) -> T:
        """Return the value of its field; ``entry`` names it in errors. Raises CorruptRecord."""
        if JSON_FIELD not in fields:
            raise CorruptRecord(entry, JSON_FIELD, "is missing")
        try:
            return self._read(fields[JSON_FIELD])
        except Exception as error:  # a validator of the caller's may raise anything
            raise CorruptRecord(entry, JSON_FIELD, f"{fields[JSON_FIELD][:80]!r}: {first_problem(error)}") from None

    def _read(self, written: str | bytes) -> T:
        return self._adapter.validate_json(written, by_alias=self._by_alias, by_name=not self._by_alias or None)


def _changed(key: str, value: object, again: object) -> InvalidArgument:
    """Return the error for a value that would come back changed; it names fields and types, and no values."""
    held, read = getattr(value, "__dict__", {}), getattr(again, "__dict__", {})
    if type(value) is not type(again):
        what = f"a {type(value).__name__} would come back as a {type(again).__name__}"
    else:
        names = [name for name in held if not _is_same_or_unknown(held[name], read.get(name))]
        what = f"it would come back with another {' and '.join(names)}" if names else "it would come back changed"
    return InvalidArgument(f"the value of {key} cannot be cached: {what}")


def _is_same_or_unknown(value: object, other: object) -> bool:
    try:
        return is_same(value, other)
    except Exception:
        return False


def by_symbol(infos: Iterable[SymbolInfo]) -> dict[str, SymbolInfo]:
    """Return symbols by their names. Raises InvalidArgument for anything that is not a SymbolInfo."""
    found: dict[str, SymbolInfo] = {}
    for info in each("infos", infos):
        given = cast("object", info)
        if not isinstance(given, SymbolInfo):
            raise InvalidArgument(f"this is no SymbolInfo but a {type(given).__name__}")
        found[given.symbol] = as_stored(given, SymbolInfo)
    return found
