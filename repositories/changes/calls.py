"""Ask a server whether it still has what it acknowledged."""

from __future__ import annotations

from ...models.keys import Keys
from ...topology.call import Call, evaluate
from ...topology.settings import Settings
from .loss_detector import LossDetector
from .scripts import load

CHECK_LOSS = load("slotbook.repositories.changes", "check_loss")


def check_loss(settings: Settings, loss_detector: LossDetector, trader: str) -> Call[None]:
    """Return the call that looks for a trader's last acknowledged change; its decoder raises StateLost."""
    return evaluate(
        f"last change of {trader}",
        CHECK_LOSS,
        CHECK_LOSS.keys(events=Keys(settings.prefix).of(trader).events),
        CHECK_LOSS.arguments(acknowledged=loss_detector.acknowledged(trader)),
        decode=loss_detector.loss_reader(trader),
        readonly=True,
    )
