"""The pydantic-core schema of a model: its parts, and schemas that read other forms of its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from pydantic_core import SchemaValidator, core_schema

from .building import built
from .derived import is_agreement
from .entity_fields import Schema


def opened(schema: Schema) -> tuple[Schema, dict[str, Schema]]:
    """Return a model's own schema, and by name the definitions that it refers to."""
    definitions: dict[str, Schema] = {}
    while schema["type"] == "definitions":
        definitions |= {one["ref"]: one for one in schema["definitions"]}
        schema = schema["schema"]
    if schema["type"] == "definition-ref":  # a record that holds others of its kind
        schema = {name: part for name, part in definitions[schema["schema_ref"]].items() if name != "ref"}
    return _of_fields(schema), definitions


def _of_fields(schema: Schema) -> Schema:
    """Return a model's schema without the part that compares derived values, which no stored record has."""
    while is_agreement(schema):
        schema = schema["schema"]
    if schema["type"].startswith("function-"):
        return {**schema, "schema": _of_fields(schema["schema"])}
    return schema


def defined(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Return a schema together with the definitions that it refers to."""
    return {"type": "definitions", "schema": schema, "definitions": list(definitions.values())}


def validator(schema: Schema, definitions: Mapping[str, Schema]) -> Callable[[Any], Any]:
    """Return a function that reads values by a schema, whose fields are named as in the model."""
    whole = cast("core_schema.CoreSchema", defined(schema, definitions))
    made = built(lambda: SchemaValidator(whole, _use_prebuilt=False), lambda made: made)
    return partial(made.validate_python, by_alias=False, by_name=True)


def fields_of(schema: Schema) -> Mapping[str, Schema]:
    """Return the schema of each field of a model."""
    while schema["type"] != "model-fields":
        schema = schema["schema"]
    fields: Mapping[str, Schema] = schema["fields"]
    return fields


def with_fields(schema: Schema, fields: Mapping[str, Schema]) -> Schema:
    """Return a model's schema with other schemas of its fields; a field that it does not have is refused."""
    if schema["type"] != "model-fields":
        changed = {**schema, "schema": with_fields(schema["schema"], fields)}
        if schema["type"] == "model":
            changed["config"] = {**schema.get("config", {}), "extra_fields_behavior": "forbid"}
        return changed
    declared = {name: {"type": "model-field", "schema": field} for name, field in fields.items()}
    return {**schema, "fields": declared, "extra_behavior": "forbid"}


def config_of(schema: Schema) -> Schema:
    """Return the configuration of a model, with which its fields are read."""
    while schema["type"] != "model":
        schema = schema["schema"]
    config: Schema = schema.get("config", {})
    return config


def some_of(fields: Mapping[str, Schema], config: Schema) -> Schema:
    """Return the schema of a dictionary that has some of a model's fields; any other is refused."""
    some = {name: {"type": "typed-dict-field", "schema": field, "required": False} for name, field in fields.items()}
    config = {**config, "extra_fields_behavior": "forbid"}
    return {"type": "typed-dict", "fields": some, "extra_behavior": "forbid", "config": config}


def without_default(schema: Schema) -> Schema:
    """Return the schema of a field that must be given."""
    while schema["type"] == "default":
        schema = schema["schema"]
    return schema
