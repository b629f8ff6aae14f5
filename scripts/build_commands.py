"""Commands of setuptools that know what is special here: the repository is the package, and PyPI shows its README.

- ``BuildModules`` leaves out ``noxfile.py``, which lies in the package's root.
- ``DescribePackage`` makes the links in the README absolute: on PyPI, a link to a file of the repository leads nowhere.
"""

from __future__ import annotations

import re
from typing import Any, cast

from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info

NOT_INSTALLED = {"noxfile"}
RELATIVE_LINK = re.compile(r"(?P<image>!?)(?P<text>\[[^\]]*\])\((?![a-z]+:|#)(?P<target>[^)\s]+)\)")
"""A Markdown link or image whose target begins neither with a scheme nor with an anchor of the same page."""


class BuildModules(build_py):
    """The command build_py, without modules that are only of use in a checkout."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return package, name and file of each module of a package that is installed."""
        untyped = cast(Any, super())
        found: list[tuple[str, str, str]] = untyped.find_package_modules(package, package_dir)
        return [module for module in found if module[1] not in NOT_INSTALLED]


class DescribePackage(egg_info):
    """The command egg_info, with a description whose links lead to the release's files in the public repository."""

    def run(self) -> None:
        """Write the metadata."""
        metadata = cast(Any, self.distribution.metadata)
        repository = cast(str, metadata.project_urls["Source"])
        metadata.long_description = absolute_links(metadata.long_description, repository, f"v{metadata.version}")
        super().run()


def absolute_links(markdown: str, repository: str, tag: str) -> str:
    """Return a page with each link to a file of a release made absolute, and each image one that a browser shows.

    >>> absolute_links("[a](docs/a.md#b), ![c](c.svg), [d](#d), [e](https://e.example)", "https://s.example", "v1")
    '[a](https://s.example/blob/v1/docs/a.md#b), ![c](https://s.example/raw/v1/c.svg), [d](#d), [e](https://e.example)'
    """

    def absolute(link: re.Match[str]) -> str:
        form = "raw" if link["image"] else "blob"
        return f"{link['image']}{link['text']}({repository}/{form}/{tag}/{link['target']})"

    return RELATIVE_LINK.sub(absolute, markdown)
