"""The command ``slotbook bench``, which shows every figure beside its floor and its peers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, cast

import typer

from ..bench.latency import Latency
from ..bench.measure import FLOOR, SLOTBOOK, Result
from ..bench.report import Report, benchmark
from ..bench.scope import FULL, QUICK
from ..models.journal import JournalEntry
from ..repositories.orders.verbs import OrderRequest
from ..topology.embedded import Topology
from .fitted import Fitted, table
from .journal_file import open_journal
from .options import AsJson
from .output import BadUsage, JsonValue, print_json, screen
from .progress import bars


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer and smaller, in half a minute.")] = False,
    journal: Annotated[
        Path | None, typer.Option(help="A journal to replay; without one that job is left out.", show_default=False)
    ] = None,
    plots: Annotated[
        Path | None, typer.Option("--plot", metavar="DIR", help="Draw the figures there, as SVG.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure Slotbook beside its floor and its peers, in turns, on private servers.

    The floor is the same bytes on a bare socket. Peers that are not installed are left out; `pip install
    'slotbook[bench]'` installs them. A figure is a median; a ratio is the median of the ratios of each round.
    The server's time is what its main thread works for a change, beside the same writes as plain commands.
    """
    draw = None if plots is None else _drawing(plots)
    scope = QUICK if quick else FULL
    requests: list[OrderRequest] = []
    if journal is not None:
        with open_journal(journal) as file:
            entries = (row for row in file.rows() if isinstance(row, JournalEntry))
            requests = [entry.request for entry in islice(entries, scope.rows)]
    with bars() as progress:
        task = progress.add_task("starting the servers", total=None)
        report = benchmark(scope, requests, lambda what: progress.update(task, description=what))
    if plots is not None and draw is not None:
        draw(report.results, plots)
    if as_json:
        print_json(report_json(report))
        return
    console = screen()
    console.print(", ".join(f"{name} {found}" for name, found in report.versions.items()))
    for result in report.results:
        console.print(result_table(result))
    console.print(latency_table(report.latencies))
    console.print(goals_table(report.results))


def _drawing(folder: Path) -> Callable[[Sequence[Result], Path], object]:
    """Return the function that draws the figures; raise BadUsage when they could not be drawn."""
    if not folder.is_dir():
        raise BadUsage(f"there is no folder {folder}")
    try:
        module = importlib.import_module("..bench.plot", __package__)
    except ImportError:
        raise BadUsage("--plot needs matplotlib: pip install 'slotbook[bench]'") from None
    return cast("Callable[[Sequence[Result], Path], object]", module.plot)


def result_table(result: Result) -> Fitted:
    """Return a table of one job: the floor first, then the contestants, the fastest first."""
    names = sorted(result.figures, key=lambda name: (name != FLOOR, result.median(name)))
    return table(
        (f"{result.job} ({result.where})",),
        (result.unit, "middle half", "x floor", "x slotbook"),
        (
            (
                name,
                f"{result.median(name):,.1f}",
                "{:,.1f} to {:,.1f}".format(*result.spread(name)),
                f"{result.ratio(name, FLOOR):.2f}" if FLOOR in result.figures else None,
                f"{result.ratio(name, SLOTBOOK):.2f}",
            )
            for name in names
        ),
    )


def latency_table(latencies: Mapping[Topology, Latency]) -> Fitted:
    """Return a table of the delays of events, beside those of a bare PUBLISH and SUBSCRIBE."""
    return table(
        ("event delivered after (µs, p50 and p99)",),
        ("fill returned: follow yields", "PUBLISH returned: SUBSCRIBE reads", "fill sent", "PUBLISH sent"),
        (
            (
                topology,
                *(
                    f"{spread.p50:,.0f} and {spread.p99:,.0f}"
                    for spread in (found.follow, found.bare, found.follow_since_sent, found.bare_since_sent)
                ),
            )
            for topology, found in latencies.items()
        ),
    )


def goals_table(results: list[Result]) -> Fitted:
    """Return a table of the goals: the ratio that was measured, what it may be at most, and the judgement of both."""
    return table(
        ("job", "against"),
        ("ratio", "at most"),
        (
            (
                f"{result.job} ({result.where})",
                goal.against,
                f"{ratio:.3f}",
                f"{goal.at_most:.3f}",
                "yes" if good else "no",
            )
            for result in results
            for goal, ratio, good in result.reached()
        ),
        prose=("reached",),
    )


def report_json(report: Report) -> dict[str, JsonValue]:
    """Return the report as ``--json`` prints it, with every figure of every round."""
    return {
        "versions": report.versions,
        "latencies": {topology: cast(JsonValue, asdict(found)) for topology, found in report.latencies.items()},
        "results": [
            {
                "job": result.job,
                "where": result.where,
                "unit": result.unit,
                "medians": {name: round(result.median(name), 3) for name in result.figures},
                "ratios": {name: round(result.ratio(SLOTBOOK, name), 4) for name in result.figures},
                "goals": [
                    {"against": goal.against, "at_most": round(goal.at_most, 4), "is": round(ratio, 4), "reached": good}
                    for goal, ratio, good in result.reached()
                ],
                "figures": {name: [round(one, 3) for one in every] for name, every in result.figures.items()},
            }
            for result in report.results
        ],
    }
