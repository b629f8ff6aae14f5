"""Fault "TLS refused": a wrong authority, an expired certificate, another host's, or a port that does not speak TLS."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest
from slotbook.models.errors import InvalidSettings, SlotbookError, Unavailable

from ..support.callers import CALLERS, Caller, open_book
from ..support.faults.certificates import Authority
from ..support.faults.proxy import Proxy
from ..support.faults.verbs import VERBS
from ..support.make import fresh
from .conftest import Deploy

DEADLINE = 60
AT_ONCE = 30.0
"""Seconds within which something is said that is not tried again until the deadline."""
pytestmark = pytest.mark.parametrize("caller", CALLERS)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the authority that the book trusts."""
    return Authority(tmp_path_factory.mktemp("authority"), "desk")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return another authority."""
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


Serve: TypeAlias = Callable[[tuple[Path, Path]], "tuple[Proxy, ssl.SSLContext, str]"]


@pytest.fixture
def serve(deploy: Deploy) -> Iterator[Serve]:
    """Start a server that speaks TLS with a certificate and its key: itself, its context and its password.

    The embedded server is built without TLS, so a proxy in front of it ends it.
    """
    with ExitStack() as stack:

        def begin(pair: tuple[Path, Path]) -> tuple[Proxy, ssl.SSLContext, str]:
            control = deploy("standalone")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*pair)
            server = control.data[0]
            proxy = stack.enter_context(Proxy(server.host, server.port, tls=context))
            return proxy, context, control.deployment.password

        yield begin


def url(port: int, password: str, authority: Authority, host: str = "127.0.0.1", **settings: object) -> str:
    """Return the server's URL for TLS."""
    query = "".join(f"&{name}={value}" for name, value in ({"deadline": DEADLINE} | settings).items())
    return f"rediss://:{password}@{host}:{port}?tls_ca_file={authority.certificate}{query}"


def test_the_right_certificate_works(
    serve: Serve, runner: asyncio.Runner, caller: Caller, authority: Authority
) -> None:
    proxy, _, password = serve(authority.sign("server"))
    for host in ("127.0.0.1", "localhost"):
        with open_book(url(proxy.port, password, authority, host), caller, runner) as book:
            VERBS[0].call(book, fresh())


def test_a_handshake_that_is_answered_late_is_tried_again(
    serve: Serve, runner: asyncio.Runner, caller: Caller, authority: Authority
) -> None:
    """A server that is busy when a book is opened is waited for, as one that speaks no TLS is."""
    proxy, context, password = serve(authority.sign("server"))
    shaken: list[ssl.SSLObject | ssl.SSLSocket] = []

    def busy(server: ssl.SSLObject | ssl.SSLSocket, *_: object) -> None:
        shaken.append(server)
        if len(shaken) == 1:
            time.sleep(1.5)

    context.sni_callback = busy
    where = url(proxy.port, password, authority, "localhost", connect_timeout=0.3, socket_timeout=0.3)
    with open_book(where, caller, runner) as book:
        VERBS[0].call(book, fresh())
    assert len(shaken) > 1


def test_a_strangers_certificate(
    serve: Serve, runner: asyncio.Runner, caller: Caller, authority: Authority, stranger: Authority
) -> None:
    proxy, _, password = serve(stranger.sign("server"))
    _fails_fast(url(proxy.port, password, authority), caller, runner, "TLS failed")
    with open_book(url(proxy.port, password, authority, tls_verify="false"), caller, runner) as book:
        VERBS[0].call(book, fresh())


def test_an_expired_certificate(serve: Serve, runner: asyncio.Runner, caller: Caller, authority: Authority) -> None:
    proxy, _, password = serve(authority.sign("expired", days=0))
    _fails_fast(url(proxy.port, password, authority), caller, runner, "TLS failed")


def test_a_certificate_of_another_host(
    serve: Serve, runner: asyncio.Runner, caller: Caller, authority: Authority
) -> None:
    proxy, _, password = serve(authority.sign("elsewhere", host="DNS:elsewhere.example"))
    _fails_fast(url(proxy.port, password, authority), caller, runner, "TLS failed")


def test_tls_to_a_plain_port(deploy: Deploy, runner: asyncio.Runner, caller: Caller, authority: Authority) -> None:
    control = deploy("standalone")
    where = url(control.data[0].port, control.deployment.password, authority, deadline=2)
    with pytest.raises(Unavailable, match="does it speak TLS"):  # it says nothing, as a busy one would
        open_book(where, caller, runner)


def test_plain_to_a_tls_port(serve: Serve, runner: asyncio.Runner, caller: Caller, authority: Authority) -> None:
    proxy, _, password = serve(authority.sign("server"))
    with pytest.raises(SlotbookError):
        open_book(f"redis://:{password}@127.0.0.1:{proxy.port}?deadline=2", caller, runner)


def test_expired_in_mid_traffic(serve: Serve, runner: asyncio.Runner, caller: Caller, authority: Authority) -> None:
    proxy, context, password = serve(authority.sign("server"))
    trader = fresh()
    with open_book(url(proxy.port, password, authority), caller, runner) as book:
        VERBS[0].call(book, trader)
        context.load_cert_chain(*authority.sign("late", days=0))
        proxy.reset()
        started = time.monotonic()
        with pytest.raises(InvalidSettings, match="TLS failed"):
            book.orders.get(trader, "A1")
        assert time.monotonic() - started < AT_ONCE


def _fails_fast(where: str, caller: Caller, runner: asyncio.Runner, why: str) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidSettings, match=why):
        open_book(where, caller, runner)
    assert time.monotonic() - started < AT_ONCE
