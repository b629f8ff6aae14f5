"""The command ``slotbook watch``, which shows events, orders and positions as they change."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated

import typer
from rich.live import Live

from ..models.errors import (
    AccessDenied,
    CorruptRecord,
    HistoryTrimmed,
    InvalidArgument,
    SlotbookError,
    StateLost,
    Unavailable,
)
from ..models.event import OrderEvent
from ..models.numbers import exact_price
from ..models.types import check_name
from ..repositories import Book, Follow
from .blotter import Blotter, one_line
from .blotter_screen import drawn
from .options import AsJson, Url, kept_settings
from .output import BadUsage, fields_of, json_line, print_error, screen

REFRESH = 0.25
"""The seconds between two updates of the terminal."""
LOOK_BACK = 200
"""The number of events before the first one in which prices of fills are looked for."""


def watch(
    trader: Annotated[list[str] | None, typer.Option(help="Only this trader; may be given again.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.", show_default=False)] = None,
    since: Annotated[
        int | None, typer.Option(min=0, help="Begin after this number, 0 with everything; with now if not given.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many events.", show_default=False)] = None,
    mark: Annotated[
        list[str] | None,
        typer.Option(metavar="SYMBOL=PRICE", help="Value positions at this price, not that of the last fill."),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="One line an event, as in a pipe.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show orders, positions and events as they change, without gaps, also through a failover; Ctrl-C ends it.

    On a terminal the latest rows are shown, as many as fit it. A position's profit is that at the price of the last
    fill in its symbol, or at the one that --mark gives.
    In a pipe or with --plain, each event is one line; with --json, one JSON document. Problems on the way, such as
    events that are no longer kept, are printed on standard error.
    """
    if symbol is not None:
        check_name("symbol", symbol)
    prices = _marks(mark or [])
    with Book.open(kept_settings(url)) as book, book.events.follow(trader or None, since=since) as follow:
        if as_json:
            _print(follow, symbol, count, lambda event: json_line(fields_of(event)))
        elif plain or not sys.stdout.isatty():
            _print(follow, symbol, count, lambda event: one_line(event) + "\n")
        else:
            _show(book, follow, symbol, count, prices)


def _marks(given: Sequence[str]) -> dict[str, Decimal]:
    """Return the price of each symbol for which one is given. Raises BadUsage."""
    found: dict[str, Decimal] = {}
    for text in given:
        symbol, equals, price = text.rpartition("=")
        try:
            found[check_name("symbol", symbol)] = exact_price(price)
        except (InvalidArgument, ValueError) as error:
            raise BadUsage(f"--mark {text!r}: {error if equals else 'say SYMBOL=PRICE, such as AAPL=187.5'}") from None
    return found


def _print(follow: Follow, symbol: str | None, count: int | None, line: Callable[[OrderEvent], str]) -> None:
    flushed = 0.0
    try:
        for event in _events(follow, symbol, count, print_error):
            if event is not None:
                sys.stdout.write(line(event))
            # What waits may say nothing new, or always be something, so no line stays in the buffer for long.
            if not follow.waiting or time.monotonic() - flushed >= REFRESH:
                sys.stdout.flush()
                flushed = time.monotonic()
    except BrokenPipeError:
        return  # the reader has closed the pipe, as ``head`` does


def _show(book: Book, follow: Follow, symbol: str | None, count: int | None, marks: Mapping[str, Decimal]) -> None:
    blotter = Blotter(marks)
    for name, last in follow.positions.items():
        _begin(blotter, book, name, last, symbol)
    console = screen()
    with Live(console=console, auto_refresh=False, screen=True) as live:

        def refresh() -> None:
            if follow.connected:
                _read_positions(blotter, book, console.height)
            live.update(drawn(blotter, console, follow.waiting, connected=follow.connected), refresh=True)

        def on_problem(problem: SlotbookError) -> None:
            blotter.problems.append(str(problem))
            if isinstance(problem, StateLost | HistoryTrimmed):
                blotter.forget(problem.trader)
                _begin(blotter, book, problem.trader, problem.first - 1, symbol)

        shown = 0.0
        for event in _events(follow, symbol, count, on_problem):
            if event is not None:
                blotter.take(event)
            if time.monotonic() - shown >= REFRESH:
                refresh()
                shown = time.monotonic()
        refresh()


def _begin(blotter: Blotter, book: Book, trader: str, last: int, symbol: str | None) -> None:
    """Read the orders and positions of a trader, and the fills before the event ``last``; say what cannot be read."""
    try:
        orders = [order for order in book.orders.open(trader) if symbol in (None, order.symbol)]
        parts = book.positions.by_account(trader, symbol=symbol)
        held = [*parts, *(one for one in book.positions.all(trader) if symbol in (None, one.symbol))]
        events = _events_before(book, trader, last)
    except (Unavailable, CorruptRecord) as error:
        blotter.problems.append(str(error))
    else:
        blotter.begin(sorted(orders, key=lambda order: order.ts_ns), held, events)


def _events_before(book: Book, trader: str, last: int) -> list[OrderEvent]:
    """Return the events up to ``last``, as many as ``LOOK_BACK`` and as are kept."""
    since = max(0, last - LOOK_BACK)
    try:
        return book.events.history(trader, since=since, until=last)
    except HistoryTrimmed as trimmed:
        return book.events.history(trader, since=trimmed.last, until=last) if trimmed.last < last else []


def _read_positions(blotter: Blotter, book: Book, count: int) -> None:
    """Read the positions again that have changed and are among the last ``count``."""
    for outcome in book.positions.get_many(blotter.unread(count)):
        if outcome.error is not None:
            blotter.problems.append(str(outcome.error))
        elif outcome.value is not None:
            blotter.take_position(outcome.value)


def _events(
    follow: Follow, symbol: str | None, count: int | None, on_problem: Callable[[SlotbookError], None]
) -> Iterator[OrderEvent | None]:
    """Yield the events of a symbol, and None for each of another, and after ``REFRESH`` seconds without an event.

    An error after which following can go on is passed to ``on_problem``.
    """
    yielded = 0
    while count is None or yielded < count:
        try:
            event = follow.get(REFRESH)
        except (AccessDenied, InvalidArgument):
            raise
        except SlotbookError as error:
            on_problem(error)
            continue
        if event is not None and symbol not in (None, event.symbol):
            event = None
        yielded += event is not None
        yield event
