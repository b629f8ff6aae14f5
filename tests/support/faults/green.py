"""Ask a server that is frozen, in a process patched by gevent or eventlet: ``python green.py gevent URL``.

It says ``ready``, waits for a line, and then says what came of it, after how many seconds, and how often another green
thread has run meanwhile.
"""

from __future__ import annotations

import importlib
import sys
import time

LIBRARY = sys.argv[1]

if LIBRARY == "gevent":
    importlib.import_module("gevent.monkey").patch_all()
else:
    importlib.import_module("eventlet").monkey_patch()

import threading  # noqa: E402

from slotbook import connect  # noqa: E402
from slotbook.models.errors import Unavailable  # noqa: E402

_turns: list[float] = []


def _turn() -> None:
    while True:
        time.sleep(0.05)
        _turns.append(time.monotonic())


def main() -> None:
    """Ask once while the server answers, and once more while it does not."""
    with connect(sys.argv[2]) as book:
        book.orders.get("green", "A1")
        print("ready", flush=True)
        sys.stdin.readline()
        threading.Thread(target=_turn, daemon=True).start()
        began = time.monotonic()
        try:
            book.orders.get("green", "A1")
        except Unavailable as error:
            print(f"{time.monotonic() - began:.3f} {len(_turns)} {type(error).__name__}", flush=True)


if __name__ == "__main__":
    main()
