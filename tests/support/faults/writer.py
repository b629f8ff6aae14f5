"""The calls of one writer as its loss detector sees them, without a server."""

from __future__ import annotations

from slotbook.repositories.changes.loss_detector import LossDetector, Tip, Told

T = "T1"


def event(told: Told, sequence: int) -> Tip:
    """Return the event that a call has written."""
    return Tip(sequence, told.own)


def acknowledge(detector: LossDetector, sequence: int, trader: str = T) -> Told:
    """Have one more change acknowledged, and return what it told."""
    told = detector.tell(trader)
    assert detector.acknowledge(told, event(told, sequence)) == 0
    return told


def with_acknowledged(count: int) -> LossDetector:
    """Return a detector to which changes were acknowledged one after another, from 1 on."""
    detector = LossDetector()
    for number in range(1, count + 1):
        acknowledge(detector, number)
    return detector


def at_once(detector: LossDetector, first: int, last: int) -> list[Tip]:
    """Have changes acknowledged that were all on their way at the same time."""
    told = [detector.tell(T) for _ in range(first, last + 1)]
    events = [event(one, number) for number, one in enumerate(told, first)]
    assert [detector.acknowledge(one, tip) for one, tip in zip(told, events, strict=True)] == [0] * len(told)
    return events


def told_numbers(detector: LossDetector) -> list[int]:
    """Return the numbers of all that there is to tell."""
    return sorted(tip.sequence for tip in detector.tell_all(T).tips)


def survivors(*events: Tip) -> list[tuple[int, str]]:
    """Return what a script says of events that are there, the last first."""
    return [(sequence, writer.split()[1]) for sequence, writer in sorted(events, reverse=True)]
