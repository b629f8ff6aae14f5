"""What ``import slotbook`` costs, and what it leaves alone."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys

import pytest
import slotbook

HEAVY = ("redis_om", "aredis_om", "numpy", "sqlalchemy", "typer", "rich")


def _run(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    "code",
    [
        "import slotbook",
        "import slotbook; slotbook.connect, slotbook.aconnect, slotbook.Settings",
        "import slotbook.models, slotbook.repositories",
        "import slotbook\nwith slotbook.connect('embedded://standalone') as book:\n book.orders.open('T1')",
        "from slotbook.repositories import OrderRepository, SearchIndexes, Find",
    ],
)
def test_what_is_heavy_is_imported_only_where_it_is_used(code: str) -> None:
    loaded = _run(f"import sys\n{code}\nprint(*(set({HEAVY!r}) & set(sys.modules)))").stdout.split()
    assert loaded == []


def test_importing_slotbook_costs_no_more_than_1_3_times_what_it_stands_on() -> None:
    def microseconds(code: str) -> int:
        told = _run(code, "-X", "importtime").stderr
        return sum(map(int, re.findall(r"^import time:\s+(\d+) \|", told, re.MULTILINE)))

    ratios = [microseconds("import slotbook") / microseconds("import redis, pydantic") for _ in range(5)]
    assert statistics.median(ratios) < 1.3


def test_the_public_face_is_complete_before_anything_is_asked_of_it() -> None:
    shown = _run("import slotbook; print(*dir(slotbook))").stdout.split()
    assert set(slotbook.__all__) < set(shown)
    assert {"models", "repositories", "topology"} < set(shown)
    assert _run("import slotbook; print(slotbook.models.Order.__name__)").stdout == "Order\n"
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        getattr(slotbook, "conect")  # noqa: B009
