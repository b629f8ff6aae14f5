"""The rules for a model of a desk's own records, each with a sentence that says what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .arguments import shown
from .derived import AGREEMENT
from .entity import KEPT_BY_THE_BOOK, Entity, Index, Key, Marker, SortedIndex, Unique
from .entity_fields import Schema, foreign_class
from .errors import InvalidArgument
from .exactness import lost_parts, open_parts
from .model_schemas import fields_of, opened, without_default
from .record import Record

Markers: TypeAlias = frozenset[type[Marker]]

_MARKERS = (Key, Index, SortedIndex, Unique)
_OF_OTHERS = frozenset(("index", "unique", "primary_key", "sortable", "full_text_search"))
"""Options of ``Field`` in SQLModel and redis-om, which Pydantic takes without a word."""
_OPENS = ("function-before", "function-wrap", "function-plain")


def check_model(model: type[Entity]) -> None:
    """Raise InvalidArgument for a class that has no table, whatever its fields are."""
    given = cast("object", model)
    if not isinstance(given, type) or not issubclass(given, Entity):
        raise InvalidArgument(f"{shown(model)} has no table: it is no subclass of Entity")
    name = model.__name__
    if model.entity_kind is None:
        raise InvalidArgument(f'{name} has no kind: write class {name}(Entity, kind="...")')
    rebuild(model)
    for field in KEPT_BY_THE_BOOK:
        if model.model_fields[field].annotation != Entity.model_fields[field].annotation:
            raise InvalidArgument(f"{name}.{field} is the book's own; call the field something else")
    check_class(model, "a table")


def rebuild(model: type[Record]) -> None:
    """Let a model find the types that were not there when its class was made. Raises InvalidArgument."""
    try:
        model.model_rebuild()
    except Exception as error:  # Pydantic raises many types of error for a type that it does not know
        problem = str(error).partition("\n")[0]
        raise InvalidArgument(f"{model.__name__} cannot be used yet: {problem}") from error


def check_class(model: type[Record], keeper: str) -> None:
    """Raise InvalidArgument for a class that has more than its fields, which its keeper would not store."""
    name, decorators = model.__name__, model.__pydantic_decorators__
    if model.__private_attributes__:
        private = ", ".join(model.__private_attributes__)
        raise InvalidArgument(f"{name}: {private} would not be stored; make it a field or a cached_property")
    if model.model_config.get("extra") != "forbid":
        raise InvalidArgument(f'{name}: {keeper} stores declared fields only; leave extra="forbid" as it is')
    if decorators.model_serializers:
        raise InvalidArgument(f"{name}: {keeper} stores fields one by one; use field_serializer, not model_serializer")
    if any("__init__" in vars(kind) for kind in model.__mro__[: model.__mro__.index(BaseModel)]):
        raise InvalidArgument(f"{name} has an __init__ of its own, which reads would go through; use a validator")


def markers_of(model: type[Entity]) -> Mapping[str, Markers]:
    """Return the markers of each field. Raises InvalidArgument for those that say nothing, or that are misplaced."""
    marked = {name: markers_of_field(f"{model.__name__}.{name}", info) for name, info in model.model_fields.items()}
    if marked.get("trader"):
        raise InvalidArgument(f"{model.__name__}.trader is not marked: it is the first part of every key")
    if "trader" not in marked:
        for name, markers in marked.items():
            if found := sorted(_declared_as(marker) for marker in markers - {Key}):
                problem = "records without a trader are in many hash slots, and an index would be in one"
                remedy = "add trader: Name, or go through all()"
                raise InvalidArgument(f"{model.__name__}.{name} is marked with {found[0]}: {problem}; {remedy}")
    if not any(Key in markers for markers in marked.values()):
        raise InvalidArgument(f"{model.__name__} has no key: mark a field, as in order_id: Annotated[Name, Key]")
    return marked


def whole_record_check(model: type[Entity], plain: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the reason for which a change of some fields cannot be checked without the others; None without any."""
    decorators = model.__pydantic_decorators__
    if checks := [name for name in (*decorators.model_validators, *decorators.root_validators) if name != AGREEMENT]:
        return f"{checks[0]} checks whole records"
    if model.model_post_init is not BaseModel.model_post_init:
        return "model_post_init checks whole records"
    for name, schema in plain.items():
        if any(_takes_info(node) for node in _wrappers(schema)):
            return f"a validator of {name} takes info, so it may look at other fields"
    return None


def is_seen_before(schema: Mapping[str, Any]) -> bool:
    """Return True for a model's schema in which a validator sees the values before the model does."""
    while schema["type"] != "model-fields":
        if schema["type"] in _OPENS:
            return True
        schema = schema["schema"]
    return False


def check_comes_back(place: str, field: Schema, definitions: Mapping[str, Schema]) -> None:
    """Raise InvalidArgument for a field whose type says that its values do not come back equal."""
    if lost := next(lost_parts(field, place, definitions), None):
        raise InvalidArgument(f"{place.partition('.')[0]} cannot be stored: {lost}")
    if foreign := foreign_class(field["schema"], definitions):
        problem = "which Pydantic cannot write; give it a serializer and a validator"
        raise InvalidArgument(f"{place} is a {foreign.__name__}, {problem}")
    if any_type := next(open_parts(field, place, definitions), None):
        raise InvalidArgument(f"{any_type} may be of any type; write the type that it has, such as JsonValue")


def has_own_rules(fields: Mapping[str, Schema]) -> bool:
    """Return True when a model has validators of its own for what the book sets."""
    Entity.model_rebuild()
    own = fields_of(opened(cast("Schema", Entity.__pydantic_core_schema__))[0])
    return any(fields.get(name) != without_default(own[name]["schema"]) for name in KEPT_BY_THE_BOOK)


def markers_of_field(place: str, info: FieldInfo) -> Markers:
    """Return the markers of one field. Raises InvalidArgument for those that say nothing, or that are misplaced."""
    if misplaced := next(_markers_within(info.annotation), None):
        raise InvalidArgument(f"{place}: {misplaced!r} marks a part of the type; write Annotated[..., {misplaced!r}]")
    if _marker(info.default):
        raise InvalidArgument(f"{place}: a marker is its default; write Annotated[..., {info.default!r}]")
    extra = info.json_schema_extra
    if isinstance(extra, dict) and (options := _OF_OTHERS & cast("dict[str, object]", extra).keys()):
        raise InvalidArgument(
            f"{place}: Field({min(options)}=...) is not known here; write Annotated[..., Index], Key or Unique"
        )
    found: set[type[Marker]] = set()
    for one in cast("list[object]", info.metadata):
        if isinstance(one, str) and one.lower() in ("key", "index", "unique"):
            raise InvalidArgument(f"{place}: {one!r} is a text and no marker; import {one.capitalize()} from slotbook")
        if marker := _marker(one):
            if marker not in _MARKERS:
                raise InvalidArgument(f"{place}: {marker.__name__} is no marker; there are Key, Index and Unique")
            found.add(marker)
    if {Index, SortedIndex} <= found:
        raise InvalidArgument(f"{place}: Index(sorted=True) finds records by one value too; leave the other Index out")
    return frozenset(found)


def _declared_as(marker: type[Marker]) -> str:
    """Return the marker that a caller writes."""
    return "Index(sorted=True)" if marker is SortedIndex else marker.__name__


def _marker(one: object) -> type[Marker] | None:
    if isinstance(one, Index) and one.sorted:
        return SortedIndex
    kind = cast("type[object]", one) if isinstance(one, type) else type(one)
    return kind if issubclass(kind, Marker) else None


def _markers_within(annotation: object) -> Iterator[Marker]:
    """Yield the markers in the arguments of a type."""
    metadata = cast("Sequence[object]", getattr(annotation, "__metadata__", ()))
    yield from (marker() for one in metadata if (marker := _marker(one)))
    for argument in get_args(annotation)[: 1 if metadata else None]:
        yield from _markers_within(argument)


def _wrappers(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a field's schema and those that it wraps, from the outside in."""
    inner: Mapping[str, Any] | None = schema
    while inner is not None:
        yield inner
        inner = inner.get("schema")


def _takes_info(node: Mapping[str, Any]) -> bool:
    function: object = node.get("function")
    return isinstance(function, dict) and cast("dict[str, object]", function).get("type") == "with-info"
