"""How a model is written to a hash and read back: one field each, as text, exactly.

None is an absent field. Decimals have one written form (see :func:`~slotbook.models.types.plain`), enums are stored
by name, so a hash is readable with ``redis-cli`` and from any language. Reading is strict: a field that is missing or
is not in the form that we write raises :class:`~slotbook.models.errors.CorruptRecord`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from .errors import CorruptRecord
from .record import Record
from .types import plain

R = TypeVar("R", bound=Record)

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII).fullmatch
_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,29}|-?(0|[1-9][0-9]{0,29})\.[0-9]{0,8}[1-9]", re.ASCII).fullmatch
_BOOLEAN = re.compile(r"[01]", re.ASCII).fullmatch
_Check = Callable[[str], object]


def _check_of(field: FieldInfo) -> _Check | None:
    annotation: object = field.annotation
    kinds = {annotation, *get_args(annotation)}
    kinds |= {argument for kind in list(kinds) for argument in get_args(kind)}
    for kind, check in ((bool, _BOOLEAN), (Decimal, _DECIMAL), (int, _INTEGER)):
        if kind in kinds:
            return check
    return None


class Codec:
    """What reading one model takes, worked out once."""

    def __init__(self, model: type[Record]) -> None:
        fields = model.model_fields
        self.names = frozenset(fields)
        self.always = frozenset(name for name, field in fields.items() if type(None) not in get_args(field.annotation))
        self.checks = {name: check for name, field in fields.items() if (check := _check_of(field))}


_codecs: dict[type[Record], Codec] = {}


def codec(model: type[Record]) -> Codec:
    """The codec of a model."""
    known = _codecs.get(model)
    if known is None:
        known = _codecs[model] = Codec(model)
    return known


def text(value: object) -> str:
    """One value in its written form."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def encode(record: Record) -> dict[str, str]:
    """The fields of a record that have a value, in their written form."""
    values = record.__dict__
    return {name: text(value) for name, value in values.items() if value is not None}


def decode(model: type[R], key: str, fields: Mapping[str, str]) -> R:
    """Read a record from the fields of its hash; ``key`` names it in errors. Fields we do not know are left alone.

    Raises CorruptRecord.
    """
    rules = codec(model)
    known = {name: value for name, value in fields.items() if name in rules.names}
    if not rules.always <= known.keys():
        raise CorruptRecord(key, min(rules.always - known.keys()), "is missing")
    for name, check in rules.checks.items():
        value = known.get(name)
        if value is not None and not check(value):
            raise CorruptRecord(key, name, f"{value[:80]!r} is not a value that was ever written")
    try:
        return model.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else "price"
        raise CorruptRecord(key, field, f"{known.get(field, '')[:80]!r}: {first['msg']}") from None


def pairs(flat: Sequence[str]) -> dict[str, str]:
    """The fields of a hash from the flat list that a server answers."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
