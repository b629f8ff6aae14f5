"""Tell what is tried again, and what is given up, of the calls of a batch."""

from __future__ import annotations

from time import monotonic
from typing import Any

from redis.exceptions import RedisError

from ..batch import Batch, Pace
from ..error_mapping import Failure, Unanswered, Unsent, code_of, is_reply
from .notices import NoticeKind, Notices
from .verbs import verb_of


class RetryNotes:
    """The notices about one batch that is being carried out."""

    def __init__(self, notices: Notices, batch: Batch[Any]) -> None:
        self._notices = notices
        self._batch = batch
        self._began = monotonic()
        self.reason: Exception | None = None
        """The error that kept calls from being sent at all, if there was one."""
        if batch.pace is Pace.BACK_OFF:
            self.on_pause(0.0, 1)

    def on_pause(self, seconds: float, rounds: int) -> None:
        """Tell that what is pending is tried again after some seconds."""
        verb, calls, reason = self._pending()
        self._notices.tell(NoticeKind.RETRY, verb=verb, calls=calls, seconds=seconds, tries=rounds + 1, reason=reason)

    def on_give_up(self) -> None:
        """Tell that what is pending is given up."""
        verb, calls, reason = self._pending()
        unknown = sum(item.may_be_applied for item in self._batch.pending)
        seconds = monotonic() - self._began
        self._notices.tell(NoticeKind.GAVE_UP, verb=verb, calls=calls, seconds=seconds, unknown=unknown, reason=reason)

    def _pending(self) -> tuple[str, int, str]:
        """Return the verb of what is pending, how many calls it is, and why it is pending."""
        pending = self._batch.pending
        named = {verb_of(item.name) for item in pending}
        failure = next((item.failure for item in pending if item.failure is not None), None)
        verb = named.pop() if len(named) == 1 else "several"
        if failure is None:
            return verb, len(pending), type(self.reason).__name__ if self.reason else "the primary is not known"
        return verb, len(pending), reason_of(failure)


def reason_of(failure: Failure) -> str:
    """Return why a try brought no value: the code of an error reply, or the kind of the connection's failure.

    >>> reason_of(RedisError("LOADING Redis is loading the dataset in memory"))
    'LOADING'
    """
    error = failure.cause if isinstance(failure, (Unsent, Unanswered)) else failure
    if isinstance(error, RedisError) and (is_reply(error) or not isinstance(failure, (Unsent, Unanswered))):
        return code_of(error)
    return type(error).__name__
