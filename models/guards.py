"""Guards of a unit: conditions under which its changes are made."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .arguments import whole
from .errors import InvalidArgument
from .types import check_name


@dataclass(frozen=True, slots=True)
class Expect:
    """A step of a unit that refuses it with VersionConflict unless an order has the version that the caller knows.

    ::

        book.commit([Expect("A1", order.version), Cancel(trader="T001", order_id="A1")])

    A unit that was applied before is a repeat, whatever has happened to the order since.
    """

    order_id: str
    """The order of the unit's trader."""
    version: int
    """The order's version, as it is when the steps before this one are applied."""

    def __post_init__(self) -> None:
        if len(fields(self)) != len(fields(Expect)):
            raise InvalidArgument(f"a {type(self).__name__} has more fields than a guard has; give an Expect")
        object.__setattr__(self, "order_id", check_name("order_id", self.order_id))
        object.__setattr__(self, "version", whole("version", self.version, least=0))
