"""``slotbook index``: the search indexes that queries need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, TypeAlias

import typer
from rich.table import Table

from ..repositories import Book, IndexStatus
from ..repositories.search.index_query import KINDS, RecordKind
from .options import AsJson, Url, kept_settings
from .output import print_json, screen
from .progress import bars
from .tables import table

app = typer.Typer(help="Make, drop or describe the search indexes that `find` needs.", no_args_is_help=True)

RecordKinds: TypeAlias = Annotated[
    list[RecordKind] | None,
    typer.Option("--kind", help="Of which records; may be given several times. All if not given."),
]


@app.command()
def create(url: Url = None, kind: RecordKinds = None, as_json: AsJson = False) -> None:
    """Create the indexes on every primary; an index that is current already is left as it is.

    An index of another version is used until the new one is complete; then queries are switched to the new one and the
    old one is dropped. Run it again whenever a cluster's slots were moved or a primary was added.
    """
    with Book.open(kept_settings(url)) as book, bars() as progress:
        tasks = {one: progress.add_task(f"indexing {one}s", total=100) for one in kind or KINDS}
        found = book.indexes.create(
            kind or KINDS, progress=lambda one, part: progress.update(tasks[one], completed=int(100 * part))
        )
    _show(found, as_json=as_json)


@app.command()
def drop(url: Url = None, kind: RecordKinds = None, as_json: AsJson = False) -> None:
    """Drop the indexes; the records stay. Exits with 1 when one could not be reached."""
    with Book.open(kept_settings(url)) as book:
        left = book.indexes.drop(kind or KINDS)
    _show(left, as_json=as_json)
    if left:
        raise typer.Exit(1)


@app.command()
def info(url: Url = None, kind: RecordKinds = None, as_json: AsJson = False) -> None:
    """Show every index of every primary: whether queries use it, how complete it is, and what it left out."""
    with Book.open(kept_settings(url)) as book:
        found = book.indexes.info(kind or KINDS)
    _show(found, as_json=as_json)


def _show(found: Sequence[IndexStatus], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in found])
    elif found:
        screen().print(_table(found))
    else:
        screen().print("no indexes")


def _table(found: Iterable[IndexStatus]) -> Table:
    return table(
        ("index", "state", "left out last"),
        ("records", "complete", "left out", "MB"),
        (
            (
                one.name,
                _state(one),
                one.failed_key,
                one.records,
                f"{one.built:.0%}",
                one.failures,
                f"{one.megabytes:.1f}",
            )
            for one in found
        ),
    )


def _state(one: IndexStatus) -> str:
    if not one.is_reachable:
        return "unreachable: its slot has moved"
    age = "current" if one.is_current else "of another version"
    return f"{age}, {'used' if one.is_used else 'not used'}"
