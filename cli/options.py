"""The options that most commands share, and the settings that they lead to."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from ..models.errors import InvalidSettings
from ..topology.settings import Settings, Target, read
from .output import BadUsage

Url: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Where the book is kept, such as redis://localhost:6379, redis+sentinel://… or redis+cluster://…; "
        "SLOTBOOK_URL if not given.",
        show_default=False,
    ),
]
NewUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Where the book is kept, such as redis://localhost:6379, or embedded://standalone for servers that end "
        "with the command; SLOTBOOK_URL if not given.",
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]


def settings_of(url: str | None, deadline: float) -> Settings:
    """Return the environment's settings for a URL, with a deadline in seconds.

    Parameters in the URL take precedence over the environment. Raises BadUsage without a URL, and InvalidSettings.
    """
    found = _target(url).settings
    wanted = found if url is None else found.at(url)
    try:
        return Settings.model_validate({**dict(wanted), "deadline": deadline})
    except InvalidSettings as error:
        raise InvalidSettings(f"--deadline {deadline:g}: {error}") from None


def kept_settings(url: str | None) -> Settings:
    """Return the settings of a book that exists already; raise BadUsage when they would start a new, empty one."""
    target = _target(url)
    if target.embedded:
        raise BadUsage(
            "an embedded:// book is new and empty, so there is nothing to show; "
            "set --url or SLOTBOOK_URL to where the book is kept"
        )
    return target.settings if url is None else target.settings.at(url)


def _target(url: str | None) -> Target:
    """Return what ``--url`` or the environment says; raise BadUsage when neither does."""
    if url is None and not Settings().url:
        raise BadUsage("set --url or SLOTBOOK_URL to where the book is kept, such as redis://localhost:6379")
    return read(url)
