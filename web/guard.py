"""Let in who has the token, from this machine's own names, to read; everything else is refused, and told little."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The names by which a browser reaches a server on its own machine."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""The Content-Security-Policy: only files of this server, and no text becomes a part of the page's program."""

HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""The headers of every answer, which say what a browser may do with it."""

_ASK_AGAIN = "This blotter is open to who has its link. Open the link that `slotbook web` has printed.\n"


class Guard:
    """A layer around an application that refuses what may not be answered.

    A browser's first request has the token in its URL: it gets a cookie, and the URL without the token. Programs send
    it as ``Authorization: Bearer``.

    Args:
        app: The application.
        token: What a caller must have; None where something in front of the server asks who calls.
        hosts: The names that a request may be for (its Host): a page of another name that was made to lead here (DNS
            rebinding) is refused.
        cookie: The name of the cookie.
    """

    def __init__(self, app: ASGIApp, token: str | None, hosts: Iterable[str], cookie: str) -> None:
        self._app = app
        self._token = token
        self._hosts = frozenset(hosts)
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if _name_of(headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("This name does not lead here.\n", 421)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("This server only shows.\n", 405, {"allow": "GET, HEAD"})
        fetched_by = headers.get("sec-fetch-site", "none")
        if fetched_by not in ("same-origin", "none") and headers.get("sec-fetch-mode") != "navigate":
            return PlainTextResponse("Other pages may not read this.\n", 403)
        return None if self._token is None else self._without_token(scope, headers)

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the answer to a caller who has no token, or has it in the URL; None for one who may pass."""
        words = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        said = [value for name, value in words if name == "token"]
        if said and scope["path"] == "/" and self._is_token(said[0]):
            return self._welcome([(name, value) for name, value in words if name != "token"])
        if not said and (self._is_token(_bearer(headers)) or self._is_token(self._cookie_of(headers))):
            return None
        return PlainTextResponse(_ASK_AGAIN, 401, {"www-authenticate": "Bearer"})

    def _welcome(self, words: list[tuple[str, str]]) -> Response:
        """Give the browser its cookie, and have it ask again without the token, which then is in no history."""
        answer = RedirectResponse(f"/?{urlencode(words)}" if words else "/", 303)
        answer.set_cookie(self._cookie, self._token or "", httponly=True, samesite="strict", path="/")
        return answer

    def _is_token(self, said: str) -> bool:
        return hmac.compare_digest(said.encode("utf-8", "replace"), (self._token or "").encode())

    def _cookie_of(self, headers: Headers) -> str:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookies[self._cookie].value if self._cookie in cookies else ""


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _name_of(host: str) -> str:
    """Return the name in a Host header without its port.

    >>> _name_of("127.0.0.1:8765"), _name_of("[::1]:80"), _name_of("LocalHost")
    ('127.0.0.1', '[::1]', 'localhost')
    """
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()
