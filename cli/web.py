"""``slotbook web``: a blotter in the browser."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from typing import Annotated
from urllib.parse import urlencode

import typer

from ..models.errors import MissingExtra
from ..models.types import check_name
from .options import AsJson, Url, kept_settings
from .output import BadUsage, json_line

try:
    from ..web.guard import LOCAL_NAMES
    from ..web.serving import serve
except ModuleNotFoundError as error:
    raise MissingExtra("a blotter in the browser needs starlette and uvicorn: pip install 'slotbook[web]'") from error

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def web(
    trader: Annotated[
        list[str] | None,
        typer.Option(help="Show this trader; may be given again; all if not given.", show_default=False),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 for any that is free.")] = 8765,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which browsers reach it, beside its own.", show_default=False),
    ] = None,
    token: Annotated[
        bool, typer.Option("--token/--no-token", help="Let in only who has the link, which is new each time.")
    ] = True,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show a blotter in the browser: orders, positions with their profit, and events, live; Ctrl-C ends it.

    It only reads. It listens on this machine alone, and prints the link that lets in: who has it, sees the blotter.
    For another machine, forward the port (ssh -L 8765:127.0.0.1:8765 desk), or put a server before it that encrypts and
    asks who calls, and give its name by --allow-host.
    """
    traders = None if not trader else [check_name("trader", name) for name in trader]
    is_local = host in LOOPBACK
    if not is_local and not token:
        raise BadUsage(f"--no-token on {host} would show the book to everyone who reaches it; leave the token on")
    if host in ("0.0.0.0", "::") and not allow_host:  # noqa: S104 (it is asked for)
        raise BadUsage(f"--host {host} needs --allow-host with the name by which browsers reach it")
    settings = kept_settings(url)
    listener = _listener(host, port)
    named = f"[{host}]" if ":" in host else host
    hosts = {named, *(name.lower() for name in allow_host or ()), *(LOCAL_NAMES if is_local else ())}
    secret = secrets.token_urlsafe(32) if token else None
    link = f"http://{named}:{listener.getsockname()[1]}/" + (f"?{urlencode({'token': secret})}" if secret else "")

    def on_ready() -> None:
        text = json_line({"url": link}) if as_json else f"A blotter is at {link}\nCtrl-C ends it.\n"
        sys.stdout.write(text)
        sys.stdout.flush()

    asyncio.run(serve(settings, traders, listener, secret, hosts, on_ready))


def _listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises BadUsage for a place that cannot be listened on."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise BadUsage(
            f"cannot listen on {host}, port {port}: {os.strerror(error.errno or 0).lower()}; give another --port"
        ) from None
