"""Define every setting and read a URL: settings come from the environment (``SLOTBOOK_…``), a URL's query, or code.

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
"""The channels on which a change of a book can be announced, in the same atomic step; see ``Settings.publish``."""


def _published(value: object) -> object:
    if not isinstance(value, str):
        return value
    words = [word.strip() for word in value.split(",") if word.strip() not in ("", "none")]
    if unknown := sorted(set(words).difference(get_args(Published))):
        raise ValueError(f"{', '.join(unknown)!r} is not none, or some of {', '.join(get_args(Published))}")
    return frozenset(words)


def _events_kept(value: object) -> object:
    return None if value == "all" else value


LONGEST = 86_400.0 * 366 * 10
"""Ten years in seconds, which no time is longer than."""

Seconds = Annotated[float, Field(gt=0, le=LONGEST)]
"""A time of up to ten years."""


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
    """The settings of a book: how it reaches its servers and how long it keeps things; times are in seconds.

    A URL's query parameters have the same names and win over the environment. Every secret is masked when shown::

        settings = Settings(deadline=5).at("redis://localhost:6379")
        book = slotbook.connect(settings)
    """

    model_config = SettingsConfigDict(
        env_prefix="SLOTBOOK_", frozen=True, extra="forbid", validate_default=True, defer_build=True
    )

    url: SecretStr = SecretStr("embedded://standalone")
    """The servers that the book is kept on; see :func:`slotbook.connect` for the forms of a URL."""
    server: str | None = None
    """For ``embedded://``: the path or name of the server program to run; None runs the one that pip installed."""

    username: str | None = None
    """The user to log in as (ACL); None is the user ``default``."""
    password: SecretStr | None = None
    sentinel_username: str | None = None
    """The user to log in to the Sentinels as."""
    sentinel_password: SecretStr | None = None

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

    durability: Annotated[Durability, BeforeValidator(_durability), NoDecode] = LOCAL
    """The copies that a change waits for: ``local`` (none), ``replicated=n`` (n replicas) or ``fsynced`` (the disk)."""
    replication_wait: Seconds = 1.0
    """The time that a change waits for replicas or the disk before it fails with UnderReplicated."""

    prefix: Annotated[str, StringConstraints(pattern=r"^[^\s{}\p{C}]{0,64}$")] = ""
    """The beginning of all keys of this book, before the ``{trader}`` tag: up to 64 characters, no braces or spaces."""
    order_ttl: Seconds = 86_400.0
    """The time that a terminal order is kept, from its last change, and with it what was applied to it; at least
    ``deadline`` + ``socket_timeout``.
    """
    request_ttl: Seconds = 86_400.0
    """The time for which a change of a position, or of a value, is recognised as a repeat, by its request_id; at least
    ``deadline`` + ``socket_timeout``.
    """
    events_kept: Annotated[Annotated[int, Field(ge=1, le=2**31)] | None, BeforeValidator(_events_kept)] = 100_000
    """The number of events that a trader's stream keeps, approximately (XADD MAXLEN ~); ``all`` keeps every event until
    ``trim`` is called (XTRIM MINID).
    """
    publish: Annotated[frozenset[Published], BeforeValidator(_published), NoDecode] = frozenset({"traders"})
    """The channels on which every change is announced: ``none``, or a list of ``traders`` (the channel
    ``{trader}:events``, a sharded one where the server has these), ``order_events`` (one channel of that name) and
    ``symbols`` (the channels ``events.<symbol>.<type>``).
    """
    watchdog: Seconds = 2.0
    """The time after which a subscription notices that its server is gone or frozen."""

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
        return self.model_copy(update={**dict.fromkeys(_CREDENTIALS), "tls_verify": True}).at(url)


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


def read(source: str | Settings | None = None) -> Target:
    """Return the target of a URL or of Settings; None reads ``SLOTBOOK_URL``.

    Raises InvalidSettings, whose message never shows a secret.
    """
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
    from_url: dict[str, object] = {
        **({"username": unquote(username)} if username else {}),
        **({"password": unquote(password)} if password else {}),
    }
    settings = _with(base, {**from_url, **_query(parts)})
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
        # Without a host before it, the text in the place of a port is more likely a password.
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
