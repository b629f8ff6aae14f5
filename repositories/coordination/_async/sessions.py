"""Sessions, for asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import SecretStr

from ....models.coordination import Session, new_session_id
from ....models.errors import InvalidArgument
from ....topology._async.backend import AsyncBackend
from ....topology.call import Call
from ....topology.durability import Durability
from ..session_calls import SessionCalls

T = TypeVar("T")


class AsyncSessionRepository:
    """The sessions of a desk's traders, each found by a secret id.

    For example::

        session = await book.sessions.create("T001", 3600, {"desk": "equities"})
        found = await book.sessions.get(session.id)  # None once it has expired or was revoked

    An id is the trader, a dot and 256 random bits, so it leads to the trader's hash slot. It is stored nowhere; the
    server has the SHA-256 of its random part. It is masked when printed (:class:`pydantic.SecretStr`), and methods take
    it masked or as plain text. A session expires by the server's clock, and leaves its trader's listing at the same
    time.

    Every change takes a ``durability``, by default the book's: it raises UnderReplicated when it was applied, but too
    few replicas confirmed it. Without one, a failover may bring a revoked session back.
    """

    def __init__(self, backend: AsyncBackend) -> None:
        self._backend = backend
        self._calls = SessionCalls(backend.settings)

    async def create(
        self,
        trader: str,
        ttl: float,
        data: Mapping[str, str] | None = None,
        *,
        session_id: SecretStr | None = None,
        durability: Durability | str | None = None,
    ) -> Session:
        """Create a session, in one round trip.

        Args:
            trader: The trader whose session it is.
            ttl: Seconds, above 0, that it lives from now and from each touch.
            data: Strings by name to keep in it, at most 16 KiB as JSON; by default none.
            session_id: An id from :func:`~slotbook.models.coordination.new_session_id`, by default a new one. With an
                id of your own the call may be repeated, and then returns the session as it is by now: also one that
                has ended, for the book's ``deadline`` + ``socket_timeout`` after it began.
            durability: The copies that the change waits for; by default the book's.

        Raises:
            DuplicateRequest: There is a session with this id and another ttl or other data.
            SessionNotFound: The session with this id was revoked.
            InvalidArgument: An argument cannot be used, or the id is one of another trader.
        """
        chosen = new_session_id(trader) if session_id is None else session_id
        return await self._change(self._calls.create(trader, ttl, data or {}, chosen), durability)

    async def get(self, session_id: SecretStr | str) -> Session | None:
        """Return the session, or None when it expired, was revoked or was never created, or when the id is invalid.

        One round trip. Raises CorruptRecord when the stored session cannot be read.
        """
        try:
            call = self._calls.get(session_id)
        except InvalidArgument:
            return None
        return await self._backend.run(call)

    async def touch(self, session_id: SecretStr | str, *, durability: Durability | str | None = None) -> Session:
        """Let the session live for its whole ``ttl`` again from now, in one round trip.

        Raises SessionNotFound when it has expired or was revoked, InvalidArgument for an id that is not valid.
        """
        return await self._change(self._calls.touch(session_id), durability)

    async def revoke(self, session_id: SecretStr | str, *, durability: Durability | str | None = None) -> None:
        """Revoke the session for good, in one round trip; nothing happens to one that is over.

        Raises InvalidArgument for an id that is not valid.
        """
        await self._change(self._calls.revoke(session_id), durability)

    async def by_trader(self, trader: str) -> list[Session]:
        """Return a trader's live sessions, the oldest first, in one round trip; their ids are None."""
        return await self._backend.run(self._calls.by_trader(trader))

    async def revoke_all(self, trader: str, *, durability: Durability | str | None = None) -> None:
        """Revoke every session of a trader atomically, in one round trip."""
        await self._change(self._calls.revoke_all(trader), durability)

    async def _change(self, call: Call[T], durability: Durability | str | None) -> T:
        return await self._backend.run(call, self._backend.settings.wanted(durability))
