"""Progress bars: on standard error, and only when that is a terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from .output import notes


def bars() -> Progress:
    """A context that shows bars and removes them at its end."""
    console = notes()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def advancing(progress: Progress, task: TaskID) -> Callable[[int], None]:
    """A function that moves one bar on."""

    def advance(steps: int) -> None:
        progress.update(task, advance=steps)

    return advance
