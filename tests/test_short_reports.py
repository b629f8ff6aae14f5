"""A process that runs tests tells all that did not pass, whenever it was (tests/support/reporting.py)."""

from __future__ import annotations

from typing import Literal

import pytest

from .support.reporting import is_told

When = Literal["setup", "call", "teardown"]


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_what_did_not_pass_is_told(when: When, outcome: Literal["failed", "skipped"]) -> None:
    assert is_told(pytest.TestReport("test", ("", 0, ""), {}, outcome, None, when))


@pytest.mark.parametrize(("when", "told"), [("setup", False), ("call", True), ("teardown", False)])
def test_of_what_passed_only_the_test_itself_is_told(*, when: When, told: bool) -> None:
    assert is_told(pytest.TestReport("test", ("", 0, ""), {}, "passed", None, when)) is told
