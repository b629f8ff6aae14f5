"""The results of coordination: rate limit permits, versioned values and sessions; and the form of a session id."""

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
"""The largest size of a session's data as JSON, in bytes."""

_SECRET_BYTES = 32
_SECRET_LENGTH = 43
_DATA: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str], config=ConfigDict(defer_build=True))


class Algorithm(StrEnum):
    """The counting rule of a rate limiter."""

    FIXED_WINDOW = "fixed_window"
    """At most ``limit`` in each window; a window opens with the first request after the previous one has closed."""
    SLIDING_WINDOW = "sliding_window"
    """At most ``limit`` in any stretch of time as long as the window."""
    TOKEN_BUCKET = "token_bucket"  # noqa: S105 (no password)
    """Bursts of up to ``burst``, and ``limit`` per window in the long run.

    In any stretch of time at most ``burst`` plus what the bucket gained meanwhile.
    """


@dataclass(frozen=True, slots=True)
class Permit:
    """The answer of a rate limiter to one request.

    ::

        permit = book.limiter(100, window=1.0).acquire("T001")
        if not permit.allowed:
            time.sleep(permit.retry_after)
    """

    allowed: bool
    """True when the request was counted and may go ahead."""
    remaining: int
    """The cost that would still have been allowed at that moment."""
    retry_after: float
    """Seconds until the same cost could be allowed if nobody else asks; 0 when it was allowed."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """A value, with the version to name in a compare-and-swap.

    ::

        found = book.values.get("mode")
        book.values.swap("mode", found.version, "closed")
    """

    value: str | None
    """None when no value is stored."""
    version: int
    """Grows with every change and is never used again, even after the value has expired; 0 when no value is stored."""


@dataclass(frozen=True, slots=True)
class Swap:
    """The answer to a compare-and-swap; see :class:`Versioned`."""

    swapped: bool
    """True when the stored version was the expected one and the new value is stored."""
    version: int
    """The version after the call: the new one, or the stored one that differs from the expected one."""
    value: str | None
    """The value after the call: the new one, or the stored one that was kept."""


def _parsed(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


class Session(Record):
    """A trader's session, until it expires or is revoked.

    ``id`` is the secret that the session is found by. Only the caller that created the session, or that named it by
    its id, gets it. It is masked when the session is printed, and is not stored: the server has its SHA-256.

    ::

        session = book.sessions.create("T001", ttl=3600.0, data={"desk": "equities"})
        book.sessions.touch(session.id)
    """

    trader: Name
    digest: str
    """The SHA-256 of the id's secret, in hexadecimal: it names the session and does not give access to it."""
    created_ms: Count
    """Milliseconds since the epoch, by the server's clock."""
    expires_ms: Count
    """Milliseconds since the epoch, by the server's clock."""
    data: Annotated[dict[str, str], BeforeValidator(_parsed)]
    """The application's own data; at most ``MAX_SESSION_DATA`` bytes as JSON."""
    id: SecretStr | None = None
    """None in a listing, because an id cannot be computed from its digest."""


def new_session_id(trader: str) -> SecretStr:
    """Return a new session id: the trader, a point, and 256 random bits.

    Raises InvalidArgument for a trader that no key can be made of.

    >>> str(new_session_id("T001"))
    '**********'
    """
    return SecretStr(f"{check_name('trader', trader)}.{secrets.token_urlsafe(_SECRET_BYTES)}")


def split_session_id(session_id: SecretStr | str) -> tuple[str, str]:
    """Return the trader of a session id and the SHA-256 of its secret.

    Raises InvalidArgument, whose message does not show the id.
    """
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
    """Return a session's data in its written form, which is JSON.

    Raises InvalidArgument, whose message does not show the data.
    """
    try:
        texts = _DATA.validate_python(dict(data), strict=True)
    except (ValidationError, TypeError, ValueError):
        raise InvalidArgument("a session's data maps strings to strings") from None
    written = json.dumps(texts, sort_keys=True, separators=(",", ":"))
    if len(written) > MAX_SESSION_DATA:
        raise InvalidArgument(f"a session's data takes more than {MAX_SESSION_DATA} bytes as JSON")
    return written
