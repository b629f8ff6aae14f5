"""The options that most commands share, and the settings that they lead to."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer
from pydantic import ValidationError

from ..models.errors import InvalidSettings
from ..topology.settings import Settings, read
from .output import BadUsage

Url: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Where the book is kept: redis://, redis+sentinel://, redis+cluster:// or embedded://. "
        "SLOTBOOK_URL if not given, then embedded://standalone.",
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]


def settings_of(url: str | None, deadline: float) -> Settings:
    """Return the environment's settings for a URL, with a deadline in seconds.

    Parameters in the URL take precedence over the environment. Raises InvalidSettings.
    """
    found = read(url).settings
    wanted = found if url is None else found.at(url)
    try:
        return Settings.model_validate({**dict(wanted), "deadline": deadline})
    except ValidationError as error:
        raise InvalidSettings(f"--deadline {deadline:g}: {error.errors()[0]['msg']}") from None


def kept_settings(url: str | None) -> Settings:
    """Return the settings of a book that exists already; raise BadUsage when they would start a new, empty one."""
    target = read(url)
    if target.embedded:
        raise BadUsage(
            "an embedded:// book is new and empty, so there is nothing to show; "
            "set --url or SLOTBOOK_URL to where the book is kept"
        )
    return target.settings if url is None else target.settings.at(url)
