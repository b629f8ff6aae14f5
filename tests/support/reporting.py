"""Tell less of tests that pass, from the processes that run them: telling was as much work as running a small one."""

from __future__ import annotations

import pytest
from _pytest.runner import runtestprotocol


def is_told(report: pytest.TestReport) -> bool:
    """Return True for what a test did, and for a setup or teardown that did not pass."""
    return report.when == "call" or not report.passed


class ShortReports:
    """A plugin of a process that runs tests for another one."""

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a test as pytest does, and tell what is to be told of it."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in filter(is_told, runtestprotocol(item, log=False, nextitem=nextitem)):
            if report.passed:
                report.keywords = {}  # some ten names, which nobody reads
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
