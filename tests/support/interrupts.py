"""Interrupt a piece of work at each point at which Python would run a signal handler that raises.

Python runs handlers on entering a function of Python and after each call of a function of C; functions of C that look
for signals themselves find the signal as well. A profile function sees both kinds of call. It makes the signal pending
just before the one that is wanted, with an operator whose work is done in C, so that the handler does not run in the
profile function itself.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from types import FrameType

SIGNAL = signal.SIGUSR1


class Interrupted(BaseException):
    """The exception that the handler raises."""


_raise = ctypes.CDLL(None)["raise"]
_raise.argtypes = [ctypes.c_int]
_COUNTED = frozenset({"call", "c_call"})


class _Trigger:
    __neg__ = staticmethod(partial(_raise, SIGNAL))  # an operator, after which Python does not look for signals


TRIGGER = _Trigger()
"""Its negative makes the signal pending."""


@contextmanager
def alarm_handler(handle: Callable[[int, FrameType | None], object]) -> Generator[None]:
    """Have SIGALRM handled by a function, and stop the timer that sends it in the end."""
    before = signal.signal(signal.SIGALRM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # first: one may be due, and its handler may set the timer again
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def raising_handler(error: type[BaseException] = Interrupted) -> Generator[list[int]]:
    """Have the signal raise; yield a list to which the handler adds each signal that it has seen."""
    seen: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        seen.append(number)
        raise error

    before, hook = signal.signal(SIGNAL, interrupt), sys.unraisablehook
    # What Python swallows in a destructor is no warning here, and pytest's hook might be interrupted itself.
    sys.unraisablehook = deque[object](maxlen=0).append
    try:
        yield seen
    finally:
        sys.unraisablehook = hook
        signal.signal(SIGNAL, before)


def interrupted_at(points: list[int], work: Callable[[], object]) -> bool:
    """Do some work with the signal at some of the points, counted from 1; return False if it has fewer of them.

    What the handler raises, and what the work raises, reaches the caller.
    """
    left = sorted(points, reverse=True)
    passed = 0

    def profile(_: FrameType, event: str, __: object) -> object:
        nonlocal passed
        if event in _COUNTED:
            passed += 1
            if left and passed == left[-1]:
                left.pop()
                if not left:
                    sys.setprofile(None)
                return -TRIGGER  # type: ignore[operator]
        return None

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return not left
