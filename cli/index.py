"""``slotbook index``: the search indexes that queries need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, TypeAlias

import typer

from ..repositories import Book, IndexStatus
from ..repositories.search.index_query import KINDS, Indexed, RecordKind, indexed
from .fitted import Fitted, table
from .options import AsJson, Url, kept_settings
from .output import print_json, screen
from .own_models import indexed_model
from .progress import bars

app = typer.Typer(help="Make, drop or describe the search indexes that `find` needs.", no_args_is_help=True)

RecordKinds: TypeAlias = Annotated[
    list[RecordKind] | None,
    typer.Option(
        "--kind", help="Of which of the book's own records; may be given several times. All if not given, nor a model."
    ),
]
OwnModels: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[MODULE:MODEL]...", help="Models of your own, such as desk.models:Allocation."),
]


@app.command()
def create(models: OwnModels = None, url: Url = None, kind: RecordKinds = None, as_json: AsJson = False) -> None:
    """Create the indexes on every primary; an index that is current already is left as it is.

    An index of another version is used until the new one is complete; then queries are switched to the new one and the
    old one is dropped. Run it again whenever a cluster's slots were moved or a primary was added.
    """
    kinds = _kinds(models, kind)
    with Book.open(kept_settings(url)) as book, bars() as progress:
        tasks = {one.label: progress.add_task(f"indexing {one.records}", total=100) for one in indexed(kinds)}
        found = book.indexes.create(
            kinds, progress=lambda one, part: progress.update(tasks[one], completed=int(100 * part))
        )
    _show(found, as_json=as_json)


@app.command()
def drop(models: OwnModels = None, url: Url = None, kind: RecordKinds = None, as_json: AsJson = False) -> None:
    """Drop the indexes; the records stay. Exits with 1 when one could not be reached."""
    kinds = _kinds(models, kind)
    with Book.open(kept_settings(url)) as book:
        left = book.indexes.drop(kinds)
    _show(left, as_json=as_json)
    if left:
        raise typer.Exit(1)


@app.command()
def info(models: OwnModels = None, url: Url = None, kind: RecordKinds = None, as_json: AsJson = False) -> None:
    """Show every index of every primary: whether queries use it, how complete it is, and what it left out."""
    kinds = _kinds(models, kind)
    with Book.open(kept_settings(url)) as book:
        found = book.indexes.info(kinds)
    _show(found, as_json=as_json)


def _kinds(models: Sequence[str] | None, kinds: Sequence[RecordKind] | None) -> list[Indexed]:
    """Return what the command line names, or all of the book's own kinds. Raises BadUsage."""
    named: list[Indexed] = [*(kinds or ()), *map(indexed_model, models or ())]
    return named or [*KINDS]


def _show(found: Sequence[IndexStatus], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in found])
    elif found:
        screen().print(_table(found))
    else:
        screen().print("no indexes")


def _table(found: Iterable[IndexStatus]) -> Fitted:
    return table(
        ("index",),
        ("records", "complete", "left out", "MB"),
        (
            (
                one.name,
                one.records,
                f"{one.built:.0%}",
                one.failures,
                f"{one.megabytes:.1f}",
                _state(one),
                one.failed_key,
            )
            for one in found
        ),
        prose=("state", "left out last"),
    )


def _state(one: IndexStatus) -> str:
    if not one.is_reachable:
        return "unreachable: its slot has moved"
    age = "current" if one.is_current else "of another version"
    return f"{age}, {'used' if one.is_used else 'not used'}"
