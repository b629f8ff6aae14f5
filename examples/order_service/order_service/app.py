"""The service: orders, fills, positions and events of a desk's traders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from slotbook import AsyncBook, Execution, Fill, Order, Position, Settings, aconnect
from slotbook.models.types import Count, Name, new_id

from . import problems
from .stream import events_of


def book_of(request: Request) -> AsyncBook:
    """Return the book of the process."""
    book: AsyncBook = request.app.state.book
    return book


TheBook = Annotated[AsyncBook, Depends(book_of)]


def create(settings: Settings | str | None = None) -> FastAPI:
    """Return the service; without settings the book is where SLOTBOOK_URL says."""

    @asynccontextmanager
    async def lifespan(service: FastAPI) -> AsyncIterator[None]:
        async with aconnect(settings) as service.state.book:
            yield

    service = FastAPI(title="Orders", lifespan=lifespan)
    problems.install(service)

    @service.post("/orders", status_code=201)
    async def place(order: Order, book: TheBook, request: Request, response: Response) -> Order:
        request.state.request_id = order.order_id
        result = await book.orders.place(order)
        if not result.applied:  # the same order, sent again
            response.status_code = 200
        return result.order

    @service.post("/fills")
    async def fill(execution: Fill, book: TheBook, request: Request) -> dict[str, Order | Position | bool]:
        request.state.request_id = execution.exec_id
        result = await book.orders.fill(execution)
        return {"order": result.order, "position": result.position, "applied": result.applied}

    @service.get("/traders/{trader}/orders")
    async def open_orders(trader: Name, book: TheBook) -> list[Order]:
        return await book.orders.open(trader)

    @service.get("/traders/{trader}/orders/{order_id}")
    async def order_of(trader: Name, order_id: Name, book: TheBook) -> Response:
        found = await book.orders.get(trader, order_id)
        if found is None:
            return problems.problem(404, "OrderNotFound", f"{trader}/{order_id}: there is no such order")
        return Response(found.model_dump_json(), media_type="application/json")

    @service.get("/traders/{trader}/orders/{order_id}/fills")
    async def fills_of(trader: Name, order_id: Name, book: TheBook) -> list[Execution]:
        return await book.orders.fills(trader, order_id)

    @service.delete("/traders/{trader}/orders/{order_id}")
    async def cancel(
        trader: Name,
        order_id: Name,
        book: TheBook,
        request: Request,
        idempotency_key: Annotated[Name | None, Header()] = None,
    ) -> Order:
        request.state.request_id = request_id = idempotency_key or new_id()  # an answer that says unknown has it
        return (await book.orders.cancel(trader, order_id, request_id=request_id)).order

    @service.get("/traders/{trader}/positions")
    async def positions_of(trader: Name, book: TheBook) -> list[Position]:
        return await book.positions.all(trader)

    @service.get("/traders/{trader}/events")
    async def events(
        trader: Name,
        book: TheBook,
        since: Annotated[Count | None, Query()] = None,
        last_event_id: Annotated[Count | None, Header()] = None,
    ) -> StreamingResponse:
        known = since if last_event_id is None else last_event_id
        return StreamingResponse(events_of(book, trader, known), media_type="text/event-stream")

    @service.get("/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @service.get("/ready")
    async def ready(book: TheBook) -> JSONResponse:
        ping = await book.ping(timeout=2)
        nodes = [{"node": one.node, "error": one.error} for one in ping.nodes]
        return JSONResponse({"ready": ping.ok, "nodes": nodes}, 200 if ping.ok else 503)

    return service


service = create()
