"""The models that are stored in hashes: the key of each, and how each of its fields can be queried."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any, Generic, TypeVar, get_args

from pydantic.fields import FieldInfo

from .doubles import Numbers
from .errors import UnknownField
from .fees import Fees
from .numbers import AMOUNT_PLACES
from .order import Order
from .position import Position
from .record import Record
from .symbol import SymbolInfo
from .wire import decode

R_co = TypeVar("R_co", bound=Record, covariant=True)

_NUMBERS: dict[type[object], Numbers] = {int: Numbers(Decimal(1)), Decimal: Numbers(Decimal(1).scaleb(-AMOUNT_PLACES))}
_PROSE = frozenset({"text", "name"})
"""Fields for people to read: they are searched by their words, and records are not sorted by them."""


SEPARATOR = "\x1f"
"""The separator of the tags in a field: no name holds it, and hardly a text, so that a value is one tag."""
_LONGEST_TAG = 4_096
"""Bytes of a text beyond which a server does not look."""


def is_one_tag(text: str) -> bool:
    """Return True for a text that a server finds as it is, when it has no white space at its ends."""
    return bool(text) and not {"\0", SEPARATOR}.intersection(text) and len(text.encode()) < _LONGEST_TAG


class TextForm(Enum):
    """The texts that a field can have, which decide how much a server's answer is worth."""

    NAME = "name"
    """Names as a book has them: a server finds each as it is, and there are no others."""
    WORD = "word"
    """Written forms without white space at their ends: a server finds each as it is."""
    FREE = "free"
    """Any text: a server trims it and divides it, so it finds some that are not asked for."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a stored model."""

    name: str
    kind: type[object]
    """``int``, ``float``, ``Decimal``, ``str`` or an enumeration of texts: the type that redis-om sees."""
    optional: bool
    """True for a field that may be None."""
    numbers: Numbers | None = None
    """The numbers that a numeric field can hold; None for any other field."""
    form: TextForm = TextForm.NAME
    """The texts that any other field can have."""
    full_text: bool = False
    """True for a field that is searched by its words."""
    sortable: bool = True
    """True when records can be sorted by the field."""
    choices: tuple[str, ...] = ()
    """The texts of an enumeration; none for any other field."""
    has_parts: bool = True
    """True when parts of its text can be asked for."""
    is_own: bool = False
    """True for a field of a desk's own, which an index of another version of its model may not have."""
    filled: bool = False
    """True for a field that may have its default where the hash has nothing."""
    default: Decimal | float | str | None = None
    """That default as it is compared; None for one that is not known before."""
    column: str = ""
    """The field of the hash, where that has another name."""
    written: Callable[[Any], str] = str
    """Return the text of a value of a field that is no number."""
    encode: Callable[[object], str] | None = None
    """Return the text of a value that is looked for; None where that is a text. Raises InvalidArgument."""
    instead: str = "use ==, <<, startswith, endswith or contains"
    """The part of an error that says what to write in place of a comparison by size, for what is no number."""

    def value_of(self, record: Record) -> Any:
        """Return what is compared of a record: a number, a text, or None."""
        value: object = getattr(record, self.name)
        return value if value is None or self.numbers else self.written(value)


SCHEMA = Field("_schema", int, optional=False, numbers=_NUMBERS[int])
"""The number of the schema of a record of a desk's own; no field of a model begins with an underscore."""


class Stored(Generic[R_co]):
    """A model that is stored in hashes, identified by the fields that make its key."""

    unsearchable: Mapping[str, str] = MappingProxyType({})
    """Fields of a desk's own that cannot be searched by, each with the reason."""

    def __init__(
        self,
        model: type[R_co],
        kind: str,
        identity: Sequence[str],
        fields: Mapping[str, Field],
        least_version: int = 0,
        copies: Mapping[str, str] | None = None,
    ) -> None:
        self.model = model
        self.least_version = least_version
        """The lowest version of a record that a query finds: a position that never changed is no position yet."""
        self.kind = kind
        """The part of the key after the trader's tag, or the first part of a key without one."""
        self.identity = tuple(identity)
        """The names under which a server keeps the texts that the key is made of."""
        self.fields = fields
        self.schema: str | None = None
        """The schema of a desk's own model: records of others are of another form; None for the book's own."""
        self.copies = copies or {}
        """Further names under which a server keeps the texts of fields, each with its field."""

    @property
    def label(self) -> str:
        """The name of its index, beside those of other kinds."""
        return self.kind

    @property
    def records(self) -> str:
        """The word for several records, in messages."""
        return f"{self.kind}s"

    @property
    def create_option(self) -> str:
        """The argument of ``slotbook index create`` for its index, in messages."""
        return ""

    @property
    def has_tag(self) -> bool:
        """True when the key begins with the hash tag of the trader that the record belongs to."""
        return self.identity[0] == "trader"

    def key(self, prefix: str, identity: Sequence[str]) -> str:
        """Return the key of one record's hash.

        >>> ORDERS.key("desk1:", ("T001", "A1")), SYMBOLS.key("", ("AAPL",))
        ('desk1:{T001}:order:A1', 'symbol:AAPL')
        """
        *trader, name = identity
        return f"{prefix}{f'{{{trader[0]}}}:' if trader else ''}{self.kind}:{name}"

    def call_without_search(self, required: Mapping[str, str]) -> str | None:
        """Return the call of a desk's own table that answers without search; ``required`` are texts that are given.

        None for the book's own models.
        """
        return None

    def identity_of(self, record: Record) -> tuple[str, ...]:
        """Return the identity of a record: the values of the fields that make its key."""
        return tuple(str(getattr(record, name)) for name in self.identity)

    def read(self, key: str, fields: Mapping[str, str]) -> R_co:
        """Return the record of the fields of a hash. Raises CorruptRecord, which names ``key``."""
        return decode(self.model, key, fields)

    def field(self, name: str) -> Field:
        """Return a field to search by. Raises UnknownField, with the nearest name or the reason, when it is none."""
        found = self.fields.get(name)
        if why := self.unsearchable.get(name):
            raise UnknownField(f"{self.model.__name__}.{name} cannot be searched by: {why}")
        if found is None:
            near = (get_close_matches(name, self.fields, 1, 0) or [*self.fields])[0]
            raise UnknownField(f"{self.records} have no field {name!r} to search by; the nearest is {near}")
        return found


def _field(name: str, info: FieldInfo) -> Field:
    annotation: object = info.annotation
    options = [annotation, *get_args(annotation)]
    options += [argument for option in list(options) for argument in get_args(option)]
    kinds = [option for option in options if isinstance(option, type) and option is not type(None)]
    optional, is_prose = type(None) in get_args(annotation), name in _PROSE
    if choices := next((one for one in kinds if issubclass(one, StrEnum)), None):
        return Field(name, choices, optional, choices=tuple(choices))
    kind = next(one for one in kinds if one in (int, Decimal, str))
    return Field(
        name,
        kind,
        optional,
        _NUMBERS.get(kind),
        TextForm.FREE if is_prose else TextForm.NAME,
        full_text=is_prose,
        sortable=not is_prose,
    )


def _own_model(
    model: type[R_co],
    kind: str,
    identity: Sequence[str],
    least_version: int = 0,
    unsearchable: Mapping[str, str] | None = None,
) -> Stored[R_co]:
    left_out = unsearchable or {}
    fields = {
        name: _field(name, info)
        for name, info in model.model_fields.items()
        if info.annotation is not Fees and name not in left_out
    }
    stored = Stored(model, kind, identity, fields, least_version)
    stored.unsearchable = left_out
    return stored


ORDERS = _own_model(Order, "order", ("trader", "order_id"))
POSITIONS = _own_model(
    *(Position, "position", ("trader", "symbol")),
    least_version=1,
    unsearchable={"account": "it is None in traders' positions; book.positions.by_account reads those of accounts"},
)
SYMBOLS = _own_model(SymbolInfo, "symbol", ("symbol",))

STORED: Mapping[str, Stored[Record]] = {stored.kind: stored for stored in (ORDERS, POSITIONS, SYMBOLS)}
"""The book's own models, by kind."""
