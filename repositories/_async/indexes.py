"""The search indexes of a book, for asyncio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from ...models.arguments import callable_or_none, one_of, several
from ...topology._async.backend import AsyncBackend
from ..index_calls import IndexCalls, IndexStatus
from ..index_query import KINDS, Kind, calls_for
from ..index_steps import Pause, Steps, create, describe, drop
from ..search_steps import Locate
from .background import pause

T = TypeVar("T")


class AsyncSearchIndexes:
    """What ``find`` needs: an index of every kind of record on every primary, which servers then keep themselves.

    Everything may be done again, also by several at once, and while the book is in use. Raises SearchUnavailable when
    the servers have no search, and other SlotbookErrors.
    """

    def __init__(self, backend: AsyncBackend) -> None:
        self._backend = backend

    async def create(
        self, kinds: Sequence[Kind | str] = KINDS, *, progress: Callable[[Kind, float], None] | None = None
    ) -> list[IndexStatus]:
        """Have every primary index these kinds as this version of Slotbook does; what is so already stays.

        An index of another schema serves until the new one is complete, and is dropped then. Run it again when a
        cluster's slots were moved or a primary was added. ``progress`` is told how much is complete, 0 to 1.
        """
        callable_or_none("progress", progress)
        found: list[IndexStatus] = []
        for kind in _checked(kinds):

            def tell(part: float, kind: Kind = kind) -> None:
                if progress is not None:
                    progress(kind, part)

            found += await self._follow(create(self._calls(kind), tell))
        return found

    async def drop(self, kinds: Sequence[Kind | str] = KINDS) -> list[IndexStatus]:
        """Drop the indexes of these kinds; the records stay. Returns what could not be dropped."""
        return [one for kind in _checked(kinds) for one in await self._follow(drop(self._calls(kind)))]

    async def info(self, kinds: Sequence[Kind | str] = KINDS) -> list[IndexStatus]:
        """Every index of these kinds, primary by primary. Four round trips for each kind."""
        return [one for kind in _checked(kinds) for one in await self._follow(describe(self._calls(kind)))]

    def _calls(self, kind: Kind) -> IndexCalls:
        return calls_for(self._backend.settings, kind)

    async def _follow(self, steps: Steps[T]) -> T:
        try:
            step = next(steps)
            while True:
                if isinstance(step, Locate):
                    step = steps.send(await self._backend.shards(fresh=step.fresh))
                elif isinstance(step, Pause):
                    await pause(step.seconds)
                    step = steps.send(None)
                else:
                    step = steps.send(await self._backend.run_many(step))
        except StopIteration as end:
            return cast(T, end.value)


def _checked(kinds: Sequence[Kind | str]) -> Sequence[Kind]:
    return [Kind(one_of("kind", kind, KINDS)) for kind in several("kinds", kinds)]
