"""``slotbook ping``: ask every primary of a book for a sign of life."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ..models.errors import printable
from ..models.health import Ping
from ..repositories import Book
from .options import AsJson, Url, kept_settings
from .output import JsonValue, print_json, screen

SILENT = 3
"""The exit code when a primary does not answer."""


def ping(
    url: Url = None,
    deadline: Annotated[float, typer.Option(help="Seconds for all of it.", min=0.001)] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Ask every primary of a book for a sign of life, and show how long each took to answer.

    When one does not answer, the primaries are looked for anew and asked once more. Nothing is changed.

    Exit codes: 0 all have answered · 3 one has not · 1 no server could be reached · 2 bad usage.
    """
    settings = kept_settings(url)
    with Book.open(settings.model_copy(update={"deadline": min(deadline, settings.deadline)})) as book:
        answer = book.ping(deadline)
    if as_json:
        nodes: list[JsonValue] = [asdict(node) for node in answer.nodes]
        print_json({"ok": answer.ok, "seconds": answer.seconds, "error": answer.error, "nodes": nodes})
    else:
        _show(answer)
    if not answer.ok:
        raise typer.Exit(SILENT)


def _show(answer: Ping) -> None:
    console = screen()
    for node in answer.nodes:
        if node.seconds is None:
            console.print(f"{node.node}  {printable(node.error or 'no answer')}", style="bold red")
        else:
            console.print(f"{node.node}  {node.seconds * 1_000:.2f} ms")
    if answer.error is not None:
        console.print(printable(answer.error), style="bold red")
