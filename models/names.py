"""Names and ids: of traders, orders, symbols, executions and requests, as venues and desks write them.

>>> check_name("symbol", "ES 03-24"), check_name("order_id", 10583212)
('ES 03-24', '10583212')
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from secrets import token_bytes
from typing import Annotated, Any, TypeAlias, cast

from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import core_schema

from .arguments import shown
from .building import adapter
from .errors import InvalidArgument
from .json_schemas import CONTROL
from .numbers import number_of

MAX_NAME = 256
"""The characters that a name may have."""

NAME_RULE = (
    f"a name is a string of 1 to {MAX_NAME} characters, or a whole number, without control characters, '{{' or '}}', "
    "and with blanks only inside"
)

_JsonSchema: TypeAlias = dict[str, Any]
_WORD = rf"[^\s{{}}{CONTROL}]+"
NAME_FORM: _JsonSchema = {"type": "string", "maxLength": MAX_NAME, "pattern": f"^{_WORD}( +{_WORD})*$"}
"""The JSON schema of a name. Other invisible characters, which no portable pattern can name, are refused as well."""


def _id_of(value: object) -> str:
    """Return the text of a whole number. Raises ValueError for any other value, and for a boolean."""
    number = number_of(value)
    if not isinstance(number, int) or abs(number) >= 10**MAX_NAME:
        raise ValueError(NAME_RULE)
    return str(int(number))


def _named_rule(kind: type[object], handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
    # pydantic-core checks a text and raises the message itself, which costs less than a validator in Python.
    text = handler(kind)
    number = core_schema.no_info_before_validator_function(_id_of, text)
    either = core_schema.union_schema([text, number], mode="left_to_right")
    return core_schema.custom_error_schema(
        core_schema.lax_or_strict_schema(either, text), "name", custom_error_message=NAME_RULE
    )


def _json_schema(_: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> _JsonSchema:
    return {"anyOf": [NAME_FORM, {"type": "integer"}]} if handler.mode == "validation" else dict(NAME_FORM)


NAME_PATTERN = r"^[^\s{}\p{C}]+( +[^\s{}\p{C}]+)*$"
Name = Annotated[
    str,
    StringConstraints(strict=True, max_length=MAX_NAME, pattern=NAME_PATTERN),
    GetPydanticSchema(_named_rule, _json_schema),
]
"""A trader, order, symbol or request name: 1 to 256 characters, blanks only inside, no control characters or braces.

A whole number is taken as its digits: the id 1 and the id "1" are one identity, which is stored and read as text.
Braces in a name would change the hash tag that decides a key's slot (Redis Cluster specification, "Hash tags").
"""


@cache
def _name() -> TypeAdapter[str]:
    return adapter(Name)


_PLAIN_NAME = re.compile(r"[!-z|~](?:[ -z|~]{0,254}[!-z|~])?").fullmatch
"""The same rule for ASCII names, as most names are, because it is checked faster."""


def is_name_schema(schema: Mapping[str, Any]) -> bool:
    """Return True for the schema of a field that is a Name, with no further rule."""
    return bool(schema["type"] == "custom-error" and schema["schema"] == _name().core_schema.get("schema"))


def is_plain_name(value: object) -> bool:
    """Return True for a text of ASCII that is a name; for any other value ``check_name`` decides."""
    return type(value) is str and _PLAIN_NAME(value) is not None


def check_name(what: str, value: str) -> str:
    """Return a name that a key can be made of; raise InvalidArgument, which names the rule, for any other value.

    A whole number is returned as text, so what goes on with the value that it was given is wrong.
    """
    if isinstance(cast("object", value), str) and _PLAIN_NAME(value):
        return value
    try:
        return _name().validate_python(value)
    except ValidationError:
        raise InvalidArgument(f"{what} {shown(value)} cannot be used: {NAME_RULE}") from None


def check_text_name(what: str, value: str) -> str:
    """Return a name that is a text already, as ``check_name`` does: what goes on with the value may rely on it."""
    if not isinstance(cast("object", value), str):
        raise InvalidArgument(f"{what} {shown(value)} cannot be used: it is a {type(value).__name__}, not a string")
    return check_name(what, value)


def new_id() -> str:
    """Return a random name for a request: 96 bits in 16 characters, short because the book remembers it.

    >>> len(new_id())
    16
    """
    return urlsafe_b64encode(token_bytes(12)).decode()


def derived_id(kind: str, given: str) -> str:
    """Return the name that a request has by another one, such as that of the report which asks for it.

    >>> derived_id("report", "X1"), len(derived_id("report", "X" * 256))
    ('report:X1', 71)
    """
    name = f"{kind}:{given}"
    return name if len(name) <= MAX_NAME else f"{kind}:{hashlib.sha256(given.encode()).hexdigest()}"
