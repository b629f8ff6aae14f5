"""The fields that a desk's own class adds to an order or a fill: what the class says, checked once, and their texts.

::

    class DeskOrder(Order):
        strategy: Annotated[Name, Index]
        desk_note: Text | None = None

A book stores them as ``+strategy`` and ``+desk_note``, so that no field of Slotbook's can ever have such a name, in the
written form of own records (``entity_codec``). The names of those with an index are beside them, in ``@own``.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from pydantic_core import from_json

from .arguments import mapping, shown
from .entity import Index, Key, Unique
from .entity_codec import EntityCodec
from .entity_rules import check_class, markers_of_field, rebuild
from .errors import CorruptRecord, InvalidArgument
from .fill import Fill
from .order import Order
from .record import Record, check_fields
from .wire import Unreadable, encode, use_reader

R = TypeVar("R", bound=Record)

SIGN = "+"
"""The beginning of the stored name of an own field."""
OWN_NAMES = "@own"
"""The field of a hash with the names of its own fields that have an index; an order that was placed without own fields
has none."""
MOST_FIELDS = 256
"""The own fields that a model may have."""


class OwnFields(Generic[R]):
    """The own fields of one model, none for a model that adds none."""

    def __init__(self, model: type[R], base: type[Record]) -> None:
        rebuild(model)
        self.model = model
        self.name = model.__name__
        self.base = base
        """The class of Slotbook's that it derives from."""
        self.names = tuple(name for name in model.model_fields if name not in base.model_fields)
        """The names of the own fields, as the class has them."""
        self.indexes: tuple[str, ...] = ()
        """The names of those that orders are found by."""
        if self.names:
            self._check()
            self._codec: EntityCodec[Any] = EntityCodec(cast("type[Any]", model))
            self.indexes = tuple(name for name in self.names if self._has_index(name))
            use_reader(model, self.read)

    @property
    def codec(self) -> EntityCodec[Any]:
        """The writer and reader of a model that has own fields."""
        return self._codec

    def texts_of(self, record: R) -> dict[str, str]:
        """Return the written own fields of a record, without those that are None.

        Raises InvalidArgument for what would not come back equal, and for what is no record of this model.
        """
        check_fields(record, self.model)
        written = self._codec.encode(record)
        return {name: written[name] for name in self.names if name in written}

    def digest_of(self, texts: Mapping[str, str]) -> str:
        """Return the digest of written own fields: the same for equal ones, '' for none."""
        return own_digest(texts, [name for name in self.names if self._codec.not_one_piece(name)])

    def index_text(self, field: str, value: object) -> str:
        """Return the written form of a value of a field that has an index. Raises InvalidArgument."""
        given = cast("object", field)
        if field not in self.names:
            if field in self.base.model_fields:
                there = ", ".join(("symbol", "status", *self.indexes))
                raise InvalidArgument(f"{self.name}.{field} has no index; look by {there}, or use find")
            near = get_close_matches(given, self.names, 1, 0) if isinstance(given, str) else []
            nearest = f"; the nearest is {(near or self.names)[0]}" if self.names else ""
            raise InvalidArgument(f"{self.name} has no field {shown(field)} of its own{nearest}")
        if field not in self.indexes:
            there = f"there are {', '.join(self.indexes)}" if self.indexes else "it has none"
            raise InvalidArgument(
                f"{self.name}.{field} has no index ({there}); declare it as Annotated[..., Index] to look by it"
            )
        written = self._codec.encode_some({field: value})[field]
        if written is None:
            raise InvalidArgument(f"{self.name}.{field} None cannot be looked for: it is in no index")
        return written

    def index_texts(self, values: Mapping[str, object]) -> dict[str, str]:
        """Return the written form of the values to look by. Raises InvalidArgument."""
        written = {field: self.index_text(field, value) for field, value in mapping("values", values).items()}
        if not written:
            raise InvalidArgument(f"{self.name}: no field is given to look by")
        return written

    def with_texts(self, plain: Record, texts: Mapping[str, str]) -> R:
        """Return an order or a fill of this class, given a plain one and its written own fields. Raises Unreadable."""
        for name in texts:
            if name not in self.names:
                raise Unreadable(SIGN + name, f"is no field of {self.name}")
        for name in self.names:
            if name not in texts and self.model.model_fields[name].is_required():
                raise Unreadable(SIGN + name, "is empty")
        return self.read({**encode(plain), **{SIGN + name: text for name, text in texts.items()}})

    def read(self, fields: Mapping[str, str]) -> R:
        """Return the record of the fields of a hash. Raises Unreadable."""
        held = {name: text for name, text in fields.items() if name in self.base.model_fields}
        for name in self.names:
            text = fields.get(SIGN + name)
            if text is None and (OWN_NAMES not in fields or name not in self._codec.nullable):
                text = self._default(name, is_plain=OWN_NAMES not in fields)
            if text is not None:
                held[name] = text
        try:
            return cast("R", self._codec.decode("", held))
        except CorruptRecord as error:
            sign = SIGN if error.field in self.names else ""
            raise Unreadable(sign + error.field, str(error).partition(": ")[2]) from None

    def _default(self, name: str, *, is_plain: bool) -> str | None:
        """Return the text of the default of a field that an order was placed without. Raises Unreadable."""
        field = self.model.model_fields[name]
        if not field.is_required():
            return self._codec.encode_some({name: field.get_default(call_default_factory=True, validated_data={})})[
                name
            ]
        problem = "is missing: the order was placed by an older model"
        if is_plain:
            problem = f"is missing: the order was placed as a plain {self.base.__name__}"
        remedy = f"give {self.name}.{name} a default, or read the order through book.orders"
        raise Unreadable(SIGN + name, f"{problem}; {remedy}")

    def _check(self) -> None:
        """Raise InvalidArgument for a model whose own fields cannot be stored."""
        model, base, name = self.model, self.base, self.name
        if len(self.names) > MOST_FIELDS:
            raise InvalidArgument(f"{name} has {len(self.names)} fields of its own; there may be {MOST_FIELDS}")
        check_class(model, "a book")
        for own in self.names:
            if hasattr(base, own):
                raise InvalidArgument(f"{name}.{own} is {base.__name__}'s own; call the field something else")
        for field, info in base.model_fields.items():
            found = model.model_fields[field]
            if (found.annotation, found.metadata) != (info.annotation, info.metadata):
                raise InvalidArgument(f"{name}.{field} is {base.__name__}'s own, and has another type there")

    def _has_index(self, name: str) -> bool:
        place = f"{self.name}.{name}"
        markers = markers_of_field(place, self.model.model_fields[name])
        if not markers:
            return False
        if self.base is Fill:
            raise InvalidArgument(f"{place} cannot have a marker: fills are in no index")
        if markers & {Key, Unique}:
            other = "a key" if Key in markers else "a unique value"
            raise InvalidArgument(f"{place} cannot be {other}: an order is known by its order_id; mark it with Index")
        if Index not in markers:
            raise InvalidArgument(f"{place} cannot be sorted: orders are found by one value; mark it with Index")
        if why := self._codec.not_one_piece(name):
            raise InvalidArgument(f"{place} cannot be an index: {why}; mark a text, a number or a datetime")
        return True

    @cached_property
    def marked_names(self) -> str:
        """Return the text of ``@own`` for this model."""
        return " ".join(self.indexes)


def own_digest(texts: Mapping[str, str], json_names: Collection[str]) -> str:
    """Return 11 characters that are the same for equal written fields, and for no others; '' for none.

    ``json_names`` are the fields that are JSON; the order of what is in its objects does not count.
    """
    if not texts:
        return ""
    content = [[name, _content(texts[name], is_json=name in json_names)] for name in sorted(texts)]
    hashed = hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=8)
    return urlsafe_b64encode(hashed.digest()).decode().rstrip("=")


def own_text(texts: Mapping[str, str]) -> str:
    """Return the written own fields as an event has them: a JSON object, '' for none."""
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":")) if texts else ""


def own_text_of(record: Order | Fill) -> str:
    """Return the own fields of an order or a fill as its event has them; '' for none. Raises InvalidArgument."""
    own = own_fields(type(record))
    return own_text(own.texts_of(record)) if own.names else ""


def has_own_text(record: Order | Fill, text: str) -> bool:
    """Return True when an event says of the own fields of an order or a fill what it has itself."""
    own, said = own_fields(type(record)), own_text_of(record)
    if said == text or not own.names:
        return said == text
    return own.digest_of(json.loads(said or "{}")) == own.digest_of(json.loads(text or "{}"))


def _content(text: str, *, is_json: bool) -> object:
    return from_json(text) if is_json and "{" in text else text


_known: dict[type[Record], OwnFields[Any]] = {}


def own_fields(model: type[R], base: type[Record] | None = None) -> OwnFields[R]:
    """Return the own fields of a model of orders or fills, which are checked once. Raises InvalidArgument.

    Args:
        model: The class.
        base: What it must derive from, Order or Fill; either, if not given.
    """
    given = cast("object", model)
    known = _known.get(model) if isinstance(given, type) else None
    if known is not None and base in {None, known.base}:
        return known
    bases = (base,) if base else (Order, Fill)
    found = next((one for one in bases if isinstance(given, type) and issubclass(given, one)), None)
    if found is None:
        wanted = " or ".join(one.__name__ for one in bases)
        raise InvalidArgument(f"{shown(model)} cannot be used: it is no subclass of {wanted}")
    return _known.setdefault(model, OwnFields(model, found))
