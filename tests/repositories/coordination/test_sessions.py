"""Sessions, which are found by a secret id that is stored nowhere."""

from __future__ import annotations

import re
import time
from hashlib import sha256

import pytest
from pydantic import SecretStr
from slotbook.models import Session
from slotbook.models.coordination import new_session_id
from slotbook.models.errors import CorruptRecord, DuplicateRequest, InvalidArgument, SessionNotFound

from ...support.desk import Desk


def secret_of(session: Session) -> str:
    """Return the id of a session in plain text."""
    assert session.id is not None
    return session.id.get_secret_value()


def test_a_session_is_found_by_its_id(desk: Desk) -> None:
    sessions = desk.book.sessions
    session = sessions.create(desk.trader, 60, {"desk": "equities", "ip": "10.0.0.1"})
    assert session.data == {"desk": "equities", "ip": "10.0.0.1"}
    assert session.expires_ms - session.created_ms == 60_000
    assert sessions.get(session.id or "") == sessions.get(secret_of(session)) == session


def test_an_id_cannot_be_found_in_the_store(desk: Desk) -> None:
    sessions = desk.book.sessions
    session = sessions.create(desk.trader, 60)
    text = secret_of(session)
    secret = text.removeprefix(f"{desk.trader}.")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)
    for key in desk.contents():
        everything = key + str(desk.ask("HGETALL" if ":session:" in key else "ZRANGE", key, *_all(key)))
        assert secret not in everything
    assert secret not in f"{session!r} {session} {session.model_dump_json()}"
    assert all(listed.id is None for listed in sessions.by_trader(desk.trader))
    assert sessions.get(f"{desk.trader}.{session.digest}") is None


def _all(key: str) -> tuple[int, ...]:
    return () if ":session:" in key else (0, -1)


def test_no_error_shows_an_id(lone_desk: Desk) -> None:
    sessions = lone_desk.book.sessions
    text = secret_of(sessions.create(lone_desk.trader, 60))
    secret = text.rpartition(".")[2]
    sessions.revoke(text)
    lone_desk.ask("SET", f"%:session:{_digest(text)}", "x", "EX", 60)
    for ask in (sessions.get, sessions.touch, sessions.revoke):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            ask(text)
        assert secret not in str(caught.value)
    for wrong in (secret, f" ab.{secret}", f"x.{secret[:-1]}"):
        with pytest.raises(InvalidArgument) as refused:
            sessions.touch(wrong)
        assert secret[:-1] not in str(refused.value)


def _digest(text: str) -> str:
    return sha256(text.rpartition(".")[2].encode()).hexdigest()


def test_ids_are_never_the_same() -> None:
    assert len({new_session_id("T").get_secret_value() for _ in range(1_000)}) == 1_000


def test_a_trader_may_have_points_in_the_name(lone_desk: Desk) -> None:
    sessions = lone_desk.book.sessions
    session = sessions.create("a.b." + lone_desk.trader, 60)
    assert sessions.get(secret_of(session)) == session


def test_touch_lets_its_life_begin_again(desk: Desk) -> None:
    sessions = desk.book.sessions
    session = touched = sessions.create(desk.trader, 60)
    for _ in range(2):
        time.sleep(0.02)
        before, touched = touched, sessions.touch(secret_of(session))
        assert touched.expires_ms >= before.expires_ms + 20
    assert sessions.get(secret_of(session)) == touched
    assert [one.expires_ms for one in sessions.by_trader(desk.trader)] == [touched.expires_ms]
    assert touched.created_ms == session.created_ms


def test_touch_renews_all_by_which_it_is_found(lone_desk: Desk) -> None:
    """Its record, its entry in the trader's index and the index itself: each would end with its first life."""
    sessions = lone_desk.book.sessions
    session = sessions.create(lone_desk.trader, 60)
    keys = (f"%:session:{session.digest}", "%:sessions")
    lone_desk.ask("ZADD", "%:sessions", session.expires_ms - 55_000, session.digest)
    for key in keys:
        lone_desk.ask("PEXPIRE", key, 5_000)
    touched = sessions.touch(secret_of(session))
    assert int(str(lone_desk.ask("ZSCORE", "%:sessions", session.digest))) == touched.expires_ms
    assert all(50_000 < int(str(lone_desk.ask("PTTL", key))) <= 75_000 for key in keys)
    sessions.revoke_all(lone_desk.trader)
    assert sessions.get(secret_of(session)) is None


def test_it_expires_and_is_gone_from_the_listing(desk: Desk) -> None:
    sessions = desk.book.sessions
    short = sessions.create(desk.trader, 0.02)
    long = sessions.create(desk.trader, 60)
    time.sleep(0.03)
    assert sessions.get(secret_of(short)) is None
    assert [one.digest for one in sessions.by_trader(desk.trader)] == [long.digest]
    with pytest.raises(SessionNotFound):
        sessions.touch(secret_of(short))
    sessions.create(desk.trader, 60)
    assert desk.ask("ZCARD", "%:sessions") == 2


def test_all_of_it_expires(lone_desk: Desk) -> None:
    sessions = lone_desk.open(deadline=1, socket_timeout=0.1).sessions
    for _ in range(3):
        sessions.create(lone_desk.trader, 0.1)
    sessions.revoke(secret_of(sessions.create(lone_desk.trader, 0.1)))
    time.sleep(1.2)
    assert lone_desk.contents() == {}


def test_revoked_stays_revoked(desk: Desk) -> None:
    sessions = desk.book.sessions
    chosen = new_session_id(desk.trader)
    sessions.create(desk.trader, 60, session_id=chosen)
    kept = sessions.create(desk.trader, 60)
    for _ in range(2):
        sessions.revoke(chosen)
    assert sessions.get(chosen) is None
    with pytest.raises(SessionNotFound):
        sessions.touch(chosen)
    with pytest.raises(SessionNotFound):
        sessions.create(desk.trader, 60, session_id=chosen)
    assert [one.digest for one in sessions.by_trader(desk.trader)] == [kept.digest]


def test_revoke_all(desk: Desk) -> None:
    sessions = desk.book.sessions
    ids = [secret_of(sessions.create(desk.trader, 60)) for _ in range(5)]
    other = sessions.create(desk.another(), 60)
    for _ in range(2):
        sessions.revoke_all(desk.trader)
    assert [sessions.get(one) for one in ids] == [None] * 5
    assert sessions.by_trader(desk.trader) == []
    assert sessions.get(secret_of(other)) == other
    assert sessions.get(secret_of(sessions.create(desk.trader, 60)))


@pytest.mark.parametrize("way", ["revoke", "revoke_all"])
def test_what_is_known_of_a_revoked_session_is_removed(lone_desk: Desk, way: str) -> None:
    sessions = lone_desk.book.sessions
    session = sessions.create(lone_desk.trader, 60, {"ip": "10.0.0.1"})
    if way == "revoke":
        sessions.revoke(secret_of(session))
    else:
        sessions.revoke_all(lone_desk.trader)
    assert lone_desk.ask("HMGET", f"%:session:{session.digest}", "revoked", "data") == ["1", None]


def test_created_again_it_is_the_same(desk: Desk) -> None:
    sessions = desk.book.sessions
    chosen = new_session_id(desk.trader)
    first = sessions.create(desk.trader, 60, {"a": "1", "b": "2"}, session_id=chosen)
    assert sessions.create(desk.trader, 60, {"b": "2", "a": "1"}, session_id=chosen) == first
    for ttl, data in ((61, {"a": "1", "b": "2"}), (60, {"a": "2"})):
        with pytest.raises(DuplicateRequest):
            sessions.create(desk.trader, ttl, data, session_id=chosen)
    assert len(sessions.by_trader(desk.trader)) == 1


@pytest.mark.parametrize("text", ["", ".", "nonsense", "T.short", "{x}.", " .", "T." + "ä" * 10])
def test_an_invalid_id_finds_nothing(lone_desk: Desk, text: str) -> None:
    assert lone_desk.book.sessions.get(text) is None
    for ask in (lone_desk.book.sessions.touch, lone_desk.book.sessions.revoke):
        with pytest.raises(InvalidArgument, match="no session id"):
            ask(text)


def test_refusals(lone_desk: Desk) -> None:
    sessions = lone_desk.book.sessions
    with pytest.raises(InvalidArgument, match="trader"):
        sessions.create(" ab", 60)
    with pytest.raises(InvalidArgument, match="ttl"):
        sessions.create(lone_desk.trader, 0)
    with pytest.raises(InvalidArgument, match="16384"):
        sessions.create(lone_desk.trader, 60, {"a": "x" * 16_384})
    with pytest.raises(InvalidArgument, match="strings"):
        sessions.create(lone_desk.trader, 60, {"a": 1})  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidArgument, match="one of other"):
        sessions.create(lone_desk.trader, 60, session_id=new_session_id("other"))
    with pytest.raises(InvalidArgument, match="shorter"):
        sessions.create(lone_desk.trader, 60, session_id=SecretStr(f"{lone_desk.trader}.guess"))
    assert lone_desk.contents() == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [(("HSET", "data", "[1]"), "data"), (("HSET", "data", "{"), "data"), (("HDEL", "created_ms"), "created_ms")],
)
def test_a_field_that_cannot_be_read_is_named(lone_desk: Desk, change: tuple[str, ...], field: str) -> None:
    sessions = lone_desk.book.sessions
    session = sessions.create(lone_desk.trader, 60)
    lone_desk.ask(change[0], f"%:session:{session.digest}", *change[1:])
    for ask in (lambda: sessions.get(secret_of(session)), lambda: sessions.by_trader(lone_desk.trader)):
        with pytest.raises(CorruptRecord) as caught:
            ask()
        assert caught.value.field == field
