"""The figures drawn as SVG, with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

from .measure import FLOOR, SLOTBOOK, Result
from .server_time import PLAIN, SCRIPTED

_PALETTE = (
    "#7f7f7f",
    "#8c564b",
    "#1f77b4",
    "#9467bd",
    "#2ca02c",
    "#17becf",
    "#e377c2",
    "#bcbd22",
    "#ff7f0e",
    "#aec7e8",
)
_MARKERS = "osv^P*Xpd<"
"""The shape of a contestant's points, so that it is told by more than its color; Slotbook's is another one."""
_STYLE = {"svg.fonttype": "path", "svg.hashsalt": "slotbook", "font.size": 9.0}


def plot(results: Sequence[Result], folder: Path) -> list[Path]:
    """Draw the ratios to the floor, the speeds with many asyncio tasks and the server's times; return the files.

    Raises OSError when a file cannot be written.
    """
    raced = [result for result in results if FLOOR in result.figures]
    crowds = [result for result in raced if result.where == "asyncio"]
    drawn = [_save(_against_the_floor([result for result in raced if result not in crowds]), folder / "floor.svg")]
    if crowds:
        drawn.append(_save(_crowds(crowds), folder / "asyncio.svg"))
    if worked := [result for result in results if PLAIN in result.figures]:
        drawn.append(_save(_server_times(worked), folder / "server.svg"))
    return drawn


def _against_the_floor(results: Sequence[Result]) -> Figure:
    """Draw one row for each job, and in it one point for each contestant: its ratio to the floor."""
    names = list(dict.fromkeys(name for result in results for name in result.figures if name not in (FLOOR, SLOTBOOK)))
    figure = Figure(figsize=(8, 1.2 + 0.32 * len(results)), layout="constrained")
    axes = cast(Any, figure.subplots())
    rows = range(len(results))
    for color, marker, name in zip(_PALETTE * 9, _MARKERS * 9, names, strict=False):
        entries = [(row, result) for row, result in zip(rows, results, strict=True) if name in result.figures]
        points = [result.ratio(name, FLOOR) for _, result in entries]
        axes.plot(points, [row for row, _ in entries], marker, color=color, label=name, alpha=0.8)
    slotbook = [result.ratio(SLOTBOOK, FLOOR) for result in results]
    axes.plot(slotbook, rows, "D", color="#d62728", label="Slotbook", markersize=8)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    ticks = [1, 1.5, 2, 3, 5, 10, 20]
    axes.set_xticks(ticks, [f"{tick:g} x" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(rows, [f"{result.job} ({result.where})" for result in results])
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.4)
    axes.set_title("Time per operation, as a multiple of the same bytes on a bare socket")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=4, frameon=False)
    return figure


def _crowds(results: Sequence[Result]) -> Figure:
    """Draw the orders read in a second, by the number of tasks."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = cast(Any, figure.subplots())
    colors = ("black", "#d62728", *_PALETTE[1:] * 9)
    for color, marker, name in zip(colors, ("o", "D", *_MARKERS[1:] * 9), results[0].figures, strict=False):
        speeds = [1e6 / result.median(name) for result in results]
        axes.plot(
            range(len(results)), speeds, f"{marker}-", color=color, label="Slotbook" if name == SLOTBOOK else name
        )
    axes.set_xticks(range(len(results)), [result.job.removeprefix("get, ") for result in results])
    axes.set_ylabel("orders read in a second")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", alpha=0.4)
    axes.set_title("One asyncio client, many tasks; Slotbook's orders are typed and checked, the others' are not")
    axes.legend(frameon=False)
    return figure


def _server_times(results: Sequence[Result]) -> Figure:
    """Draw one row for each job: how long the server works for a change, beside the same writes as plain commands."""
    figure = Figure(figsize=(8, 1.2 + 0.45 * len(results)), layout="constrained")
    axes = cast(Any, figure.subplots())
    sides = (
        (PLAIN, PLAIN, _PALETTE[0], -0.27),
        (SCRIPTED, SCRIPTED, _PALETTE[1], 0),
        (SLOTBOOK, "Slotbook", "#d62728", 0.27),
    )
    for name, label, color, shift in sides:
        found = [(row + shift, result.median(name)) for row, result in enumerate(results) if name in result.figures]
        bars = axes.barh([row for row, _ in found], [took for _, took in found], height=0.25, color=color, label=label)
        if name == SLOTBOOK:
            axes.bar_label(bars, [f"{result.ratio(SLOTBOOK, PLAIN):.2f} x" for result in results], padding=3)
    axes.set_yticks(range(len(results)), [result.job for result in results])
    axes.invert_yaxis()
    axes.set_xlabel("µs of the server's main thread for each change")
    axes.margins(x=0.1)
    axes.grid(axis="x", alpha=0.4)
    axes.set_title("The server's time for a change, beside the same writes as plain commands")
    axes.legend(frameon=False)
    return figure


def _save(figure: Figure, path: Path) -> Path:
    """Write a figure, whose letters are drawn, so that no font of a reader's is wider than the box around them all."""
    title = cast(Any, figure).axes[0].get_title()
    with cast(Any, mpl).rc_context(_STYLE):
        cast(Any, figure).savefig(path, metadata={"Date": None, "Title": title}, bbox_inches="tight")
    return path
