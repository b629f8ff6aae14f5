"""Server-sent events of a trader: each change once and in order, also for a client that comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from slotbook import AsyncBook, errors

SILENCE = 15.0
"""Seconds without an event after which a comment is sent, by which a client that is gone is noticed."""


async def events_of(book: AsyncBook, trader: str, since: int | None) -> AsyncIterator[str]:
    """Yield the events after a number as server-sent events, whose ids are the numbers.

    What cannot be made good, such as events that are no longer kept, is an event of the type ``problem``.
    """
    async with book.events.follow(trader, since=since) as follower:
        yield ": following\n\n"
        coming = asyncio.ensure_future(anext(follower))
        try:
            while True:
                done, _ = await asyncio.wait({coming}, timeout=SILENCE)
                if not done:
                    yield ": nothing new\n\n"
                    continue
                try:
                    event = coming.result()
                    data = event.model_dump_json(exclude_none=True)
                    yield f"id: {event.sequence}\nevent: {event.type}\ndata: {data}\n\n"
                except StopAsyncIteration:
                    return
                except (errors.HistoryTrimmed, errors.StateLost) as error:  # the follower goes on behind it
                    told = json.dumps({"title": type(error).__name__, "detail": str(error)})
                    yield f"event: problem\ndata: {told}\n\n"
                coming = asyncio.ensure_future(anext(follower))
        finally:
            coming.cancel()
