"""Define every setting and read a URL: settings come from the environment (``SLOTBOOK_…``), a URL's query, or code.

>>> read("redis+cluster://desk:secret@10.0.0.1:7001,10.0.0.2:7001?deadline=5&prefix=desk1:").settings.deadline
5.0
>>> read("redis://localhost/nowhere")
Traceback (most recent call last):
    ...
slotbook.models.errors.InvalidSettings: the URL's path should be a database number, as in redis://host:6379/0
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, SecretStr, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from ..models.building import BuiltModel
from ..models.errors import InvalidSettings
from .address import Address
from .durability import LOCAL, Durability, parsed
from .urls import UrlParts, address_of, socket_of, split_url

Published = Literal["traders", "order_events", "symbols"]
"""The channels on which a change of a book can be announced, in the same atomic step; see ``Settings.publish``."""


def _published(value: object) -> object:
    if not isinstance(value, str):
        return value
    words = [word.strip() for word in value.split(",") if word.strip() not in ("", "none")]
    if not set(words) <= set(get_args(Published)):
        raise ValueError(f"it is none, or some of {', '.join(get_args(Published))}")
    return frozenset(words)


def _sendable(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if any("\ud800" <= character < "\udc80" or "\udd00" <= character <= "\udfff" for character in text):
        raise ValueError("it holds characters that no encoding has")
    return secret


_Password = Annotated[SecretStr, AfterValidator(_sendable)]


def _events_kept(value: object) -> object:
    return None if value == "all" else value


LONGEST = 86_400.0 * 366 * 10
"""Ten years in seconds, which no time is longer than."""

Seconds = Annotated[float, Field(gt=0, le=LONGEST)]
"""A time of up to ten years."""


_TLS = ("tls_ca_file", "tls_cert_file", "tls_key_file", "tls_verify")
_OF_SENTINELS = ("sentinel_username", "sentinel_password")
_LOGIN = ("username", "password")
_PREFIX = "SLOTBOOK_"


class Settings(BuiltModel, BaseSettings):
    """The settings of a book: how it reaches its servers and how long it keeps things; times are in seconds.

    A URL's query parameters have the same names and win over the environment. Every secret is masked when shown::

        settings = Settings(deadline=5).at("redis://localhost:6379")
        book = slotbook.connect(settings)
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True
    )

    url: SecretStr | None = None
    """The servers that the book is kept on; see :func:`slotbook.connect` for the forms of a URL. It has no default."""
    server: str | None = None
    """For ``embedded://``: the path or name of the server program to run; None runs the one that pip installed."""

    username: str | None = Field(default=None, repr=False)
    """The user to log in as (ACL); None is the user ``default``."""
    password: _Password | None = None
    sentinel_username: str | None = Field(default=None, repr=False)
    """The user to log in to the Sentinels as."""
    sentinel_password: _Password | None = None

    tls_ca_file: FilePath | None = None
    """The certificate authority that signed the servers' certificates; None means those that the system trusts."""
    tls_cert_file: FilePath | None = None
    """The certificate by which a client identifies itself, if the servers ask for one."""
    tls_key_file: FilePath | None = None
    tls_verify: bool = True
    """False accepts any certificate and host name, for which only a test has a reason."""

    pool_size: int = Field(default=16, ge=1, le=10_000)
    """For threads: connections per node. For asyncio: one 64th of the calls that may be in flight per node."""
    pool_wait: Seconds = 1.0
    """The time that a call waits for a free connection before it fails with PoolExhausted."""
    connect_timeout: Seconds = 1.0
    """The time that a server may take to accept a connection."""
    socket_timeout: Seconds = 2.0
    """The time that one server may take to answer; then it counts as gone, and the primary is looked for again."""
    busy_poll: Annotated[float, Field(ge=0, le=1)] = 0.001
    """The time that a thread polls for a reply before it sleeps until one comes; 0 to sleep at once."""
    deadline: Seconds = 10.0
    """The time that a call may take in all, retries and failovers included."""

    durability: Annotated[Durability, BeforeValidator(parsed), NoDecode] = LOCAL
    """The copies that a change waits for: ``local`` (none), ``replicated=n`` (n replicas) or ``fsynced`` (the disk)."""
    replication_wait: Seconds = 1.0
    """The time that a change waits for replicas or the disk before it fails with UnderReplicated."""

    prefix: Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\s{}\p{C}]*$")] = ""
    """The beginning of all keys of this book, before the ``{trader}`` tag: up to 64 characters, no braces or spaces."""
    order_ttl: Seconds = 86_400.0
    """The time that a terminal order is kept, from its last change, and with it what was applied to it; at least
    ``deadline`` + ``socket_timeout``."""
    request_ttl: Seconds = 86_400.0
    """The time for which a change of a position, or of a value, is recognised as a repeat, by its request_id; at least
    ``deadline`` + ``socket_timeout``."""
    events_kept: Annotated[Annotated[int, Field(ge=1, le=2**31)] | None, BeforeValidator(_events_kept)] = 100_000
    """The number of events that a trader's stream keeps, approximately (XADD MAXLEN ~); ``all`` keeps every event until
    ``trim`` is called (XTRIM MINID).
    """
    overfill: Literal["refuse", "record"] = "refuse"
    """The treatment of a fill past its order's quantity, unless ``Fill.overfill`` says it: refused, or recorded."""
    record_refusals: bool = False
    """True for an event, LIMIT_REFUSED, of each order and replace that a limit or the switch of trading refuses."""
    publish: Annotated[frozenset[Published], BeforeValidator(_published), NoDecode] = frozenset({"traders"})
    """The channels on which every change is announced: ``none``, or a list of ``traders`` (the channel
    ``{trader}:events``, a sharded one where the server has these), ``order_events`` and ``symbols`` (the channels
    ``events.<symbol>.<type>``)."""
    watchdog: Seconds = 2.0
    """The time after which a subscription notices that its server is gone or frozen."""

    if not TYPE_CHECKING:  # a type checker takes the arguments and their types from the fields

        def __init__(self, **values: object) -> None:
            """Take settings by name, the others from the environment. Raises InvalidSettings, which shows no value."""
            problem = _unknown_variable() or _unknown_argument(values)
            if problem is None:
                whole = values.keys() == Settings.model_fields.keys()  # then the environment has nothing to say
                try:
                    (partial(BuiltModel.__init__, self) if whole else super().__init__)(**values)
                except ValidationError as error:
                    problem = _first(error, values)
                except SettingsError as error:
                    problem = str(error)
            if problem is not None:  # raised here, so that no error with values in it is behind this one
                raise InvalidSettings(problem)

        @classmethod
        def settings_customise_sources(cls, kind, init_settings, env_settings, **files):
            """Look into files only where some are named: without, it takes as long as to read the environment."""
            named = [one for one in files.values() if vars(one).get("env_file") or vars(one).get("secrets_dir")]
            return init_settings, env_settings, *named

        @classmethod
        def model_validate(cls, obj: object, **options: object) -> Settings:
            """Return settings from a mapping, as the constructor does."""
            return cls(**obj) if isinstance(obj, Mapping) else super().model_validate(obj, **options)

    def remembered(self, ttl: float = 0.0) -> float:
        """Return how long an identity is remembered whose setting says ``ttl``, in seconds.

        A call whose reply was lost is sent again until the deadline, and a server may take the socket timeout to run
        it. Whatever is set, its identity is still known then.
        """
        return min(max(ttl, self.deadline + self.socket_timeout), LONGEST)

    def wanted(self, durability: Durability | str | None) -> Durability:
        """Return the durability that is given for a call, or the book's. Raises InvalidSettings for an unknown one."""
        return self.durability if durability is None else Durability.parse(durability)

    def at(self, url: str) -> Settings:
        """Return the same settings with another URL."""
        return self.model_copy(update={"url": SecretStr(url)})

    def for_private_servers(self, url: str) -> Settings:
        """Return the same settings for embedded servers, without the credentials, which are meant for other servers."""
        none = dict.fromkeys((*_LOGIN, *_OF_SENTINELS, *_TLS))
        return self.model_copy(update={**none, "tls_verify": True}).at(url)


class TopologyKind(Enum):
    """The topologies of a deployment."""

    STANDALONE = "standalone"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was read: which deployment, at which addresses, with which settings."""

    kind: TopologyKind
    addresses: tuple[Address, ...]
    """The server, the Sentinels, or some nodes of the cluster; none for ``embedded://``."""
    settings: Settings
    tls: bool = False
    service: str = ""
    """The name under which Sentinels watch the primary."""
    database: int = 0
    embedded: bool = False
    """True when the servers are private ones that are yet to be started."""


_SCHEMES: dict[str, tuple[TopologyKind, bool]] = {
    "redis": (TopologyKind.STANDALONE, False),
    "rediss": (TopologyKind.STANDALONE, True),
    "unix": (TopologyKind.STANDALONE, False),
    "redis+sentinel": (TopologyKind.SENTINEL, False),
    "rediss+sentinel": (TopologyKind.SENTINEL, True),
    "redis+cluster": (TopologyKind.CLUSTER, False),
    "rediss+cluster": (TopologyKind.CLUSTER, True),
}
_PORTS = {TopologyKind.STANDALONE: 6379, TopologyKind.SENTINEL: 26379, TopologyKind.CLUSTER: 6379}
_ALL_SCHEMES = (*_SCHEMES, "embedded")
_PATH = re.compile(r"(?:/([0-9]{1,9}))?/?")
_SERVICE_PATH = re.compile(r"/([^/]+)(?:/([0-9]{1,9}))?/?")
_NO_URL = (
    "no URL says where the book is kept: give one, or set SLOTBOOK_URL, such as redis://localhost:6379 "
    "(embedded://standalone starts a private server, which ends with the process)"
)


def read(source: str | Settings | None = None) -> Target:
    """Return the target of a URL or of Settings; None reads ``SLOTBOOK_URL``.

    Raises InvalidSettings, whose message never shows a secret.
    """
    if source is not None and not isinstance(source, (str, Settings)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidSettings(f"a book is opened by a URL, a str, or by Settings, not by {type(source).__name__}")
    base = source if isinstance(source, Settings) else Settings()
    url = source if isinstance(source, str) else base.url.get_secret_value() if base.url else ""
    if not url:
        raise InvalidSettings(_NO_URL)
    parts = split_url(url, _ALL_SCHEMES)
    settings = _with(base, parts)
    if parts.scheme == "embedded":
        return _embedded(parts, settings)
    kind, tls = _SCHEMES[parts.scheme]
    if parts.scheme == "unix":
        return Target(kind, (socket_of(parts),), settings)
    if kind is TopologyKind.STANDALONE and len(parts.hosts) > 1:
        raise InvalidSettings("redis:// takes one host; for several use redis+cluster:// or redis+sentinel://")
    addresses = tuple(address_of(host, _PORTS[kind]) for host in parts.hosts)
    service, database = _path(parts.path, kind)
    return Target(kind, addresses, settings, tls, service, database)


def _embedded(parts: UrlParts, settings: Settings) -> Target:
    names = [kind.value for kind in TopologyKind]
    name, *more = parts.hosts
    if name not in names or more or parts.path not in ("", "/"):
        raise InvalidSettings(f"embedded:// takes one of {', '.join(f'embedded://{each}' for each in names)}")
    return Target(TopologyKind(name), (), settings, embedded=True)


def _with(base: Settings, parts: UrlParts) -> Settings:
    """Return the settings with what a URL says of them."""
    login = {name: text for name in _LOGIN if (text := getattr(parts, name)) is not None}
    for number, name in enumerate(parts.parameters, 1):
        if name == "url" or name not in Settings.model_fields:
            raise InvalidSettings(f"the URL's parameter {number} is no setting; {_nearest(name, but='url')}")
        if name in login:
            raise InvalidSettings(f"the URL says {name} twice, before the host and as a parameter")
        if (wanted := _only_with(name, parts.scheme)) is not None:
            raise InvalidSettings(f"{name} has no meaning in a URL that begins with {parts.scheme}://; {wanted}")
    if parts.scheme == "embedded" and login:
        raise InvalidSettings("embedded:// makes its own users and passwords: take them out of the URL")
    changes: dict[str, object] = {**login, **parts.parameters}
    return Settings.model_validate({**dict(base), **changes}) if changes else base


def _only_with(name: str, scheme: str) -> str | None:
    """Return what a setting goes with, if that is not this scheme."""
    if name in _TLS and not scheme.startswith("rediss"):
        return "it goes with rediss://, rediss+sentinel:// and rediss+cluster://"
    if name in _OF_SENTINELS and not scheme.endswith("+sentinel"):
        return "it goes with redis+sentinel:// and rediss+sentinel://"
    if name in _LOGIN and scheme == "embedded":
        return "private servers have users and passwords of their own"
    return "it goes with embedded://" if name == "server" and scheme != "embedded" else None


def _nearest(name: str, but: str = "") -> str:
    """Return a hint at the setting that is meant, without the name that was given: it may be a misplaced secret."""
    names = [known for known in Settings.model_fields if known != but]
    near = get_close_matches(re.sub(r"\W", "_", name).lower(), names, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"


def _unknown_variable() -> str | None:
    """Return what is wrong with the first variable of the environment that looks like a setting and is none."""
    known = {f"{_PREFIX}{name.upper()}": name for name in Settings.model_fields}
    plain = {key.replace("_", "") for key in known}
    for variable in os.environ:
        upper = variable.upper()
        if variable not in known and (upper.startswith(_PREFIX) or re.sub(r"[\W_]", "", upper) in plain):
            near = get_close_matches(upper, known, 1)
            there = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            return f"{variable} in the environment is no setting; {there}"
    return None


def _unknown_argument(values: Mapping[str, object]) -> str | None:
    """Return what is wrong with the first argument that is no setting; those of pydantic-settings begin with ``_``."""
    unknown = [name for name in values if name not in Settings.model_fields and not name.startswith("_")]
    return f"an argument of Settings is no setting; {_nearest(unknown[0])}" if unknown else None


def _first(error: ValidationError, values: Mapping[str, object]) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    where = f"the setting {name}" if name in values else f"{_PREFIX}{name.upper()} in the environment"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


def _path(path: str, kind: TopologyKind) -> tuple[str, int]:
    """Return the service and the database that a path names."""
    if kind is TopologyKind.SENTINEL:
        if path in ("", "/"):
            raise InvalidSettings("the URL names no service; it should look like redis+sentinel://host:26379/mymaster")
        match = _SERVICE_PATH.fullmatch(path)
        service, database = match.groups() if match else ("", None)
    else:
        match = _PATH.fullmatch(path)
        service, database = "", match[1] if match else None
    if kind is TopologyKind.CLUSTER and (match is None or int(database or 0)):
        raise InvalidSettings("the URL's path is too much: a cluster has database 0 only")
    if match is None:
        raise InvalidSettings("the URL's path should be a database number, as in redis://host:6379/0")
    return str(service), int(database or 0)
