"""The server of `runebook-tui serve`: the cockpit's page and websocket, on loopback, behind the door."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import jinja2
import textual_serve
from aiohttp import web

from runebook_tui.web.door import Door, Knock
from runebook_tui.web.peer import stranger
from runebook_tui.web.tab import Tab, cells

HOST = "127.0.0.1"
USUAL_PORT = 8777
MOST_TABS = 16
"""Each is a process with the whole screen in it."""

_PARTS = Path(textual_serve.__file__).parent
_SECRET_BYTES = 32
_HEARTBEAT_SECONDS = 15.0
_END_SECONDS = 6.0
_MOST_MESSAGE = 1 << 20
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' "
    "'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_KEYS = """<script>
  new MutationObserver((_, observer) => {
    const keys = document.querySelector("body.-first-byte .xterm-helper-textarea");
    if (keys) { observer.disconnect(); keys.focus(); }
  }).observe(document.body, { attributes: true, childList: true, subtree: true });
</script>"""
"""The terminal of the page hears keys only after a click; so it gets them once it is connected."""


class WebError(Exception):
    """The cockpit cannot be served; one line for people."""


def listening(port: int | None) -> socket.socket:
    """A socket that listens on loopback at `port`, 0 for any that is free; without one the usual, else any.

    Raises WebError when it is taken.
    """
    for each in (USUAL_PORT, 0) if port is None else (port,):
        try:
            return socket.create_server((HOST, each))
        except OSError as error:
            if port is not None:
                raise WebError(
                    f"port {port} cannot be listened on: {os.strerror(error.errno or 0)}"
                ) from error
    raise WebError("no port is free on this machine")


class CockpitServer:
    """Serves sessions of `command` (for `sh`) under `title`, on a listening socket.

    `url` is the address with the token: whoever opens it is the operator. A browser gets a cookie for it,
    without which nothing else is answered.
    """

    def __init__(self, command: str, title: str, listener: socket.socket) -> None:
        self._command = command
        self._title = title
        self._listener = listener
        self.port: int = listener.getsockname()[1]
        self._door = Door(
            token=secrets.token_urlsafe(_SECRET_BYTES), cookie=secrets.token_urlsafe(_SECRET_BYTES)
        )
        self._cookie_name = f"runebook_{self.port}"
        self._sockets: set[web.WebSocketResponse] = set()
        templates = jinja2.FileSystemLoader(_PARTS / "templates")
        self._page = jinja2.Environment(loader=templates, autoescape=True).get_template("app_index.html")

    @property
    def url(self) -> str:
        """The address with the token."""
        return f"http://{HOST}:{self.port}/?{urlencode({'token': self._door.token})}"

    async def serve(self, ready: Callable[[], None]) -> None:
        """Serve until SIGINT, SIGTERM or SIGHUP; `ready` is called once it answers."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, ended.set)
        app = web.Application(middlewares=[self._at_the_door])
        app.on_response_prepare.append(_put_headers)
        app.on_shutdown.append(self._close_tabs)
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/ws", self._websocket),
                web.static("/static", _PARTS / "static"),
                web.get("/favicon.ico", _no_icon),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_END_SECONDS)
        await runner.setup()
        try:
            await web.SockSite(runner, self._listener).start()
            ready()
            await ended.wait()
        finally:
            await runner.cleanup()

    @web.middleware
    async def _at_the_door(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Every request is judged, whatever it asks for."""
        who = await asyncio.to_thread(_stranger, request)
        if who:
            return web.Response(status=403, text=f"{who} may not open this cockpit\n")
        knock = Knock(
            host=request.headers.get("Host", ""),
            token=request.query.get("token", ""),
            cookie=request.cookies.get(self._cookie_name, ""),
            origin=request.headers.get("Origin", ""),
            live=request.path == "/ws",
        )
        if refusal := self._door.refusal(knock):
            return web.Response(status=refusal.status, text=refusal.words + "\n")
        if self._door.welcomes(knock):
            return self._welcome()
        return await handler(request)

    def _welcome(self) -> web.Response:
        """Give the cookie, and go on to the page without the token in its address.

        By the page itself: a browser keeps a strict cookie back from a redirection that began elsewhere.
        """
        title = escape(self._title)
        response = web.Response(
            text=f"<!doctype html><title>{title}</title><a href='/'>{title}</a>\n",
            content_type="text/html",
            headers={"Refresh": "0; url=/"},
        )
        response.set_cookie(self._cookie_name, self._door.cookie, path="/", httponly=True, samesite="Strict")
        return response

    async def _index(self, request: web.Request) -> web.Response:
        """The page: textual-serve's terminal, told where its websocket is."""
        page = self._page.render(
            config={"static": {"url": "/static/"}},
            app_websocket_url=f"ws://{request.host}/ws",
            font_size=min(max(cells(request.query.get("fontsize"), 16), 8), 64),
            application={"name": self._title},
        )
        return web.Response(text=page.replace("</body>", f"{_KEYS}</body>"), content_type="text/html")

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        """One tab's session."""
        if len(self._sockets) >= MOST_TABS:
            return web.Response(status=503, text=f"{MOST_TABS} tabs are open already\n")
        live = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_MOST_MESSAGE)
        self._sockets.add(live)
        try:
            await live.prepare(request)
            tab = Tab(self._command, live)
            await tab.show(cells(request.query.get("width"), 80), cells(request.query.get("height"), 24))
        finally:
            self._sockets.discard(live)
        return live

    async def _close_tabs(self, _: web.Application) -> None:
        await asyncio.gather(*(live.close() for live in self._sockets))


def _stranger(request: web.Request) -> str:
    """Why the process that asks may not (see peer.stranger)."""
    transport = request.transport
    if transport is None:
        return "a connection that has gone already"
    return stranger(transport.get_extra_info("peername")[:2], transport.get_extra_info("sockname")[:2])


async def _no_icon(_: web.Request) -> web.Response:
    return web.Response(status=204)


async def _put_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
