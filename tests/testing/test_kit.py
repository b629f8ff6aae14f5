"""The plugin of pytest, run by pytest in a project of its own, on real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import slotbook
from slotbook.topology.embedded import start

from ..support.pages import files_of, text_of

pytest_plugins = ["pytester"]

PLUGIN = "slotbook.testing.plugin"
LOADED = any(point.value == PLUGIN for point in entry_points(group="pytest11"))
"""True where the package is installed with its entry point, and not as of a time before there was one."""
STRICT = ("-W", "error::ResourceWarning", "-W", "error::pytest.PytestUnraisableExceptionWarning")
"""Options by which a test fails for a connection that is not closed."""
LEFT_OUT = ("-p", "no:popoto", "-p", "no:hypothesispytest", "-p", "no:valkey", "-p", "no:pytest_cov", "-p", "no:xdist")
"""Plugins that happen to be installed here, and take longer to load than a project's tests to run."""
ORDERS = """
    from slotbook import Order

    def order(number="A1"):
        return Order(trader="T001", order_id=number, symbol="AAPL", side="BUY", quantity=100, price="187.23")
"""


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(orders=ORDERS)
    plugin = () if LOADED else ("-p", PLUGIN)
    return pytester.runpytest_subprocess(*plugin, *LEFT_OUT, "-q", "-rs", *STRICT, *arguments)


def test_each_test_has_a_book_of_its_own_on_servers_that_are_shared_and_gone_afterwards(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pytester.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    pytester.makepyfile(
        """
        import asyncio
        import slotbook
        import pytest
        from orders import order

        seen, kept = set(), []

        @pytest.mark.parametrize("slotbook_topology", ["standalone", "cluster"])
        @pytest.mark.parametrize("again", [1, 2])
        def test_threads(book, slotbook_server, slotbook_topology, again):
            assert book.orders.place(order()).sequence == 1
            servers = slotbook_server(slotbook_topology)
            kept.append(servers)
            assert servers.topology == slotbook_topology
            seen.add((slotbook_topology, servers.url))
            password = servers.url.split("@")[0]
            assert len(password) > 30 and password not in repr(servers)
            assert servers.deployment.folder.stat().st_mode & 0o777 == 0o700
            assert {server.host for server in servers.deployment.servers} == {"127.0.0.1"}

        def test_loop_of_the_test(abook):
            async def main():
                assert (await abook.orders.place(order())).sequence == 1
            asyncio.run(main())

        def test_both_look_at_the_same(abook, book, slotbook_target):
            book.orders.place(order())
            assert asyncio.run(abook.orders.count("T001")) == 1
            with slotbook.connect(slotbook_target) as other:
                assert other.orders.count("T001") == 1

        def test_never_used(abook): ...

        def test_once_each():
            assert len(seen) == 2
        """
    )
    pytester.makeconftest(
        """
        import os
        from pathlib import Path

        def pytest_sessionfinish():  # before Python ends, which ends servers too
            Path("left").write_text(str(os.listdir(os.environ["TMPDIR"])))
        """
    )
    run(pytester).assert_outcomes(passed=8)
    assert (pytester.path / "left").read_text(encoding="utf-8") == "[]"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("plugin", ["asyncio", "auto", "anyio"])
def test_the_book_for_asyncio_works_with_either_plugin(pytester: pytest.Pytester, plugin: str) -> None:
    pytest.importorskip("pytest_asyncio")
    pytester.makeini(f"[pytest]\nasyncio_mode = {'auto' if plugin == 'auto' else 'strict'}\n")
    mark = {"asyncio": "@pytest.mark.asyncio", "auto": "", "anyio": "@pytest.mark.anyio"}[plugin]
    pytester.makepyfile(
        f"""
        import pytest
        from orders import order

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        {mark}
        @pytest.mark.parametrize("again", [1, 2])
        async def test_place(abook, again):
            assert (await abook.orders.place(order())).sequence == 1
            assert [one.order_id for one in await abook.orders.open("T001")] == ["A1"]
        """
    )
    run(pytester).assert_outcomes(passed=2)


def test_a_book_is_closed_after_its_test_where_several_share_an_event_loop(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_asyncio")
    pytester.makepyfile(
        """
        import pytest
        from orders import order
        from slotbook.models.errors import BookClosed

        pytestmark = pytest.mark.asyncio(loop_scope="module")
        books = []

        @pytest.mark.parametrize("again", [1, 2])
        async def test_place(abook, again):
            assert (await abook.orders.place(order())).sequence == 1
            books.append(abook)

        async def test_both_are_closed():
            for book in books:
                with pytest.raises(BookClosed):
                    await book.orders.count("T001")
        """
    )
    run(pytester).assert_outcomes(passed=3)


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_a_primary_is_killed_and_another_serves(pytester: pytest.Pytester, topology: str) -> None:
    pytester.makeini(f"[pytest]\nslotbook_topology = {topology}\n")
    pytester.makepyfile(
        f"""
        import pytest
        from orders import order

        @pytest.fixture
        def slotbook_settings():
            return {{"deadline": 30, "prefix": "desk"}}

        def test_twice(book, slotbook_failover, slotbook_server):
            deployment = slotbook_server("{topology}").deployment
            assert book.backend.settings.prefix.startswith("desk-")
            book.orders.place(order())
            new = slotbook_failover("T001")
            assert new.ask("ROLE")[0] == "master" and new.ask("EXISTS", "{{T001}}:book") == 0
            assert sum(not server.alive for server in deployment.servers) == 1
            assert book.orders.place(order("A2")).sequence == 2
            assert slotbook_failover("T001") is not new
            assert book.orders.place(order("A3")).sequence == 3

        def test_the_servers_are_whole_again(slotbook_server):
            assert all(server.alive for server in slotbook_server("{topology}").deployment.servers)
        """
    )
    run(pytester).assert_outcomes(passed=2)


@pytest.mark.parametrize("kind", ["data", "sentinel"])
def test_a_primary_lives_until_the_others_can_take_over(pytester: pytest.Pytester, kind: str) -> None:
    pytester.makeini("[pytest]\nslotbook_topology = sentinel\n")
    pytester.makepyfile(
        f"""
        import threading
        from orders import order
        from slotbook.testing.failover import in_step_with

        def test_late_copies(book, slotbook_failover, slotbook_server):
            deployment = slotbook_server("sentinel").deployment
            [primary] = deployment.primaries()
            others = [one for one in deployment.servers if one.kind == "{kind}" and one is not primary]
            for other in others:
                other.freeze()
            book.orders.place(order())
            failing_over = threading.Thread(target=slotbook_failover)
            failing_over.start()
            failing_over.join(0.5)
            assert primary.alive
            assert "{kind}" == "sentinel" or in_step_with(primary, others) == []
            for other in others:
                other.thaw()
            failing_over.join()
            assert not primary.alive
            assert book.orders.count("T001") == 1
        """
    )
    run(pytester).assert_outcomes(passed=1)


def test_one_server_has_no_successor(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(slotbook_failover): ...")
    done = run(pytester)
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines("*nobody takes over from one server; choose sentinel or cluster*")


def test_servers_of_a_url_are_used_and_left_as_they_were(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio
        from orders import order

        def test_threads(book):
            book.orders.place(order())

        def test_asyncio(abook):
            asyncio.run(abook.orders.place(order()))

        def test_another(slotbook_server):
            slotbook_server("cluster")

        def test_broken(slotbook_failover): ...
        """
    )
    with start("standalone") as deployment, slotbook.connect(f"{deployment.url}?prefix=test-") as book:
        book.sessions.create("T001", ttl=60)
        before = deployment.servers[0].ask("DBSIZE")
        done = run(pytester, "--slotbook-url", deployment.url)
        done.assert_outcomes(passed=2, skipped=2)
        assert deployment.servers[0].ask("DBSIZE") == before
        assert deployment.password not in done.stdout.str()
        done.stdout.fnmatch_lines(["*needs cluster servers, and those of the URL are standalone*"])
        done.stdout.fnmatch_lines(["*servers of a URL are not broken*"])
        wrong = run(pytester, "--slotbook-url", deployment.url, "--slotbook-topology", "cluster", "-k", "threads")
        wrong.stdout.fnmatch_lines(["*the URL is of a standalone deployment, and the topology is to be cluster*"])


def test_a_topology_that_there_is_not_is_said(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nslotbook_topology = ring\n")
    pytester.makepyfile("def test_it(book): ...")
    run(pytester).stdout.fnmatch_lines(["*slotbook_topology is one of standalone, sentinel, cluster, not 'ring'*"])
    run(pytester, "--slotbook-topology", "ring").stderr.fnmatch_lines(["*invalid choice: 'ring'*"])


def test_ctrl_c_leaves_no_server(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pytester.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    test = pytester.makepyfile(
        """
        import time

        def test_it(book, capfd):
            with capfd.disabled():
                print("ready", flush=True)
            time.sleep(60)
        """
    )
    plugin = [] if LOADED else ["-p", PLUGIN]
    command = [sys.executable, "-m", "pytest", "-q", *plugin, *LEFT_OUT, str(test)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(folder)}) as done:
        assert done.stdout is not None
        assert "ready" in done.stdout.readline()
        assert len(list(folder.iterdir())) == 1
        done.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in done.stdout.read()
    assert list(folder.iterdir()) == []


def test_a_project_that_does_not_use_it_loads_one_file(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it():
            ours = [name for name in sys.modules if name.partition(".")[0] == "slotbook"]
            assert set(ours) <= {"slotbook", "slotbook.testing", "slotbook.testing.plugin"}
            assert "pydantic" not in sys.modules and "redis" not in sys.modules
        """
    )
    run(pytester).assert_outcomes(passed=1)


def test_pytest_finds_the_plugin_by_itself() -> None:
    declared = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'[project.entry-points.pytest11]\nslotbook = "{PLUGIN}"' in declared


def test_the_page_shows_tests_that_pass(pytester: pytest.Pytester) -> None:
    for name, text in files_of(text_of("how-to/testing")).items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    run(pytester).assert_outcomes(passed=2)
