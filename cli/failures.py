"""Turn what ends a command early into an exit code and one line on standard error."""

from __future__ import annotations

from ..models.errors import SlotbookError
from .output import BadUsage, print_error


def exit_code(error: Exception) -> int:
    """Print an error in one line and return its exit code: 2 for bad usage, 1 for a failure.

    What is no error of the tree and none of the system's is a fault of the program, and is raised again.
    """
    if not isinstance(error, BadUsage | SlotbookError | OSError):
        raise error
    print_error(error)
    return 2 if isinstance(error, BadUsage) else 1
