"""redis-om ``HashModel`` classes for the hashes of a book, one derived from each stored model.

Their class attributes make conditions for ``find``:

>>> (OrderHash.symbol == "AAPL") & (OrderHash.quantity > 100)  # doctest: +ELLIPSIS
Expression(op=<Operators.AND: 8>, ...)

They do not connect by themselves. Give a class a client (``OrderHash.Meta.database = redis.Redis(...)``) and
``OrderHash.get("{T001}:order:A1")`` reads what a book wrote; the ``pk`` is the key without the book's prefix.

Importing this module imports redis-om and numpy, which nothing else in Slotbook does.
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
"""The separator of the tags in a field: a character that no name and no text can hold, so that a value is one tag."""


class Condition(Protocol):
    """The result of a comparison; conditions are combined with ``&``, ``|`` and ``~``."""

    def __and__(self, other: Condition, /) -> Condition: ...
    def __or__(self, other: Condition, /) -> Condition: ...
    def __invert__(self) -> Condition: ...


class Comparable(Protocol):
    """A field that can be compared in a query."""

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
    def startswith(self, other: str, /) -> Condition:
        """Match values that begin with a text."""
        ...

    def endswith(self, other: str, /) -> Condition:
        """Match values that end with a text."""
        ...

    def contains(self, other: str, /) -> Condition:
        """Match values that contain a text."""
        ...


class _Meta(Protocol):
    database: object


class HashClass(Protocol):
    """A ``HashModel`` class of redis-om, whose attributes are the fields of a stored model."""

    Meta: ClassVar[type[_Meta]]

    def __getattr__(self, name: str, /) -> Comparable: ...
    def get(self, pk: str) -> object:
        """Read one hash, as redis-om does; needs a client in ``Meta.database``."""
        ...

    def schema_for_fields(self) -> list[str]:
        """Return the index schema that redis-om makes."""
        ...


class NoDatabase:
    """A stand-in for the client of a class that has none.

    It says that the server has every command, so that redis-om builds queries, and refuses everything else.
    """

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
    """Return the whole key, with no prefix but ``Meta.global_key_prefix``."""
    return f"{getattr(cls, '_meta').global_key_prefix or ''}{part}"  # noqa: B009


def _declared(field: Field) -> tuple[object, object]:
    options = {"index": True, "full_text_search": field.full_text, "separator": SEPARATOR}
    if field.optional:
        return Optional[field.kind], om.field(default=None, **options)  # noqa: UP045  # redis-om does not accept X | None
    return field.kind, om.field(**options)


def hash_model(stored: Stored[Record]) -> HashClass:
    """Make the ``HashModel`` of a stored model, with the same fields and the same keys."""
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
    """Return the ``HashModel`` of one of the stored models."""
    return _CLASSES[model]


def index_schema(stored: Stored[Record]) -> list[str]:
    """Return the words after SCHEMA in FT.CREATE: those of redis-om, adapted to exact queries.

    Tags are case-sensitive (redis-om cannot write that for a field that is sortable or full text), values to sort by
    are not normalised (UNF), and ``pk``, which is in no hash, is left out.
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
