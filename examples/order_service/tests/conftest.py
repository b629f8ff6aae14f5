"""The service on a port of its own, and a client of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from order_service.app import create
from slotbook import Settings


@pytest.fixture
def slotbook_settings() -> dict[str, object]:
    """Return settings under which a test need not wait long for a server that does not answer."""
    return {"deadline": 2, "socket_timeout": 1}


@pytest.fixture
def client(slotbook_target: Settings) -> Iterator[httpx.Client]:
    """Yield a client of the service, which runs on the book of the test."""
    server = uvicorn.Server(uvicorn.Config(create(slotbook_target), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the service has not started"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as opened:
        yield opened
    server.should_exit = True
    thread.join()
