"""A URL, its parameters, the environment and Settings are read as they are written, or refused; no secret is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from slotbook import Settings, connect
from slotbook.models.errors import InvalidSettings
from slotbook.topology.address import Address
from slotbook.topology.settings import Target, TopologyKind, read

from ..support.callers import open_book
from ..support.desk import Desk

MARK = "s3cr3tM4rk"


def refused(make: Callable[[], object]) -> str:
    """Return the message of a refusal, which must be one of the tree, in one line, with nothing behind it."""
    with pytest.raises(InvalidSettings) as caught:
        make()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def password_of(target: Target) -> str | None:
    password = target.settings.password
    return None if password is None else password.get_secret_value()


@pytest.mark.parametrize(
    ("url", "login", "addresses", "service", "database"),
    [
        ("redis://h", (None, None), ["h:6379"], "", 0),
        ("REDIS://u:p@H:1/3", ("u", "p"), ["h:1"], "", 3),
        ("redis://u@h/", ("u", None), ["h:6379"], "", 0),
        ("redis://u:@h", ("u", ""), ["h:6379"], "", 0),
        ("redis://:a:b%40c%2Fd%25@h", (None, "a:b@c/d%"), ["h:6379"], "", 0),
        ("redis://:a+b@h", (None, "a+b"), ["h:6379"], "", 0),
        ("redis://h?password=a%2Bb%26c=d&username=%C3%BC", ("ü", "a+b&c=d"), ["h:6379"], "", 0),
        ("redis://u@h?password=p", ("u", "p"), ["h:6379"], "", 0),
        ("redis+cluster://u:p@h1:1,[::1]:65535,h3", ("u", "p"), ["h1:1", "[::1]:65535", "h3:6379"], "", 0),
        ("redis+sentinel://:p@h1:1,h2/desk/5", (None, "p"), ["h1:1", "h2:26379"], "desk", 5),
        ("redis://[FE80:0::1%25eth0]:1", (None, None), ["[fe80::1%eth0]:1"], "", 0),
        ("unix:///run/redis@1.sock", (None, None), ["/run/redis@1.sock"], "", 0),
        (f"unix:///{'%C3%A4' * 53}", (None, None), [f"/{'ä' * 53}"], "", 0),
        ("unix://u:p@/run/a%20b.sock?deadline=3", ("u", "p"), ["/run/a b.sock"], "", 0),
    ],
)
def test_a_url_is_read_as_it_is_written(
    url: str, login: tuple[str | None, str | None], addresses: list[str], service: str, database: int
) -> None:
    target = read(url)
    assert (target.settings.username, password_of(target)) == login
    assert [str(address) for address in target.addresses] == addresses
    assert (target.service, target.database) == (service, database)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        # what would be dropped, or read as something else
        ("unix://:p/path", "unix://user:password@/run/redis.sock"),
        ("unix://tmp/x.sock", "unix:///run/redis.sock"),
        ("unix://u:p@tmp/x.sock", "unix:///run/redis.sock"),
        ("unix:/run/redis.sock", "unix://"),
        ("unix://", "absolute path"),
        (f"unix:///{'x' * 107}", "107 bytes"),
        (f"unix:///{'%C3%A4' * 54}", "107 bytes"),
        ("redis+cluster://u:p@h1:1,u:p@h2:2", "more than one '@'"),
        ("redis+sentinel://u:p@h1:1,v:q@h2:2/desk", "more than one '@'"),
        ("redis://u:p@ss@h", "%40"),
        ("redis://:p@a/b@h", "%2F"),
        ("redis://u:p@h?password=q", "password twice"),
        ("redis://u:p@h?username=v", "username twice"),
        ("redis://h?deadline=1&deadline=2", "parameter 2 is there twice"),
        ("redis://h?deadline=1&dead%6Cine=1", "parameter 2 is there twice"),
        ("redis://h?password=a+b", "%2B"),
        ("redis://h?tls_verify", "not name=value"),
        ("redis://h?deadline=5&", "parameter 2 is not name=value"),
        ("redis://h?deadline=15?durability=local", "more than one '?'"),
        ("redis://h?password=a?b&username=u", "%3F"),
        ("redis+sentinel://h/desk??deadline=15", "more than one '?'"),
        ("redis://h/0#cluster", "%23"),
        ("redis://:100%@h", "%25"),
        ("redis://:%FF@h", "UTF-8"),
        ("redis://:a[b]@h", "%5B"),
        ("redis://:@h", "empty"),
        ("redis://@h", "empty"),
        ("redis://:a\nb@h", "cannot be seen"),
        (" redis://h", "a space"),
        ("redis://h\n", "cannot be seen"),
        ("redis://:\ud800@h", "cannot be seen"),
        ("redis://u:SECRET", "user:password@"),
        ("redis://h:0", "65535"),
        ("redis://h:65536", "65535"),
        ("redis://h:", "host:6379"),
        ("redis://::1:6379", "[::1]:6379"),
        ("redis://[h]:6379", "IPv6"),
        ("redis+cluster://h1,,h2", "no host"),
        ("redis+cluster://h1,", "no host"),
        ("redis://h/٣", "database number"),
        (f"redis://h/{'9' * 5000}", "database number"),
        ("redis+cluster://h/1", "database 0"),
        ("redis+sentinel://h/desk/x", "database number"),
        # what has no meaning where it stands
        ("redis://h?tls_ca_file=/etc/hosts", "rediss://"),
        ("redis://h?tls_verify=true", "rediss://"),
        ("redis+cluster://h?sentinel_password=x", "redis+sentinel://"),
        ("redis://h?server=redis-server", "embedded://"),
        ("embedded://standalone/0", "embedded://standalone"),
        ("embedded://u:p@standalone", "take them out"),
        ("embedded://", "embedded://sentinel"),
        # what is nearly right
        ("127.0.0.1:6379", "write redis://127.0.0.1:6379"),
        ("localhost:6379/0", "write redis://localhost:6379/0"),
        ("my-host:6379", "write redis:// before"),
        ("reddis://h", "did you mean redis://"),
        ("redis-cluster://h", "did you mean redis+cluster://"),
        ("redis:h", "redis://"),
    ],
)
def test_a_url_that_is_not_clear_is_refused_and_says_what_to_write(url: str, hint: str) -> None:
    assert hint in refused(lambda: read(url))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Durability", "durability"),
        ("Prefix", "prefix"),
        ("DEADLINE", "deadline"),
        ("deadlin", "deadline"),
        ("pool-size", "pool_size"),
        ("socketTimeout", "socket_timeout"),
        ("%50assword", "password"),
        (" deadline", None),
        ("URL", None),
        ("url", None),
        ("db", None),
        ("_env_file", None),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_nearest(name: str, meant: str | None) -> None:
    message = refused(lambda: read(f"redis://h?pool_wait=1&{name}=1"))
    if name[0] != " ":
        assert "parameter 2 is no setting" in message
        assert (f"did you mean '{meant}'?" if meant else "") in message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SLOTBOOK_DEADLIN", "SLOTBOOK_DEADLINE"),
        ("SLOTBOOK_Deadline", "SLOTBOOK_DEADLINE"),
        ("slotbook_prefix", "SLOTBOOK_PREFIX"),
        ("Slotbook_Durability", "SLOTBOOK_DURABILITY"),
        ("SLOTBOOK__PASSWORD", "SLOTBOOK_PASSWORD"),
        ("SLOTBOOK_POOLSIZE", "SLOTBOOK_POOL_SIZE"),
        ("SLOTBOOKDEADLINE", "SLOTBOOK_DEADLINE"),
        ("SLOT_BOOK_DEADLINE", "SLOTBOOK_DEADLINE"),
        ("SLOTBOOK_", "SLOTBOOK_URL"),
        ("SLOTBOOK_QQQQ", "SLOTBOOK_URL"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv("SLOTBOOKS_HOME", "another program's")
    read("redis://h")
    monkeypatch.setenv(name, MARK)
    for make in (lambda: read("redis://h"), read, Settings, lambda: Settings(deadline=1)):
        message = refused(make)
        assert message.startswith(f"{name} in the environment is no setting")
        assert meant in message
        assert MARK not in message


@pytest.mark.parametrize(
    ("name", "meant"), [("pasword", "password"), ("Deadline", "deadline"), ("ttl", ""), ("dead line", "deadline")]
)
def test_an_unknown_argument_is_refused_with_the_nearest(name: str, meant: str) -> None:
    for make in (lambda: Settings(**{name: MARK}), lambda: Settings.model_validate({name: MARK})):  # type: ignore[arg-type]
        message = refused(make)
        assert "no setting" in message
        assert meant in message
        assert MARK not in message


@pytest.mark.parametrize("source", [5, b"redis://:s3cr3tM4rk@h", ["redis://h"], Address("h", 1)])
def test_what_is_no_url_is_refused(source: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBOOK_URL", "redis://h")
    message = refused(lambda: read(source))  # type: ignore[arg-type]
    assert type(source).__name__ in message
    assert MARK not in message


@pytest.mark.parametrize(
    "source",
    [lambda: None, lambda: "", Settings, lambda: Settings(deadline=3), lambda: Settings.model_validate({"url": ""})],
)
def test_no_url_is_refused_with_what_to_set(lone_desk: Desk, source: Callable[[], str | Settings | None]) -> None:
    message = refused(lambda: open_book(source(), lone_desk.caller, lone_desk.runner))  # type: ignore[arg-type]
    for hint in ("SLOTBOOK_URL", "redis://localhost:6379", "embedded://standalone"):
        assert hint in message


def test_private_servers_are_said_aloud(lone_desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "slotbook"):
        open_book("embedded://standalone", lone_desk.caller, lone_desk.runner).close()
    (record,) = [record for record in caplog.records if record.name == "slotbook.embedded"]
    assert record.levelno == logging.WARNING
    assert "end" in record.getMessage()
    assert "this process" in record.getMessage()


def test_private_servers_take_no_other_servers_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBOOK_PASSWORD", "meant for others")
    monkeypatch.setenv("SLOTBOOK_SENTINEL_USERNAME", "meant for others")
    with connect("embedded://standalone") as book:
        assert book.backend.settings.sentinel_username is None
        assert book.orders.get("T", "A1") is None


def test_a_database_that_is_not_there_is_refused_at_once(desk: Desk) -> None:
    url = desk.fleet.url({"deadline": 30}).replace("username=slotbook&", "", 1)  # who may not SELECT
    if desk.fleet.topology == "sentinel":
        url = url.replace("/slotbook?", "/slotbook/99?")
    elif desk.fleet.topology == "standalone":
        url = url.replace("?", "/99?", 1).replace("//99", "/99")
    else:
        url = url.replace("redis+cluster://", "redis://").partition(",")[0] + "/99?deadline=30"
    with pytest.raises(InvalidSettings, match="database" if desk.fleet.topology != "cluster" else r"database|cluster"):
        open_book(url, desk.caller, desk.runner)


@pytest.mark.parametrize("kind", TopologyKind)
def test_settings_of_other_servers_may_be_in_the_environment(
    kind: TopologyKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a URL cannot say what has no meaning in it: one environment serves several books."""
    monkeypatch.setenv("SLOTBOOK_SENTINEL_PASSWORD", "p")
    monkeypatch.setenv("SLOTBOOK_TLS_VERIFY", "false")
    monkeypatch.setenv("SLOTBOOK_SERVER", "redis-server")
    assert read(f"embedded://{kind.value}").kind is kind
    assert not read("redis://h").settings.tls_verify
