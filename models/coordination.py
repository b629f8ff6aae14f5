"""What the verbs of coordination answer: permits, versioned values, sessions."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, cast

from pydantic import BeforeValidator, ConfigDict, SecretStr, TypeAdapter, ValidationError

from .errors import InvalidArgument
from .record import Record
from .types import Count, Name, check_name

MAX_SESSION_DATA = 16_384
"""The most that a session's data may take as JSON, in bytes."""

_SECRET_BYTES = 32
_SECRET_LENGTH = 43
_DATA: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str], config=ConfigDict(defer_build=True))


class Algorithm(StrEnum):
    """How a rate limiter counts."""

    FIXED_WINDOW = "fixed_window"
    """A window opens with the first request after the last one closed; at most ``limit`` in each."""
    SLIDING_WINDOW = "sliding_window"
    """At most ``limit`` in any stretch of time as long as the window."""
    TOKEN_BUCKET = "token_bucket"  # noqa: S105 (no password)
    """Bursts of up to ``burst``, and ``limit`` per window in the long run: in any stretch of time at most ``burst`` and
    what flowed in meanwhile."""


@dataclass(frozen=True, slots=True)
class Permit:
    """The answer of a rate limiter."""

    allowed: bool
    remaining: int
    """How much more would have been allowed at that moment."""
    retry_after: float
    """Seconds until the same cost could be allowed if nobody else asked; 0 when it was allowed."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """A value, and the version to swap it by."""

    value: str | None
    """None when there is none."""
    version: int
    """Grows with every change and never comes again, also when the value has expired in between; 0 for no value."""


@dataclass(frozen=True, slots=True)
class Swap:
    """The answer to a compare-and-swap."""

    swapped: bool
    version: int
    """The value's version after the call: the new one, or the one that was not expected."""
    value: str | None
    """The value after the call: the new one, or the one that was there."""


def _parsed(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


class Session(Record):
    """A trader's session, until it expires or is revoked; times in milliseconds since the epoch, by the server's clock.

    ``id`` is the secret that the session is found by. It is shown only to whoever created or asked by it, masked in any
    print of the session, and kept nowhere: the store knows its SHA-256.
    """

    trader: Name
    digest: str
    """The SHA-256 of the id's secret: names the session, and is no use to get into it."""
    created_ms: Count
    expires_ms: Count
    data: Annotated[dict[str, str], BeforeValidator(_parsed)]
    id: SecretStr | None = None
    """None in a listing: nobody can tell an id from its digest."""


def new_session_id(trader: str) -> SecretStr:
    """A session id nobody could guess: the trader, a point, and 256 random bits. Raises InvalidArgument.

    >>> str(new_session_id("T001"))
    '**********'
    """
    return SecretStr(f"{check_name('trader', trader)}.{secrets.token_urlsafe(_SECRET_BYTES)}")


def split_session_id(session_id: SecretStr | str) -> tuple[str, str]:
    """The trader of a session id, and the digest of its secret; raises InvalidArgument, which does not show it."""
    given = session_id.get_secret_value() if isinstance(session_id, SecretStr) else session_id
    text = cast("object", given)
    if not isinstance(text, str):
        raise InvalidArgument(f"this is no session id: it is a {type(text).__name__}")
    trader, _, secret = text.rpartition(".")
    try:
        check_name("trader", trader)
    except InvalidArgument:
        raise InvalidArgument("this is no session id: it does not begin with a trader and a point") from None
    if len(secret) < _SECRET_LENGTH:
        raise InvalidArgument("this is no session id: its secret is shorter than 256 bits")
    return trader, hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def session_data(data: Mapping[str, str]) -> str:
    """A session's data in its written form, JSON; raises InvalidArgument, which does not show it."""
    try:
        texts = _DATA.validate_python(dict(data), strict=True)
    except (ValidationError, TypeError, ValueError):
        raise InvalidArgument("a session's data maps strings to strings") from None
    written = json.dumps(texts, sort_keys=True, separators=(",", ":"))
    if len(written) > MAX_SESSION_DATA:
        raise InvalidArgument(f"a session's data takes more than {MAX_SESSION_DATA} bytes as JSON")
    return written
