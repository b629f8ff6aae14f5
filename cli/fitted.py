"""Tables that fit the screen: numbers stay whole, names are cut in the middle, prose is folded, empty columns go.

What still does not fit is said in another way: first a name that all rows share is said once, above the table; then
columns are closer together; then each row is a block of its own, with a line for each column. In a pipe everything is
whole, on one line a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from ..models.numbers import plain

Cell: TypeAlias = str | int | Decimal | None

LEAST_NAME, LEAST_PROSE = 7, 20
"""The columns of the screen that a name and a text keep at least."""
GAP, LEAST_GAP = 2, 1
"""The blanks between two columns of a table, and on a screen that is too narrow for that."""


class Kind(StrEnum):
    """The sort of a column, by which it gives way on a narrow screen."""

    NAME = "name"
    NUMBER = "number"
    PROSE = "prose"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its cells as they are shown, and the width that it gets."""

    heading: str
    kind: Kind
    cells: tuple[str, ...]
    width: int

    @property
    def least(self) -> int:
        """The width down to which it gives way; the heading of a number may take several lines."""
        if self.kind is Kind.NUMBER:
            return max(map(cell_len, (*self.heading.split(), *self.cells)))
        if self.kind is Kind.NAME:
            return min(self.width, LEAST_NAME)
        numbers = (word for cell in self.cells for word in cell.split() if word.lstrip("+-")[:1].isdecimal())
        return min(self.width, max((LEAST_PROSE, *map(cell_len, numbers))))

    @property
    def is_shared(self) -> bool:
        """Tell whether it is a name that several rows have in common."""
        return self.kind is Kind.NAME and len(self.cells) > 1 and len(set(self.cells)) == 1


@dataclass(frozen=True, slots=True)
class Fitted:
    """Rows under headings; printed on a console, they fit its width."""

    columns: tuple[Column, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what is printed on a screen of a width."""
        shared, columns = _without_shared(self.columns, options.max_width)
        if shared:
            yield Text(", ".join(f"{column.heading} {column.cells[0]}" for column in shared))
        for gap in (GAP, LEAST_GAP):
            if width_of(columns, gap, least=True) <= options.max_width:
                yield _table(_narrowed(columns, options.max_width, gap), gap)
                return
        yield _blocks(columns)


def table(
    names: Sequence[str], numbers: Sequence[str], rows: Iterable[Sequence[Cell]], *, prose: Sequence[str] = ()
) -> Fitted:
    """Return a table with columns of names, then of numbers, then of prose; None is an empty cell."""
    headings = (*names, *numbers, *prose)
    kinds = (Kind.NAME,) * len(names) + (Kind.NUMBER,) * len(numbers) + (Kind.PROSE,) * len(prose)
    shown = [tuple(map(_shown, row)) for row in rows]
    cells = zip(*shown, strict=True) if shown else ((),) * len(headings)
    columns = map(_column, headings, kinds, cells)
    return Fitted(tuple(column for column in columns if not shown or any(column.cells)))


def shortened(text: str, width: int) -> str:
    """Return a text that is not wider than ``width``, with an ellipsis in its middle for what is cut out.

    >>> shortened("ORDER-20231225-000017", 11)
    'ORDER…00017'
    """
    if cell_len(text) <= width:
        return text
    head = (width - 1) // 2
    tail = set_cell_size(text[::-1], width - 1 - head).rstrip()
    return f"{set_cell_size(text, head).rstrip()}…{tail[::-1]}"


def _column(heading: str, kind: Kind, cells: tuple[str, ...]) -> Column:
    lines = (line for cell in cells for line in cell.split("\n"))
    return Column(heading, kind, cells, max(map(cell_len, (heading, *lines))))


def width_of(columns: Sequence[Column], gap: int = GAP, *, least: bool = False) -> int:
    """Return the width of a table, or with ``least`` the one down to which its columns give way."""
    return sum(column.least if least else column.width for column in columns) + gap * (len(columns) - 1)


def _without_shared(columns: Sequence[Column], width: int) -> tuple[list[Column], list[Column]]:
    """Return the columns to be said above the table, as few as make it fit without a cut, and the others."""
    shared, left = list[Column](), list(columns)
    for column in columns:
        if width_of(left) > width and column.is_shared:
            shared.append(column)
            left.remove(column)
    return shared, left


def _narrowed(columns: Sequence[Column], width: int, gap: int) -> list[Column]:
    """Return columns that fit: prose gives way first, then headings of numbers, then the widest name."""
    result = list(columns)
    for kind in (Kind.PROSE, Kind.NUMBER, Kind.NAME):
        while width_of(result, gap) > width:
            givers = [at for at, column in enumerate(result) if column.kind is kind and column.width > column.least]
            if not givers:
                break
            widest = max(givers, key=lambda at: result[at].width)
            result[widest] = replace(result[widest], width=result[widest].width - 1)
    return result


def _table(columns: Sequence[Column], gap: int) -> Table:
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, gap - 1, 0, 0))
    for column in columns:
        is_name = column.kind is Kind.NAME
        heading = shortened(column.heading, column.width) if is_name else column.heading
        result.add_column(
            heading,
            justify="right" if column.kind is Kind.NUMBER else "left",
            width=column.width,
            no_wrap=is_name,
            overflow="fold",
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        cells = zip(columns, row, strict=True)
        result.add_row(*(shortened(cell, column.width) if column.kind is Kind.NAME else cell for column, cell in cells))
    return result


def _blocks(columns: Sequence[Column]) -> Table:
    """Return a table in which each row is a block, with a line for each cell that is not empty."""
    result = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    result.add_column(no_wrap=True)
    result.add_column(overflow="fold")
    for number, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
        if number:
            result.add_row("", "")
        for column, cell in zip(columns, row, strict=True):
            if cell:
                result.add_row(column.heading, cell)
    return result


def _shown(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return plain(cell)
    return "" if cell is None else str(cell)
