"""The models of the tests of a desk's own records."""

from __future__ import annotations

from typing import Annotated

from slotbook.models import Entity, Index, Key, Unique
from slotbook.models.types import Name, Quantity


class Allocation(Entity, kind="allocation"):
    trader: Name
    allocation_id: Annotated[Name, Key]
    order_id: Annotated[Name, Index] = "A1"
    account: Annotated[Name, Index] = "ACC1"
    reference: Annotated[Name | None, Unique] = None
    note: str | None = None
    quantity: Annotated[Quantity, Index(sorted=True)] = 100


class BriefAllocation(Allocation, kind="allocation", ttl=600):
    """Is of the same kind, and expires."""


class LongAllocation(Allocation, kind="allocation", ttl=1_000):
    """Is of the same kind, and expires later."""


class Quote(Entity, kind="quote", ttl=0.3):
    trader: Name
    symbol: Annotated[Name, Key]
    venue: Annotated[Name, Key]
    maker: Annotated[Name, Index]
    reference: Annotated[Name | None, Unique] = None
