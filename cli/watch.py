"""``slotbook watch``: a live blotter."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Annotated

import typer
from rich.live import Live

from ..models.errors import AccessDenied, InvalidArgument, SlotbookError
from ..models.event import OrderEvent, document
from ..models.types import check_name
from ..models.wire import encode
from ..repositories import Book, Follow
from .blotter import Blotter, one_line
from .options import AsJson, Url, kept_settings
from .output import complain, screen

REFRESH = 0.25
"""Seconds between two pictures."""


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
    """Show orders, positions and events as they change, gaplessly, also through a failover; Ctrl-C ends it.

    In a pipe, or with --plain, one line an event; with --json, one JSON document an event. What went wrong on the way,
    such as events that are no longer kept, is said on standard error.
    """
    if symbol is not None:
        check_name("symbol", symbol)
    with Book.open(kept_settings(url)) as book, book.events.follow(trader or None, since=since) as follow:
        if as_json:
            _print(follow, symbol, count, lambda event: document(encode(event)))
        elif plain or not sys.stdout.isatty():
            _print(follow, symbol, count, one_line)
        else:
            _show(book, follow, symbol, count)


def _print(follow: Follow, symbol: str | None, count: int | None, line: Callable[[OrderEvent], str]) -> None:
    try:
        for event in _events(follow, symbol, count, complain):
            if event is not None:
                sys.stdout.write(line(event) + "\n")
                if not follow.waiting:
                    sys.stdout.flush()
    except BrokenPipeError:
        return  # whoever read it, as ``head`` does, has seen enough


def _show(book: Book, follow: Follow, symbol: str | None, count: int | None) -> None:
    blotter = Blotter()
    for name in follow.positions:
        orders = [order for order in book.orders.open(name) if symbol in (None, order.symbol)]
        held = [position for position in book.positions.all(name) if symbol in (None, position.symbol)]
        blotter.begin(sorted(orders, key=lambda order: order.ts_ns), held)

    def note(problem: object) -> None:
        blotter.problems.append(str(problem))

    with Live(console=screen(), auto_refresh=False, screen=True) as live:
        shown = 0.0
        for event in _events(follow, symbol, count, note):
            if event is not None:
                blotter.take(event)
            if time.monotonic() - shown >= REFRESH:
                live.update(blotter.render(follow.waiting, follow.connected), refresh=True)
                shown = time.monotonic()
        live.update(blotter.render(follow.waiting, follow.connected), refresh=True)


def _events(
    follow: Follow, symbol: str | None, count: int | None, note: Callable[[object], None]
) -> Iterator[OrderEvent | None]:
    """The events that are wanted; None when for a moment none comes. What can be gone on after is noted."""
    told = 0
    while count is None or told < count:
        try:
            event = follow.get(REFRESH)
        except (AccessDenied, InvalidArgument):
            raise
        except SlotbookError as error:
            note(error)
            continue
        if event is not None and symbol not in (None, event.symbol):
            continue
        told += event is not None
        yield event
