"""Read the day of one position from its events, each of which states the position after it. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from ..models.enums import EventType
from ..models.errors import CorruptRecord
from ..models.keys import Keys
from ..models.numbers import EXACT, exact_price, multiplied, plain, times
from ..repositories import AsyncBook
from ..repositories.changes.account_views import view_of
from ..repositories.changes.moves import page_before
from ..repositories.changes.recorded import position_then

DAY = 86_400 * 10**9
"""A day in nanoseconds; it begins at midnight, UTC."""
PAGE, MOST_PAGES = 1_000, 50
"""The events of a trader that are read at once, and how often."""
MOST_POINTS = 600
"""The points that a chart gets at most: about one for each pixel of its width."""


class Point(NamedTuple):
    """A position after one of its events."""

    ts_ns: int
    quantity: Decimal
    realized: Decimal
    profit: Decimal | None
    """Realized and open profit at the price of the last fill until then; None before one is known."""


class Day(NamedTuple):
    """The last day on which a position changed."""

    points: list[Point]
    changes: int
    """The number of its changes that were found."""
    is_whole: bool
    """False where the day began before the first event that was read."""


async def day_of(book: AsyncBook, trader: str, symbol: str, account: str | None = None) -> Day:
    """Return the last day of a position, from its opening state on. One round trip for each 1,000 events.

    With an account it is that of the account's part, by its own fills. Raises a SlotbookError: CorruptRecord for an
    event that cannot be read.
    """
    keys = Keys(book.backend.settings.prefix).of(trader)
    found: list[Mapping[str, str]] = []
    begins, before = 0, ""
    for _ in range(MOST_PAGES):
        page = await book.backend.run(page_before(keys, before, PAGE))
        for _, said in page.entries:
            if said.get("symbol") != symbol:
                continue
            entry = said if account is None else view_of(keys.events, said, account)
            if "position_quantity" in entry:
                found.append(entry)
                ts_ns = _time_of(keys.events, entry)
                begins = begins or ts_ns // DAY * DAY
                if ts_ns < begins:
                    return _day(keys.events, found, begins, is_whole=True)
        if page.is_last:
            is_first = bool(page.entries) and page.entries[-1][0] == "1-0"
            return _day(keys.events, found, begins, is_whole=is_first or not found)
        before = page.entries[-1][0]
    return _day(keys.events, found, begins, is_whole=False)


def _day(key: str, entries: list[Mapping[str, str]], begins: int, *, is_whole: bool) -> Day:
    """Return a day from its events, the latest first."""
    points: list[Point] = []
    price: Decimal | None = None
    latest = begins
    for entry in reversed(entries):
        latest = max(latest, _time_of(key, entry))  # times are the exchange's, and may go back
        try:
            if entry.get("type") == EventType.TRADE.value and "last_price" in entry:
                price = exact_price(entry["last_price"])
            points.append(_point(key, entry, latest, price))
        except (ArithmeticError, KeyError, ValueError):
            raise CorruptRecord(key, "totals", "the event of a change cannot be read") from None
    return Day(thinned(points), len(points), is_whole)


def _time_of(key: str, entry: Mapping[str, str]) -> int:
    try:
        return int(entry["ts_ns"])
    except (KeyError, ValueError):
        raise CorruptRecord(key, "ts_ns", "the event of a change has no time") from None


def _point(key: str, entry: Mapping[str, str], ts_ns: int, price: Decimal | None) -> Point:
    then = position_then(key, {}, entry)
    quantity, cost = Decimal(then["quantity"]), Decimal(then["open_cost"])
    realized = Decimal(then["realized_profit"])
    if not quantity:
        return Point(ts_ns, quantity, realized, realized)
    if price is None:
        return Point(ts_ns, quantity, realized, None)
    multiplier = Decimal(then["multiplier"]) if "multiplier" in then else None
    value = multiplied(times(quantity, price), multiplier)
    return Point(ts_ns, quantity, realized, EXACT.add(realized, EXACT.subtract(value, cost)))


def thinned(points: list[Point]) -> list[Point]:
    """Return so many points at most that a chart needs: of each group of neighbours its extremes and its last one."""
    size = -(-len(points) * 4 // MOST_POINTS) if len(points) > MOST_POINTS else 1
    if size == 1:
        return points
    groups = (list(islice(points, at, at + size)) for at in range(0, len(points), size))
    return [point for group in groups for point in _extremes(group)]


def _extremes(group: list[Point]) -> Iterable[Point]:
    profits = [(point.profit or Decimal(0), number) for number, point in enumerate(group)]
    kept = {0, len(group) - 1, min(profits)[1], max(profits)[1]}
    return (group[number] for number in sorted(kept))


def day_json(day: Day) -> dict[str, object]:
    """Return a day as JSON, its numbers as texts."""
    return {
        "points": [
            [str(point.ts_ns), plain(point.quantity), plain(point.realized), _text(point.profit)]
            for point in day.points
        ],
        "changes": day.changes,
        "is_whole": day.is_whole,
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)
