"""One kind of record in three schemas, each with its own model, as three versions of a program would declare it."""

from __future__ import annotations

from typing import Annotated, Any

from slotbook.models import Entity, Index, Key, Unique
from slotbook.models.types import Name, Quantity

from .desk import Desk


class First(Entity, kind="lot"):
    trader: Name
    lot_id: Annotated[Name, Key]
    account: Annotated[Name, Index] = "ACC1"
    reference: Annotated[Name | None, Unique] = None
    size: Quantity = 100


def to_second(fields: dict[str, str]) -> dict[str, object]:
    """Call the size quantity, and find by venue, not by account."""
    return {**fields, "quantity": int(fields["size"]), "venue": "XNAS", "size": None}


class Second(Entity, kind="lot", schema=2, upgrade={1: to_second}):
    trader: Name
    lot_id: Annotated[Name, Key]
    account: Name = "ACC1"
    venue: Annotated[Name, Index] = "XNAS"
    reference: Annotated[Name | None, Unique] = None
    quantity: Quantity = 100


def to_third(fields: dict[str, str]) -> dict[str, object]:
    """Give it legs and a label; refuse a quantity of 13."""
    if fields["quantity"] == "13":
        raise ValueError("13 brings bad luck")
    legs = [int(fields["quantity"]) - 1, 1]
    return {**fields, "legs": legs, "label": fields.get("reference"), "reference": None}


class Third(Entity, kind="lot", schema=3, upgrade={1: to_second, 2: to_third}):
    trader: Name
    lot_id: Annotated[Name, Key]
    account: Annotated[Name, Index] = "ACC1"
    venue: Annotated[Name, Index] = "XNAS"
    label: Annotated[Name | None, Unique] = None
    quantity: Quantity = 100
    legs: tuple[int, ...] = ()


def upgraded(record: First) -> Third:
    """Return what a record of the first schema is in the third."""
    return Third(
        trader=record.trader,
        lot_id=record.lot_id,
        account=record.account,
        label=record.reference,
        quantity=record.size,
        legs=(int(record.size) - 1, 1),
        version=record.version,
        updated_ns=record.updated_ns,
    )


def first_lot(desk: Desk, key: str = "L1", **fields: Any) -> First:
    """Insert a record of the first schema, and return it as it is stored."""
    made = desk.book.table(First).insert(First(trader=desk.trader, lot_id=key, **fields))
    assert made.record is not None
    return made.record
