"""``slotbook replay``: apply a journal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..models.fill import Fill
from ..models.order import Order
from ..repositories import Book
from .journal_file import open_journal
from .options import AsJson, NewUrl, settings_of
from .output import check_place, json_text, print_json, save, screen
from .own_models import class_of
from .progress import advancing, bars
from .replay import apply_journal, contents_of
from .tables import report_table

ROWS_LEFT = 3
"""The exit code of a replay that has gone through its journal, of which not every row is in the book."""


def replay(
    file: Annotated[Path, typer.Argument(help="A journal: CSV, gzipped if its name ends in .gz.", show_default=False)],
    url: NewUrl = None,
    batch: Annotated[int, typer.Option(min=1, max=100_000, help="Rows that are read and sent at a time.")] = 1_000,
    deadline: Annotated[
        float, typer.Option(envvar="SLOTBOOK_DEADLINE", help="Seconds to get through a failover.")
    ] = 60.0,
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option(help="Save the positions here, as JSON.", show_default=False)] = None,
    own_orders: Annotated[
        str | None,
        typer.Option("--orders", metavar="MODULE:MODEL", help="Your class of orders; Order if not given."),
    ] = None,
    own_fills: Annotated[
        str | None, typer.Option("--fills", metavar="MODULE:MODEL", help="Your class of fills; Fill if not given.")
    ] = None,
) -> None:
    """Apply a journal; a second run changes nothing.

    Its columns are `seq,ts_ns,trader,event,order_id,symbol,side,quantity,price,exec_id` with the events NEW, REPLACE,
    CANCEL, FILL, BUST and CORRECT; seq rises from row to row and from file to file. Behind these there may be other
    fields, such as `exec_ref_id`, `fee`, `type` or `client_order_id`, in any order. The whole file is read before
    anything is applied: one that is no journal (another header, a column that is not known, a row with columns too many
    or too few, cut off) changes nothing. Fields of your own have columns named `+strategy`:
    `--orders desk.models:DeskOrder`.

    Each row has one fate:

    - applied: now; also if it had to wait for rows behind it, then it is named as applied out of order
    - repeated: it was applied before
    - out of date: a later REPLACE of the order was applied, or another request has ended it in the same way
    - refused: its values cannot be used, its symbol or side is not its order's, or the book says no
    - would apply if run again: refused, but the rows that it waits for came too late in this run

    Rows that are refused are tried again behind the others, as long as that applies any. Symbol and side of a REPLACE,
    CANCEL or FILL must be its order's. A repeat is known as long as its order is kept, which is order_ttl (a day) after
    its end, or its event; a row whose order is not kept and that is not younger than the first event kept is refused.

    Exit codes: 0 every row was applied or repeated · 3 the journal was gone through, but some rows are out of date,
    refused or would apply if run again · 1 not finished, so run it again · 2 bad usage · 130 Ctrl-C.

    The JSON output names every row that is not just applied or repeated ("named": line, fate, reason), and has the
    state of the journal's traders afterwards, with "positions" by trader, or by trader and symbol if the journal has
    several symbols, and in each the parts of accounts ("accounts").
    """
    place = None if out is None else check_place(out)
    settings = settings_of(url, deadline)
    orders_of, fills_of = class_of(own_orders, Order), class_of(own_fills, Fill)
    with bars() as progress, open_journal(file, orders_of, fills_of) as journal:
        checking = progress.add_task("checking", total=None)
        contents = contents_of(journal, advancing(progress, checking))
        progress.remove_task(checking)
        with Book.open(settings) as book:
            applying = progress.add_task("applying", total=contents.rows)
            report = apply_journal(book, journal, contents, batch, advancing(progress, applying))
            is_kept = book.backend.deployment is None
    if place is not None:
        save(place, json_text(report.positions_json()))
    if as_json:
        print_json(report.as_json())
    else:
        console = screen()
        console.print(report_table(report))
        for line in report.rows_shown():
            console.print(line)
        if not is_kept:
            console.print("The servers were private and have ended, so nothing is kept; --url says where to keep it.")
    if not report.tally.is_complete:
        raise typer.Exit(ROWS_LEFT)
