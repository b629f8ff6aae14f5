"""The hashes of a book as redis-om sees them: one ``HashModel`` for each stored model, derived from it.

Their class attributes make conditions for ``find``:

>>> (OrderHash.symbol == "AAPL") & (OrderHash.quantity > 100)  # doctest: +ELLIPSIS
Expression(op=<Operators.AND: 8>, ...)

They never connect by themselves. Give one a client (``OrderHash.Meta.database = redis.Redis(...)``) and
``OrderHash.get("{T001}:order:A1")`` reads what a book wrote; the key, without the book's prefix, is the ``pk``.

Importing this module imports redis-om, and numpy with it; nothing else in Slotbook does.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import ClassVar, NoReturn, Optional, Protocol, cast

from . import om
from .errors import InvalidArgument
from .order import Order
from .position import Position
from .record import Record
from .stored import ORDERS, POSITIONS, SYMBOLS, Field, Stored
from .symbol import SymbolInfo

SEPARATOR = "\x1f"
"""What separates the tags of a field: a character that no name and no text can hold, so a value is always one tag."""


class Condition(Protocol):
    """What a comparison makes: combine with ``&``, ``|`` and ``~``."""

    def __and__(self, other: Condition, /) -> Condition: ...
    def __or__(self, other: Condition, /) -> Condition: ...
    def __invert__(self) -> Condition: ...


class Comparable(Protocol):
    """A field in a query."""

    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> Condition: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
    def __ne__(self, other: object, /) -> Condition: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
    def __lt__(self, other: object, /) -> Condition: ...
    def __le__(self, other: object, /) -> Condition: ...
    def __gt__(self, other: object, /) -> Condition: ...
    def __ge__(self, other: object, /) -> Condition: ...
    def __mod__(self, other: str, /) -> Condition: ...
    def __lshift__(self, other: Sequence[object], /) -> Condition: ...
    def __rshift__(self, other: Sequence[object], /) -> Condition: ...
    def startswith(self, other: str, /) -> Condition: ...
    def endswith(self, other: str, /) -> Condition: ...
    def contains(self, other: str, /) -> Condition: ...


class _Meta(Protocol):
    database: object


class HashClass(Protocol):
    """A ``HashModel`` class: its attributes are the model's fields, and it is redis-om's in everything else."""

    Meta: ClassVar[type[_Meta]]

    def __getattr__(self, name: str, /) -> Comparable: ...
    def get(self, pk: str) -> object:
        """Read one hash, as redis-om does; needs a client in ``Meta.database``."""
        ...

    def schema_for_fields(self) -> list[str]:
        """redis-om's index schema."""
        ...


class NoDatabase:
    """The client of a class that has none: it says that any server could search, and does nothing else."""

    def execute_command(self, *words: str) -> list[str]:
        """Answer ``COMMAND INFO``, which redis-om asks before it builds a query; refuse the rest."""
        return [words[-1]] if words[0].upper() == "COMMAND" else self._refuse()

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse()

    def _refuse(self) -> NoReturn:
        raise InvalidArgument(
            "this HashModel has no client: query with book.orders.find(...) (positions, symbols), or set its "
            "Meta.database to a redis.Redis"
        )


def _key(cls: type, part: str) -> str:
    """The whole key: nothing is put before it but ``Meta.global_key_prefix``."""
    return f"{getattr(cls, '_meta').global_key_prefix or ''}{part}"  # noqa: B009


def _declared(field: Field) -> tuple[object, object]:
    options = {"index": True, "full_text_search": field.full_text, "separator": SEPARATOR}
    if field.optional:
        return Optional[field.kind], om.field(default=None, **options)  # noqa: UP045  # redis-om knows no X | None
    return field.kind, om.field(**options)


def hash_model(stored: Stored[Record]) -> HashClass:
    """The ``HashModel`` of a stored model: the same fields under the same keys."""
    declared = {field.name: _declared(field) for field in stored.fields.values()}
    namespace: dict[str, object] = {
        "__module__": __name__,
        "__doc__": f"The hash of one {stored.model.__name__}, for redis-om.",
        "__annotations__": {name: annotation for name, (annotation, _) in declared.items()},
        **{name: default for name, (_, default) in declared.items()},
        "Meta": type("Meta", (), {"global_key_prefix": "", "model_key_prefix": stored.kind, "database": NoDatabase()}),
        "make_key": classmethod(_key),
    }
    made = types.new_class(
        f"{stored.model.__name__}Hash", (om.HASH_MODEL,), {"index": True}, lambda body: body.update(namespace)
    )
    return cast(HashClass, made)


OrderHash = hash_model(cast("Stored[Record]", ORDERS))
"""``{trader}:order:<order_id>``"""
PositionHash = hash_model(cast("Stored[Record]", POSITIONS))
"""``{trader}:position:<symbol>``"""
SymbolInfoHash = hash_model(cast("Stored[Record]", SYMBOLS))
"""``symbol:<symbol>``"""

_CLASSES: dict[type[Record], HashClass] = {Order: OrderHash, Position: PositionHash, SymbolInfo: SymbolInfoHash}


def hash_class(model: type[Record]) -> HashClass:
    """The ``HashModel`` of a model of ours."""
    return _CLASSES[model]


def index_schema(stored: Stored[Record]) -> list[str]:
    """The words after SCHEMA in FT.CREATE: redis-om's, with what an exact query needs.

    Tags tell case (redis-om cannot write that of a field that is sortable or full text), the sorting values keep
    theirs, and ``pk``, which is in no hash, is left out.
    """
    words: list[str] = []
    for part in hash_class(stored.model).schema_for_fields():
        name, kind, *rest = part.split(" ")
        field = stored.fields.get(name)
        if field is None:
            continue
        options = ["SORTABLE", "UNF"] if field.sortable and kind == "TAG" else ["SORTABLE"] if field.sortable else []
        if kind == "TAG":
            words += [name, kind, *rest[:2], "CASESENSITIVE", *options, *rest[2:]]
        else:
            words += [name, kind, *rest, *options]
    return words
