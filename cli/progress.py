"""Progress bars on standard error, shown only when it is a terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from .output import error_console


def bars() -> Progress:
    """Return a context that shows progress bars and removes them at its end."""
    console = error_console()
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
    """Return a function that advances one bar by a number of steps."""

    def advance(steps: int) -> None:
        progress.update(task, advance=steps)

    return advance
