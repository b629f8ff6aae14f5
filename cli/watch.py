"""The command ``slotbook watch``, which shows events, orders and positions as they change."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Annotated

import typer
from rich.live import Live

from ..models.errors import AccessDenied, InvalidArgument, SlotbookError
from ..models.event import OrderEvent
from ..models.types import check_name
from ..repositories import Book, Follow
from .blotter import Blotter, one_line
from .options import AsJson, Url, kept_settings
from .output import fields_of, json_line, print_error, screen

REFRESH = 0.25
"""The seconds between two updates of the terminal."""


def watch(
    trader: Annotated[list[str] | None, typer.Option(help="Only this trader; may be given again.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.", show_default=False)] = None,
    since: Annotated[
        int | None, typer.Option(min=0, help="Begin after this number, 0 with everything; with now if not given.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many events.", show_default=False)] = None,
    plain: Annotated[bool, typer.Option("--plain", help="One line an event, as in a pipe.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show orders, positions and events as they change, without gaps, also through a failover; Ctrl-C ends it.

    In a pipe or with --plain, each event is one line; with --json, one JSON document. Problems on the way, such as
    events that are no longer kept, are printed on standard error.
    """
    if symbol is not None:
        check_name("symbol", symbol)
    with Book.open(kept_settings(url)) as book, book.events.follow(trader or None, since=since) as follow:
        if as_json:
            _print(follow, symbol, count, lambda event: json_line(fields_of(event)))
        elif plain or not sys.stdout.isatty():
            _print(follow, symbol, count, lambda event: one_line(event) + "\n")
        else:
            _show(book, follow, symbol, count)


def _print(follow: Follow, symbol: str | None, count: int | None, line: Callable[[OrderEvent], str]) -> None:
    try:
        for event in _events(follow, symbol, count, print_error):
            if event is not None:
                sys.stdout.write(line(event))
                if not follow.waiting:
                    sys.stdout.flush()
    except BrokenPipeError:
        return  # the reader has closed the pipe, as ``head`` does


def _show(book: Book, follow: Follow, symbol: str | None, count: int | None) -> None:
    blotter = Blotter()
    for name in follow.positions:
        orders = [order for order in book.orders.open(name) if symbol in (None, order.symbol)]
        held = [position for position in book.positions.all(name) if symbol in (None, position.symbol)]
        blotter.begin(sorted(orders, key=lambda order: order.ts_ns), held)

    def keep(problem: object) -> None:
        blotter.problems.append(str(problem))

    with Live(console=screen(), auto_refresh=False, screen=True) as live:
        shown = 0.0
        for event in _events(follow, symbol, count, keep):
            if event is not None:
                blotter.take(event)
            if time.monotonic() - shown >= REFRESH:
                live.update(blotter.render(follow.waiting, follow.connected), refresh=True)
                shown = time.monotonic()
        live.update(blotter.render(follow.waiting, follow.connected), refresh=True)


def _events(
    follow: Follow, symbol: str | None, count: int | None, on_problem: Callable[[object], None]
) -> Iterator[OrderEvent | None]:
    """Yield the events of a symbol, and None after each ``REFRESH`` seconds without an event.

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
            continue
        yielded += event is not None
        yield event
