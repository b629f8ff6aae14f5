"""docker/server/users.acl has what Slotbook calls and nothing else, says a real server with it and redis.conf."""

from __future__ import annotations

import ast
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
import slotbook
from slotbook import errors
from slotbook.topology.embedded.binary import find_program
from slotbook.topology.error_mapping import ERROR_ACTIONS

from .support.application import ALWAYS, NAME, PASSWORDS, SERVER_FOLDER, commands, words_of_all
from .support.make import execution, limit
from .support.package import MODULES, SCRIPTS
from .support.pages import files_of, text_of
from .support.raw import Raw, Refusal
from .support.running import HOST, OPERATOR

WRITTEN = re.compile(r"'([A-Z][A-Z.]+)'(?:, '([A-Z]+)')?")
"""A word in capitals in a script, and the next one."""
CONTAINERS = {
    "CLIENT",
    "CLUSTER",
    "SENTINEL",
    "XGROUP",
    "XINFO",
    "PUBSUB",
    "SCRIPT",
    "FUNCTION",
    "OBJECT",
    "ACL",
    "COMMAND",
}
"""Commands whose second word says what they do."""
PYTHON = [
    path
    for name, path in MODULES.items()
    if name.startswith(("slotbook.topology.", "slotbook.repositories."))
    and not name.startswith("slotbook.topology.embedded")
    and "_sync" not in name.split(".")
    and name != "slotbook.topology.scripts"  # which reads the word KEYS in a script's comment
    and not name.startswith("slotbook.repositories.doctor")  # whose commands, and those of an inspection,
    and name != "slotbook.topology._async.inspection"  # are an operator's
]
"""The modules that talk to servers for a book; those that are generated call what their source calls."""
_CAPITALS = re.compile(r"[A-Z][A-Z._-]*")


def _callable(words: tuple[str, ...], known: set[str]) -> Iterator[str]:
    name = words[0].lower()
    if (name in known or name.startswith("ft.")) and name not in ALWAYS:  # whether or not this server searches
        yield f"{name}|{words[1].lower()}" if words[0] in CONTAINERS and len(words) > 1 else name


def called_by_the_source(known: set[str]) -> set[str]:
    """Return every command that is named in a script or in capitals in the code that talks to servers."""
    found: set[str] = set()
    for file in (*SCRIPTS, *PYTHON):
        for words in WRITTEN.findall(file.read_text(encoding="utf-8")):
            found.update(_callable(words if words[1] else words[:1], known))
    known = known - {code.lower() for code in ERROR_ACTIONS}
    for file in PYTHON:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        seconds: set[ast.AST] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Tuple | ast.Call):
                items = node.elts if isinstance(node, ast.Tuple) else node.args
                for first, second in pairwise(items):
                    if _is_capital(first) and _is_capital(second):
                        seconds.add(second)
                        if first not in seconds:
                            found.update(_callable((_text(first), _text(second)), known))
        for node in ast.walk(tree):
            if _is_capital(node) and node not in seconds and _text(node) not in CONTAINERS:
                found.update(_callable((_text(node),), known))
    return found


def _is_capital(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and _CAPITALS.fullmatch(node.value) is not None
    )


def _text(node: ast.AST) -> str:
    return str(cast(ast.Constant, node).value)


@contextmanager
def server(folder: Path, role: str) -> Generator[tuple[int, dict[str, str]], None, None]:
    """Start the chosen program as docker/server/start.sh does; yield its port and passwords."""
    with socket.create_server((HOST, 0)) as held:
        port = int(held.getsockname()[1])
    passwords = {name: secrets.token_hex(24) for name in PASSWORDS}
    for name in ("data", "run"):
        (folder / name).mkdir(exist_ok=True)
    places = {"DATA": str(folder / "data"), "RUN": str(folder / "run"), "REDIS_SERVER": str(find_program(None))}
    more = {"ROLE": role, "PORT": str(port), "PRIMARY_PORT": "1", "SENTINEL_PORTS": str(port)}
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            ["sh", SERVER_FOLDER / "start.sh"],
            env={**os.environ, **places, **more, **passwords},
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + 30
        while True:
            assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
            assert time.monotonic() < until, (folder / "log").read_text(encoding="utf-8")
            try:
                Raw(HOST, port, passwords["REDIS_OPERATOR_PASSWORD"], OPERATOR).close()
                break
            except (OSError, Refusal):
                time.sleep(0.02)
        yield port, passwords
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)


ROLES = {"standalone": ("users.acl", "SLOTBOOK_PASSWORD"), "sentinel": ("sentinel.acl", "SLOTBOOK_SENTINEL_PASSWORD")}


@pytest.mark.parametrize("role", ROLES)
def test_every_command_that_is_not_listed_is_denied(tmp_path: Path, role: str) -> None:
    file, password = ROLES[role]
    assert file in ("users.acl", "sentinel.acl")
    with server(tmp_path, role) as (port, passwords):
        operator = Raw(HOST, port, passwords["REDIS_OPERATOR_PASSWORD"], OPERATOR)
        application = Raw(HOST, port, passwords[password], NAME)
        served = words_of_all(operator)
        listed = commands(file) & served.keys()
        for name in served.keys() - listed - ALWAYS:
            with pytest.raises(Refusal, match=r"NOPERM|command not allowed"):  # DEBUG and MODULE are off for everyone
                application.ask(*served[name])
        for name in listed:
            assert operator.ask("ACL", "DRYRUN", NAME, *served[name]) == "OK"
        assert len(served) - len(listed) > 3 * len(listed)
        operator.close()
        application.close()
        for stranger in ("default", "nobody"):
            with pytest.raises(Refusal, match="WRONGPASS"):
                Raw(HOST, port, passwords[password], stranger).close()
        with pytest.raises(Refusal, match="NOAUTH"):
            Raw(HOST, port, None).ask("PING")


def test_the_list_has_what_the_source_calls_and_nothing_else(tmp_path: Path) -> None:
    with server(tmp_path, "standalone") as (port, passwords):
        operator = Raw(HOST, port, passwords["REDIS_OPERATOR_PASSWORD"], OPERATOR)
        known = {str(name).lower() for name in cast("list[str]", operator.ask("COMMAND", "LIST"))} | {"sentinel"}
        operator.close()
    called = called_by_the_source(known)
    listed = {name for name in commands() if name.partition("|")[0] in known or name.startswith("ft.")} | commands(
        "sentinel.acl"
    )
    assert sorted(called - listed) == [], "Slotbook calls these: let the application do so in docker/server/users.acl"
    assert listed - called == set(), "Slotbook calls none of these: take them out of docker/server/users.acl"


def test_the_page_has_the_same_list() -> None:
    rules = files_of(text_of("how-to/least-privilege"))["rules.acl"].split()
    assert rules[:2] == ["~*", "&*"]
    assert {rule.removeprefix("+") for rule in rules[2:]} == commands()
    assert len(set(rules)) == len(rules)


def test_a_server_that_cannot_read_its_certificates_does_not_speak_in_the_clear(tmp_path: Path) -> None:
    (tmp_path / "redis.crt").touch()
    started = subprocess.run(
        ["sh", SERVER_FOLDER / "start.sh"],
        env={**os.environ, "TLS": "on", "CERTIFICATES": str(tmp_path), "RUN": str(tmp_path), "ROLE": "standalone"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert started.returncode == 2
    assert "cannot read redis.key in the folder that REDIS_CERTIFICATES names" in started.stderr


def test_a_server_that_starts_again_has_everything(tmp_path: Path) -> None:
    """Also with a default user who is off, as whom the server reads its append-only file."""
    kept: list[str] = []
    for _ in range(3):
        with (
            server(tmp_path, "standalone") as (port, passwords),
            slotbook.connect(f"redis://{NAME}:{passwords['SLOTBOOK_PASSWORD']}@{HOST}:{port}") as book,
        ):
            assert sorted(order.order_id for order in book.orders.open("T1")) == kept
            for name in (f"A{len(kept)}", f"B{len(kept)}"):
                book.orders.place(limit("T1", name))
                kept.append(name)
            kept.sort()
            book.orders.fill(execution("T1", f"X{len(kept)}", order_id=kept[0], quantity=1))
            assert book.positions.get("T1", "AAPL").quantity == len(kept) // 2


NARROW = ("resetkeys", "~desk:*", "~{desk:*", "resetchannels", "&desk:*")


def test_a_user_of_one_prefix_does_everything_under_it(tmp_path: Path) -> None:
    with server(tmp_path, "standalone") as (port, passwords):
        operator = Raw(HOST, port, passwords["REDIS_OPERATOR_PASSWORD"], OPERATOR)
        operator.ask("ACL", "SETUSER", NAME, *NARROW, "&desk:events.*.fill")  # a pattern has to be a rule itself
        url = f"redis://{NAME}:{passwords['SLOTBOOK_PASSWORD']}@{HOST}:{port}?prefix=desk:&publish=traders,symbols"
        with slotbook.connect(url) as book:
            with book.events.psubscribe("events.*.fill") as heard, book.events.follow(None, since=0) as follow:
                book.orders.place(limit("T1", "A1"))
                book.orders.fill(execution("T1", "X1", order_id="A1", quantity=1))
                fill = next(heard).event
                assert fill is not None
                assert fill.sequence == 2
                assert [next(follow).sequence, next(follow).sequence] == [1, 2]
            with book.events.consume("risk", "r1", ["T1"]) as consumer, next(iter(consumer)) as event:
                assert event.sequence == 1
            with book.lock("l"):
                assert [total.symbol for total in book.positions.totals().values()] == ["AAPL"]
            assert list(book.audit.traders()) == ["T1"]
            symbol = slotbook.SymbolInfo(symbol="AAPL", name="Apple")
            book.symbols.near()
            book.symbols.put(symbol)
            assert (book.symbols.get("AAPL"), book.symbols.get("AAPL")) == (symbol, symbol)
            book.symbols.invalidate_matching("A*")
            assert book.symbols.get("AAPL") is None
        log = str(operator.ask("ACL", "LOG"))
        operator.close()
    assert log == "[]"


def test_a_user_of_one_prefix_sees_names_of_other_keys_and_nothing_else_of_them(tmp_path: Path) -> None:
    """SCAN and CLIENT TRACKING look at no key's permission, which the comment in users.acl says."""
    with server(tmp_path, "standalone") as (port, passwords):
        operator = Raw(HOST, port, passwords["REDIS_OPERATOR_PASSWORD"], OPERATOR)
        operator.ask("ACL", "SETUSER", NAME, *NARROW)
        operator.ask("SET", "other:secret", "value")
        application = Raw(HOST, port, passwords["SLOTBOOK_PASSWORD"], NAME)
        for words in (
            ("GET", "other:secret"),
            ("TYPE", "other:secret"),
            ("EXISTS", "other:secret"),
            ("UNLINK", "other:secret"),
            ("EVAL", "return redis.call('GET', 'other:secret')", "0"),
            ("SUBSCRIBE", "other"),
            ("PSUBSCRIBE", "*"),
            ("SSUBSCRIBE", "other"),
            ("PUBLISH", "other", "x"),
            ("KEYS", "*"),
            ("RANDOMKEY",),
            ("MONITOR",),
        ):
            with pytest.raises(Refusal, match=r"NOPERM|ACL failure|permission|can't access"):
                application.ask(*words)
        assert "other:secret" in str(application.ask("SCAN", "0"))
        application.ask("HELLO", "3")
        application.ask("CLIENT", "TRACKING", "ON", "BCAST")
        operator.ask("SET", "other:secret", "new")
        assert "other:secret" in str(application.ask("PING"))  # the push that comes before the reply

        without = ("-scan", "-client|tracking")
        operator.ask("ACL", "SETUSER", NAME, *without)
        url = f"redis://{NAME}:{passwords['SLOTBOOK_PASSWORD']}@{HOST}:{port}?prefix=desk:"
        with slotbook.connect(url) as book:
            book.orders.place(limit("T1", "A1"))
            assert [order.order_id for order in book.orders.open("T1")] == ["A1"]
            assert book.commit([execution("T1", "X1", order_id="A1", quantity=1)])[0].applied
            for denied in (book.positions.totals, lambda: list(book.audit.traders()), book.symbols.near):
                with pytest.raises(errors.AccessDenied):
                    denied()
        application.close()
        operator.close()
