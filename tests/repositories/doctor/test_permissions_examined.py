"""Name what a user may not do and needs, and may do and does not need; the list of needs is users.acl's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from slotbook.repositories.doctor.findings import Verdict
from slotbook.repositories.doctor.needs import COMMAND_NAMES, ESSENTIAL, SINCE_7_2, commands_needed
from slotbook.topology.embedded import Deployment, Server
from slotbook.topology.settings import Settings

from ...support.application import NAME, admit, commands
from ...support.doctor import examine, keeps_half_changes, said, wrong

BAD, RISK, GOOD = Verdict.BAD, Verdict.RISK, Verdict.GOOD


@pytest.fixture
def server(lone: Deployment) -> Iterator[Server]:
    """Yield the one server; the application's user is made anew afterwards."""
    (found,) = lone.servers
    yield found
    found.ask("ACL", "DELUSER", NAME)
    admit(lone)


def test_the_needs_are_those_of_the_file_of_users() -> None:
    needed = {need.name for need in commands_needed(Settings(), frozenset())}
    assert needed == commands()
    assert set(COMMAND_NAMES) == {name for name in needed if not name.startswith("ft.")} - SINCE_7_2


def test_every_command_that_is_needed_is_missed(lone: Deployment, server: Server) -> None:
    """One by one, each with what it is for."""
    for need in commands_needed(Settings(), frozenset()):
        if need.name.startswith("ft.") or (need.name in SINCE_7_2 and keeps_half_changes(server)):  # not there
            continue
        server.ask("ACL", "SETUSER", NAME, f"-{need.name}")
        found = wrong(diagnosis := examine(lone))
        server.ask("ACL", "SETUSER", NAME, f"+{need.name}")
        assert found == {"permissions needed": BAD if need.purpose in ESSENTIAL else RISK}, need.name
        (one,) = [finding for finding in diagnosis.findings if finding.check == "permissions needed"]
        assert one.value == f"{NAME} may not: {need.name}"
        assert need.purpose in one.why
        assert one.remedy.startswith(f"ACL SETUSER {NAME} +{need.name}")


def test_a_user_whose_name_is_a_number_is_the_one_of_its_text(lone: Deployment, server: Server) -> None:
    server.ask("ACL", "SETUSER", "4711", "on", f">{lone.password}", "~*", "&*", "+@all", "-zadd")
    by_number, by_text = (examine(lone, cast(str, user)) for user in (4711, "4711"))
    server.ask("ACL", "DELUSER", "4711")
    assert (BAD, "4711 may not: zadd") in said(by_number, "permissions needed")
    assert said(by_number, "permissions needed") == said(by_text, "permissions needed")


def test_the_loss_of_an_index_is_foreseen(lone: Deployment, server: Server) -> None:
    """Without zadd and zrem, a change stops amid its writes."""
    server.ask("ACL", "SETUSER", NAME, "-zadd", "-zrem", "-xreadgroup")
    assert said(examine(lone), "permissions needed") == {
        (BAD, f"{NAME} may not: zadd, zrem"),
        (RISK, f"{NAME} may not: xreadgroup"),
    }


@pytest.mark.parametrize(
    "rules",
    [
        ["resetkeys"],
        ["resetkeys", "~other:*"],
        ["resetkeys", "%R~*"],
        ["resetkeys", "~{*"],
        ["resetkeys", "~{*}:order:*", "~{*}:position*", "~{*}:book", "~{*}:events"],
    ],
    ids=" ".join,
)
def test_keys_that_may_not_be_used(lone: Deployment, server: Server, rules: list[str]) -> None:
    server.ask("ACL", "SETUSER", NAME, *rules)
    assert wrong(examine(lone)) == {"keys needed": BAD}


def test_a_user_of_one_prefix(lone: Deployment, server: Server) -> None:
    server.ask("ACL", "SETUSER", NAME, "resetkeys", "~desk:*", "~{desk:*", "resetchannels", "&desk:*")
    assert wrong(examine(lone, prefix="desk:")) == {}
    assert wrong(examine(lone, prefix="other:")) == {"keys needed": BAD, "channels needed": RISK}
    server.ask("ACL", "SETUSER", NAME, "resetkeys", "~desk:*")
    assert wrong(examine(lone, prefix="desk:")) == {"keys needed": BAD}
    server.ask("ACL", "SETUSER", NAME, "~*")
    assert said(examine(lone, prefix="desk:"), "permissions not needed") == {
        (RISK, f"{NAME} may: keys outside the prefix")
    }


@pytest.mark.parametrize(
    ("channel", "publish"), [("{*}:events", "order_events"), ("order_events", "traders"), ("{*}:events", "symbols")]
)
def test_channels_that_may_not_be_used(lone: Deployment, server: Server, channel: str, publish: str) -> None:
    server.ask("ACL", "SETUSER", NAME, "resetchannels", f"&{channel}")
    assert wrong(examine(lone, publish=publish)) == {"channels needed": RISK}
    assert "channels needed" not in wrong(examine(lone, publish="none"))


@pytest.mark.parametrize(
    "name",
    [
        *("flushall", "flushdb", "keys", "config|set", "shutdown", "acl|setuser", "replicaof", "script|flush"),
        *("function|flush", "module|load", "debug|jmap", "monitor", "client|kill", "swapdb", "cluster|reset"),
        *("cluster|failover", "migrate", "restore", "rename", "bgsave"),
    ],
)
def test_a_permission_that_is_not_needed(lone: Deployment, server: Server, name: str) -> None:
    server.ask("ACL", "SETUSER", NAME, f"+{name.replace('|jmap', '')}")
    diagnosis = examine(lone)
    assert wrong(diagnosis) == {"permissions not needed": RISK}
    assert said(diagnosis, "permissions not needed") == {(RISK, f"{NAME} may: {name}")}


def test_a_user_without_a_password(lone: Deployment, server: Server) -> None:
    server.ask("ACL", "SETUSER", NAME, "nopass")
    assert wrong(examine(lone)) == {"password": BAD}


def test_a_user_who_is_off_or_not_there(lone: Deployment, server: Server) -> None:
    server.ask("ACL", "SETUSER", NAME, "off")
    assert said(examine(lone), "password") == {(BAD, f"{NAME} is off")}
    assert said(examine(lone, "nobody"), "password") == {(BAD, "there is no user nobody")}


def test_the_user_of_the_url_is_examined_by_default(lone: Deployment) -> None:
    diagnosis = examine(lone, None)
    assert wrong(diagnosis) == {"permissions not needed": RISK}
    ((_, value),) = said(diagnosis, "permissions not needed")
    assert value.startswith("default may: flushall, flushdb, keys, config|set, shutdown")
    assert said(diagnosis, "permissions needed") == {(GOOD, "default may run all that are needed")}
