"""Pages name commands with their options, variables of the environment, and keys that there are; the site is strict."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from slotbook import Settings
from slotbook.cli.app import program
from slotbook.cli.commands import COMMANDS
from slotbook.models.enums import OrderStatus
from slotbook.models.keys import Keys
from typer.main import get_command

from .support.package import ROOT
from .support.pages import PAGES, text_of

TEXTS = {
    "README": (ROOT / "README.md").read_text(encoding="utf-8"),
    "docker/README": (ROOT / "docker" / "README.md").read_text(encoding="utf-8"),
    **{name: path.read_text(encoding="utf-8") for name, path in PAGES.items()},
}


def options_of(command: object) -> Iterator[str]:
    """Yield the options of a command of click's, and of the commands below it."""
    for parameter in getattr(command, "params", ()):
        yield from (*parameter.opts, *parameter.secondary_opts)
    for below in getattr(command, "commands", {}).values():
        yield from options_of(below)


OPTIONS = {
    one.name: {"--help", *options_of(getattr(get_command(program(one.name)), "commands", {})[one.name])}
    for one in COMMANDS
}


@pytest.mark.parametrize("page", TEXTS)
def test_commands_on_a_page_have_these_options(page: str) -> None:
    text = TEXTS[page]
    in_prose = re.findall(r"`slotbook ([a-z][^`\n]*)`", text)
    in_consoles = re.findall(r"^(?:\$ |.*&& )?(?:\S*/)?slotbook ([a-z][^\n]*?)(?: +#.*)?$", text, re.MULTILINE)
    for line in [*in_prose, *in_consoles]:
        name = line.split()[0]
        assert name in OPTIONS, f"there is no command {name}: {line}"
        used = re.findall(r"(?<!\S)--[a-z-]+", line)
        assert [option for option in used if option not in OPTIONS[name]] == [], line


def test_variables_of_the_environment_are_settings_or_switches_of_the_tests() -> None:
    settings = {f"SLOTBOOK_{name.upper()}" for name in Settings.model_fields}
    of_tests = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py")))
    named = {name for text in TEXTS.values() for name in re.findall(r"\bSLOTBOOK_[A-Z_]+", text)}
    assert {name for name in named - settings if f'"{name}"' not in of_tests} == set()


def test_the_table_of_keys_has_the_keys_that_there_are() -> None:
    keys = Keys()
    trader = keys.of("T001")
    table = text_of("reference/keys").split("| key | type | holds |")[1].split("\n\n")[0]
    named = {name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])}
    known = {
        *(trader.book, trader.limits, trader.positions, trader.account_positions, trader.events, trader.dead_events),
        *(trader.order("<order_id>"), trader.alias("<id>"), trader.applied("<order_id>")),
        *(trader.symbol("<SYMBOL>"), trader.position("<SYMBOL>"), trader.account_position("<ACCOUNT>", "<SYMBOL>")),
        trader.statuses[OrderStatus.NEW].replace("NEW", "<STATUS>"),
        trader.own_order_index("<field>", "<value>"),
        trader.own_order_index("<field>", "<value>", beside=True),
        *(trader.request("<request_id>"), trader.own_record("<kind>", "<key>"), trader.base + "<kind>_…"),
        *(trader.lock("<name>"), trader.session("<sha256>"), trader.sessions, keys.lock("<name>")),
        *(keys.value("<key>"), keys.value_version("<key>"), keys.swapped("<key>", "<request_id>")),
        *(keys.limit("<name>", "<rule>"), keys.permit("<name>", "<rule>", "<request_id>")),
        *(keys.reference("<kind>", "<key>"), "{<kind>:<key>}:record_…", keys.reference("symbol", "<SYMBOL>")),
        *(keys.reference("<name>", "<key>"), "{symbol:<SYMBOL>}:load"),
    }
    assert named == known


def test_the_site_is_built_strictly_and_everything_that_may_be_wrong_is_a_warning() -> None:
    session = (ROOT / "noxfile.py").read_text(encoding="utf-8").partition("def site(")[2].partition("@nox")[0]
    assert '"--strict"' in session
    validation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nvalidation:\n")[2]
    checks = dict(re.findall(r"(\w+): (\w+)", validation))
    assert checks == dict.fromkeys(
        ("omitted_files", "not_found", "absolute_links", "anchors", "unrecognized_links"), "warn"
    )
    assert len(re.findall(r": warn\b", validation)) == 7
