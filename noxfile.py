"""The sessions that CI runs; ``nox -l`` lists them.

All but ``types`` run in the environment that nox itself is in. The README's test command makes one: ``.venv/bin/nox``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
SHOWN = (
    "tests/test_readme.py",
    "tests/test_pages.py",
    "tests/test_reference_pages.py",
    "tests/test_tutorial.py",
    "tests/test_doctests.py",
    "tests/test_faults_page.py",
    "tests/test_guide.py",
)
"""The tests that run the examples in the README, the pages of docs/ and the docstrings."""
WORKERS = ("-n", "6", "--dist", "worksteal")
"""More than there are cores: many tests wait for servers that are broken, frozen or replaced."""
TOUCHED_BY_OTHERS = (
    "tests/test_import.py",
    "tests/cli/test_main.py",
    "tests/cli/test_views.py",
    "tests/models/test_times.py",
    "tests/models/test_errors.py",
    "tests/repositories/caching/test_sql_tables.py",
    "tests/repositories/orders/test_fill.py",
    "tests/repositories/search/test_search_commands.py",
    "tests/topology/observing/test_otel.py",
    "tests/topology/test_urls.py",
    "tests/web/test_web_command.py",
)
"""The tests of what is built on packages of others: they show whether the lowest versions that are allowed will do."""
SOAKS = {"standalone": "fsynced", "sentinel": "replicated=1", "cluster": "replicated=1"}
"""The durability that the soak of each topology asks for."""

OF_TESTS = tuple(
    f"SLOTBOOK_{word}" for word in ("REQUIRE_", "SEARCH_", "NODE_", "NIGHTLY", "PROCESSES", "REPLIES", "EVERY_")
)
OWN = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(OF_TESTS)}
"""Variables that only the tests know: a book refuses those that are no settings."""

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments after ``--`` go to pytest. SLOTBOOK_SERVER names another server than Valkey from pip."""
    session.run(sys.executable, "-m", "pytest", "-q", *WORKERS, *session.posargs, env=OWN)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format, and that the generated modules are what their sources generate."""
    session.run(sys.executable, "-m", "ruff", "check", ".")
    session.run(sys.executable, "-m", "ruff", "format", "--check", ".")
    session.run(sys.executable, "scripts/generate_sync.py", "--check")


@nox.session(venv_backend="venv")
def types(session: nox.Session) -> None:
    """Check types: mypy on the installed package, pyright on the tree.

    Type checkers do not follow an editable install's import hook, so both look at a real install.
    """
    session.install(".[dev]")
    session.chdir(session.create_tmp())
    session.run("mypy", "--strict", "-p", "slotbook")
    session.chdir(ROOT)
    session.run("pyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session
def soak(session: nox.Session) -> None:
    """Break servers at random under load, two minutes on all topologies at once; ``-- --minutes 30`` for longer."""
    minutes = session.posargs or ["--minutes", "2"]
    command = [sys.executable, "-m", "tests.support.faults.soak", *minutes]
    running = {
        topology: subprocess.Popen(  # noqa: S603 (our own program)
            [*command, "--topology", topology, "--durability", durability],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        for topology, durability in SOAKS.items()
    }
    failed: list[str] = []
    for topology, process in running.items():
        output, _ = process.communicate()
        session.log(f"{topology}:\n{output}")
        if process.returncode:
            failed.append(topology)
    if failed:
        session.error(f"the soak found something wrong on {', '.join(failed)}")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmark, small, to see that it works; ``-- --plot docs/bench`` for the README's figures."""
    arguments = session.posargs or ["--quick", "--json"]
    session.run(sys.executable, "-m", "slotbook", "bench", *arguments, silent="--json" in arguments)


@nox.session
def site(session: nox.Session) -> None:
    """Build the documentation as a site, into site/; a link that leads nowhere ends it."""
    session.run(sys.executable, "-m", "mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def docs(session: nox.Session) -> None:
    """Run the examples in the README, the pages of docs/ and the docstrings."""
    session.run(sys.executable, "-m", "pytest", "-q", *WORKERS, *SHOWN, env=OWN)


@nox.session
def packages(session: nox.Session) -> None:
    """Build the wheel and the source distribution, and try them on every Python that is found."""
    session.run(sys.executable, "scripts/try_packages.py", env=OWN)


@nox.session
def lowest(session: nox.Session) -> None:
    """Run tests with the lowest version of each package that pyproject.toml allows; CI's others have the newest."""
    folder = Path(session.create_tmp())
    python, lowest_versions = folder / "environment" / "bin" / "python", folder / "lowest.txt"
    uv = (sys.executable, "-m", "uv")
    session.run(*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder / "environment"))
    resolve = ("--resolution", "lowest-direct", "--extra", "all", "--python", str(python))
    session.run(*uv, "pip", "compile", "--quiet", *resolve, "pyproject.toml", "-o", str(lowest_versions))
    with_tests = ("--python", str(python), "--constraint", str(lowest_versions), "--editable", ".[dev]")
    session.run(*uv, "pip", "install", "--quiet", *with_tests)
    session.run(str(python), "-m", "pytest", "-q", *WORKERS, *TOUCHED_BY_OTHERS, *session.posargs, env=OWN)
