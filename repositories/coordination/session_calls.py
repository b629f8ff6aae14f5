"""What each verb of sessions sends, and what its answer means. No I/O and no colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pydantic import SecretStr

from ...models.coordination import Session, session_data, split_session_id
from ...models.errors import DuplicateRequest, InvalidArgument, SessionNotFound
from ...models.keys import Keys
from ...models.wire import decode, pairs
from ...topology.call import Call, Reply, evaluate
from ...topology.settings import Settings
from ..changes.scripts import load
from ..durations import milliseconds
from ..replies import refusal, rows

_PACKAGE = "slotbook.repositories.coordination"
CREATE = load(_PACKAGE, "session_create")
GET = load(_PACKAGE, "session_get")
TOUCH = load(_PACKAGE, "session_touch")
REVOKE = load(_PACKAGE, "session_revoke")
LIST = load(_PACKAGE, "session_list")


class SessionCalls:
    """The calls of one book's sessions. Errors and names of calls tell the trader, never the id."""

    def __init__(self, settings: Settings) -> None:
        self._keys = Keys(settings.prefix)

    def create(self, trader: str, ttl: float, data: Mapping[str, str], session_id: SecretStr) -> Call[Session]:
        """A new session."""
        owner, digest = split_session_id(session_id)
        if owner != trader:
            raise InvalidArgument(f"create session of {trader}: the session id is one of {owner}")
        keys = self._keys.of(trader)
        name = f"create session of {trader}"

        def read(reply: Reply) -> Session:
            match rows(reply):
                case ["session", list(flat)]:
                    return self._session(trader, digest, flat, session_id)
                case ["duplicate"]:
                    raise DuplicateRequest(f"{name}: the id is taken by a session with another ttl or other data")
                case ["gone"]:
                    raise SessionNotFound(f"{name}: the session with this id was revoked")
                case other:
                    raise refusal(name, other)

        arguments = (digest, milliseconds("ttl", ttl), session_data(data))
        return evaluate(name, CREATE, (keys.session(digest), keys.sessions), arguments, decode=read)

    def get(self, session_id: SecretStr | str) -> Call[Session | None]:
        """One session."""
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

        return evaluate(name, GET, (self._keys.of(trader).session(digest),), (), decode=read, readonly=True)

    def touch(self, session_id: SecretStr | str) -> Call[Session]:
        """A longer life."""
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

        return evaluate(name, TOUCH, (keys.session(digest), keys.sessions), (digest,), decode=read)

    def revoke(self, session_id: SecretStr | str) -> Call[None]:
        """The end of one session."""
        trader, digest = split_session_id(session_id)
        return self._revoke(f"revoke session of {trader}", trader, digest)

    def revoke_all(self, trader: str) -> Call[None]:
        """The end of all sessions of a trader."""
        return self._revoke(f"revoke sessions of {trader}", trader, "")

    def by_trader(self, trader: str) -> Call[list[Session]]:
        """The live sessions of a trader."""
        keys = self._keys.of(trader)

        def read(reply: Reply) -> list[Session]:
            found = [cast("tuple[str, list[Reply]]", row) for row in rows(reply)]
            return sorted(
                (self._session(trader, digest, flat, None) for digest, flat in found), key=lambda one: one.created_ms
            )

        return evaluate(
            f"sessions of {trader}", LIST, (keys.sessions,), (keys.session(""),), decode=read, readonly=True
        )

    def _revoke(self, name: str, trader: str, digest: str) -> Call[None]:
        keys = self._keys.of(trader)

        def read(reply: Reply) -> None:
            if rows(reply) != ["revoked"]:
                raise refusal(name, rows(reply))

        one = (keys.session(digest),) if digest else ()
        return evaluate(name, REVOKE, (keys.sessions, *one), (keys.session(""), digest), decode=read)

    def _session(self, trader: str, digest: str, flat: list[Reply], session_id: SecretStr | str | None) -> Session:
        fields = {"trader": trader, "digest": digest, **pairs([str(part) for part in flat])}
        found = decode(Session, self._keys.of(trader).session(digest), fields)
        if session_id is None:
            return found
        shown = session_id if isinstance(session_id, SecretStr) else SecretStr(session_id)
        return found.model_copy(update={"id": shown})
