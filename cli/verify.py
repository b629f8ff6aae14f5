"""``slotbook verify``: compare the records of a book with each other, and repair what they prove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, TypeAlias

import typer

from ..models.errors import printable
from ..repositories import Book
from ..repositories.audit.findings import Finding, RepairOutcome
from .fitted import table
from .options import AsJson, Url, kept_settings
from .output import JsonValue, print_json, screen
from .progress import advancing, bars

_Result: TypeAlias = tuple[Finding, RepairOutcome | None]
"""A finding, and the outcome of its repair if one was asked for."""

_OUTCOMES = {
    RepairOutcome.REPAIRED: "repaired",
    RepairOutcome.IN_ORDER: "in order by now",
    RepairOutcome.CHANGING: "changed each time it was to be repaired; try again",
    RepairOutcome.LEFT: "not repairable",
}


def verify(
    url: Url = None,
    trader: Annotated[
        list[str] | None, typer.Option(help="Whose book; may be given several times. All if not given.")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair what two records prove; without it, only read.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare what orders, applied fills, events, positions and indexes say of the same facts; show who says what.

    The book may be in use meanwhile. What is too old to be compared is listed. With --repair, a record is put right
    where at least two others prove what it should be, each in one atomic step that undoes no change made meanwhile; in
    doubt it is left. Events, applied fills and the header are never written.

    Exits with 1 when there are differences, or when --repair could not correct all of them.
    """
    with Book.open(kept_settings(url)) as book:
        traders = sorted(set(trader)) if trader else book.audit.traders()
        results: list[_Result] = []
        with bars() as progress:
            advance = advancing(progress, progress.add_task("verifying", total=len(traders)))
            for name in traders:
                if repair:
                    results += [(one.finding, one.outcome) for one in book.audit.repair(name)]
                else:
                    results += [(finding, None) for finding in book.audit.verify(name)]
                advance(1)
    differences = [(finding, outcome) for finding, outcome in results if finding.is_difference]
    unchecked = [finding for finding, _ in results if not finding.is_difference]
    left = sum(outcome is None or not outcome.is_settled for _, outcome in differences)
    if as_json:
        found: list[JsonValue] = [_difference_json(*result) for result in differences]
        gaps = [{"trader": one.trader, "key": one.key, "message": one.message} for one in unchecked]
        print_json({"traders": traders, "differences": found, "unchecked": gaps, "left": left})
    else:
        _show(
            differences, unchecked, f"{_count(len(traders), 'trader')}, {_count(len(differences), 'difference')}", left
        )
    if left:
        raise typer.Exit(1)


def _show(differences: Sequence[_Result], unchecked: Sequence[Finding], summary: str, left: int) -> None:
    console = screen()
    if differences:
        rows = [(one.trader, one.kind, _described(one), _remedy(one, outcome)) for one, outcome in differences]
        console.print(table(("trader", "kind"), (), rows, prose=("difference", "repair")))
    for finding in unchecked:
        console.print(printable(f"not checked: {finding.trader}: {finding.message}"))
    console.print(f"{summary}, {left:,} left" if differences else summary, style="bold red" if left else "bold green")


def _described(finding: Finding) -> str:
    """Return what differs, and on a line of its own what each record says of it."""
    says = printable(", ".join(f"{record}: {value}" for record, value in finding.says.items()))
    message = printable(finding.message)
    return f"{message}\n{says}" if says else message


def _remedy(finding: Finding, outcome: RepairOutcome | None) -> str:
    if outcome is not None:
        return _OUTCOMES[outcome]
    return "with --repair" if finding.repairable else _OUTCOMES[RepairOutcome.LEFT]


def _difference_json(finding: Finding, outcome: RepairOutcome | None) -> dict[str, JsonValue]:
    return {**asdict(finding), **({} if outcome is None else {"repair": outcome})}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
