"""The base classes of the errors of ``errors.py``, which lists them all."""

from __future__ import annotations


class SlotbookError(Exception):
    """The base class of every error that Slotbook raises; pickled or copied, it keeps its message and its fields.

    Attributes:
        index: Of a step that refused its unit (``commit``), its number, counted from 0; else None.
    """

    index: int | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Return what pickle and copy make the error from again, whatever the arguments of its constructor are."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[SlotbookError], arguments: tuple[object, ...], fields: dict[str, object]) -> SlotbookError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(fields)
    return error


class Refused(SlotbookError):
    """The book refused the call and changed nothing."""
