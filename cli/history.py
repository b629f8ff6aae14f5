"""``slotbook traders``, ``history`` and ``dead``: who has a book, what happened, and what no consumer could handle."""

from __future__ import annotations

from typing import Annotated

import typer

from ..models.event import DeadLetter, OrderEvent
from ..repositories import Book
from .blotter import one_line
from .fitted import Fitted, table
from .options import AsJson, Url, kept_settings
from .output import JsonValue, fields_of, print_json, screen
from .progress import advancing, bars


def traders(url: Url = None, as_json: AsJson = False) -> None:
    """Show the traders of a book, with the switch of trading and the numbers of open orders and positions."""
    rows: list[tuple[str, str, int, int]] = []
    with Book.open(kept_settings(url)) as book, bars() as progress:
        names = book.audit.traders()
        advance = advancing(progress, progress.add_task("reading", total=len(names)))
        for name in names:
            rows.append((name, book.limits.trading(name), len(book.orders.open(name)), len(book.positions.all(name))))
            advance(1)
    if as_json:
        print_json(
            [
                {"trader": name, "trading": trading, "open_orders": orders, "positions": positions}
                for name, trading, orders, positions in rows
            ]
        )
    else:
        screen().print(table(("trader", "trading"), ("open orders", "positions"), rows))


def history(
    trader: Annotated[str, typer.Argument(help="Whose events.", show_default=False)],
    since: Annotated[
        int | None, typer.Option(min=0, help="Begin after this number; with the first that is kept if not given.")
    ] = None,
    until: Annotated[int | None, typer.Option(min=1, help="End with this number.", show_default=False)] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Show so many at most.", show_default=False)] = None,
    order_id: Annotated[str | None, typer.Option("--order", help="Only this order's.", show_default=False)] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show a trader's events, the oldest first, each with the change and the state after it."""
    with Book.open(kept_settings(url)) as book:
        found = book.events.history(trader, since=since, until=until, limit=limit if order_id is None else None)
    chosen = [event for event in found if order_id in (None, event.order_id)][:limit]
    if as_json:
        print_json([fields_of(event) for event in chosen])
    else:
        screen().print(events_table(chosen))


def dead(
    trader: Annotated[str, typer.Argument(help="Whose events.", show_default=False)],
    requeue: Annotated[
        str | None,
        typer.Option(metavar="GROUP", help="Put the dead letters of this group back into it.", show_default=False),
    ] = None,
    sequence: Annotated[
        list[int] | None, typer.Option(min=1, help="Put back only this event; may be given again.")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show the events of a trader that a group's consumers could not handle, or put them back with --requeue.

    An event that is put back is delivered again, as one that never was. It stays a dead letter when it is no longer
    kept, or when its group is gone.
    """
    with Book.open(kept_settings(url)) as book:
        back = None if requeue is None else book.events.requeue(trader, requeue, sequences=sequence)
        letters = book.events.dead_letters(trader)
    if back is not None and as_json:
        print_json({"requeued": back, "left": len(letters)})
    elif back is not None:
        screen().print(f"{len(back):,} put back, {len(letters):,} left")
    elif as_json:
        print_json([_letter(one) for one in letters])
    else:
        screen().print(_letters_table(letters))


def events_table(events: list[OrderEvent]) -> Fitted:
    """Return a table of events, each on a line."""
    return table((), (), ((one_line(event),) for event in events), prose=("events",))


def _letter(letter: DeadLetter) -> dict[str, JsonValue]:
    return {
        "group": letter.group,
        "consumer": letter.consumer,
        "deliveries": letter.deliveries,
        "error": letter.error,
        "event": fields_of(letter.event),
    }


def _letters_table(letters: list[DeadLetter]) -> Fitted:
    return table(
        ("group", "consumer"),
        ("deliveries",),
        ((one.group, one.consumer, one.deliveries, one.error, one_line(one.event)) for one in letters),
        prose=("error", "event"),
    )
