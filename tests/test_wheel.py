"""The wheel holds the whole package and nothing else."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .support.package import MODULES, ROOT, SCRIPTS

needs_setuptools = pytest.mark.skipif(
    importlib.util.find_spec("setuptools") is None, reason="building needs setuptools, which no extra of ours installs"
)


@needs_setuptools
def test_the_wheel_holds_every_module_and_every_script(tmp_path: Path) -> None:
    # A copy, because building leaves a folder behind.
    source = tmp_path / "source"
    shutil.copytree(
        ROOT,
        source,
        ignore=shutil.ignore_patterns(".*", "tests", "docker", "*.egg-info", "__pycache__", "build", "dist"),
    )
    # The build backend is called directly, because a virtual environment need not have pip.
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(tmp_path)!r})"
    ran = subprocess.run(
        [sys.executable, "-c", build],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {f"slotbook/{path.relative_to(ROOT).as_posix()}" for path in (*MODULES.values(), *SCRIPTS)}
    assert held == expected | {"slotbook/py.typed"}
