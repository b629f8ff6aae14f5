"""Programs for Node, and the packages of npm that they need."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = ("redis@5", "ajv@8", "ajv-formats@3")
"""All packages that tests need, as .ci/run installs them."""
_GIVEN = os.environ.get("SLOTBOOK_NODE_MODULES")  # read here, because tests run without settings from outside


def node_modules(place: Path) -> Path:
    """Return a folder with PACKAGES: that of ``SLOTBOOK_NODE_MODULES``, else one in ``place``. Skips the test if none.

    A script finds them when it lies beside that folder.
    """
    names = [package.partition("@")[0] for package in PACKAGES]
    if _GIVEN:
        assert all((Path(_GIVEN) / name).is_dir() for name in names), f"SLOTBOOK_NODE_MODULES={_GIVEN} lacks {names}"
        return Path(_GIVEN)
    found = place / "node_modules"
    if not found.is_dir() and shutil.which("node") is not None and shutil.which("npm") is not None:
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place), *PACKAGES]
        subprocess.run(command, check=False, capture_output=True, timeout=120)
    if not all((found / name).is_dir() for name in names):
        pytest.skip("packages of npm cannot be had: install node and npm, or set SLOTBOOK_NODE_MODULES")
    return found
