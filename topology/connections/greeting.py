"""Introduce a connection to its server, so that CLIENT LIST tells whose it is.

The commands go out with the first call and cost no round trip. Their replies are read and dropped: a server before 7.2
does not know CLIENT SETINFO, and a user may not be allowed to send it (``+client|setname +client|setinfo``).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from ..call import pack
from .reader import closed_after

GREETINGS = 3
"""The number of commands, and so of replies."""


def _version() -> str:
    try:
        return version("slotbook")
    except PackageNotFoundError:  # run from its source
        return "0"


_LIBRARY = pack(("CLIENT", "SETINFO", "LIB-NAME", "slotbook")) + pack(("CLIENT", "SETINFO", "LIB-VER", _version()))


def greeting() -> bytes:
    """Return the commands that name this process, as in ``slotbook:risk.py:4711``, and the library."""
    return pack(("CLIENT", "SETNAME", client_name(sys.argv[0] if sys.argv else "", os.getpid()))) + _LIBRARY


def closed_in_greeting(answers: Sequence[object]) -> RedisConnectionError | None:
    """Return the error of a connection that ended after these replies to the greeting; None if they do not tell why.

    A server that takes no connection, such as one that has all its clients, says so in the place of the first reply.
    """
    last = answers[-1] if answers and len(answers) < GREETINGS else None
    return closed_after(last) if isinstance(last, RedisError) else None


def client_name(program: str, process: int) -> str:
    """Return the name of a process's connections, in which a server takes no blanks.

    >>> client_name("/opt/my desk/risk.py", 4711), client_name("", 12)
    ('slotbook:risk.py:4711', 'slotbook:python:12')
    """
    shown = re.sub(r"[^!-~]", "_", PurePath(program).name)[:40]
    return f"slotbook:{shown or 'python'}:{process}"
