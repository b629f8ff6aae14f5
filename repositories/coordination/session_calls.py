"""The calls of the session repository, and how their replies are read. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from ...models.coordination import Session, session_data, split_session_id
from ...models.errors import DuplicateRequest, InvalidArgument, SessionNotFound
from ...models.keys import Keys
from ...models.wire import decode
from ...topology.call import Call, Reply, evaluate
from ...topology.settings import Settings
from ..changes.scripts import load
from ..durations import milliseconds
from ..replies import fields, refusal, rows, text

_PACKAGE = "slotbook.repositories.coordination"
CREATE = load(_PACKAGE, "session_create")
GET = load(_PACKAGE, "session_get")
TOUCH = load(_PACKAGE, "session_touch")
REVOKE = load(_PACKAGE, "session_revoke")
LIST = load(_PACKAGE, "session_list")


class SessionCalls:
    """The calls of one book's sessions. Names of calls and error messages name the trader, never the session id.

    Their durability is proven by the header of the trader's book, since a session may be gone by then.
    """

    def __init__(self, settings: Settings) -> None:
        self._keys = Keys(settings.prefix)
        self._remembered = milliseconds("deadline", settings.remembered())

    def create(self, trader: str, ttl: float, data: Mapping[str, str], session_id: SecretStr) -> Call[Session]:
        """Create a session. Raises InvalidArgument for an id of another trader."""
        owner, digest = split_session_id(session_id)
        keys = self._keys.of(trader)
        if owner != keys.trader:
            raise InvalidArgument(f"create session of {trader}: the session id is one of {owner}")
        name = f"create session of {trader}"

        def read(reply: Reply) -> Session:
            match rows(reply):
                case ["session", list(flat)]:
                    return self._session(owner, digest, flat, session_id)
                case ["duplicate"]:
                    raise DuplicateRequest(f"{name}: the id is taken by a session with another ttl or other data")
                case ["gone"]:
                    raise SessionNotFound(f"{name}: the session with this id was revoked")
                case other:
                    raise refusal(name, other)

        return evaluate(
            name,
            CREATE,
            CREATE.keys(session=keys.session(digest), sessions=keys.sessions),
            CREATE.arguments(
                digest=digest,
                ttl=str(milliseconds("ttl", ttl)),
                data=session_data(data),
                remembered=str(self._remembered),
            ),
            decode=read,
            touched="sequence",
            touched_in=keys.book,
        )

    def get(self, session_id: SecretStr | str) -> Call[Session | None]:
        """Read one session; decodes to None when there is none."""
        trader, digest = split_session_id(session_id)
        name = f"get session of {trader}"

        def read(reply: Reply) -> Session | None:
            match rows(reply):
                case ["session", list(flat)]:
                    return self._session(trader, digest, flat, session_id)
                case ["gone"]:
                    return None
                case other:
                    raise refusal(name, other)

        key = self._keys.of(trader).session(digest)
        return evaluate(name, GET, GET.keys(session=key), GET.arguments(), decode=read, readonly=True)

    def touch(self, session_id: SecretStr | str) -> Call[Session]:
        """Let a session's life begin again. The decoder raises SessionNotFound when it is over."""
        trader, digest = split_session_id(session_id)
        keys = self._keys.of(trader)
        name = f"touch session of {trader}"

        def read(reply: Reply) -> Session:
            match rows(reply):
                case ["session", list(flat)]:
                    return self._session(trader, digest, flat, session_id)
                case ["gone"]:
                    raise SessionNotFound(f"{name}: there is no such session; it has expired or was revoked")
                case other:
                    raise refusal(name, other)

        return evaluate(
            name,
            TOUCH,
            TOUCH.keys(session=keys.session(digest), sessions=keys.sessions),
            TOUCH.arguments(digest=digest, remembered=str(self._remembered)),
            decode=read,
            touched="sequence",
            touched_in=keys.book,
        )

    def revoke(self, session_id: SecretStr | str) -> Call[None]:
        """Revoke one session."""
        trader, digest = split_session_id(session_id)
        return self._revoke(f"revoke session of {trader}", trader, digest)

    def revoke_all(self, trader: str) -> Call[None]:
        """Revoke all sessions of a trader."""
        return self._revoke(f"revoke sessions of {trader}", trader, "")

    def by_trader(self, trader: str) -> Call[list[Session]]:
        """Read the live sessions of a trader, the oldest first."""
        keys = self._keys.of(trader)

        def read(reply: Reply) -> list[Session]:
            found = [self._session(trader, text(digest), flat, None) for digest, flat in map(rows, rows(reply))]
            return sorted(found, key=lambda one: one.created_ms)

        return evaluate(
            f"sessions of {trader}",
            LIST,
            LIST.keys(sessions=keys.sessions),
            LIST.arguments(base=keys.session("")),
            decode=read,
            readonly=True,
        )

    def _revoke(self, name: str, trader: str, digest: str) -> Call[None]:
        keys = self._keys.of(trader)

        def read(reply: Reply) -> None:
            if rows(reply) != ["revoked"]:
                raise refusal(name, rows(reply))

        return evaluate(
            name,
            REVOKE,
            REVOKE.keys(sessions=keys.sessions, session=keys.session(digest) if digest else None),
            REVOKE.arguments(base=keys.session(""), digest=digest),
            decode=read,
            touched="sequence",
            touched_in=keys.book,
        )

    def _session(self, trader: str, digest: str, flat: Reply, session_id: SecretStr | str | None) -> Session:
        stored = {**fields(flat), "trader": trader, "digest": digest}
        found = decode(Session, self._keys.of(trader).session(digest), stored)
        if session_id is None:
            return found
        shown = session_id if isinstance(session_id, SecretStr) else SecretStr(session_id)
        return found.model_copy(update={"id": shown})
