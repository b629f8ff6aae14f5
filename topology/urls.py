"""Split a URL strictly: nothing in it is dropped, and no part of it is shown, for any part may be a misplaced secret.

>>> split_url("redis://desk:a%40b@h1:1/0?deadline=5", {"redis"}).hosts
('h1:1',)
>>> split_url("redis://desk:p@h1,desk:p@h2", {"redis"})
Traceback (most recent call last):
    ...
slotbook.models.errors.InvalidSettings: the URL has more than one '@': user and password come once, before the first \
host, and a '@' in them is written %40
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from urllib.parse import unquote_to_bytes

from ..models.errors import InvalidSettings
from .address import Address

_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<name>[\w.-]+))(?::(?P<port>[0-9]{1,5}))?")
_BARE_ADDRESS = re.compile(
    r"(?:localhost|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[0-9]*)?"
)
"""An address without a scheme, in which there cannot be a secret."""
_LONGEST_SOCKET_PATH = 107
"""The bytes of a Unix socket's path on Linux (``sun_path``)."""


@dataclass(frozen=True, slots=True)
class UrlParts:
    """The parts of a URL, decoded."""

    scheme: str
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    hosts: tuple[str, ...] = field(repr=False)
    """The texts between credentials and path, cut at the commas; one empty text when there is nothing."""
    path: str = field(repr=False)
    """It begins with the slash, if there is one."""
    parameters: dict[str, str] = field(repr=False)


def split_url(url: str, schemes: Collection[str]) -> UrlParts:
    """Return the parts of a URL with one of these schemes. Raises InvalidSettings for one that is not clear."""
    if not url.isprintable() or " " in url:
        raise InvalidSettings(
            "the URL holds a space or a character that cannot be seen: take it out, or write its % code"
        )
    scheme, colon, rest = url.partition("://")
    scheme = scheme.lower()
    if not colon or scheme not in schemes:
        raise InvalidSettings(_wrong_scheme(url, scheme if colon else "", schemes))
    if "#" in rest:
        raise InvalidSettings("the URL holds a '#', which has no meaning there: in a password it is written %23")
    before, has_query, query = rest.partition("?")
    if "?" in query:
        raise InvalidSettings(
            "the URL has more than one '?': parameters come once, behind the first, "
            "with '&' between them, and a '?' in a value is written %3F"
        )
    authority, slash, path = before.partition("/")
    if ("@" in path and scheme != "unix") or "@" in query:
        raise InvalidSettings(
            "the URL has a '@' behind a '/' or '?': in a user, password or parameter write %40, %2F and %3F for these"
        )
    credentials, at, hosts = authority.rpartition("@")
    username, password = _credentials(credentials) if at else (None, None)
    parameters = _parameters(query) if has_query and query else {}
    return UrlParts(scheme, username, password, tuple(hosts.split(",")), decoded(slash + path, "path"), parameters)


def _wrong_scheme(url: str, scheme: str, schemes: Collection[str]) -> str:
    known = ", ".join(f"{name}://" for name in schemes)
    if _BARE_ADDRESS.fullmatch(url):
        return f"the URL has no scheme: write redis://{url} (the schemes are {known})"
    near = get_close_matches(scheme, schemes, 1)
    hint = f"; did you mean {near[0]}://?" if near else ""
    return f"the URL does not begin with one of {known}{hint}; for one server write redis:// before host:port"


def _credentials(text: str) -> tuple[str | None, str | None]:
    if "@" in text:
        raise InvalidSettings(
            "the URL has more than one '@': user and password come once, before the first host, "
            "and a '@' in them is written %40"
        )
    if "[" in text or "]" in text:
        raise InvalidSettings("the URL's user or password holds a '[' or ']': write %5B and %5D for these")
    username, colon, password = text.partition(":")
    if not username and not password:
        raise InvalidSettings("the URL's user and password are empty: take the '@' out, or fill them in")
    return (
        decoded(username, "user") if username else None,
        decoded(password, "password") if colon else None,
    )


def decoded(text: str, what: str) -> str:
    """Return a part of a URL with its % codes decoded. Raises InvalidSettings for codes that mean no text."""
    if _BARE_PERCENT.search(text):
        raise InvalidSettings(f"the URL's {what} holds a '%' that begins no code: write %25 for it")
    found = unquote_to_bytes(text).decode(errors="surrogateescape")
    if not found.isascii() and any("\ud800" <= character <= "\udfff" for character in found):
        raise InvalidSettings(f"the URL's {what} holds % codes that are not UTF-8")
    return found


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, piece in enumerate(query.split("&"), 1):
        name, equals, value = piece.partition("=")
        if not equals:
            raise InvalidSettings(
                f"the URL's parameter {number} is not name=value (in a password, '?' is written %3F and '&' %26)"
            )
        if "+" in piece:
            raise InvalidSettings(
                f"the URL's parameter {number} holds a '+', which some read as a space: "
                "write %20 for a space, %2B for a plus"
            )
        name = decoded(name, "parameter")
        if name in found:
            raise InvalidSettings(f"the URL's parameter {number} is there twice")
        found[name] = decoded(value, "parameter")
    return found


def address_of(text: str, port: int) -> Address:
    """Return the address that a URL's ``host`` or ``host:port`` means. Raises InvalidSettings for any other text."""
    if not text:
        raise InvalidSettings("the URL names no host; it should look like redis://host:6379")
    match = _HOST.fullmatch(text)
    if match is None:
        raise InvalidSettings(
            "the URL's host and port cannot be read; they look like host:6379 or [::1]:6379, "
            "and a user and password before them like user:password@"
        )
    found = int(match["port"]) if match["port"] else port
    if not 0 < found < 65_536:
        raise InvalidSettings("the URL's port is not between 1 and 65535")
    return Address(_v6(match["v6"]) if match["v6"] else _name(match["name"].lower()), found)


def _v6(text: str) -> str:
    host = text.replace("%25", "%", 1)  # RFC 6874: the zone of [fe80::1%25eth0]
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        pass
    raise InvalidSettings("the URL has a host in brackets that is no IPv6 address")


def _name(name: str) -> str:
    try:
        name.encode("idna")
    except ValueError:
        pass
    else:
        return name
    raise InvalidSettings("the URL's host is no name that can exist")


def socket_of(parts: UrlParts) -> Address:
    """Return the address of a ``unix://`` URL. Raises InvalidSettings for one that is not an absolute path."""
    path = parts.path
    if parts.hosts != ("",) or len(path) < 2:
        raise InvalidSettings(
            "unix:// takes an absolute path behind a third slash, unix:///run/redis.sock, "
            "or unix://user:password@/run/redis.sock"
        )
    if "\0" in path or len(path.encode()) > _LONGEST_SOCKET_PATH:
        raise InvalidSettings(f"the path of a Unix socket has at most {_LONGEST_SOCKET_PATH} bytes and no NUL")
    return Address(path, 0)
