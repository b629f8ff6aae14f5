"""The examples of docs/states.md run."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .support.package import ROOT

DOCUMENT = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("topology", ["standalone", "sentinel", "cluster"])
def test_the_example_holds(topology: str) -> None:
    assert len(BLOCKS) == 1
    code = "".join(BLOCKS).replace("embedded://standalone", f"embedded://{topology}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
