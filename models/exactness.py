"""Tell from a type what of its values JSON does not bring back, before any value is seen. No I/O.

What only a value shows is found when it is written: it is read again and compared (``sameness``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

from .json_schemas import is_decimal_text

_Node: TypeAlias = Mapping[str, Any]

_Definitions: TypeAlias = Mapping[str, _Node]

_NONE: _Definitions = {}
_FIELDS = frozenset(("model-field", "dataclass-field", "typed-dict-field"))
_HIDDEN = frozenset(("_serialize_secret", "_serialize_secret_field"))
"""Pydantic's functions that write stars in place of a secret."""
_NOT_WALKED = frozenset(("metadata", "config", "serialization", "python_schema", "strict_schema", "default"))
_NEVER = {"generator": "is read lazily, once", "callable": "is a function"}


def lost_parts(schema: Mapping[str, Any], at: str, definitions: _Definitions = _NONE) -> Iterator[str]:
    """Yield a sentence for each part of a pydantic-core schema that never comes back; ``at`` names the type.

    ``definitions`` are those that the schema refers to, by name, where it does not have them itself.
    """
    for place, node in _parts(schema, at, dict(definitions)):
        if _writes_stars(node):
            yield f"{place} is a secret, which is written as stars; serialize it yourself"
        elif why := _NEVER.get(_kind(node)):
            yield f"{place} {why}"
        elif _kind(node) in _FIELDS and node.get("serialization_exclude"):
            yield f"{place} is not written (exclude=True)"


def open_parts(schema: Mapping[str, Any], at: str, definitions: _Definitions = _NONE) -> Iterator[str]:
    """Yield the place of each part of a schema that takes values of any type."""
    of_json: set[int] = set()  # what reads only JSON may take what JSON can be
    for place, node in _parts(schema, at, dict(definitions)):
        if _kind(node) == "json-or-python":
            of_json.add(id(node["json_schema"]))
        elif _kind(node) == "any" and id(node) not in of_json:
            yield place


def reads_its_aliases(schema: Mapping[str, Any], at: str) -> bool:
    """Return True when each field is read under the name under which ``by_alias`` writes it."""
    return all(_reads_alias(place, node) for place, node in _parts(schema, at, {}) if _kind(node) in _FIELDS)


def _kind(node: _Node) -> str:
    kind: object = node.get("type")  # of a table of tagged choices, a tag's schema
    return kind if isinstance(kind, str) else ""


def _writes_stars(node: _Node) -> bool:
    function = node.get("serialization", {}).get("function")
    return getattr(function, "__module__", "") == "pydantic.types" and function.__name__ in _HIDDEN


def _writes_itself(node: _Node) -> bool:
    own = node.get("serialization", {})
    return own.get("type") in ("function-plain", "function-wrap") and not is_decimal_text(own)


def _parts(node: _Node, at: str, unseen: dict[str, _Node]) -> Iterator[tuple[str, _Node]]:
    """Yield each part of a schema, with its place, but nothing within what a function of the caller's writes.

    A definition is looked into at the first place that refers to it, and taken out of ``unseen``.
    """
    yield at, node
    if _writes_itself(node):
        return
    if _kind(node) == "definitions":
        unseen |= {one["ref"]: one for one in node["definitions"]}
        node = {"schema": node["schema"]}
    elif _kind(node) == "definition-ref":
        node = {"schema": unseen.pop(node["schema_ref"], {})}
    for name, part in node.items():
        if name not in _NOT_WALKED:
            yield from _parts_of(name, part, at, unseen)


def _parts_of(name: str, part: object, at: str, unseen: dict[str, _Node]) -> Iterator[tuple[str, _Node]]:
    if isinstance(part, Mapping):
        inner = cast("Mapping[str, Any]", part)
        if name == "fields":
            for field, node in inner.items():
                yield from _parts(node, f"{at}.{field}", unseen)
        else:
            yield from _parts(inner, at, unseen)
    elif isinstance(part, (list, tuple)):
        for one in cast("list[object]", part):
            yield from _parts_of("", one, f"{at}{_name_in_dataclass(one)}", unseen)


def _name_in_dataclass(part: object) -> str:
    node: _Node = cast("_Node", part) if isinstance(part, Mapping) else {}
    return f".{node['name']}" if _kind(node) == "dataclass-field" else ""


def _reads_alias(place: str, node: _Node) -> bool:
    name = place.rpartition(".")[2]
    written, read = node.get("serialization_alias") or name, node.get("validation_alias")
    paths: list[Any] = [[name]] if read is None else [[read]] if isinstance(read, str) else read
    if paths and not isinstance(paths[0], list):  # one path
        paths = [paths]
    return [written] in paths
