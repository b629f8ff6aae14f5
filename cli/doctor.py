"""``slotbook doctor``: look at the servers of a book, and say what is wrong with them and what helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from ..models.errors import printable
from ..repositories.doctor._sync import Doctor
from ..repositories.doctor.findings import Diagnosis, Finding, Verdict
from .options import AsJson, Url, kept_settings
from .output import JsonValue, print_json, screen

FOUND = 3
"""The exit code when something is bad or a risk."""
NOT_ALL_SEEN = 4
"""The exit code when nothing is, in what could be seen, which is not everything."""

_STYLES = {Verdict.BAD: "bold red", Verdict.RISK: "yellow", Verdict.UNSEEN: "magenta", Verdict.GOOD: "green"}

NARROW = 120
"""The columns of a screen below which a finding is not spread over columns."""

_PARTS = (("primary", "primaries"), ("replica", "replicas"), ("sentinel", "Sentinels"))


def doctor(
    url: Url = None,
    user: Annotated[
        str | None,
        typer.Option(help="Examine the permissions of this user; of the URL's user if not given.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show what is good, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at every server of a book, replicas and Sentinels too; show what is wrong and what helps.

    Nothing is changed. Run it as an operator, and name the user of the programs with --user: an application's user
    should not see most of this. What may not be seen is said, with the permission that is missing.

    - bad: something is lost, refused or not answered, or will be at the next failure
    - risk: it works now, and will not when more comes together
    - unseen: the user may not look, or the server does not tell
    - note: nothing is wrong

    Exit codes: 0 all is good · 3 something is bad or a risk · 4 nothing is, but not everything could be seen · 1 no
    server answers · 2 bad usage.
    """
    diagnosis = Doctor.visit(kept_settings(url), user)
    if as_json:
        print_json(_json(diagnosis))
    else:
        _show(diagnosis, everything=everything)
    if not diagnosis.is_good:
        raise typer.Exit(FOUND)
    if not diagnosis.is_complete:
        raise typer.Exit(NOT_ALL_SEEN)


def _show(diagnosis: Diagnosis, *, everything: bool) -> None:
    console = screen()
    shown = diagnosis.of(*(verdict for verdict in Verdict if everything or verdict is not Verdict.GOOD))
    if shown:
        console.print(findings_table(shown, len(diagnosis.servers), console.width if console.is_terminal else None))
    parts = [part for _, part in diagnosis.servers]
    names = [_count(parts, *words) for words in _PARTS]
    counts = [f"{count} {verdict}" for verdict in Verdict if (count := len(diagnosis.of(verdict)))]
    style = "bold red" if not diagnosis.is_good else "bold green" if diagnosis.is_complete else "bold magenta"
    console.print(f"{', '.join(filter(None, names))}: {', '.join(counts)}", style=style)


def findings_table(findings: Sequence[Finding], servers: int, width: int | None) -> Table:
    """Return a table of findings for a screen of so many columns; None is a pipe, in which each is one line.

    On a narrow screen everything of a finding stands below each other, as wide as the screen.
    """
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    rows.add_column("verdict", no_wrap=True)
    narrow = width is not None and width < NARROW
    names = ("check: value, why, and what helps",) if narrow else ("check", "value", "why, and what helps")
    for name in names:
        rows.add_column(name, overflow="fold")
    joint = " " if width is None else "\n"
    for finding in findings:
        verdict = Text(finding.verdict, style=_STYLES.get(finding.verdict, ""))
        (value, *where), advice = _value(finding, servers), _advice(finding)
        if narrow:
            servers_named = [f"on {', '.join(where)}"] if where else []
            rows.add_row(verdict, joint.join([f"{finding.check}: {value}", *servers_named, *advice]))
        else:
            rows.add_row(verdict, finding.check, joint.join([value, *where]), joint.join(advice))
    return rows


def _count(parts: Sequence[str], one: str, several: str) -> str:
    count = parts.count(one)
    return f"{count} {one if count == 1 else several}" if count else ""


def _value(finding: Finding, servers: int) -> list[str]:
    """Return the lines that say what was seen and, unless there is only one server, on which ones."""
    value = printable(finding.value)
    if finding.verdict is Verdict.GOOD or servers == 1:
        return [value]
    more = len(finding.servers) - 2
    return [value, *finding.servers[:2], *([f"and {more} more"] if more > 0 else [])]


def _advice(finding: Finding) -> list[str]:
    """Return the lines that say why it matters, and what helps."""
    return [*filter(None, [printable(finding.why)]), *([f"→ {printable(finding.remedy)}"] if finding.remedy else [])]


def _json(diagnosis: Diagnosis) -> dict[str, JsonValue]:
    findings: list[JsonValue] = [asdict(finding) for finding in diagnosis.findings]
    servers: list[JsonValue] = [{"address": name, "part": part} for name, part in diagnosis.servers]
    counts = {verdict.value: len(diagnosis.of(verdict)) for verdict in Verdict}
    return {
        "good": diagnosis.is_good,
        "complete": diagnosis.is_complete,
        "counts": counts,
        "servers": servers,
        "findings": findings,
    }
