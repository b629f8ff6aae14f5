"""Search, on the image with the search module, as the application's user."""

from __future__ import annotations

import os

import pytest
import slotbook
from slotbook.models.hashes import OrderHash, PositionHash

from ..support.application import NAME
from ..support.docker.engine import Engine
from ..support.docker.stack import Stack
from ..support.make import execution, limit
from ..support.raw import Raw, Refusal
from ..support.running import HOST
from ..support.search.server import REQUIRED

IMAGE = os.environ.get("REDIS_SEARCH_IMAGE")


@pytest.fixture
def image(engine: Engine) -> str | None:
    """Return the image with search; None, for the default image, when none is set although search is required."""
    if IMAGE is None and not REQUIRED:
        pytest.skip("no image with search: set REDIS_SEARCH_IMAGE to what docker/build-image.sh search builds")
    return IMAGE


def test_the_image_searches_for_the_application(engine: Engine, image: str | None) -> None:
    with Stack(engine, "standalone", image=image) as stack:
        with slotbook.connect(stack.url()) as book:
            book.indexes.create()
            for number in range(20):
                book.orders.place(limit(f"T{number}"))
                book.orders.fill(execution(f"T{number}", quantity=number + 1))
            assert book.orders.find(OrderHash.filled_quantity > 15).count() == 5
            assert [found.trader for found in book.positions.find(PositionHash.quantity == 7).all()] == ["T6"]
            book.indexes.drop()
        application = Raw(HOST, stack.servers[0].port, stack.keys.application, NAME)
        for words in (("FT.SEARCH", "any", "*"), ("FT.CONFIG", "GET", "*"), ("JSON.SET", "any", "$", "1")):
            with pytest.raises(Refusal, match="NOPERM"):
                application.ask(*words)
        application.close()
