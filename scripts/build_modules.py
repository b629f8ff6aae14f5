"""Build the package without ``noxfile.py``, which lies in the package's root because the repository is the package."""

from __future__ import annotations

from typing import Any, cast

from setuptools.command.build_py import build_py

NOT_INSTALLED = {"noxfile"}


class BuildModules(build_py):
    """The command build_py of setuptools, without modules that are only of use in a checkout."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return package, name and file of each module of a package that is installed."""
        untyped = cast(Any, super())
        found: list[tuple[str, str, str]] = untyped.find_package_modules(package, package_dir)
        return [module for module in found if module[1] not in NOT_INSTALLED]
