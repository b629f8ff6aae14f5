"""The example of a service passes its own tests, in which it runs on real servers."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

from .support.package import ROOT

EXAMPLE = ROOT / "examples" / "order_service"
PLUGIN = "slotbook.testing.plugin"


def test_the_tests_of_the_order_service_pass() -> None:
    is_found = any(point.value == PLUGIN for point in entry_points(group="pytest11"))
    plugin = [] if is_found else ["-p", PLUGIN]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:popoto", "-p", "no:cacheprovider", *plugin]
    done = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
