"""Open a backend, for asyncio."""

from __future__ import annotations

import logging

from ..concurrency import async_run_blocking
from ..embedded import Deployment, start
from ..observing import Observer
from ..settings import Settings, read
from .backend import AsyncBackend
from .observed import AsyncObservedBackend

logger = logging.getLogger("slotbook.embedded")
logger.addHandler(logging.NullHandler())  # without a log the warning is not printed: an example is not an accident


async def open_async_backend(source: str | Settings | None = None, observer: Observer | None = None) -> AsyncBackend:
    """Return a backend that has found its servers and logged in; ``embedded://`` starts them first.

    Raises InvalidSettings, AccessDenied, Unavailable or EmbeddedError, within the deadline.

    Args:
        source: A URL or Settings; None reads the URL from ``SLOTBOOK_URL``.
        observer: Told of every call when it has ended; None for none, and then no call runs anything for it.
    """
    target = read(source)
    deployment: Deployment | None = None
    if target.embedded:
        logger.warning(
            "embedded://%s starts private servers: nobody else sees them, and what they keep ends with this book, "
            "at the latest with this process",
            target.kind.value,
        )
        deployment = await async_run_blocking(lambda: start(target.kind.value, server=target.settings.server))
        target = read(target.settings.for_private_servers(deployment.url))
    backend = (
        AsyncBackend(target, deployment) if observer is None else AsyncObservedBackend(target, deployment, observer)
    )
    try:
        await backend.open()
    except BaseException:
        await backend.close()
        raise
    return backend
