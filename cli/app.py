"""The program: its commands, exit codes and error lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..models.enums import OrderStatus
from ..models.errors import SlotbookError
from ..models.fill import Fill
from ..models.order import Order
from ..repositories import Book
from ..topology.settings import TopologyKind
from . import index
from .bench import bench
from .demo import run_demo
from .doctor import doctor
from .journal_file import open_journal
from .limits import halt, limits
from .migrate import migrate
from .options import AsJson, Url, kept_settings, settings_of
from .order import fills, order
from .output import BadUsage, check_place, fields_of, json_text, print_error, print_json, save, screen
from .own_models import class_of
from .progress import advancing, bars
from .replay import apply_journal, contents_of
from .tables import orders_table, positions_table, report_table, totals_table
from .verify import verify
from .warm import warm
from .watch import watch

app = typer.Typer(
    name="slotbook",
    help="A trading desk's state in Redis: orders, positions and executions, each applied exactly once.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(bench)
app.command()(doctor)
app.command()(fills)
app.command()(limits)
app.command()(halt)
app.command()(migrate)
app.command()(order)
app.command()(verify)
app.command()(warm)
app.command()(watch)
app.add_typer(index.app, name="index")

ROWS_LEFT = 3
"""The exit code of a replay that has gone through its journal, of which not every row is in the book."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    It is 0, 1 for a failure, 2 for bad usage, 130 for Ctrl-C; 3 and 4 are explained by the commands that have them.
    """
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="backslashreplace")  # a name may hold characters that the terminal cannot show
    try:
        app(arguments, prog_name="slotbook")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        return _flushed(code)
    except KeyboardInterrupt:
        return 130
    except BadUsage as error:
        print_error(error)
        return 2
    except (SlotbookError, OSError) as error:
        print_error(error)
        return 1
    return _flushed(0)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A journal: CSV, gzipped if its name ends in .gz.", show_default=False)],
    url: Url = None,
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
    CANCEL and FILL; seq rises from row to row and from file to file. The whole file is read before anything is applied:
    one that is no journal (another header, a row with columns too many or too few, cut off) changes nothing. Fields of
    your own have columns after these, named `+strategy`: `--orders desk.models:DeskOrder`.

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
    several symbols.
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


@app.command()
def demo(
    topology: Annotated[TopologyKind, typer.Option(help="What to start.")] = TopologyKind.CLUSTER,
    as_json: AsJson = False,
) -> None:
    """Play a trading day on private servers, kill a primary half-way, and count every fill."""
    console = screen()
    outcome = run_demo(topology.value, (lambda _: None) if as_json else console.print)
    audit = outcome.audit
    if as_json:
        print_json(outcome.as_json())
    else:
        console.print(positions_table(outcome.positions))
        for difference in audit.differences:
            console.print(difference)
        console.print(
            f"fills sent {audit.sent:,}, applied {audit.applied:,}, lost {audit.lost}, doubled {audit.doubled}",
            style="bold green" if audit.clean else "bold red",
        )
    if not audit.clean:
        raise typer.Exit(1)


@app.command()
def orders(
    trader: Annotated[str, typer.Option(help="Whose orders.", show_default=False)],
    status: Annotated[
        OrderStatus | None, typer.Option(case_sensitive=False, help="Only those; the open ones if not given.")
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Only those in this symbol.", show_default=False)] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show a trader's orders, by the time they were placed."""
    with Book.open(kept_settings(url)) as book:
        found = book.orders.open(trader) if status is None else book.orders.by_status(trader, status)
    chosen = [one for one in found if symbol in (None, one.symbol)]
    chosen.sort(key=lambda one: (one.ts_ns, one.order_id))
    if as_json:
        print_json([fields_of(one, open_quantity=one.open_quantity) for one in chosen])
    else:
        screen().print(orders_table(chosen))


@app.command()
def positions(
    trader: Annotated[str | None, typer.Option(help="The positions of one trader.", show_default=False)] = None,
    symbol: Annotated[str | None, typer.Option(help="One symbol, over all traders.", show_default=False)] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show one trader's positions, one symbol over all traders, or all symbols."""
    if trader is not None and symbol is not None:
        raise BadUsage("positions takes --trader or --symbol, not both")
    with Book.open(kept_settings(url)) as book:
        if trader is not None:
            held = book.positions.all(trader)
            rows = [fields_of(position, cash=position.cash) for position in held]
            shown = positions_table(held)
        else:
            totals = [total for total in book.positions.totals().values() if symbol in (None, total.symbol)]
            rows = [fields_of(total) for total in totals]
            shown = totals_table(totals)
    if as_json:
        print_json(rows)
    else:
        screen().print(shown)


def _flushed(code: int) -> int:
    """Return the exit code after everything is written.

    A reader that has closed the pipe, as ``head`` does, is not reported.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print_error(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code or 1
    return code
