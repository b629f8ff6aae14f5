"""Test that a URL that cannot be used is refused in one line, soon, and without its secrets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from slotbook import Settings, connect
from slotbook.models.errors import AccessDenied, InvalidSettings, ServerError, SlotbookError, Unavailable
from slotbook.topology.settings import read

from ..support.callers import CALLERS, open_book
from ..support.desk import Desk

SECRET = "s3cr3tw0rd"  # noqa: S105 (looked for in messages)
SOON = 4.0


def refusal(desk: Desk, url: str, within: float = SOON) -> SlotbookError:
    """Return the error that opening a URL raises; it must come in time, in one line, and show no secret."""
    began = time.monotonic()
    with pytest.raises(SlotbookError) as caught:
        open_book(url, desk.caller, desk.runner).close()
    assert time.monotonic() - began < within
    message = str(caught.value)
    assert message
    assert "\n" not in message
    assert SECRET not in message
    assert desk.fleet.deployment.password not in message
    return caught.value


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("", "redis://"),
        ("localhost:6379", "redis+cluster://"),
        (f"http://:{SECRET}@h", "redis+sentinel://"),
        (f"redis://:{SECRET}@", "no host"),
        (f"redis://:{SECRET}@h:99999", "65535"),
        (f"redis://:{SECRET}@h:port", "port"),
        (f"redis://:{SECRET}@[::1", ""),
        (f"redis://:{SECRET}@h/abc", "database number"),
        (f"redis://:{SECRET}@h/0/1", "database number"),
        (f"redis://:{SECRET}@h1,h2", "one host"),
        (f"redis+sentinel://:{SECRET}@h", "no service"),
        (f"redis+sentinel://:{SECRET}@h/mymaster/x", "database number"),
        (f"redis+cluster://:{SECRET}@h/1", "database 0"),
        (f"redis://:{SECRET}@h?nope=1", "parameter 1 is no setting"),
        (f"redis://:{SECRET}@h?deadline=0", "deadline"),
        (f"redis://:{SECRET}@h?deadline=soon", "deadline"),
        (f"redis://:{SECRET}@h?deadline=nan", "deadline"),
        (f"redis://:{SECRET}@h?pool_size=0", "pool_size"),
        (f"redis://:{SECRET}@h?prefix=a{{b", "prefix"),
        (f"redis://:{SECRET}@h?url=redis://x", "parameter 1 is no setting"),
        (f"redis://:{SECRET}@h?tls_ca_file=/not/there", "tls_ca_file"),
        ("embedded://moon", "embedded://standalone"),
        (f"embedded://{SECRET}", "embedded://standalone"),
        (f"embedded://standalone?password={SECRET}", "passwords of their own"),
        # a password that should have been percent-encoded: the rest of it must not be shown either
        (f"redis://:pa/{SECRET}@h:6379", ""),
        (f"redis://:{SECRET}/word@h:6379", ""),
        (f"redis://user:12/{SECRET}@h:6379", ""),
        (f"redis://:{SECRET}?x@h:6379", ""),
        (f"redis://:pa?{SECRET}@h:6379", ""),
        (f"redis://:{SECRET}#x@h:6379", ""),
        (f"redis://:{SECRET}[@h:6379", ""),
        (f"redis+cluster://:pa,{SECRET}/x@h:6379", ""),
    ],
)
def test_a_url_that_makes_no_sense_is_refused(lone_desk: Desk, url: str, hint: str) -> None:
    error = refusal(lone_desk, url)
    assert isinstance(error, InvalidSettings)
    assert hint in str(error)


def test_a_prefix_has_up_to_64_characters_of_those_that_are_seen() -> None:
    for prefix in ("", "x", "\u20ac" * 64):
        assert Settings(prefix=prefix).prefix == prefix
    for wrong in ("\u20ac" * 65, "a b", "a\n", "a\u200bb", "a{b", "a}b"):
        with pytest.raises(InvalidSettings, match="prefix"):
            Settings(prefix=wrong)


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{SECRET}@127.0.0.1:1",
        f"redis+cluster://:{SECRET}@127.0.0.1:1",
        f"redis+cluster://:{SECRET}@127.0.0.1:1,127.0.0.1:2",
        f"redis+sentinel://:{SECRET}@127.0.0.1:1,127.0.0.1:2/mymaster",
        f"rediss://:{SECRET}@127.0.0.1:1",
        f"unix:///not/there.sock?password={SECRET}",
    ],
)
def test_an_address_where_nobody_listens_is_reported_at_once(lone_desk: Desk, url: str) -> None:
    error = refusal(lone_desk, url)
    assert isinstance(error, Unavailable)
    assert "is a server running there" in str(error)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test", "host.invalid", "a b", "%00", "xn--a"], ids=repr)
def test_a_host_that_cannot_exist_is_reported(lone_desk: Desk, host: str) -> None:
    refusal(lone_desk, f"redis://:{SECRET}@{host}:6379?deadline=3", within=6)


def test_a_wrong_password_is_reported_at_once(desk: Desk) -> None:
    password = desk.fleet.deployment.password
    url = desk.fleet.url({"deadline": 30})
    assert isinstance(refusal(desk, url.replace(f":{password}@", f":{SECRET}@")), AccessDenied)
    nobody = url.replace(f":{password}@", f"nobody:{SECRET}@").replace("username=slotbook&", "", 1)
    assert isinstance(refusal(desk, nobody), AccessDenied)


def test_a_missing_password_is_reported_at_once(desk: Desk) -> None:
    url = desk.fleet.url({"deadline": 30}).replace(f":{desk.fleet.deployment.password}@", "")
    assert isinstance(refusal(desk, url), AccessDenied)


behind_sentinel = pytest.mark.parametrize("desk", list(product(["sentinel"], CALLERS)), ids="-".join, indirect=True)


@behind_sentinel
def test_a_wrong_password_for_sentinels_is_reported_at_once(desk: Desk) -> None:
    secret = desk.fleet.deployment.sentinel_password
    assert secret is not None
    url = desk.fleet.url({"deadline": 30})
    for wrong in (url.replace(secret, SECRET), url.replace(f"sentinel_password={secret}&", "")):
        error = refusal(desk, wrong)
        assert isinstance(error, AccessDenied)
        assert secret not in str(error)


@behind_sentinel
def test_an_unknown_service_is_reported_at_once(desk: Desk) -> None:
    error = refusal(desk, desk.fleet.url({"deadline": 30}).replace("/slotbook?", "/other?"))
    assert isinstance(error, InvalidSettings)
    assert "'other'" in str(error)


def test_the_wrong_scheme_for_a_server_is_reported_at_once(desk: Desk) -> None:
    server = desk.fleet.deployment.servers[0]
    there = f"slotbook:{desk.fleet.deployment.password}@{server.host}:{server.port}"
    if desk.fleet.topology == "cluster":
        error = refusal(desk, f"redis://{there}?deadline=30")
        assert isinstance(error, InvalidSettings)
        assert "redis+cluster://" in str(error)
        return
    assert "redis://" in str(refusal(desk, f"redis+cluster://{there}?deadline=30"))
    credentials = f"sentinel_username=slotbook&sentinel_password={desk.fleet.deployment.password}&deadline=30"
    error = refusal(desk, f"redis+sentinel://{there}/slotbook?{credentials}")
    assert isinstance(error, InvalidSettings)
    assert "not a Sentinel" in str(error)


@pytest.fixture
def listener() -> Iterator[Callable[[bytes | None], str]]:
    """Yield a function that listens on a port, is no Redis server, and answers the given bytes or nothing."""
    sockets: list[socket.socket] = []

    def listen(answer: bytes | None) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def serve() -> None:
            try:
                while True:
                    client, _ = listening.accept()
                    sockets.append(client)
                    if answer is not None:
                        client.recv(65_536)
                        client.sendall(answer)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{listening.getsockname()[1]}"

    yield listen
    for each in sockets:
        each.close()


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster", "redis+sentinel", "rediss"])
@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 400 Bad Request\r\n\r\n", b""], ids=["nothing", "HTTP", "goodbye"])
def test_a_server_that_is_not_redis_is_reported_within_the_deadline(
    lone_desk: Desk, listener: Callable[[bytes | None], str], scheme: str, answer: bytes | None
) -> None:
    path = "/mymaster" if scheme == "redis+sentinel" else ""
    url = f"{scheme}://:{SECRET}@{listener(answer)}{path}?deadline=0.8&socket_timeout=0.3&connect_timeout=0.3"
    assert isinstance(refusal(lone_desk, url), (ServerError, InvalidSettings))


def test_tls_to_a_plain_port_is_reported_within_the_deadline(lone_desk: Desk) -> None:
    url = lone_desk.fleet.url({"deadline": 1, "socket_timeout": 0.5, "connect_timeout": 0.5})
    assert isinstance(refusal(lone_desk, url.replace("redis://", "rediss://")), (ServerError, InvalidSettings))


def test_a_bad_setting_in_the_environment_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBOOK_DEADLINE", "soon")
    with pytest.raises(InvalidSettings, match=r"^SLOTBOOK_DEADLINE in the environment: .*number"):
        connect()


def test_settings_do_not_show_their_secrets() -> None:
    settings = Settings.model_validate({"url": f"redis://:{SECRET}@h", "password": SECRET, "sentinel_password": SECRET})
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_credentials_from_settings_reach_the_server(lone_desk: Desk) -> None:
    server = lone_desk.fleet.deployment.servers[0]
    settings = Settings.model_validate(
        {
            "url": f"redis://{server.host}:{server.port}",
            "username": "slotbook",
            "password": lone_desk.fleet.deployment.password,
        }
    )
    with connect(settings) as book:
        assert book.orders.get(lone_desk.trader, "A1") is None


def test_the_url_may_come_from_the_environment(lone_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBOOK_URL", lone_desk.fleet.url())
    monkeypatch.setenv("SLOTBOOK_PREFIX", "from-outside:")
    with connect() as book:
        book.positions.adjust(lone_desk.trader, "AAPL", 1)
    assert f"from-outside:{{{lone_desk.trader}}}:position:AAPL" in lone_desk.contents()


def test_the_url_wins_over_the_environment(lone_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBOOK_PREFIX", "from-outside:")
    with connect(lone_desk.fleet.url({"prefix": "from-the-url:"})) as book:
        book.positions.adjust(lone_desk.trader, "AAPL", 1)
    assert f"from-the-url:{{{lone_desk.trader}}}:position:AAPL" in lone_desk.contents()


def test_settings_that_are_all_given_do_not_ask_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = read("redis://localhost?deadline=5").settings
    monkeypatch.setenv("SLOTBOOK_DEADLINE", "9")
    monkeypatch.setenv("SLOTBOOK_ORDER_TTL", "7")
    assert Settings(**dict(given)) == given
    assert read("redis://localhost?deadline=6").settings == given.model_copy(update={"deadline": 6.0, "order_ttl": 7.0})
    monkeypatch.setenv("SLOTBOOK_NOWHERE", "1")
    with pytest.raises(InvalidSettings, match="SLOTBOOK_NOWHERE"):
        Settings(**dict(given))


def test_a_file_of_settings_is_read_where_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("SLOTBOOK_DEADLINE=7\nSLOTBOOK_DURABILITY=replicated=2\n", encoding="utf-8")
    named: dict[str, object] = {"_env_file": str(file)}
    assert (Settings.model_validate(named).deadline, Settings.model_validate(named).durability.replicas) == (7.0, 2)
    (tmp_path / "SLOTBOOK_DEADLINE").write_text("8", encoding="utf-8")
    assert Settings.model_validate({"_secrets_dir": str(tmp_path)}).deadline == 8.0
