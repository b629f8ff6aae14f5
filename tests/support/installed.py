"""Build the wheel, and install it in an environment of a user's: with what it needs, and nothing of the developers'."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from .package import ROOT

NOT_PACKAGED = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".nox",
    ".*cache",
    ".hypothesis",
    ".coverage*",
    "*.egg-info",
    "__pycache__",
    "build",
    "dist",
    "site",
)


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this tree in a folder, and return its path."""
    return _build("wheel", folder, "*.whl")


def build_sdist(folder: Path) -> Path:
    """Build the source distribution of this tree in a folder, and return its path."""
    return _build("sdist", folder, "*.tar.gz")


def _build(kind: str, folder: Path, pattern: str) -> Path:
    source = folder / "source"  # a copy, because building leaves a folder behind
    shutil.copytree(ROOT, source, ignore=NOT_PACKAGED)
    # The build backend is called directly, because a virtual environment need not have pip.
    build = f"from setuptools import build_meta; build_meta.build_{kind}({str(folder)!r})"
    ran = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (built,) = folder.glob(pattern)
    return built


def packaged_files() -> list[Path]:
    """Return the files of this tree that a build sees."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        ignored = NOT_PACKAGED(folder, [*folders, *names])
        folders[:] = [name for name in folders if name not in ignored]
        found += [Path(folder, name) for name in names if name not in ignored]
    return found


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel without its extras in a new environment; return the environment's interpreter.

    What the wheel needs is linked from the environment of the tests.
    """
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (info,) = site.glob("slotbook-*.dist-info")
    for needed in _needed_by(PathDistribution(info)):
        for top in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(str(needed.locate_file(top)))
    return folder / "bin" / "python"


def _needed_by(installed: Distribution) -> list[Distribution]:
    """Return the distributions that one needs without its extras, and that these need."""
    found: dict[str, Distribution] = {}
    asking = [installed]
    while asking:
        for words in asking.pop().requires or ():
            needed = Requirement(words)
            if needed.name not in found and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
                found[needed.name] = distribution(needed.name)
                asking.append(found[needed.name])
    return list(found.values())
