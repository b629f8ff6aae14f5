"""Build the package without ``noxfile.py``, which lies in the package's root because the repository is the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from setuptools.command.build_py import build_py

NOT_INSTALLED = {"noxfile"}


class BuildModules(build_py):
    """setuptools' own command, but for modules that are of use in a checkout only."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return package, name and file of each module of a package that is installed."""
        find = cast("Callable[[str, str], list[tuple[str, str, str]]]", super().find_package_modules)  # it has no types
        return [module for module in find(package, package_dir) if module[1] not in NOT_INSTALLED]
