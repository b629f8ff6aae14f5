"""Anything that is given as a URL, a setting or a variable, with a secret in it, never shows the secret."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from slotbook import Settings
from slotbook.models.errors import InvalidSettings
from slotbook.topology.settings import Target, read

EXAMPLES = int(os.environ.get("SLOTBOOK_URLS", "300"))
"""Odd URLs, settings and variables that are tried; ``SLOTBOOK_URLS=10000`` for many."""
MARK = "s3cr3tM4rk"

_ODD = st.text(st.sampled_from("/?#@:[]%&=+,;.\\ ü\n\t\0\ud800\u202e-_~!$'()*^`{|}\"<>aZ09"), max_size=6)
_SECRET = st.tuples(_ODD, _ODD).map(lambda around: f"{around[0]}{MARK}{around[1]}")
_SCHEME = st.sampled_from(
    [
        "redis://",
        "rediss://",
        "unix://",
        "redis+sentinel://",
        "rediss+cluster://",
        "embedded://",
        "redis:",
        "",
        "http://",
    ]
)
_HOSTS = st.sampled_from(["", "h", "h:1", "h:x", "h1,h2", "[::1]:6", "[::1", "h1:1,u:p@h2", "standalone", "/run/x"])
_TAIL = st.sampled_from(["", "/", "/0", "/desk/0", "/x/y/z", "?deadline=5", "?nope=1", "?deadline=x", "#x", "//", "?&"])
_PARAMETER = st.sampled_from(
    ["password", "sentinel_password", "Password", "pasword", "password ", "pass-word", "passwordx"]
)


@st.composite
def odd_urls(draw: st.DrawFn) -> str:
    """Return a URL whose secret stands where a user or a slip may put it."""
    scheme, hosts, tail, secret = draw(_SCHEME), draw(_HOSTS), draw(_TAIL), draw(_SECRET)
    user = draw(st.sampled_from(["", "u", "u%", "ü"]))
    parameter = draw(_PARAMETER)
    query = "&" if "?" in tail else "?"
    return draw(
        st.sampled_from(
            [
                f"{scheme}{user}:{secret}@{hosts}{tail}",
                f"{scheme}{user}:{secret}",
                f"{scheme}{user}:{secret}{tail}",
                f"{scheme}{user}:{secret}@{tail}",
                f"{scheme}{hosts}{tail}{query}{parameter}={secret}",
                f"{scheme}{user}:x@{hosts}{tail}{query}{parameter}={secret}&{parameter}={secret}",
                f"{scheme}{user}:{secret}@{hosts},{user}:{secret}@{hosts}{tail}",
                f"{secret}@{hosts}",
                f"{user}:{secret}@{hosts}{tail}",
            ]
        )
    )


def _shown(error: BaseException) -> Iterator[str]:
    yield str(error)
    yield repr(error)
    yield repr(error.args)
    yield repr(vars(error))
    while error.__context__ is not None or error.__cause__ is not None:  # also what a traceback leaves out
        error = error.__cause__ or error.__context__ or error
        yield f"{error!r} {error} {vars(error)}"


class _Kept(logging.Handler):
    """A handler that keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def _shows_no_mark(make: Callable[[], Settings | Target]) -> Settings | Target | None:
    """Return what is made, or None when it is refused."""
    made: Settings | Target | None = None
    kept = _Kept()
    logging.getLogger().addHandler(kept)
    try:
        made = make()
    except InvalidSettings as error:
        shown = [*_shown(error), "".join(traceback.format_exception(error))]
    else:
        found = made.settings if isinstance(made, Target) else made
        secrets = {"prefix", "username", "sentinel_username", "server"}  # these are none, and may be shown
        shown = [repr(found.model_copy(update=dict.fromkeys(secrets))), found.model_dump_json(exclude=secrets)]
    finally:
        logging.getLogger().removeHandler(kept)
    assert not [text for text in (*shown, *kept.lines) if MARK.lower() in text.lower()]
    return made


@given(url=odd_urls())
@example(url=f"redis://u:{MARK}")
@example(url=f"redis://:a[{MARK}]b@h")
@example(url=f"redis://:p@a/{MARK}")
@example(url=f"redis://:%{MARK}@h")
@example(url=f"redis://h?{MARK}")
@example(url=f"redis://h?{MARK}=1")
@example(url=f"redis://h?sentinel_password{MARK}=1")
@example(url=f"redis://h?durability={MARK}")
@example(url=f"redis://h?password={MARK}?{MARK}")
@example(url=f"redis://h??{MARK}=1")
@example(url=f"redis://h?publish={MARK}")
@example(url=f"{MARK}://h")
@settings(max_examples=EXAMPLES, deadline=None)
def test_an_odd_url_shows_no_secret(url: str) -> None:
    target = _shows_no_mark(lambda: read(url))
    if isinstance(target, Target):  # it was read, so nothing of it is cut off
        found = (target.settings.password, target.settings.sentinel_password)
        kept = [secret.get_secret_value() for secret in found if secret is not None]
        assert MARK.lower() in f"{kept}{target.addresses}{target.service}".lower()


_VALUE = st.one_of(
    _SECRET,
    _SECRET.map(lambda text: text.encode(errors="replace")),
    _SECRET.map(lambda text: [text]),
    _SECRET.map(lambda text: {text: 1}),
)
_NAME = st.one_of(st.sampled_from(sorted(Settings.model_fields)), _PARAMETER, st.just("_secret"), st.just(MARK))


@given(name=_NAME, value=_VALUE, more=st.sampled_from([{}, {"deadline": "x"}, {"password": MARK}, {"nope": 1}]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_odd_settings_show_no_secret(name: str, value: object, more: dict[str, object]) -> None:
    _shows_no_mark(lambda: Settings.model_validate({**more, name: value}))


@given(name=st.one_of(st.sampled_from(sorted(Settings.model_fields)), _PARAMETER), value=_SECRET)
@settings(max_examples=EXAMPLES // 4, deadline=None)
def test_an_odd_environment_shows_no_secret(name: str, value: str) -> None:
    variable = f"SLOTBOOK_{name.upper()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLOTBOOK_WATCHDOG", "2")
        patch.setenv(variable, value.replace("\0", "").replace("\ud800", ""))
        _shows_no_mark(Settings)
        _shows_no_mark(read)


@pytest.mark.parametrize("text", [f'{{"pasword": "{MARK}"}}', f'{{"deadline": "{MARK}"}}', f'["{MARK}"]', MARK])
def test_settings_from_json_show_no_secret(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Settings.model_validate_json(text)
    assert MARK not in f"{caught.value} {caught.value!r}"
