"""Run something in a forked child."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable


def in_a_child(work: Callable[[], None], seconds: float = 10.0) -> int:
    """Run it in a forked child and return the child's exit code; one that is still running after a while is killed."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    rescue = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
    rescue.start()
    _, status = os.waitpid(child, 0)
    rescue.cancel()
    return os.waitstatus_to_exitcode(status)
