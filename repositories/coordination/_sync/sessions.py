# Generated from repositories/coordination/_async/sessions.py by scripts/generate_sync.py: edit that one.
"""Sessions, for threads."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from ....models.coordination import Session, new_session_id
from ....models.errors import InvalidArgument
from ....topology._sync.backend import Backend
from ..session_calls import SessionCalls


class SessionRepository:
    """The sessions of a desk's traders, found by a secret id that is kept nowhere: the store has its SHA-256.

    An id is the trader, a point and 256 random bits, so it leads to the trader's slot. It is masked when printed
    (:class:`pydantic.SecretStr`); verbs take it masked or as text. A session expires by the server's clock, and is gone
    from its trader's listing at the same moment.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._calls = SessionCalls(backend.settings)

    def create(
        self,
        trader: str,
        ttl: float,
        data: Mapping[str, str] | None = None,
        *,
        session_id: SecretStr | None = None,
    ) -> Session:
        """Open a session that lives ``ttl`` seconds from now or its last touch; ``data`` takes at most 16 KiB as JSON.

        One round trip. ``session_id`` is from :func:`~slotbook.models.coordination.new_session_id`, by default made
        here; with it the call may be made again, and returns the session as it now is. Raises DuplicateRequest (the id
        is taken by a session with other content), SessionNotFound (it was revoked), InvalidArgument.
        """
        chosen = new_session_id(trader) if session_id is None else session_id
        return self._backend.run(self._calls.create(trader, ttl, data or {}, chosen))

    def get(self, session_id: SecretStr | str) -> Session | None:
        """The session, or None when there is none: never created, expired, revoked, or not an id at all.

        One round trip. Raises CorruptRecord.
        """
        try:
            call = self._calls.get(session_id)
        except InvalidArgument:
            return None
        return self._backend.run(call)

    def touch(self, session_id: SecretStr | str) -> Session:
        """Let the session live its whole ``ttl`` again from now. One round trip. Raises SessionNotFound."""
        return self._backend.run(self._calls.touch(session_id))

    def revoke(self, session_id: SecretStr | str) -> None:
        """End the session for good; one that is over is as good as revoked. One round trip."""
        self._backend.run(self._calls.revoke(session_id))

    def by_trader(self, trader: str) -> list[Session]:
        """A trader's live sessions, the oldest first, without their ids. One round trip."""
        return self._backend.run(self._calls.by_trader(trader))

    def revoke_all(self, trader: str) -> None:
        """End every session of a trader, together. One round trip."""
        self._backend.run(self._calls.revoke_all(trader))
