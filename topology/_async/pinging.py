"""Ask every primary for a sign of life, for asyncio."""

from __future__ import annotations

import time

from redis.exceptions import RedisError

from ...models.errors import SlotbookError
from ...models.health import NodePing, Ping
from ..address import Address
from ..call import pack
from ..error_mapping import Unanswered, Unsent, code_of
from ..layouts import DiscoveryError
from .nodes import AsyncNodes

_PING = pack(("PING",))
SHORTEST = 0.001
"""Seconds that each server has at least, however little time is left."""


class AsyncPinging:
    """One round of pings; a second one if the first fails, of the primaries as they are then."""

    def __init__(self, nodes: AsyncNodes, seconds: float) -> None:
        self._nodes = nodes
        self._ends_at = time.monotonic() + seconds

    async def ping(self) -> Ping:
        """Return the answers of all primaries. Raises nothing for servers that fail, or a book that is closed."""
        answers: tuple[NodePing, ...] = ()
        try:
            self._nodes.require_here()
            answers = await self._ask_all(answers)
            if not Ping(answers).ok:
                now = time.monotonic()
                await self._nodes.discover(now + (self._ends_at - now) / 2)
                answers = await self._ask_all(answers)
        except (SlotbookError, DiscoveryError) as error:
            return Ping(answers, str(error))
        return Ping(answers)

    async def _ask_all(self, before: tuple[NodePing, ...]) -> tuple[NodePing, ...]:
        """Ask one after the other, so that the time of each is its own; who has answered before is not asked again."""
        known = {answer.node: answer for answer in before if answer.error is None}
        addresses = sorted(self._nodes.layout.primaries())
        left = sum(str(address) not in known for address in addresses)
        answers: list[NodePing] = []
        for address in addresses:
            if (answer := known.get(str(address))) is None:
                answer = await self._ask(address, left)
                left -= 1
            answers.append(answer)
        return tuple(answers)

    async def _ask(self, address: Address, left: int) -> NodePing:
        """Ask one server, of those that are ``left``: a silent one leaves time for the others."""
        share = (self._ends_at - time.monotonic()) / left
        timeout = max(SHORTEST, min(self._nodes.target.settings.socket_timeout, share))
        began = time.monotonic()
        (answer,) = await self._nodes.pool(address).exchange(_PING, 1, timeout, began + timeout)
        seconds = time.monotonic() - began
        if answer == "PONG":
            return NodePing(str(address), seconds)
        if isinstance(answer, (Unsent, Unanswered)):
            return NodePing(str(address), None, str(answer.cause).rstrip("."))
        error = f"{code_of(answer)} {answer}" if isinstance(answer, RedisError) else "it answered something else"
        return NodePing(str(address), None, error)
