"""Examine the servers of a book, for asyncio."""

from __future__ import annotations

from dataclasses import replace

from ...models.types import check_name
from ...topology._async.backend import AsyncBackend
from ...topology._async.inspection import AsyncInspection
from ...topology.inspection import Member, ServerKind
from ...topology.settings import Settings, read
from .checks import SECOND_LOOKS, diagnose, first_look
from .examined import Deployment, Examined
from .findings import Diagnosis


class AsyncDoctor:
    """Look at every server of a book: primaries, replicas and Sentinels; reached as ``book.doctor``.

    ::

        for finding in (await book.doctor()).of(Verdict.BAD, Verdict.RISK):
            print(finding.check, finding.value, finding.why, finding.remedy)

    What the book's user may not see is a finding, with the permission that is missing; ``slotbook doctor`` examines
    servers as an operator.
    """

    def __init__(self, backend: AsyncBackend) -> None:
        self._backend = backend

    @classmethod
    async def visit(cls, url: str | Settings | None, user: str | None = None) -> Diagnosis:
        """Examine servers on which no book needs to be open, or can be; see :meth:`__call__`."""
        backend = AsyncBackend(read(url))
        try:
            return await cls(backend)(user)
        finally:
            await backend.close()

    async def __call__(self, user: str | None = None) -> Diagnosis:
        """Return everything that is wrong, at risk, not to be seen, or good. Only reads: half a dozen round trips each.

        Args:
            user: The user whose permissions are examined. By default the one who asks.

        Raises:
            InvalidArgument: The user's name cannot be one.
            SlotbookError: No server can say who the primaries are.
        """
        if user is not None:
            user = check_name("user", user)  # a number becomes its text
        target = self._backend.target
        inspection = self._backend.inspection()
        try:
            found = [await self._look(inspection, member) for member in await inspection.members()]
            deployment = Deployment(tuple(found), target.settings, len(target.addresses), user)
            asked = [await self._look_again(inspection, server, deployment) for server in found]
        finally:
            await inspection.close()
        return diagnose(replace(deployment, servers=tuple(asked)))

    async def _look(self, inspection: AsyncInspection, member: Member) -> Examined:
        queries = first_look(member.kind, self._backend.target.service)
        answers = await inspection.ask(member, [query.words for query in queries])
        return Examined(member, dict(zip(queries, answers, strict=True)))

    async def _look_again(self, inspection: AsyncInspection, server: Examined, deployment: Deployment) -> Examined:
        if server.unreached is not None or server.kind is ServerKind.SENTINEL:
            return server
        clock = await inspection.read_clock(server.member)
        for look in SECOND_LOOKS:
            queries = look(server, deployment)
            answers = await inspection.ask(server.member, [query.words for query in queries])
            server = replace(
                server, answers={**server.answers, **dict(zip(queries, answers, strict=True))}, clock=clock
            )
        return server
