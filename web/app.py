"""The application: the page, its files, the stream of rows, and the day of a position. Nothing in it writes."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Collection
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..models.errors import InvalidArgument, SlotbookError
from ..models.types import check_name
from ..repositories import AsyncBook
from .board import KEPT
from .feed import Feed
from .history import day_json, day_of

HEARTBEAT = 3.0
"""The seconds after which a stream says that it lives when nothing has changed."""
MOST_ROWS = 250
"""The rows that one document of a stream has, so that none is large."""
MOST_STREAMS = 32
"""The pages that are fed at the same time."""
DAYS_AT_ONCE = 2
"""The days of positions that are read at the same time."""

KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Pages:
    """The answers of the server, for a blotter of some traders, or of all.

    Args:
        book: The book that days of positions are read from.
        feed: The rows.
        traders: The traders that may be asked for; None for any.
    """

    def __init__(self, book: AsyncBook, feed: Feed, traders: Collection[str] | None) -> None:
        self._book = book
        self._feed = feed
        self._traders = None if traders is None else frozenset(traders)
        self._run = secrets.token_hex(4)
        """A name of this run, without which a number of a change means nothing."""
        self.streams = 0
        """The pages that are fed now."""
        self._days = asyncio.Semaphore(DAYS_AT_ONCE)
        folder = files("slotbook.web") / "page"
        self._files = {
            file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in KINDS
        }

    def app(self) -> Starlette:
        """Return the application."""
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/page/{name}", self._file),
                Route("/rows", self._rows),
                Route("/day", self._day),
            ]
        )

    async def _page(self, request: Request) -> Response:
        self._trader(request)
        return self._answer("index.html")

    async def _file(self, request: Request) -> Response:
        name = str(request.path_params["name"])
        return self._answer(name) if name in self._files else PlainTextResponse("There is no such file.\n", 404)

    def _answer(self, name: str) -> Response:
        return Response(self._files[name], media_type=KINDS[name.rpartition(".")[2]])

    async def _rows(self, request: Request) -> Response:
        """Answer with a stream of what has changed (server-sent events), which goes on where a reader was."""
        try:
            trader = self._trader(request)
        except InvalidArgument as error:
            return PlainTextResponse(f"{error}\n", 403)
        if self.streams >= MOST_STREAMS:
            return PlainTextResponse(f"{MOST_STREAMS} pages are open already.\n", 503, {"retry-after": "5"})
        known = self._known(request.headers.get("last-event-id", ""))
        return _Stream(self, self._changes(known, trader))

    async def _changes(self, known: int | None, trader: str | None) -> AsyncIterator[bytes]:
        """Yield a document for each time that something has changed, and now and then one that says that nothing has.

        The next one is made when the last one was taken, from what has changed until then: a reader that is slow gets
        fewer, and nothing waits for it here.
        """
        board = self._feed.board
        while not self._feed.is_stopped:
            version, rows = board.after(known or 0, trader, MOST_ROWS)
            hearing = self._feed.hearing
            document = {"begins": known is None, "state": self._feed.state(), "kept": KEPT, **rows}
            yield f"id: {self._run}.{version}\ndata: {_json(document)}\n\n".encode()
            known = version
            await asyncio.sleep(0)  # so that a long way is interrupted when its reader has gone
            await self._feed.changed(version, hearing, HEARTBEAT)
        yield b"event: ended\ndata: {}\n\n"

    async def _day(self, request: Request) -> Response:
        try:
            trader = self._trader(request, needed=True) or ""
            symbol = check_name("symbol", request.query_params.get("symbol", ""))
            account = request.query_params.get("account")
            account = account if account is None else check_name("account", account)
        except InvalidArgument as error:
            return PlainTextResponse(f"{error}\n", 403)
        try:
            async with self._days:
                return JSONResponse(day_json(await day_of(self._book, trader, symbol, account)))
        except SlotbookError as error:
            return PlainTextResponse(f"{error}\n", 503)

    def _known(self, said: str) -> int | None:
        """Return the change up to which a reader knows the rows; None for a new one, and one of another run."""
        run, _, number = said.partition(".")
        if run != self._run or not number.isdecimal() or len(number) > 18 or int(number) > self._feed.board.version:
            return None
        return int(number)

    def _trader(self, request: Request, *, needed: bool = False) -> str | None:
        """Return the trader that is asked for, None for all. Raises InvalidArgument for one that may not be shown."""
        said = request.query_params.get("trader", "")
        if not said and not needed:
            return None
        name = check_name("trader", said)
        if self._traders is not None and name not in self._traders:
            raise InvalidArgument("this blotter does not show that trader")
        return name


class _Stream(StreamingResponse):
    """A stream that is counted from its first byte until it ends, also when its reader has gone."""

    def __init__(self, pages: Pages, content: AsyncIterator[bytes]) -> None:
        super().__init__(content, media_type="text/event-stream")
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        self._pages.streams += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._pages.streams -= 1


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
