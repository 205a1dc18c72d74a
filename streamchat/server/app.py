"""One chat, put together, and how it is served on a port from a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Self

from fastapi import FastAPI
from gradio import ChatInterface
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from streamchat import feedback, uploads
from streamchat.api import docs, options
from streamchat.api import routes as api
from streamchat.chat import Adjustments, Chat, Votes
from streamchat.errors import ChatError
from streamchat.look import Look
from streamchat.owner import routes as owner
from streamchat.saved import Rates, Saved, sharing, summary, versions
from streamchat.saved import routes as saved
from streamchat.server.headers import secure_every_response
from streamchat.settings import Settings
from streamchat.store import Store
from streamchat.system.listener import Listener, StartFailed
from streamchat.system.outbound import reach_directly
from streamchat.ui import (
    CSS,
    MAX_EVENTS,
    THEME,
    GradioSessions,
    Tabs,
    events,
    gradio_internals,
    head,
)
from streamchat.visitors import Identify, Proxies
from streamchat.web import bounds, icons, preview
from streamchat.web.admission import Admission
from streamchat.web.allowlist import Allowlist
from streamchat.web.bodies import BoundedBodies
from streamchat.web.calls import Calls
from streamchat.web.concurrency import ConcurrencyLimit
from streamchat.web.connections import Connection, Connections, room_for_connections
from streamchat.web.crowd import TOTAL, Crowd
from streamchat.web.hosts import HostCheck, Hosts
from streamchat.web.login import LoginCheck, Logins, user_of
from streamchat.web.readers import Readers
from streamchat.web.refusal_page import RefusalPages
from streamchat.web.sessions import Bounds
from streamchat.web.shell import Shell


@dataclass(frozen=True)
class StreamChat:
    """One chat, put together. It can be launched once. A process can have several."""

    settings: Settings
    store: Store
    chat: Chat
    adjustments: Adjustments
    votes: Votes
    identify: Identify
    tabs: Tabs
    page: ChatInterface
    proxies: Proxies
    hosts: Hosts
    logins: Logins | None = None
    framed_by: Sequence[str] = ()
    rates: Rates = field(default_factory=Rates)

    def launch(self, listener: Listener | None = None) -> "Running":
        """Serves the chat from its own thread; without a listener, on a free port of 127.0.0.1.

        Returns when the chat answers. Raises `StartFailed` if it never will.
        """
        running = Running(self, listener or Listener.open())
        running.launch()
        return running

    def look(self) -> Look:
        """How the chat presents itself now, with the owner's changes."""
        return self.adjustments.now.look

    def routes(self) -> list[BaseRoute]:
        """All routes beside Gradio's."""
        found = [
            *api.routes(self.chat, self.identify).routes,
            *options.routes(self.chat, self.identify).routes,
        ]
        settings = self.settings
        shelf = Saved(self.tabs, self.store, shares=settings.sharing != "off")
        gate = saved.Gate(self.tabs, self.identify, self.rates)
        found = [
            *found,
            *docs.routes(settings.title, found, Shell(self.look)).routes,
            *icons.routes(self.look).routes,
            *preview.routes(self.look).routes,
            *saved.routes(shelf, self.chat.kept_files, gate).routes,
            *uploads.routes(self.chat.kept_files, self.tabs, self.identify).routes,
            *summary.routes(self.chat, shelf, gate).routes,
            *sharing.routes(shelf, gate, Shell(self.look), settings.sharing).routes,
            *versions.routes(self.tabs, gate).routes,
            *(self.logins.routes() if self.logins else ()),
        ]
        if settings.feedback != "off" and self.votes.are_kept:
            found += feedback.routes(self.votes, self.tabs, self.identify).routes
        if password := settings.owner_password.get_secret_value():
            login = owner.OwnerLogin(password, self.identify)
            found += owner.routes(
                self.chat, self.adjustments, self.votes, login, Shell(self.look), links=shelf.links
            ).routes
        return found

    def middleware(self, routes: list[BaseRoute]) -> list[Middleware]:
        """The middleware, from the outermost to the innermost."""
        # an answer takes two events: one that shows it, and one that shows what stands below it
        held = Bounds(events=min(max(12, 4 * self.settings.visitor_replies), 60))
        bodies = bounds.with_files(self.settings.file_bounds)
        shared = sharing.open_paths(self.settings.sharing)
        open_paths = [owner.PATH, preview.PATH, *icons.PATHS, *shared]
        return [
            Middleware(RefusalPages, Shell(self.look)),
            Middleware(HostCheck, self.hosts, self.proxies),
            Middleware(Allowlist, routes, reloads=self.page.dev_mode),
            *([Middleware(LoginCheck, self.logins, open=open_paths)] if self.logins else ()),
            Middleware(Readers, framed=bool(self.framed_by)),
            Middleware(BoundedBodies, self.identify, bounds=bodies),
            Middleware(Calls, lambda scope: events(scope["app"].get_blocks())),
            Middleware(
                Admission,
                self.identify,
                lambda scope: GradioSessions(scope["app"]),
                Crowd(bounds=held),
            ),
            Middleware(ConcurrencyLimit, self.identify),
        ]


class Running:
    """A chat that is being served. Used in a `with` statement, it closes at the end."""

    def __init__(self, app: StreamChat, listener: Listener) -> None:
        self._app = app
        self._listener = listener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: Exception | None = None
        self.url = listener.url
        self.share_url: str | None = None

    def launch(self) -> None:
        try:
            self._launch()
        except StartFailed as error:
            raise StartFailed from self._failure or error.__cause__

    @property
    def is_alive(self) -> bool:
        return self._app.page.server.thread.is_alive()

    def _launch(self) -> None:
        app, host = self._app, self._listener.host
        routes = app.routes()
        app.hosts.add_machine(host)
        threading.Thread(target=app.hosts.add_own_machine, daemon=True).start()
        room = Connections(app.proxies, total=room_for_connections())
        speaking = partial(Connection, bounds=room)
        reach_directly([host])
        gradio_internals.listen_on(app.page, replace(self._listener, http=speaking))
        app.page.launch(
            server_name=f"[{host}]" if ":" in host else host,
            share=False,
            auth_dependency=(lambda request: user_of(request.scope)) if app.logins else None,
            app_kwargs={
                "title": app.settings.title,
                "openapi_url": None,
                "routes": routes,
                "middleware": app.middleware(routes),
                "lifespan": self._lifespan,
            },
            ssr_mode=False,
            max_threads=MAX_EVENTS,
            # files are uploaded to /files, not to Gradio
            max_file_size=0,
            # Gradio may not copy or serve any file of the disk
            blocked_paths=[Path(__file__).anchor],
            run_history=False,
            mcp_server=False,
            num_workers=0,
            # never reached: `Crowd` evicts sessions first
            state_session_capacity=10 * TOTAL,
            prevent_thread_lock=True,
            show_error=False,
            footer_links=[],
            quiet=True,
            theme=THEME,
            css=CSS,
            head=head(app.chat, app.look(), **sharing.facts(app.settings)),
        )
        if app.logins:
            app.logins.is_starting = False

    def share(self) -> None:
        """Opens a public link, `share_url`. Raises an exception of any kind if it fails."""
        self.share_url = gradio_internals.open_tunnel(self._app.page, self._listener)
        self._app.hosts.add(self.share_url)

    def when_source_known(self, tell: Callable[[ChatError | None], None]) -> None:
        """Calls `tell` once the source has opened, with its error or None."""
        if self._loop:
            known = asyncio.run_coroutine_threadsafe(self._app.chat.source_error(), self._loop)
            known.add_done_callback(lambda done: tell(done.result()))

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncGenerator[None]:
        self._loop = asyncio.get_running_loop()
        secure_every_response(app, self._app.framed_by, self._app.look)
        try:
            await self._app.chat.open()
            await self._app.adjustments.open()
        except Exception as error:
            self._failure = error
            raise
        yield

    def farewell(self, timeout: float = 1.5) -> None:
        """Ends all replies, and waits at most `timeout` seconds until their readers have seen
        it."""
        if self._loop:
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._farewell(), self._loop).result(timeout)

    async def _farewell(self) -> None:
        await self._app.chat.close()
        # until the last frames have been sent
        await asyncio.sleep(0.3)

    def close(self) -> None:
        self.farewell()
        self._app.page.close(verbose=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
