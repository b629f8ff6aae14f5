"""Say what went wrong as a problem by RFC 9457, with the status that tells a client what to do."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from slotbook import errors

RETRY_AFTER = "1"
"""Seconds after which a client may try again."""
STATUS: tuple[tuple[type[errors.SlotbookError], int], ...] = (  # the first that fits
    (errors.OrderNotFound, 404),
    (errors.Refused, 409),  # the book said no, and nothing changed
    (errors.InvalidArgument, 422),
    (errors.HistoryTrimmed, 410),  # events that were asked for are no longer kept
    (errors.OutcomeUnknown, 503),  # send the same again: it is applied at most once
    (errors.Unavailable, 503),  # not applied
    (errors.PoolExhausted, 503),
    (errors.BookClosed, 503),
)


def problem(status: int, title: str, detail: str, **more: object) -> JSONResponse:
    """Return a problem as an answer."""
    body = {"title": title, "status": status, "detail": detail, **more}
    headers = {"Retry-After": RETRY_AFTER} if status == 503 else {}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def install(service: FastAPI) -> None:
    """Let a service answer every error of Slotbook, and every bad request, with a problem."""

    @service.exception_handler(errors.SlotbookError)
    async def of_slotbook(request: Request, error: errors.SlotbookError) -> JSONResponse:
        status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
        return problem(status, type(error).__name__, str(error), **_details(request, error))

    @service.exception_handler(RequestValidationError)
    @service.exception_handler(ValidationError)
    async def of_input(_: Request, error: RequestValidationError | ValidationError) -> JSONResponse:
        # Without the input itself: it may be what JSON cannot say, such as NaN.
        wrong = [{"loc": list(one["loc"]), "msg": one["msg"], "type": one["type"]} for one in error.errors()]
        return problem(422, "InvalidRequest", "see errors", errors=wrong)


def _details(request: Request, error: errors.SlotbookError) -> Mapping[str, object]:
    """Return what a client needs to go on: what a limit was, or the id under which it sends the same again."""
    match error:
        case errors.LimitExceeded():
            asked = None if error.asked is None else str(error.asked)
            return {"limit": error.limit, "symbol": error.symbol, "value": str(error.value), "asked": asked}
        case errors.TradingHalted():
            return {"trading": error.trading}
        case errors.OutcomeUnknown() | errors.Unavailable():
            return {"request_id": getattr(request.state, "request_id", None)}
        case _:
            return {}
