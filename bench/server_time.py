"""The server's time for each change: what its main thread works, beside the same writes as plain commands.

Both sides send again what was recorded once: Slotbook its own calls, the plain side the commands with which the script
had written and published each change when it came alone. So a batch of Slotbook's may write an index or a position
once for many orders, where the plain commands write it for each. One at a time, a change also has what it costs the
server to wake up for it, to read it and to reply, which the plain commands of a change share: they come in one write.

A third side has a script make the plain commands of a change, which it is given word for word: it reads nothing, knows
nothing and decides nothing. What Slotbook takes above it is its own; what it takes above the plain commands, any
change would that a script makes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal

from ..models.order import Order, Replace
from ..repositories.orders.verbs import OrderRequest
from .allocations import TRADERS
from .material import Material, cancel_of, fill_of
from .measure import SLOTBOOK, Block, Goal, Race
from .recorder import Recorder
from .scope import Scope
from .stage import address_of, cores_apart, private_book

PLAIN = "plain commands"
SCRIPTED = "a script of them"
UNIT = "µs of the server"
CHANGES = 1_000
"""The changes that are made one at a time in a block, and those of a batch."""


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    change: Callable[[Order], OrderRequest] | None
    """Returns the change of a placed order; None when placing is what is measured."""
    at_most: float
    """The goal for one change at a time."""
    at_most_together: float | None = None
    """The goal for a batch of them; None for a change that is not measured so."""

    def stages(self, orders: Sequence[Order]) -> list[Sequence[OrderRequest]]:
        """Return what is done before, and what is measured."""
        return [(), orders] if self.change is None else [orders, [self.change(order) for order in orders]]


def _replace_of(order: Order) -> Replace:
    return Replace(trader=order.trader, order_id=order.order_id, quantity=120, price=Decimal("187.25"))


_JOBS = (
    _Job("place", None, 1.3, 1.4),
    _Job("fill", fill_of, 1.45, 1.7),
    _Job("cancel", cancel_of, 1.3),
    _Job("replace", _replace_of, 1.3),
)


@contextmanager
def races(scope: Scope) -> Generator[list[Race]]:
    """Yield the races on a private server, which are none where a server cannot tell its main thread's time."""
    with private_book("standalone") as (deployment, book), cores_apart(deployment):
        material = Material(book)
        with closing(Recorder(address_of(deployment), deployment.password, material.settings)) as recorder:
            told = recorder.main_thread_seconds()
            orders = material.orders(CHANGES, TRADERS[0])
            yield [race for job in _JOBS for race in _races_of(job, orders, recorder, scope)] if told else []


def _races_of(job: _Job, orders: Sequence[Order], recorder: Recorder, scope: Scope) -> list[Race]:
    stages = job.stages(orders)
    before, measured = recorder.one_by_one(*stages)
    blocks = {
        SLOTBOOK: _block(recorder, before.calls, [[call] for call in measured.calls]),
        PLAIN: _block(recorder, before.all_writes, measured.writes),
        SCRIPTED: _block(recorder, before.all_writes, [[recorder.in_a_script(some)] for some in measured.writes]),
    }
    raced = [_race(f"{job.name}, one at a time", blocks, job.at_most, recorder, scope)]
    if job.at_most_together is not None:
        before_batch, batch = recorder.batches(*stages)
        blocks = {
            SLOTBOOK: _block(recorder, before_batch.calls, [batch.calls]),
            PLAIN: _block(recorder, before.all_writes, [measured.all_writes]),
        }
        raced.append(_race(f"{job.name} {len(orders)}", blocks, job.at_most_together, recorder, scope, len(orders)))
    return raced


def _race(job: str, blocks: dict[str, Block], at_most: float, recorder: Recorder, scope: Scope, each: int = 1) -> Race:
    return Race(
        job,
        "server's time",
        blocks,
        CHANGES // each,
        scope.rounds_by_server,
        (Goal(PLAIN, at_most),),
        each,
        UNIT,
        recorder.main_thread_seconds,
    )


def _block(recorder: Recorder, before: Sequence[bytes], writes: Sequence[Sequence[bytes]]) -> Block:
    """Return a block that sends one write after the other, each when the replies to the one before are there."""

    def block(size: int) -> Callable[[], object]:
        recorder.empty()
        recorder.send(before)

        def run() -> None:
            for commands in writes[:size]:
                recorder.send(commands)

        return run

    return block
