"""Puts the parts of the chat together, and serves them on a port."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

from fastapi import FastAPI
from gradio import ChatInterface
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from streamchat import examples
from streamchat.api import docs
from streamchat.api import routes as api
from streamchat.chat import Chat
from streamchat.errors import ChatError
from streamchat.events import Message
from streamchat.meter import fastest
from streamchat.money import Accounts, Budget, Prices
from streamchat.owner import routes as owner
from streamchat.settings import Settings
from streamchat.sources.demo import EXAMPLES as OF_DEMO
from streamchat.sources.demo import Demo
from streamchat.sources.late import Late, Made
from streamchat.store import Store
from streamchat.system.listener import Listener, StartFailed
from streamchat.system.outbound import reach_directly
from streamchat.ui import CSS, HEAD, MAX_EVENTS, OPENING, SCRIPT, THEME, GradioSessions, events, gradio_internals, page
from streamchat.visitors import Limits, Local, Proxies, Who, comes_from_here, visitor
from streamchat.web import preview
from streamchat.web.admission import Admission
from streamchat.web.allowlist import Allowlist
from streamchat.web.bodies import BoundedBodies
from streamchat.web.calls import Calls
from streamchat.web.concurrency import ConcurrencyLimit
from streamchat.web.connections import Connection, Connections, room_for_connections
from streamchat.web.crowd import TOTAL, Bounds, Crowd
from streamchat.web.headers import PagePolicy, SecurityHeaders
from streamchat.web.hosts import HostCheck, Hosts
from streamchat.web.login import LoginCheck, Logins, user_of
from streamchat.web.opening import Opening

logger = logging.getLogger("streamchat")

TITLE = "StreamChat"


@dataclass(frozen=True)
class StreamChat:
    """One chat, put together. It can be launched once; several can run side by side in a process."""

    settings: Settings
    store: Store
    chat: Chat
    who: Who
    page: ChatInterface
    proxies: Proxies
    hosts: Hosts
    logins: Logins | None = None
    framed_by: Sequence[str] = ()

    def launch(self, listener: Listener | None = None) -> "Running":
        """Serves the chat from a thread of its own, without a listener on a free port of 127.0.0.1.

        Returns when the chat answers; raises StartFailed if it never will.
        """
        running = Running(self, listener or Listener.open())
        running.launch()
        return running

    def routes(self) -> list[BaseRoute]:
        """All that is answered beside the page."""
        found = api.routes(self.chat, self.who).routes
        found = [
            *found,
            *docs.routes(TITLE, found).routes,
            *preview.routes().routes,
            *(self.logins.routes() if self.logins else ()),
        ]
        password = self.settings.owner_password.get_secret_value()
        return [*found, *(owner.routes(self.chat, self.who, password).routes if password else ())]

    def middleware(self, routes: list[BaseRoute]) -> list[Middleware]:
        """From the outermost to the innermost."""
        # an answer takes two events: one that shows it, and one that shows what stands below it
        bounds = Bounds(events=min(max(12, 4 * self.settings.visitor_replies), 60))
        return [
            Middleware(HostCheck, self.hosts, self.proxies),
            Middleware(Allowlist, routes, reloads=self.page.dev_mode),
            *([Middleware(LoginCheck, self.logins, open=[owner.PATH, preview.PATH])] if self.logins else ()),
            Middleware(BoundedBodies, self.who),
            Middleware(Calls, lambda scope: events(scope["app"].get_blocks())),
            Middleware(Admission, self.who, lambda scope: GradioSessions(scope["app"]), Crowd(bounds=bounds)),
            Middleware(ConcurrencyLimit, self.who),
        ]


def create(
    settings: Settings,
    *,
    proxies: Proxies | None = None,
    hosts: Hosts | None = None,
    framed_by: Sequence[str] = (),
    private: bool = False,
) -> StreamChat:
    """Puts a chat together; to the `hosts` it adds those of the settings. Sites that may frame it are `framed_by`.

    `private` is a chat that only its owner's machine can reach, unless a proxy passes requests on.
    """
    proxies = proxies or Proxies.of("", on_spaces=False)
    hosts = hosts or Hosts()

    who = Visitors(proxies, private=private)
    for name in settings.host_names:
        hosts.add(name)
    store = Store(settings.data_folder)
    chat = chat_of(settings, store)
    chat_page = page(chat, store, who, title=TITLE, examples=examples_of(settings))
    logins = Logins(*settings.login, who, framed_by=framed_by) if settings.login else None
    return StreamChat(settings, store, chat, who, chat_page, proxies, hosts, logins, framed_by)


class Visitors:
    """Names who asks. On a private chat, who asks from the machine itself is `Local`."""

    def __init__(self, proxies: Proxies, *, private: bool) -> None:
        self._proxies = proxies
        self._private = private
        self._told = False

    def __call__(self, peer: str | None, headers: Mapping[str, str], user: str | None) -> str:
        name = visitor(peer, headers, proxies=self._proxies, user=user)
        if not self._private:
            return name
        if comes_from_here(peer, headers):
            return Local(name)
        self._tell()
        return name

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            logger.warning(
                "A proxy on this machine passes on requests: the limits per visitor hold for all who come through it."
            )


def examples_of(settings: Settings) -> Sequence[str]:
    """The owner's examples; where none are set, those of the source."""
    if settings.examples:
        return examples.split(settings.examples)
    return examples.FOR_CLAUDE if settings.has_key else OF_DEMO


def chat_of(settings: Settings, store: Store) -> Chat:
    paid = settings.has_key
    prices = Prices(settings.model)
    claude = Late(f"Claude ({settings.model})", settings.model, lambda: claude_of(settings))
    local = settings.for_owner()
    budget = Budget(
        store,
        daily=settings.daily_budget_usd,
        visitor=settings.visitor_budget_usd,
        local=local.visitor_budget_usd,
    )
    if paid:
        warn_of_too_little(settings, prices)
    demo = Demo(takes_keys=settings.takes_own_keys)
    return Chat(
        claude if paid else demo,
        store,
        linger=settings.linger_seconds,
        keep=settings.keep_seconds,
        limits=Limits(
            rate=settings.rate_limit,
            visitor_replies=settings.visitor_replies,
            max_replies=settings.max_replies,
            local_rate=local.rate_limit,
            local_replies=local.visitor_replies,
        ),
        accounts=Accounts(
            budget if paid else None,
            prices,
            settings.system_prompt,
            settings.max_tokens,
            speed=fastest(settings.model),
        ),
        spare=demo if settings.demo_when_spent == "on" else None,
        own=claude if settings.takes_own_keys else None,
        shared=examples_of(settings),
    )


def claude_of(settings: Settings) -> Made:
    # the SDK takes a second to import, and the page need not wait for it
    from streamchat.sources.claude import Claude  # noqa: PLC0415

    return Claude(settings)


def warn_of_too_little(settings: Settings, prices: Prices) -> None:
    """Warns if a budget is too small for the shortest question; a budget of 0 may be meant."""
    money = {"DAILY": settings.daily_budget_usd, "VISITOR": settings.visitor_budget_usd}
    least = min(money, key=money.__getitem__)
    worst = prices.worst((Message("user", "?"),), settings.system_prompt, settings.max_tokens)
    if 0 < money[least] < worst:
        logger.warning(
            "The budget is too small for one answer: it may cost $%.2f, and STREAMCHAT_%s_BUDGET_USD is %g. "
            "Raise it above that, or lower STREAMCHAT_MAX_TOKENS, which is %d.",
            worst,
            least,
            money[least],
            settings.max_tokens,
        )


class Running:
    """A chat that is being served. As a context manager, it closes at the end."""

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
        bounds = Connections(app.proxies, total=room_for_connections())
        speaking = partial(Connection, bounds=bounds)
        reach_directly([host])
        gradio_internals.listen_on(app.page, replace(self._listener, http=speaking))
        app.page.launch(
            server_name=f"[{host}]" if ":" in host else host,
            share=False,
            auth_dependency=(lambda request: user_of(request.scope)) if app.logins else None,
            app_kwargs={
                "title": TITLE,
                "openapi_url": None,
                "routes": routes,
                "middleware": app.middleware(routes),
                "lifespan": self._lifespan,
            },
            ssr_mode=False,
            max_threads=MAX_EVENTS,
            max_file_size=0,  # nobody here has a file to send
            # the whole disk: Gradio may not copy or serve any file of it
            blocked_paths=[Path(__file__).anchor],
            run_history=False,
            mcp_server=False,
            num_workers=0,
            # never reached: the crowd decides which session goes
            state_session_capacity=10 * TOTAL,
            prevent_thread_lock=True,
            show_error=False,
            footer_links=[],
            quiet=True,
            theme=THEME,
            css=CSS,
            head=HEAD,
        )
        if app.logins:
            app.logins.is_starting = False

    def share(self) -> None:
        """Opens a public link, `share_url`; raises an exception of any kind if there is none to be had."""
        self.share_url = gradio_internals.open_tunnel(self._app.page, self._listener)
        self._app.hosts.add(self.share_url)

    def when_source_known(self, tell: Callable[[ChatError | None], None]) -> None:
        """Calls `tell` once it is known whether the source answers, with the error if it does not."""
        if self._loop:
            known = asyncio.run_coroutine_threadsafe(self._app.chat.source_error(), self._loop)
            known.add_done_callback(lambda done: tell(done.result()))

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncGenerator[None]:
        self._loop = asyncio.get_running_loop()
        secure_every_response(app, self._app.framed_by)
        try:
            await self._app.chat.open()
        except Exception as error:
            self._failure = error
            raise
        yield

    def farewell(self, timeout: float = 1.5) -> None:
        """Ends the replies, and shows it to those who read them."""
        if self._loop:
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._farewell(), self._loop).result(timeout)

    async def _farewell(self) -> None:
        await self._app.chat.close()
        await asyncio.sleep(0.3)  # for the pages' last frames to leave

    def close(self) -> None:
        self.farewell()
        self._app.page.close(verbose=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def put_own_middleware_first(app: FastAPI) -> None:
    """Gradio's own, which allows other sites to read answers, would come first."""
    app.user_middleware.sort(key=lambda each: not _is_own(each))


def secure_every_response(app: FastAPI, framed_by: Sequence[str]) -> None:
    """The page's policy is made before Gradio compresses the page; the other headers also go on what fails."""
    put_own_middleware_first(app)
    app.user_middleware.append(Middleware(PagePolicy, [SCRIPT], framed_by))
    app.user_middleware.append(Middleware(Opening, preview.preview(TITLE), OPENING))
    app.middleware_stack = SecurityHeaders(app.build_middleware_stack())


def _is_own(middleware: Middleware) -> bool:
    return getattr(middleware.cls, "__module__", "").startswith("streamchat.")
