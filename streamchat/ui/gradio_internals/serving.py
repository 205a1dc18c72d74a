"""Serving: Gradio's server on sockets that are already open, and its tunnel to a public address."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import wraps
from inspect import unwrap
from io import StringIO
from typing import Any

import gradio as gr
from gradio import http_server, networking
from gradio.routes import App

from streamchat.system.listener import LOOPBACK, Listener, StartFailed


def install() -> None:
    # the name that Gradio binds to port 0, where an IPv6 address would fail; the real port is open
    # by then
    http_server.LOCALHOST_NAME = LOOPBACK
    http_server.Server = OneServer  # type: ignore[misc]
    http_server.start_server = start_server  # type: ignore[assignment]


original_server: type[http_server.Server] = getattr(
    http_server.Server, "replaces", http_server.Server
)


class OneServer(original_server):  # type: ignore[misc, valid-type]
    """Waits for the app to start, however long it takes.

    Gradio's server gives up after 5 s and leaves its thread behind; a second server of the same app
    then starts on the next port, in a second event loop.
    """

    replaces = original_server

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._decided = threading.Event()
        self._error: Exception | None = None

    def run_in_thread(self) -> None:
        listener = listener_of(self.running_app)
        if listener is None:
            super().run_in_thread()
            return
        self.config.http = listener.http
        self.thread = threading.Thread(target=self._run, args=(listener.sockets,), daemon=True)
        self.thread.start()
        # a signal that comes just before a wait does not end it, and is handled after it
        while not self._decided.wait(1):
            pass
        if not self.started:
            raise StartFailed from self._error
        if self.reloader:
            self.watch_thread = threading.Thread(target=self._watch, daemon=True)
            self.watch_thread.start()

    def _watch(self) -> None:
        # on a Space without the package that reloads there
        with suppress(RuntimeError):
            self.watch()

    def _run(self, sockets: Sequence[socket.socket]) -> None:
        try:
            # uvicorn exits when the lifespan has failed
            with suppress(SystemExit):
                self.run(sockets=list(sockets))
        except Exception as error:  # noqa: BLE001 (the thread that waits raises it)
            self._error = error
        finally:
            self._decided.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        with silence("uvicorn.error"):
            await super().startup(sockets)
        self._decided.set()


@contextmanager
def silence(name: str) -> Iterator[None]:
    """Disables a logger whose traceback would repeat an error that has its own sentence."""
    logger = logging.getLogger(name)
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


def listen_on(blocks: gr.Blocks, listener: Listener) -> None:
    """Makes `launch` serve these blocks on the listener."""
    vars(blocks)["listener"] = listener


def listener_of(app: App) -> Listener | None:
    return vars(app.get_blocks()).get("listener")


original_start: Callable[..., tuple[str, int, str, http_server.Server]] = unwrap(
    http_server.start_server
)


@wraps(original_start)
def start_server(app: App, server_name: str | None = None, **named: Any) -> tuple[Any, ...]:
    """Serves an app on its listener's sockets, if it has one. Gradio would look for a port itself,
    only on 127.0.0.1."""
    listener = listener_of(app)
    if listener is None:
        return original_start(app, server_name, **named)
    *_, server = original_start(app, server_name, **named | {"server_port": 0})
    return server_name, listener.port, listener.url, server


def open_tunnel(blocks: gr.Blocks, listener: Listener) -> str:
    """Opens a public link to the blocks and returns its address. Raises an exception of any kind if
    it fails.

    `launch(share=True)` would also print a paragraph about it, and the output of the tunnel's own
    program.
    """
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        url = networking.setup_tunnel(listener.host, listener.port, blocks.share_token, None, None)
    url = url.replace("http://", "https://", 1)
    # pages at a link of its kind have another template
    vars(blocks).update(share=True, share_url=url)
    return url
