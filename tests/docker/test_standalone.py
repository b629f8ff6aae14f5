"""One server in a container under load: with its volume nothing is lost, without it the loss is reported."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import slotbook
from slotbook.models.errors import StateLost

from ..support.docker.container_faults import Fault, kill, pause, restart, stop, without_an_error
from ..support.docker.engine import Engine
from ..support.docker.stack import Stack
from ..support.make import execution, fresh, limit


@pytest.fixture(scope="module")
def stack(engine: Engine) -> Iterator[Stack]:
    with Stack(engine, "standalone") as found:
        yield found


@pytest.mark.parametrize("fault", [kill, pause, stop, restart], ids=lambda fault: fault.__name__)
def test_the_volume_keeps_everything(stack: Stack, fault: Fault) -> None:
    with without_an_error(stack, deadline=30) as (control, _):
        fault(control, control.data[0])
        control.heal()


def test_a_lost_volume_is_reported(stack: Stack) -> None:
    trader = fresh()
    with slotbook.connect(stack.url(deadline=30)) as book:
        order = limit(trader)
        book.orders.place(order)
        book.orders.fill(execution(trader))
        stack.servers[0].lose_everything()
        stack.servers[0].answers()
        with pytest.raises(StateLost):
            book.orders.place(limit(trader, "A2"))
        book.reconcile([order, execution(trader)])
        assert book.positions.get(trader, "AAPL").quantity == 40
