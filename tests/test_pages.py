"""The examples of each page of docs/ run, in their order on the page, and print what they say.

As they stand they run on servers of their own, elsewhere on those that tests share. A page whose examples need more
than a book has a test of its own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest
from slotbook.topology.embedded import Topology

from .support.fleet import Fleets
from .support.make import fresh
from .support.pages import PAGES, blocks_of, files_of, promised_by, run, text_of
from .support.urls import with_settings

ELSEWHERE = {
    "how-to/redis-om": "tests/repositories/search/test_redis_om_page.py",
    "tutorial/index": "tests/test_tutorial.py",
}
"""Pages that are run by tests of their own: they need a server that searches, or more than one process."""

EVERYWHERE = {"how-to/own-records", "how-to/own-fields", "explanation/states"}
"""Pages that are run behind Sentinel too; the others on one server and on a cluster."""

SHOWN = {name: "".join(blocks) for name in PAGES if name not in ELSEWHERE and (blocks := blocks_of(text_of(name)))}

OWN_SERVERS = "from slotbook.topology.embedded import start"


def topologies(name: str) -> tuple[str, ...]:
    """Return where a page's examples are run."""
    if "embedded://standalone" not in SHOWN[name]:
        return ("as it stands",)
    return ("as it stands", "cluster", "sentinel") if name in EVERYWHERE else ("as it stands", "cluster")


def elsewhere(name: str, topology: Topology, fleets: Fleets) -> str:
    """Return a page's program with its books on servers that tests share, each with a prefix, as one who may do all.

    Without the blocks that start servers themselves: they would be run once more as they stand.
    """
    code = "".join(block for block in blocks_of(text_of(name)) if OWN_SERVERS not in block)

    def url(found: re.Match[str]) -> str:
        there = topology if found[1] == "standalone" else cast(Topology, found[1])
        shared = with_settings(fleets.of(there).deployment.url, {"prefix": fresh("page") + ":"})
        return shared + ("&" if found[2] else "")

    return re.sub(r"embedded://(\w+)(\?)?", url, code)


@pytest.mark.parametrize(("name", "topology"), [(name, topology) for name in SHOWN for topology in topologies(name)])
def test_every_example_of_a_page_holds(name: str, topology: str, tmp_path: Path, fleets: Fleets) -> None:
    for file, text in files_of(text_of(name)).items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    code = SHOWN[name] if topology == "as it stands" else elsewhere(name, cast(Topology, topology), fleets)
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    promised = promised_by(code)
    assert promised in ([], done.stdout.splitlines())


def test_no_page_is_forgotten() -> None:
    assert set(ELSEWHERE) <= set(PAGES)
    assert len(SHOWN) >= 11


def test_the_first_own_record_takes_some_fifteen_lines() -> None:
    assert len([line for line in blocks_of(text_of("how-to/own-records"))[0].splitlines() if line]) <= 15
