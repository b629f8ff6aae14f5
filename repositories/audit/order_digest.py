"""Read what the digest of an order says of its fields. Nothing here does I/O.

The digest was made of the order as it was first placed, so it cannot fit by chance when one of these fields is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...models.enums import OrderType, Side, TimeInForce
from ...models.errors import CorruptRecord
from ...models.order import TERMS, Order
from ...models.wire import decode
from ..changes.digest import LENGTH, digest_of
from .findings import Fields

_ENUMS: Mapping[str, Iterable[str]] = {"side": Side, "type": OrderType, "time_in_force": TimeInForce}
_PLACED = {"quantity": "placed_quantity", "price": "placed_price", "stop_price": "placed_stop_price"}


class DigestReading:
    """The fields of an order as its digest proves them."""

    def __init__(self, key: str, fields: Fields, others: Mapping[str, Iterable[str | None]]) -> None:
        """Read the digest.

        Args:
            key: The key of the order.
            fields: The fields of the order, as stored.
            others: Values that other records have for its fields.
        """
        self._key = key
        self._digest = fields["digest"][:LENGTH] if "digest" in fields else None
        self._replaced = "placed_quantity" in fields
        self.expected = self._digest_of(fields)
        """The digest that would fit the fields as they are stored; None when they are no order."""
        self.says: Mapping[str, str | None] = {}
        """The value of each field that the digest proves; empty when it fits nothing."""
        if self._fits(fields):
            self.says = self._covered(fields)
            return
        fitting = [one for one in self._changed(fields, others) if self._fits(one)]
        if len(fitting) == 1:
            self.says = self._covered(fitting[0])

    def _changed(self, fields: Fields, others: Mapping[str, Iterable[str | None]]) -> Iterator[Fields]:
        """Yield the fields with one of them changed to what others say, or to another value that it may have."""
        for name in self._covered(fields):
            for value in {*_ENUMS.get(name, ()), *others.get(name, ())} - {fields.get(name)}:
                changed = {**fields, name: value or ""}
                if value is None:
                    del changed[name]
                yield changed

    def _fits(self, fields: Fields) -> bool:
        return self._digest is not None and self._digest_of(fields) == self._digest

    def _digest_of(self, fields: Fields) -> str | None:
        placed = dict(fields)
        if "placed_quantity" in fields:
            for name, first in _PLACED.items():
                placed.pop(name, None)
                if first in fields:
                    placed[name] = fields[first]
        try:
            return digest_of(decode(Order, self._key, placed))
        except CorruptRecord:
            return None

    def _covered(self, fields: Fields) -> dict[str, str | None]:
        """Return the fields that the digest was made of; those of an order that was replaced are kept as placed."""
        names = [_PLACED[name] if self._replaced else name for name in _PLACED]
        return {name: fields.get(name) for name in ("symbol", *_ENUMS, *names, *TERMS)}
