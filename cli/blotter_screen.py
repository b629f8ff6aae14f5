"""Draw a blotter so that it fits a screen: the latest rows that there is room for, and how many more there are.

Numbers stay whole, as in every table; on a narrow screen columns that follow from others are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from rich.console import Console, Group, RenderableType
from rich.text import Text

from ..models.errors import printable
from ..models.numbers import plain
from .blotter import Blotter, Holding, Line, PositionKey, one_line
from .fitted import Cell, Fitted, table, width_of

ORDERS_DISPENSABLE = ("price", "side")
POSITIONS_DISPENSABLE = ("average open", "cost", "mark")
"""The columns that go on a screen that is too narrow for all, the first one first."""
AVERAGE_PLACES = 9


def drawn(blotter: Blotter, console: Console, waiting: int, *, connected: bool) -> Group:
    """Return everything that the screen shows, in its width and height.

    Args:
        blotter: The orders, positions and events.
        console: The screen, whose size is asked for each time, so that a window may be resized.
        waiting: The number of events that have arrived and were not yet applied.
        connected: False while the follower has lost its connection.
    """
    width, height = console.size
    state = Text("live" if connected else "reconnecting", style="bold green" if connected else "bold red")
    head = Text.assemble(state, f"   {blotter.events:,} events   {blotter.rate():,.0f}/s   lag {waiting:,} events")
    problems = [Text(printable(problem), style="yellow") for problem in blotter.problems]
    lines: list[RenderableType] = [_one_row(text) for text in (head, *problems)]
    sections: tuple[tuple[int, Callable[[int], Fitted], str], ...] = (
        (len(blotter.positions), lambda count: _positions(blotter, width, count), "positions"),
        (len(blotter.orders), lambda count: _orders(blotter, width, count), "orders"),
        (len(blotter.last), lambda count: _events(blotter, count), "events"),
    )
    left = height - len(lines)
    for number, (total, draw, name) in enumerate(sections):
        fair = left // (len(sections) - number)
        share = left - sum(min(_wanted(rows), fair) for rows, _, _ in sections[number + 1 :])
        shown, used = _fitted(console, draw, total, share, name)
        lines += shown
        left -= used
    return Group(*lines)


def _wanted(rows: int) -> int:
    """Return the lines of the screen that a table of so many rows wants: headings, rows, and what these share."""
    return rows + 3 if rows else 0


def _fitted(
    console: Console, draw: Callable[[int], Fitted], total: int, height: int, name: str
) -> tuple[list[RenderableType], int]:
    """Return a table with as many rows as fit a height, and the number of lines that it has."""
    if not total or height < 1:
        return [], 0
    count = min(total, height)
    while count > 0:
        shown = draw(count)
        more = total - count
        used = len(console.render_lines(shown, pad=False)) + bool(more)
        if used <= height:
            note = [_one_row(Text(f"… {more:,} more {name}", style="dim"))] if more else []
            return [shown, *note], used
        count -= max(1, min(used - height, count // 2))
    return [_one_row(Text(f"… {total:,} {name}", style="dim"))], 1


def _orders(blotter: Blotter, width: int, count: int) -> Fitted:
    names, numbers = ("trader", "order", "symbol", "side", "status"), ("price", "filled")
    latest = islice(reversed(blotter.orders.values()), count)
    return _narrow(table(names, numbers, map(_order_row, latest)), width, ORDERS_DISPENSABLE)


def _order_row(line: Line) -> tuple[Cell, ...]:
    filled = f"{plain(line.filled)}/{plain(line.quantity)}"
    return line.trader, line.order_id, line.symbol, line.side, line.status, line.price, filled


def _positions(blotter: Blotter, width: int, count: int) -> Fitted:
    names = ("trader", "symbol", "account")
    numbers = ("position", "average open", "cost", "realized", "mark", "profit at mark")
    latest = islice(reversed(blotter.positions.items()), count)
    shown = table(names, numbers, (_position_row(blotter, *item) for item in latest))
    return _narrow(shown, width, POSITIONS_DISPENSABLE)


def _position_row(blotter: Blotter, key: PositionKey, holding: Holding) -> tuple[Cell, ...]:
    """Return the cells of a position; what was not read since it changed is "…", and without a mark there is none."""
    trader, symbol, account = key
    held, mark = holding.read, blotter.mark(symbol)
    source = "given" if symbol in blotter.given_marks else "last"
    said = "" if mark is None else f"{plain(mark)} {source}"
    if held is None:
        return trader, symbol, account, holding.quantity, "…", "…", "…", said, "…"
    average = held.average_open_price
    return (
        *(trader, symbol, account, held.quantity),
        None if average is None else round(average, AVERAGE_PLACES),
        *(held.open_cost, held.realized_profit, said),
        held.profit(mark) if mark is not None else None if held.quantity else held.realized_profit,
    )


def _events(blotter: Blotter, count: int) -> Fitted:
    return table(("last events",), (), ((_short(one_line(event)),) for event in islice(reversed(blotter.last), count)))


def _short(line: str) -> str:
    """Return the line of an event with the time of day alone, to the millisecond."""
    return line[11:23] + line[30:]


def _narrow(shown: Fitted, width: int, dispensable: Sequence[str]) -> Fitted:
    """Return a table without as many dispensable columns as make it fit."""
    columns = shown.columns
    for heading in dispensable:
        if width_of(columns, least=True) <= width:
            break
        columns = tuple(column for column in columns if column.heading != heading)
    return replace(shown, columns=columns)


def _one_row(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
