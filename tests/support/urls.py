"""Add settings to the URL of a deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode


def with_settings(url: str, settings: Mapping[str, object] | None) -> str:
    """Return a URL with settings in its query, where a password takes the place of the one before the host."""
    if not settings:
        return url
    if "password" in settings:
        url = re.sub(r"//[^/@]*@", "//", url)
    return f"{url}{'&' if '?' in url else '?'}{urlencode(dict(settings), quote_via=quote)}"
