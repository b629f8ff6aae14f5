"""Ask a server whether it still has what it acknowledged."""

from __future__ import annotations

from ...models.keys import Keys
from ...topology.call import Call, Reply, evaluate
from ...topology.settings import Settings
from ..replies import refusal, rows
from .answers import lost_in
from .loss_detector import LossDetector
from .scripts import load

CHECK_LOSS = load("slotbook.repositories.changes", "check_loss")


def check_loss(settings: Settings, loss_detector: LossDetector, trader: str) -> Call[None]:
    """Return the call that looks for what was acknowledged of a trader's changes; its decoder raises StateLost."""
    keys, told = Keys(settings.prefix).of(trader), loss_detector.tell_all(trader)
    name = f"last change of {trader}"

    def read(reply: Reply) -> None:
        match rows(reply):
            case ["", list(answer)]:
                raise refusal(name, answer)
            case [found]:
                if (lost := lost_in(found)) is not None:
                    first = loss_detector.first_lost(told, lost)
                    raise loss_detector.record_loss(told, first, None, None, None, lost.sequences)
            case other:
                raise refusal(name, other)

    return evaluate(
        name,
        CHECK_LOSS,
        CHECK_LOSS.keys(book=keys.book, events=keys.events),
        CHECK_LOSS.arguments(writer=told.mark, acknowledged=told.acknowledged),
        decode=read,
        readonly=True,
    )
