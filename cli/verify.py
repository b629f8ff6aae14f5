"""``slotbook verify``: is what is stored what orders, fills and events make of it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ..repositories import Book
from ..repositories._sync.audit import Auditor
from ..repositories.audit import Finding, Mending, Repair
from .options import AsJson, Url, kept_settings
from .output import JsonValue, print_json, screen
from .progress import advancing, bars
from .tables import table

_SAID = {
    Mending.REPAIRED: "repaired",
    Mending.IN_ORDER: "in order by now",
    Mending.CHANGING: "changed each time it was to be repaired; try again",
    Mending.LEFT: "not repairable",
}


def verify(
    url: Url = None,
    trader: Annotated[
        list[str] | None, typer.Option(help="Whose book; may be given several times. All if not given.")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair indexes and positions; without it, only read.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Rebuild positions and indexes from orders, fills and events, and compare them with what is stored.

    The book may be in use meanwhile. What is too old to be compared is said. With --repair, what orders and events prove
    is put right, each thing in one atomic step that undoes no change made meanwhile; orders and events are never written.

    Exits with 1 when differences were found, or were left by --repair.
    """
    with Book.open(kept_settings(url)) as book:
        auditor = Auditor(book.backend)
        traders = sorted(set(trader)) if trader else auditor.traders()
        findings: list[Finding] = []
        repairs: list[Repair] = []
        with bars() as progress:
            advance = advancing(progress, progress.add_task("verifying", total=len(traders)))
            for name in traders:
                if repair:
                    repairs += auditor.repair(name)
                else:
                    findings += auditor.verify(name)
                advance(1)
    if not repair:
        repairs = [Repair(finding, Mending.LEFT) for finding in findings]
    left = [one for one in repairs if one.finding.is_difference and not one.is_settled]
    if as_json:
        print_json(_json(traders, repairs, len(left), repair))
    else:
        _show(traders, repairs, len(left), repair)
    if left:
        raise typer.Exit(1)


def _show(traders: Sequence[str], repairs: Sequence[Repair], left: int, repaired: bool) -> None:
    console = screen()
    differences = [one for one in repairs if one.finding.is_difference]
    if differences:
        rows = [
            (one.finding.trader, one.finding.kind, one.finding.message, _remedy(one, repaired)) for one in differences
        ]
        console.print(table(("trader", "kind", "difference", "repair"), (), rows))
    for one in repairs:
        if not one.finding.is_difference:
            console.print(f"not checked: {one.finding.trader}: {one.finding.message}")
    verdict = f"{_count(len(traders), 'trader')}, {_count(len(differences), 'difference')}"
    if repaired and differences:
        verdict += f", {left:,} left"
    elif repairable := sum(one.finding.repairable for one in differences):
        verdict += f", {repairable:,} of them repairable with --repair"
    console.print(verdict, style="bold red" if left else "bold green")


def _remedy(one: Repair, repaired: bool) -> str:
    if repaired:
        return _SAID[one.mending]
    return "--repair" if one.finding.repairable else _SAID[Mending.LEFT]


def _json(traders: Sequence[str], repairs: Sequence[Repair], left: int, repaired: bool) -> JsonValue:
    differences = [
        {
            "trader": one.finding.trader,
            "kind": one.finding.kind,
            "key": one.finding.key,
            "entry": one.finding.entry,
            "stored": one.finding.stored,
            "expected": one.finding.expected,
            "repairable": one.finding.repairable,
            "message": one.finding.message,
            **({"repair": one.mending} if repaired else {}),
        }
        for one in repairs
        if one.finding.is_difference
    ]
    unchecked = [
        {"trader": one.finding.trader, "key": one.finding.key, "message": one.finding.message}
        for one in repairs
        if not one.finding.is_difference
    ]
    return {"traders": list(traders), "differences": differences, "unchecked": unchecked, "left": left}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
