"""See a book from outside: an observer of its calls, and notices of what goes wrong with its servers, without I/O.

A book without an observer runs nothing of ``recorder.py`` and ``observer.py`` in its calls. Notices are for what
is rare, such as a primary that was replaced: they go to ``logging`` and to the observer.
"""

from __future__ import annotations

from .notices import Notice, NoticeKind, Notices
from .observer import FailedTry, ObservedCall, ObservedServers, Observer
from .outcomes import CallOutcome

__all__ = ["CallOutcome", "FailedTry", "Notice", "NoticeKind", "Notices", "ObservedCall", "ObservedServers", "Observer"]
