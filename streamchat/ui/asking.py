"""How a page asks: its tab, its visitor, and the options in its headers."""

import asyncio

import gradio as gr

from streamchat.chat import Asker, Chat
from streamchat.options import Choice
from streamchat.replies import Reply
from streamchat.texts import text
from streamchat.ui.attached import Fields, named, said
from streamchat.ui.calls import explained
from streamchat.ui.leaving import Leaving
from streamchat.ui.notes import refusal
from streamchat.ui.tab import Tab
from streamchat.ui.tabs import Tabs, is_id
from streamchat.ui.titling import Titling
from streamchat.ui.transcript import Shown
from streamchat.visitors import Identify, Shelf
from streamchat.web.readers import reader_of

# pages whose tabs are kept after they left, because their last event may arrive late
MAX_PAGES = 10_000


# the part of a day's money below which the page shows what is left
SCARCE = 0.2


class Asking:
    """The tabs of the pages, and how a page asks in its tab."""

    def __init__(
        self,
        chat: Chat,
        tabs: Tabs,
        identify: Identify,
        titling: Titling | None = None,
        *,
        max_pages: int = MAX_PAGES,
    ) -> None:
        self._chat = chat
        self._titling = titling
        self._identify = identify
        self._tabs = tabs
        self._tab_ids: Shelf[str, str] = Shelf(most=max_pages)
        self._leaving = Leaving(max_pages)

    def tab_id(self, request: gr.Request) -> str:
        """The id of the page's tab. Empty for a caller that is no page, which gets a new tab each
        time."""
        page = request.session_hash or ""
        return (self._tab_ids.get(page) or page) if is_id(page) else ""

    async def tab(self, request: gr.Request) -> Tab:
        return await self._tabs.get(
            self.tab_id(request), self._visitor(request), self._reader(request)
        )

    def save(self, request: gr.Request, tab: Tab) -> None:
        self._tabs.save(self.tab_id(request), tab, self._visitor(request))

    def _keep(self, request: gr.Request, tab: Tab, reply: Reply, *, size: int | None) -> None:
        """Saves the tab now, and a saved conversation again when its reply has ended, so that
        searches find the answer's words."""
        tab_id, asker = self.tab_id(request), self._asker(tab, request)
        self._tabs.save(tab_id, tab, asker.visitor, size=size)

        def ended() -> None:
            self._answered(tab_id, tab, reply, asker)
            self._tabs.save(tab_id, tab, asker.visitor, size=tab.size)

        if tab.reader:
            reply.on_end(ended)

    def _answered(self, tab_id: str, tab: Tab, reply: Reply, asker: Asker) -> None:
        if self._titling:
            self._titling.answered(tab_id, tab, reply, asker)

    def allowance(self, request: gr.Request) -> str:
        """The rest of the visitor's limits in words, once that begins to matter: less than
        `SCARCE` of their share of the day, or few messages. The share does not matter to a visitor
        with a key."""
        visitor = self._visitor(request)
        has_key = bool(request.headers.get("x-api-key"))
        if self._chat.is_paused and not has_key:
            return ""
        left, budget = None if has_key else self._chat.left(visitor), self._chat.budget
        plenty = left is None or budget is None or left >= SCARCE * budget.share(visitor)
        rates = self._chat.limits.left(visitor)
        return text("allowance", rates=rates, left=None if plenty else left)

    def _refusal(self, error: Exception) -> Shown:
        return refusal(explained(error), takes_keys=self._chat.takes_keys)

    async def _ask(  # noqa: PLR0913 (each says how it is asked)
        self,
        tab: Tab,
        messages: list[Shown],
        request: gr.Request,
        *,
        or_spare: bool = True,
        once: str = "",
        choice: Choice | None = None,
    ) -> Reply:
        """The reply, asked for with the page's options unless there is a `choice`."""
        asker = self._asker(tab, request, or_spare=or_spare)
        choice = choice or self._chat.menu.read(request.headers.getlist("x-options"))
        spoken = await self._chat.kept_files.loaded(said(messages), self._reader(request))
        reply = await self._chat.ask(spoken, asker, once=once, choice=choice)
        tab.choice = choice
        return reply

    def _asker(self, tab: Tab, request: gr.Request, *, or_spare: bool = True) -> Asker:
        key = request.headers.get("x-api-key", "")
        return Asker(self._visitor(request), tab.person, key, or_spare)

    async def _sent(self, request: gr.Request) -> list[Fields]:
        """The files that come with the message. Raises `UnknownFile` for one that the reader has
        not sent."""
        return await self._chat.kept_files.named(named(request), self._reader(request))

    def _left(self, request: gr.Request) -> asyncio.Event:
        """An event that is set when the page shows another conversation."""
        return self._leaving.left(request.session_hash or "", self._visitor(request))

    def _reader(self, request: gr.Request) -> str:
        """The hash of those who may read the visitor's saved conversations. Empty if the visitor
        cannot be recognised."""
        return self._tabs.reader(reader_of(request.request.scope)) if request.request else ""

    def _visitor(self, request: gr.Request) -> str:
        client, user = request.client, getattr(request, "username", None)
        return self._identify(client.host if client else None, request.headers, user)
