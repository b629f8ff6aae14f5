"""Find the keys of all primaries that match a pattern, for asyncio."""

from __future__ import annotations

import time

from redis.exceptions import RedisError
from tenacity import AsyncRetrying

from ...models.errors import Unavailable
from ..batch import Pace
from ..call import pack
from ..error_mapping import RetryAction, Unanswered, Unsent, report, retry_action
from ..layouts import DiscoveryError
from ..misreadings import scan_page
from ..retry import RoundUnfinished, retry_policy
from .nodes import AsyncNodes


class AsyncScan:
    """One SCAN of all primaries, which begins anew when one of them was replaced meanwhile."""

    def __init__(self, nodes: AsyncNodes) -> None:
        self._nodes = nodes
        self._settings = nodes.target.settings
        self._progress = time.monotonic()
        """The time of the last page that came."""

    async def keys(self, pattern: str) -> set[str]:
        """Return the keys that match. The deadline counts from the last page that came. Raises a SlotbookError."""
        found: set[str] = set()
        reason: Exception | None = None
        deadline = self._settings.deadline
        try:
            async for attempt in AsyncRetrying(**retry_policy(lambda: self._progress + deadline, deadline)):
                with attempt:
                    try:
                        await self._scan_all(pattern, found)
                    except DiscoveryError as error:
                        reason = error
                        raise RoundUnfinished(Pace.BACK_OFF) from error
        except RoundUnfinished as error:
            raise Unavailable(f"scan: no answer within {deadline:g} s (last: {reason or error})") from None
        return found

    async def _scan_all(self, pattern: str, found: set[str]) -> None:
        """Add the matching keys of all primaries to ``found``."""
        nodes, settings = self._nodes, self._settings
        await nodes.discover(self._progress + settings.deadline)
        scanned = nodes.layout.primaries()
        for address in scanned:
            cursor = "0"
            while True:
                packed = pack(("SCAN", cursor, "MATCH", pattern, "COUNT", "1000"))
                ends_at = self._progress + settings.deadline
                (answer,) = await nodes.pool(address).exchange(packed, 1, settings.socket_timeout, ends_at)
                if isinstance(answer, (Unsent, Unanswered, RedisError)):
                    if retry_action(answer) is RetryAction.REPORT:
                        raise report(f"scan of {address}", answer)
                    raise RoundUnfinished(Pace.BACK_OFF) from (
                        answer.cause if isinstance(answer, (Unsent, Unanswered)) else answer
                    )
                cursor, page = scan_page(f"scan of {address}", answer)
                found.update(page)
                self._progress = time.monotonic()
                if cursor == "0":
                    break
        await nodes.discover(self._progress + settings.deadline)
        if nodes.layout.primaries() != scanned:
            raise RoundUnfinished(Pace.BACK_OFF)
