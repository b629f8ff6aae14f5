"""A model with every type of field that can be searched, its records, and random queries with a filter for each."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from hypothesis import strategies as st
from slotbook import Entity, Index, Key, Side
from slotbook.models.conditions import Condition, searchable
from slotbook.models.types import Name, Price, Quantity

from .server import TRADERS


class Level(IntEnum):
    LOW = 2
    HIGH = 10


class Phase(Enum):
    OPEN = "open"
    SPACED = " open "


class Ticket(Entity, kind="ticket"):
    """A record with a field of every type that can be searched, and one that cannot."""

    trader: Name
    venue: Annotated[str, Key]
    number: Annotated[int, Key]
    account: Annotated[Name, Index]
    note: str | None = None
    quantity: Quantity
    price: Price | None = None
    rate: Decimal
    ratio: float | None = None
    level: Level
    side: Side
    phase: Phase
    desk: Literal["EU", "US"]
    active: bool
    ident: UUID | None = None
    day: date
    executed: datetime | None = None
    raw: bytes | None = None
    legs: tuple[int, ...] = ()


TEXTS = (
    "S1",
    "s1",
    " S1",
    "S1 ",
    "S1\0",
    "S1\0x",
    "S1\x1fS2",
    "S2",
    "",
    " ",
    "a|b",
    "\\",
    "}:ticket:x",
    "{T00}:ticket:",
    "é",
)
LONG = "q" * 4_095
NOTES = (*TEXTS, LONG, LONG + "q", LONG + "qq", "x" * 20_000)
VENUES = ("XNAS", "XNYS ", "a:b", "%3A", "}:order:x", "é", "x" * 5_000)
ACCOUNTS = ("ACC1", "acc1", "A|B", "a\\b", "*", "$v0", "é")
QUANTITIES = (1, 2, 2**53 - 1, 2**53 - 2)
PRICES = tuple(map(Decimal, ("187.23", "187.230000001", "0", "-0.5", "9007199254.740993", "9007199254.740992")))
RATES = tuple(
    map(Decimal, ("0", "0.1", "0.10000000000000000001", "1E+30", "1000000000000000000000000000001", "-1E-40", "7"))
)
RATIOS = (0.0, 0.1, 0.1 + 2**-56, -1.5, 1e300, 5e-324, float("inf"))
NUMBERS = (0, -1, 2**53, 2**53 + 1, 2**70, 2**70 + 1, 10**80)
IDENTS = tuple(UUID(int=number << 64 | 5) for number in (1, 2, 255))
DAYS = tuple(date(2026, 11, day) for day in (1, 9, 27))
MOMENTS = tuple(datetime(2026, 11, 27, 14, 30, tzinfo=UTC) + timedelta(microseconds=extra) for extra in (0, 1, 500_000))
RAWS = (b"", b"\0", b"\xff" * 3_000, b"abc")


def tickets(count: int) -> list[Ticket]:
    """Return new records of 64 traders."""
    draw = random.Random(3)
    made: list[Ticket] = []
    for number in range(count):
        some = draw.choice((True, False))
        made.append(
            Ticket(
                trader=f"T{number % TRADERS:02d}",
                venue=draw.choice(VENUES),
                number=draw.choice(NUMBERS) if number % 5 == 0 else number,
                account=draw.choice(ACCOUNTS),
                note=draw.choice(NOTES) if some else None,
                quantity=draw.choice(QUANTITIES),
                price=draw.choice(PRICES) if draw.random() < 0.7 else None,
                rate=draw.choice(RATES),
                ratio=draw.choice(RATIOS) if some else None,
                level=draw.choice(tuple(Level)),
                side=draw.choice(tuple(Side)),
                phase=draw.choice(tuple(Phase)),
                desk=cast(Any, draw.choice(("EU", "US"))),
                active=draw.choice((True, False)),
                ident=draw.choice(IDENTS) if some else None,
                day=draw.choice(DAYS),
                executed=draw.choice(MOMENTS) if some else None,
                raw=draw.choice(RAWS) if some else None,
                legs=(number,),
            )
        )
    return list({(one.trader, one.venue, one.number): one for one in made}.values())


@dataclass(frozen=True)
class TicketFilter:
    """A query as it is sent, and as a function that filters."""

    shown: str
    expression: Condition
    holds: Callable[[Ticket], bool]

    def __repr__(self) -> str:
        return self.shown


_WIDE = Decimal("1E-60")
FIELDS = searchable(Ticket)
SIZED: dict[str, st.SearchStrategy[object]] = {
    "quantity": st.sampled_from([*QUANTITIES, 0, Decimal("1.5")]),
    "number": st.sampled_from([*NUMBERS, 10**80 + 1, 17, Decimal("17.5")]),
    "price": st.sampled_from([*PRICES, Decimal("187.2300000005")]),
    "rate": st.sampled_from([*RATES, Decimal("0.1") + Decimal("1E-27"), Decimal("0.1"), 10**30 + 2]),
    "ratio": st.sampled_from([0.0, 0.1, 0.1 + 2**-56, -1.5, 1e300, 5e-300, Decimal("0.1"), 0, 1]),
    "version": st.sampled_from([0, 1, 2]),
}
NAMED: dict[str, st.SearchStrategy[object]] = {
    "trader": st.integers(0, TRADERS).map(lambda number: f"T{number:02d}"),
    "venue": st.sampled_from([*VENUES, "XNYS", "", "\ud800"]),
    "account": st.sampled_from([*ACCOUNTS, "", "ACC1} | @trader:{T01", "none such"]),
    "note": st.sampled_from([*NOTES, "q", "x", "nobody wrote this"]),
    "level": st.sampled_from(Level),
    "side": st.sampled_from(Side),
    "phase": st.sampled_from(Phase),
    "desk": st.sampled_from(("EU", "US")),
    "active": st.booleans(),
    "ident": st.sampled_from([*IDENTS, UUID(int=7)]),
    "day": st.sampled_from([*DAYS, date(2020, 1, 1)]),
    "executed": st.sampled_from([*MOMENTS, MOMENTS[1].astimezone(timezone(timedelta(hours=5)))]),
    "raw": st.sampled_from([*RAWS, b"ab"]),
}
COMPARISONS: dict[str, Callable[..., object]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _comparison(name: str, sign: str, value: object) -> TicketFilter:
    compare = COMPARISONS[sign]

    def holds(ticket: Ticket) -> bool:
        stored: object = getattr(ticket, name)
        if sign in ("==", "!="):
            return bool(compare(stored, value))
        return stored is not None and bool(compare(stored, value))

    expression = cast(Condition, compare(getattr(FIELDS, name), value))
    return TicketFilter(f"({name} {sign} {value!r:.99})", expression, holds)


def _one_of(name: str, values: Sequence[object], negated: bool) -> TicketFilter:
    field = getattr(FIELDS, name)
    expression = field >> list(values) if negated else field << list(values)
    shown = f"({name} {'>>' if negated else '<<'} {list(values)!r:.99})"
    return TicketFilter(shown, expression, lambda ticket: (getattr(ticket, name) in values) is not negated)


def _part(name: str, method: str, value: str) -> TicketFilter:
    def holds(ticket: Ticket) -> bool:
        stored = getattr(ticket, name)
        if isinstance(stored, Phase):
            stored = stored.value
        if stored is None:
            return False
        return value in stored if method == "contains" else bool(getattr(stored, method)(value))

    return TicketFilter(f"{name}.{method}({value!r})", getattr(getattr(FIELDS, name), method)(value), holds)


def _both(one: TicketFilter, other: TicketFilter) -> TicketFilter:
    return TicketFilter(
        f"({one} & {other})", one.expression & other.expression, lambda found: one.holds(found) and other.holds(found)
    )


def _either(one: TicketFilter, other: TicketFilter) -> TicketFilter:
    return TicketFilter(
        f"({one} | {other})", one.expression | other.expression, lambda found: one.holds(found) or other.holds(found)
    )


def _negated(one: TicketFilter) -> TicketFilter:
    return TicketFilter(f"~{one}", ~one.expression, lambda found: not one.holds(found))


def _of(values: dict[str, st.SearchStrategy[object]], signs: Sequence[str]) -> st.SearchStrategy[TicketFilter]:
    return st.sampled_from(sorted(values)).flatmap(
        lambda name: (
            st.builds(_comparison, st.just(name), st.sampled_from(signs), values[name])
            | st.builds(_one_of, st.just(name), st.lists(values[name], max_size=4), st.booleans())
        )
    )


_parts = st.builds(
    _part,
    st.sampled_from(("venue", "account", "note", "side", "phase", "desk", "trader")),
    st.sampled_from(("startswith", "endswith", "contains")),
    st.sampled_from(("S1", "A", "T0", " ", "\\", "*", "q", "\0", "open", "")),
)
_absence = st.builds(
    _comparison,
    st.sampled_from(("note", "price", "ratio", "ident", "executed", "raw")),
    st.sampled_from(("==", "!=")),
    st.none(),
)
ticket_filters: st.SearchStrategy[TicketFilter] = st.recursive(
    st.one_of(_of(SIZED, sorted(COMPARISONS)), _of(NAMED, ("==", "!=")), _parts, _absence),
    lambda inner: st.builds(_both, inner, inner) | st.builds(_either, inner, inner) | st.builds(_negated, inner),
    max_leaves=5,
)
tickets_to_sort_by: st.SearchStrategy[list[str]] = st.lists(
    st.builds(
        str.__add__,
        st.sampled_from(("", "-")),
        st.sampled_from(
            (
                "price",
                "rate",
                "ratio",
                "number",
                "quantity",
                "account",
                "note",
                "venue",
                "phase",
                "side",
                "active",
                "day",
            )
        ),
    ),
    max_size=3,
    unique_by=lambda name: name.lstrip("-"),
)


def in_order(found: list[Ticket], names: Sequence[str]) -> list[Ticket]:
    """Return records sorted by these fields, absent ones last, then by the texts of their keys."""
    result = sorted(found, key=lambda ticket: (ticket.trader, ticket.venue, str(ticket.number)))
    for name in reversed(names):
        field = name.lstrip("-")
        present = [ticket for ticket in result if getattr(ticket, field) is not None]
        absent = [ticket for ticket in result if getattr(ticket, field) is None]

        def order(ticket: Ticket, field: str = field) -> Any:
            value = getattr(ticket, field)
            return value.value if isinstance(value, Enum) else value

        present.sort(key=order, reverse=name.startswith("-"))
        result = present + absent
    return result
