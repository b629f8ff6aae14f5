"""Fault "writes lost": a writer's memory under failovers, threads, signals and forks."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slotbook.repositories.changes import loss_detector as module
from slotbook.repositories.changes.loss_detector import MOST_TIPS, LossDetector, Lost, Tip, Told

from ...support.faults.writer import T, acknowledge, event, survivors, told_numbers, with_acknowledged
from ...support.interrupts import alarm_handler


class Books:
    """A primary's stream and one that lags behind it, as far as losses are concerned."""

    def __init__(self) -> None:
        self.primary: list[Tip] = []
        self.replica: list[Tip] = []

    def write(self, told: Told) -> Tip:
        self.primary.append(event(told, len(self.primary) + 1))
        return self.primary[-1]

    def lost_of(self, told: Told) -> Lost | None:
        """Return what the engine says before it writes."""
        numbers = [tip.sequence for tip in told.tips if tip not in self.primary]
        own = [tip for tip in self.primary if numbers and tip.sequence < min(numbers) and told.mark in tip.writer]
        return Lost(numbers, 1, survivors(*own)[:50]) if numbers else None


STEPS = st.lists(
    st.sampled_from(["send", "send", "send", "answer", "answer", "other", "sync", "fail over"]), max_size=60
)


@given(STEPS, st.data())
def test_every_acknowledged_change_is_there_or_reported(steps: list[str], data: st.DataObject) -> None:
    """Changes are answered in any order, other writers write between them, and replicas take over with less."""
    detector, books = LossDetector(), Books()
    sent: list[tuple[Told, Tip, Lost | None]] = []
    acknowledged: set[Tip] = set()
    reported: set[int] = set()

    def learn(told: Told, tip: Tip | None, found: Lost | None) -> None:
        first = detector.first_lost(told, found) if found else detector.acknowledge(told, tip)
        if first:
            loss = detector.record_loss(told, first, tip, None, None, found.sequences if found else ())
            reported.update(range(loss.first, loss.last + 1))

    for step in steps:
        if step == "send":
            told = detector.tell(T)
            found = books.lost_of(told)
            sent.append((told, books.write(told), found))
        elif step == "answer" and sent:
            told, tip, found = sent.pop(data.draw(st.integers(0, len(sent) - 1)))
            acknowledged.add(tip)
            learn(told, tip, found)
        elif step == "other":
            books.primary.append(Tip(len(books.primary) + 1, "ffffffff 1"))
        elif step == "sync":
            books.replica = list(books.primary)
        elif step == "fail over":
            books.primary = list(books.replica)
    for _ in range(len(steps) + 1):
        asked = detector.tell_all(T)
        if (found := books.lost_of(asked)) is None:
            break
        learn(asked, None, found)
    else:
        pytest.fail("it never ends")
    assert {tip.sequence for tip in acknowledged - set(books.primary)} <= reported


# ---------------------------------------------------------------------- memory, forks, threads, signals


def test_the_trader_that_was_not_used_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TRADERS", 3)
    detector = LossDetector()
    for trader in ("A", "B", "C", "A", "D"):
        acknowledge(detector, 1 if detector.tell(trader).tips == () else 2, trader)
    assert sorted(detector.traders()) == ["A", "C", "D"]
    assert [len(detector.tell(trader).tips) for trader in ("A", "B", "C", "D")] == [1, 0, 1, 1]


def in_a_child(work: Callable[[], bool]) -> bool:
    """Return what a forked child says."""
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_child_is_another_writer_with_an_empty_memory_and_its_parent_stays_what_it_was() -> None:
    detector = with_acknowledged(2)
    mark, before = detector.mark, detector.tell(T)

    def work() -> bool:
        told = detector.tell(T)
        new = detector.mark != mark and told.mark == detector.mark and told.tips == () and detector.traders() == []
        acknowledge(detector, 1)
        in_flight = detector.acknowledge(before, event(before, 9))  # of the parent: not the child's to report
        return new and told_numbers(detector) == [1] and in_flight == 0 and in_a_child(grandchild)

    def grandchild() -> bool:
        return detector.traders() == [] and detector.mark != mark

    assert in_a_child(work)
    assert (detector.mark, told_numbers(detector)) == (mark, [2])


def test_a_signal_handler_that_writes_while_its_thread_writes() -> None:
    detector, numbers = LossDetector(), iter(range(1, 10**9))
    handled: list[Tip] = []

    def write() -> Tip:
        told = detector.tell(T)
        tip = event(told, next(numbers))
        detector.acknowledge(told, tip)
        return tip

    with alarm_handler(lambda _, __: handled.append(write())):
        signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
        written = [write() for _ in range(20_000)]
    assert len(handled) > 10
    assert max(written[-1], handled[-1]) in detector.tell_all(T).tips
    write()
    assert len(detector.tell_all(T).tips) <= 2 * MOST_TIPS


class Interrupted(BaseException):
    """Raised by a signal handler."""


def test_an_interrupt_between_two_steps_leaves_no_tip_too_few() -> None:
    """The handler raises in the midst of what the detector does."""
    detector, numbers = LossDetector(), iter(range(1, 10**9))
    interrupted, may_raise = 0, False

    def interrupt(_: int, __: object) -> None:
        if may_raise:  # another thread may take the signal, and pass it on late
            raise Interrupted

    with alarm_handler(interrupt):
        for turn in range(4_000):
            known = detector.tell_all(T).tips
            told = detector.tell(T)
            tip = event(told, next(numbers))
            try:
                may_raise = True
                signal.setitimer(signal.ITIMER_REAL, (1 + turn % 40) / 1e6)
                for _ in range(20):  # what is interrupted once is done again
                    detector.acknowledge(told, tip)
                signal.setitimer(signal.ITIMER_REAL, 0)
                may_raise = False
            except Interrupted:
                interrupted, may_raise = interrupted + 1, False
            after = detector.tell_all(T).tips
            assert tip in after or set(known) <= set(after)
    assert interrupted > 50


def test_many_threads_lose_no_tip() -> None:
    """Each has changes acknowledged that no other proves, on many traders and one; nothing of it may be missing."""
    detector, per_thread = LossDetector(), 400
    begin = threading.Barrier(8)
    told = [[detector.tell(T) for _ in range(per_thread)] for _ in range(8)]

    def work(number: int) -> None:
        begin.wait()
        for index, one in enumerate(told[number]):
            detector.acknowledge(one, event(one, 1 + number + 8 * index))
            acknowledge(detector, 1, f"T{number}.{index}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told_numbers(detector) == list(range(1, 8 * per_thread + 1))
    assert len(detector.traders()) == 8 * per_thread + 1
