"""Conditions for ``find`` on the fields of a desk's own model, as redis-om writes them.

::

    A = searchable(Allocation)
    book.table(Allocation).find((A.account == "ACC1") & (A.quantity > 10))

Importing this module imports redis-om and numpy; without the extra ``search`` that raises MissingExtra.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, Protocol, cast

from . import om
from .entity import Entity
from .errors import InvalidArgument
from .order import Order
from .record import Record
from .stored import SEPARATOR, Field, Stored
from .stored_entity import stored_entity
from .stored_orders import stored_orders


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


class SearchFields:
    """The fields of a model by which its records can be searched, as attributes; :func:`searchable` returns it."""

    __slots__ = ("_stored",)

    def __init__(self, stored: Stored[Record]) -> None:
        self._stored = stored

    def __getattr__(self, name: str) -> Comparable:
        """Return a field to compare. Raises UnknownField, with the nearest name, when there is none."""
        if name.startswith("__"):
            raise AttributeError(name)
        return cast(Comparable, om.proxy(described(self._stored.field(name)), []))

    def __dir__(self) -> list[str]:
        return sorted(self._stored.fields)


def searchable(model: type[Entity] | type[Order]) -> SearchFields:
    """Return the fields of a desk's own model or class of orders, to be compared in conditions for ``find``.

    Raises InvalidArgument for a model that has no table, and for own fields of orders that could not be stored.
    """
    if isinstance(cast("object", model), type) and issubclass(model, Order):
        return SearchFields(cast("Stored[Record]", stored_orders(model)))
    return SearchFields(cast("Stored[Record]", stored_entity(cast("type[Entity]", model))))


def described(field: Field) -> om.FieldInfo:
    """Return what redis-om has to know of a field."""
    made = om.field(index=True, full_text_search=field.full_text, separator=SEPARATOR, annotation=field.kind)
    made.name = field.name
    return made
