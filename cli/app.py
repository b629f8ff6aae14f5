"""The program: its commands, exit codes and error lines."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, cast

import typer

from .. import __version__
from .commands import COMMANDS, Command

COMPLETED = "_TYPER_COMPLETE_ARGS"
"""The environment variable in which a shell passes the words that it wants completed."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    It is 0, 1 for a failure, 2 for bad usage, 130 for Ctrl-C; 3 and 4 are explained by the commands that have them.
    """
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="backslashreplace")  # a name may hold characters that the terminal cannot show
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        program(_chosen(os.environ.get(COMPLETED, "").split()[1:] or given))(given, prog_name="slotbook")
    except SystemExit as end:
        return _flushed(end.code if isinstance(end.code, int) else 0)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        from .failures import exit_code  # here, because it imports the models, for which --help does not wait

        return exit_code(error)
    return _flushed(0)


def program(chosen: str | None) -> typer.Typer:
    """Return the program with the command that is chosen; of the others it has what help says of them."""
    app = typer.Typer(
        name="slotbook",
        help="A trading desk's state in Redis: orders, positions and executions, each applied exactly once.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for command in COMMANDS:
        _add(app, command, is_chosen=command.name == chosen)
    return app


def _add(app: typer.Typer, command: Command, *, is_chosen: bool) -> None:
    if not is_chosen:
        app.command(command.name, help=command.summary, rich_help_panel=command.panel)(_not_chosen)
        return
    epilog = "\n\n".join(("**Examples**", *(f"`slotbook {example}`" for example in command.examples)))
    module = importlib.import_module(f".{command.module}", __package__)
    if (own := getattr(module, "app", None)) is not None:
        app.add_typer(cast(typer.Typer, own), name=command.name, epilog=epilog)
    else:
        function = cast("Callable[..., None]", getattr(module, command.name))
        app.command(command.name, epilog=epilog)(function)


def _not_chosen() -> None:
    """Stand for a command that is not run."""


def _chosen(words: Sequence[str]) -> str | None:
    """Return the name of the command among the words of a command line, None when there is none."""
    return next((word for word in words if not word.startswith("-")), None)


def _version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"slotbook {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Take the options of the program itself."""


def _flushed(code: int) -> int:
    """Return the exit code after everything is written.

    A reader that has closed the pipe, as ``head`` does, is not reported.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"slotbook: {error}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code or 1
    return code
