"""Everything that can be set, from the environment (``SLOTBOOK_…``), a URL's query, or code.

>>> read("redis+cluster://desk:secret@10.0.0.1:7001,10.0.0.2:7001?deadline=5&prefix=desk1:").settings.deadline
5.0
>>> read("redis://localhost/nowhere")
Traceback (most recent call last):
    ...
slotbook.models.errors.InvalidSettings: the URL's path '/nowhere' should be a database number, as in redis://host:6379/0
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal, get_args
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import BeforeValidator, Field, FilePath, SecretStr, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ..models.errors import InvalidSettings
from .address import Address
from .durability import LOCAL, Durability


def _durability(value: object) -> object:
    return Durability.parse(value) if isinstance(value, str) else value


Published = Literal["traders", "order_events", "symbols"]
"""Where a change of a book is announced, in the same atomic step."""


def _published(value: object) -> object:
    if not isinstance(value, str):
        return value
    words = [word.strip() for word in value.split(",") if word.strip() not in ("", "none")]
    if unknown := sorted(set(words).difference(get_args(Published))):
        raise ValueError(f"{', '.join(unknown)!r} is not none, or some of {', '.join(get_args(Published))}")
    return frozenset(words)


def _kept(value: object) -> object:
    return None if value == "all" else value


Seconds = Annotated[float, Field(gt=0, le=86_400 * 366 * 10)]


_CREDENTIALS = (
    "username",
    "password",
    "sentinel_username",
    "sentinel_password",
    "tls_ca_file",
    "tls_cert_file",
    "tls_key_file",
)


class Settings(BaseSettings):
    """How a book reaches its servers and how long it keeps things; times are in seconds.

    A URL's query parameters carry the same names and win over the environment. Every secret is masked when shown.
    """

    model_config = SettingsConfigDict(
        env_prefix="SLOTBOOK_", frozen=True, extra="forbid", validate_default=True, defer_build=True
    )

    url: SecretStr = SecretStr("embedded://standalone")
    """Where the book is kept; see :func:`slotbook.connect`."""
    server: str | None = None
    """For ``embedded://``: the path or name of the server program to run, in place of the one that pip installed."""

    username: str | None = None
    password: SecretStr | None = None
    sentinel_username: str | None = None
    sentinel_password: SecretStr | None = None

    tls_ca_file: FilePath | None = None
    """The authority that signed the servers' certificates; None means those that the system trusts."""
    tls_cert_file: FilePath | None = None
    tls_key_file: FilePath | None = None
    tls_verify: bool = True
    """Whether certificates and host names are verified; only a test has a reason to say no."""

    pool_size: int = Field(default=16, ge=1, le=10_000)
    """Connections per node (threads), times 64 calls in flight per node (asyncio)."""
    pool_wait: Seconds = 1.0
    """How long a call waits for a free connection before it fails with PoolExhausted."""
    connect_timeout: Seconds = 1.0
    socket_timeout: Seconds = 2.0
    """How long one server may take to answer before it is given up and looked for again."""
    busy_poll: Annotated[float, Field(ge=0, le=1)] = 0.001
    """How long a thread looks for a reply before it goes to sleep for it; 0 to sleep at once."""
    deadline: Seconds = 10.0
    """How long a call may take in all, retries and failovers included."""

    durability: Annotated[Durability, BeforeValidator(_durability), NoDecode] = LOCAL
    """What a change waits for: ``local``, ``replicated=n`` (n replicas have it) or ``fsynced`` (it is on disk)."""
    replication_wait: Seconds = 1.0
    """How long a change waits for replicas or the disk before it is UnderReplicated."""

    prefix: Annotated[str, StringConstraints(pattern=r"^[^\s{}\p{C}]{0,64}$")] = ""
    """What all keys of this book begin with, before the ``{trader}`` tag."""
    order_ttl: Seconds = 86_400.0
    """How long a terminal order is kept, from its last change."""
    open_order_ttl: Seconds | None = None
    """How long an open order is kept, from its last change; None keeps it until it is terminal."""
    request_ttl: Seconds = 86_400.0
    """How long a change of a position is remembered by its request_id."""
    events_kept: Annotated[Annotated[int, Field(ge=1, le=2**31)] | None, BeforeValidator(_kept)] = 100_000
    """About how many events a trader's stream keeps (XADD MAXLEN ~); ``all`` leaves it to ``trim`` (XTRIM MINID)."""
    publish: Annotated[frozenset[Published], BeforeValidator(_published), NoDecode] = frozenset({"traders"})
    """Where every change is announced: ``none``, or a list of ``traders`` (the channel ``{trader}:events``, sharded
    where the server has that), ``order_events`` (one channel of that name) and ``symbols`` (the channels
    ``events.<symbol>.<type>``).
    """
    watchdog: Seconds = 2.0
    """How soon a subscription notices that its server is gone or frozen."""

    def at(self, url: str) -> Settings:
        """The same settings for another URL."""
        return self.model_copy(update={"url": SecretStr(url)})

    def for_private_servers(self, url: str) -> Settings:
        """The same settings for servers of our own, which know nothing of credentials meant for others."""
        return self.model_copy(update={**dict.fromkeys(_CREDENTIALS), "tls_verify": True}).at(url)


class TopologyKind(Enum):
    """The shapes of a deployment."""

    STANDALONE = "standalone"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, understood: which deployment, where, and how to get in."""

    kind: TopologyKind
    addresses: tuple[Address, ...]
    settings: Settings
    tls: bool = False
    service: str = ""
    database: int = 0
    embedded: bool = False


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
EmbeddedTopology = Literal["standalone", "sentinel", "cluster"]


def read(source: str | Settings | None = None) -> Target:
    """Understand a URL or Settings; None means ``SLOTBOOK_URL``. Raises InvalidSettings, which never shows a secret."""
    base = source if isinstance(source, Settings) else _from_environment()
    url = source if isinstance(source, str) else base.url.get_secret_value()
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InvalidSettings(f"the URL cannot be read: {error}") from None
    if parts.scheme == "embedded":
        return _embedded(parts, base)
    if parts.scheme not in _SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in (*_SCHEMES, "embedded"))
        raise InvalidSettings(f"the URL's scheme {parts.scheme + '://'!r} is not one of {known}")
    if "@" in f"{parts.path}{parts.query}{parts.fragment}" and "@" not in parts.netloc and parts.scheme != "unix":
        raise InvalidSettings("the URL's user or password holds a '/', '?' or '#': write %2F, %3F or %23 in its place")
    kind, tls = _SCHEMES[parts.scheme]
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    given: dict[str, object] = {
        **({"username": unquote(username)} if username else {}),
        **({"password": unquote(password)} if password else {}),
    }
    settings = _with(base, {**given, **_query(parts)})
    if parts.scheme == "unix":
        return Target(kind, (Address(unquote(parts.path), 0),), settings)
    addresses = tuple(_address(host, _PORTS[kind]) for host in hosts.split(","))
    if kind is TopologyKind.STANDALONE and len(addresses) > 1:
        raise InvalidSettings("redis:// takes one host; for several use redis+cluster:// or redis+sentinel://")
    service, database = _path(parts, kind)
    return Target(kind, addresses, settings, tls, service, database)


def _embedded(parts: SplitResult, base: Settings) -> Target:
    name = parts.netloc or "standalone"
    try:
        kind = TopologyKind(name)
    except ValueError:
        raise InvalidSettings(
            f"embedded://{name} is not known: use embedded://standalone, embedded://sentinel or embedded://cluster"
        ) from None
    return Target(kind, (), _with(base, _query(parts)), embedded=True)


def _from_environment() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        raise InvalidSettings(f"SLOTBOOK_… in the environment: {_first(error)}") from None


def _with(base: Settings, changes: dict[str, object]) -> Settings:
    if not changes:
        return base
    try:
        return Settings.model_validate({**dict(base), **changes})
    except ValidationError as error:
        raise InvalidSettings(f"the URL's settings: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"there is no setting {name!r}; there are {', '.join(Settings.model_fields)}"
    return f"{name}: {first['msg'].removeprefix('Value error, ')}"


def _query(parts: SplitResult) -> dict[str, object]:
    found = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "url" in found:
        raise InvalidSettings("the URL's settings: there is no setting 'url' in a URL")
    return dict(found)


def _address(text: str, port: int) -> Address:
    try:
        parts = urlsplit(f"//{text}")
        host, found = parts.hostname, parts.port
        (host or "").encode("idna")
    except ValueError:
        # Without a host before it, what stands for a port is more likely a password.
        shown = f" {text!r}" if text.partition(":")[0] else ""
        raise InvalidSettings(f"the URL's host and port{shown} cannot be read; they look like host:6379") from None
    if not host:
        raise InvalidSettings("the URL names no host; it should look like redis://host:6379")
    return Address(host, port if found is None else found)


def _path(parts: SplitResult, kind: TopologyKind) -> tuple[str, int]:
    steps = [unquote(step) for step in parts.path.split("/") if step]
    service = ""
    if kind is TopologyKind.SENTINEL:
        if not steps:
            raise InvalidSettings("the URL names no service; it should look like redis+sentinel://host:26379/mymaster")
        service = steps.pop(0)
    if kind is TopologyKind.CLUSTER and steps not in ([], ["0"]):
        raise InvalidSettings(f"the URL's path {parts.path!r} is too much: a cluster has database 0 only")
    if len(steps) > 1 or (steps and not steps[0].isdecimal()):
        raise InvalidSettings(f"the URL's path {parts.path!r} should be a database number, as in redis://host:6379/0")
    return service, int(steps[0]) if steps else 0
