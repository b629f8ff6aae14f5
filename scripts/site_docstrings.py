"""Write docstrings in Markdown for the site (an extension of Griffe): no roles, and examples as blocks.

In the source they are as Python's own documentation writes them, which editors and ``help()`` show well.
"""

from __future__ import annotations

import re

import griffe

ROLE = re.compile(r":(?:class|meth|func|mod|attr|data|exc):`~?(?:[\w.]*\.)?(\w+)`")
CONSOLE = re.compile(r"(?:^ *>>> .*\n(?:^(?! *$).*(?:\n|\Z))*)+", re.MULTILINE)
BLOCK = re.compile(r"^( *)(.*?):?::\n", re.MULTILINE)
PAGE = re.compile(r"\bdocs/([\w/-]+)\.md\b")


class Markdown(griffe.Extension):
    """Rewrites the docstrings of the package as they are loaded."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Rewrite the docstring of an object, if it has one."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """Return a docstring in Markdown."""
    text = ROLE.sub(r"`\1`", text)
    text = BLOCK.sub(lambda found: f"{found[1]}{found[2]}{':' if found[2] else ''}\n", text)
    text = PAGE.sub(r"[\1](../../\1.md)", text)
    return CONSOLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)
