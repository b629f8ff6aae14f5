"""The guard of ``slotbook web``: whom it lets in, what everyone is told, and what nobody can do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import slotbook
from slotbook.web.guard import HEADERS

from ..support.browser import Blotter, blotter
from ..support.fleet import Fleets
from ..support.make import execution, fresh, limit

PATHS = ("/", "/page/main.js", "/rows", "/day?trader=T001&symbol=AAPL")


@pytest.fixture(scope="module")
def shown(fleets: Fleets) -> Iterator[Blotter]:
    """Yield a blotter of one trader, T001, of a book with two."""
    url = fleets.of("standalone").url({"prefix": fresh("web") + ":"})
    with slotbook.connect(url) as book:
        for trader in ("T001", "T002"):
            book.orders.place(limit(trader))
            book.orders.fill(execution(trader))
    with blotter(url, "--trader", "T001") as running:
        yield running


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_shown_without_the_token(shown: Blotter, path: str) -> None:
    for answer in (
        shown.ask(path, token=False),
        shown.ask(path, token=False, Authorization="Bearer " + shown.token[:-1] + "x"),
        shown.ask(path, token=False, Authorization="Bearer"),
        shown.ask(path, token=False, Authorization=f"Basic {shown.token}"),
        shown.ask(path, token=False, Cookie=f"slotbook_{shown.port}=wrong"),
        shown.ask(path, token=False, Cookie=f"slotbook_1={shown.token}"),
        shown.ask(path + ("&" if "?" in path else "?") + "token=wrong"),
    ):
        assert answer.status == 401
        assert "T001" not in answer.body


def test_the_link_gives_a_cookie_and_a_url_without_the_token(shown: Blotter) -> None:
    welcome = shown.ask(f"/?token={shown.token}&trader=T001", token=False)
    assert (welcome.status, welcome.headers["location"]) == (303, "/?trader=T001")
    cookie, *rules = welcome.headers["set-cookie"].split("; ")
    assert cookie == f"slotbook_{shown.port}={shown.token}"
    assert {rule.lower() for rule in rules} == {"httponly", "samesite=strict", "path=/"}
    assert shown.ask("/", token=False, Cookie=f"other=1; {cookie}").status == 200
    assert shown.ask(f"/rows?token={shown.token}", token=False).status == 401


def test_two_links_differ_and_are_long(shown: Blotter, url: str) -> None:
    with blotter(url) as other:
        assert other.token != shown.token
        assert min(len(other.token), len(shown.token)) >= 43


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", "", "10.0.0.1"])
def test_a_name_that_was_made_to_lead_here_is_refused(shown: Blotter, host: str) -> None:
    answer = shown.ask("/", Host=host)
    assert (answer.status, "T001" in answer.body) == (421, False)


@pytest.mark.parametrize("host", ["localhost:1", "LOCALHOST", "[::1]:8765", "127.0.0.1"])
def test_own_names_lead_here_also_by_a_forwarded_port(shown: Blotter, host: str) -> None:
    assert shown.ask("/", Host=host).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/rows"])
def test_it_only_shows(shown: Blotter, method: str, path: str) -> None:
    assert shown.ask(path, method=method).status == 405


@pytest.mark.parametrize("by", ["cross-site", "same-site"])
def test_another_page_may_lead_here_and_not_read(shown: Blotter, by: str) -> None:
    for path in ("/day?trader=T001&symbol=AAPL", "/page/main.js"):
        assert shown.ask(path, Sec_Fetch_Site=by, Sec_Fetch_Mode="cors").status == 403
    assert shown.ask("/", Sec_Fetch_Site=by, Sec_Fetch_Mode="navigate").status == 200


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/page/none.js", "/nowhere", "/day?trader=T001&symbol=AAPL"])
def test_every_answer_says_what_a_browser_may_do(shown: Blotter, path: str) -> None:
    for answer in (shown.ask(path), shown.ask(path, token=False), shown.ask(path, Host="evil.example")):
        assert HEADERS.items() <= answer.headers.items()
        assert not {"server", "access-control-allow-origin"} & answer.headers.keys()
    policy = shown.ask("/").headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert not any(word in rule for rule in policy for word in ("unsafe", "http", "*", "data:"))
    assert shown.ask("/").headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("trader", ["T002", "T00", "T{1}", "*", "T001,T002"])
def test_a_trader_that_is_not_of_this_blotter_is_not_shown(shown: Blotter, trader: str) -> None:
    for path in (f"/rows?trader={trader}", f"/day?symbol=AAPL&trader={trader}"):
        answer = shown.ask(path)
        assert (answer.status, "AAPL" in answer.body) == (403, False)


@pytest.mark.parametrize("path", ["/rows", "/rows?trader=T001", "/rows?trader="])
def test_rows_are_of_the_traders_of_the_blotter(shown: Blotter, path: str) -> None:
    _, document = next(shown.rows(path))
    for rows in (document["orders"], document["positions"], document["events"]):
        assert {row["trader"] for row in rows} == {"T001"}


@pytest.mark.parametrize("query", ["symbol=AAPL", "trader=T001", "trader=T001&symbol=%00", "trader=&symbol=AAPL"])
def test_a_day_that_cannot_be_asked_for(shown: Blotter, query: str) -> None:
    assert shown.ask(f"/day?{query}").status == 403


@pytest.mark.parametrize("path", ["/page/..%2Fguard.py", "/page/../guard.py", "/page/%2e%2e/app.py", "/page/"])
def test_only_the_files_of_the_page(shown: Blotter, path: str) -> None:
    assert shown.ask(path).status in (404, 307)
