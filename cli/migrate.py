"""``slotbook migrate``: bring the records of a model of the desk's own to its schema."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ..repositories import Book
from ..repositories.records.migration import Migration
from .fitted import table
from .options import AsJson, Url, kept_settings
from .output import BadUsage, JsonValue, print_json, screen
from .own_models import own_model
from .progress import bars


def migrate(
    model: Annotated[
        str, typer.Argument(metavar="MODULE:MODEL", help="The model, as in desk.models:Allocation.", show_default=False)
    ],
    url: Url = None,
    trader: Annotated[
        list[str] | None, typer.Option(help="Whose records; may be given several times. All if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring all records of a model to its schema, trader by trader: slotbook migrate desk.models:Allocation.

    The model is found in the current folder or among what is installed. The book may be in use meanwhile. What was
    stopped goes on when it is run again: traders who are done are skipped.

    Records that cannot be upgraded stay as they are, and are shown with the reason. Their traders are not marked as
    done, so that no index is read that such a record may not be in.

    Exit codes: 0 every record is of the model's schema · 1 some could not be upgraded, or nothing is stored of a
    trader, or not finished, so run it again · 2 bad usage.
    """
    found = own_model(model)
    has_trader = "trader" in found.model_fields
    if trader and not has_trader:
        raise BadUsage(f"{model} has no trader, so its records are none of {', '.join(trader)}: leave --trader out")
    with Book.open(kept_settings(url)) as book, bars() as progress:
        task = progress.add_task("migrating", total=None)

        def show(done: Migration) -> None:
            progress.update(task, description=f"{done.rewritten:,} records", total=done.total, completed=done.traders)

        if has_trader:
            done = book.table(found).migrate(trader, progress=show)
        else:
            done = book.reference(found).migrate(progress=show)
    if as_json:
        left: list[JsonValue] = [record._asdict() for record in done.left]
        print_json({**asdict(done), "left": left})
    else:
        console = screen()
        if done.left:
            console.print(table(("trader", "key"), (), done.left, prose=("reason",)))
        console.print(
            f"traders: {done.traders:,}, done before: {done.current:,}, "
            f"records brought to schema {found.entity_schema}: {done.rewritten:,}, left: {len(done.left):,}",
            style="bold red" if done.left else "bold green",
        )
        if done.unknown:
            console.print(f"nothing is stored of {', '.join(done.unknown)}", style="bold red")
    if not done.is_complete:
        raise typer.Exit(1)
