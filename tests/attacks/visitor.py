"""A visitor's page as Gradio makes it, without a browser and without Gradio's server."""

import inspect
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr
from fastapi import Request

from streamchat.chat.asking import Chat
from streamchat.chat.parties import Sources
from streamchat.events import Done, Text
from streamchat.store.database import Store
from streamchat.ui.handlers import Page
from streamchat.ui.tabs import Tabs
from streamchat.ui.transcript import Shown
from streamchat.visitors import Flow
from tests.served import Source


class Room:
    """A chat whose source a test speaks by hand. Visitors differ by their addresses."""

    def __init__(
        self,
        store: Store | None = None,
        *,
        max_pages: int = 10_000,
        claims: str = "off",
        found: Flow | None = None,
        **tabs: int,
    ) -> None:
        self.source = Source()
        self.store = store or Store("")
        self.chat = Chat(Sources(self.source), self.store, linger=60, keep=60)
        self.tabs = Tabs(self.chat, self.store, **tabs)
        self.page = Page(
            self.chat,
            self.tabs,
            lambda peer, *_: peer or "",
            max_pages=max_pages,
            claims=claims,
            found=found,
        )

    async def close(self) -> None:
        await self.chat.close()


class Visitor:
    """A page that keeps what it shows, and sends it with each message."""

    def __init__(self, room: Room, address: str = "192.0.2.1", session: str = "first") -> None:
        self.room = room
        self.source = room.source
        self.page = room.page
        self.address = address
        self.request = self.opens(session)
        self.shown: list[Shown] = []
        self.loads = 0

    def opens(self, session: str | None) -> gr.Request:
        """A request from another page of the same visitor."""
        request = Request({"type": "http", "headers": [], "client": (self.address, 1)})
        return gr.Request(request, session_hash=session)

    async def answers(self, message: str, history: Any) -> list[Shown]:
        """The last frame of the answer to a message sent with that history."""
        last: list[Shown] = (await frames(self.page.answer(message, history, self.request)))[-1]
        return last

    async def ask(self, message: str, answer: str = "Fine.") -> None:
        self.source.say(Text(answer), Done("end_turn"))
        asked = {"role": "user", "content": [{"type": "text", "text": inspect.cleandoc(message)}]}
        self.shown = [*self.shown, asked, *await self.answers(message, self.shown)]

    async def retry(self) -> None:
        question = self._take_back()
        await self.ask(question, "Again.")

    async def edit(self, place: int, message: str) -> None:
        self.shown = self.shown[:place]
        await self.ask(message, "Edited.")

    async def undo(self) -> str:
        place = max(
            number for number, message in enumerate(self.shown) if message["role"] == "user"
        )
        before = self.shown
        question = self._take_back()
        undone = gr.UndoData(None, {"index": place, "value": question})
        await self.page.undo(before, self.request, undone)
        return question

    async def starts_anew(self) -> None:
        self.shown = []
        await self.reload("")

    async def reload(self, tab: str | None = None) -> str:
        """Opens a page for that tab, by default the present one; returns its id."""
        self.loads += 1
        before = self.page.tab_id(self.request) if tab is None else tab
        self.request = self.opens(f"{self.loads}-{self.address.replace('.', '-')}")
        claimed = (await self.page.claim(before, "", self.request))[0]
        found = await frames(self.page.resume(self.request))
        self.shown = found[-1][0] if isinstance(found[-1][0], list) else []
        return claimed

    def _take_back(self) -> str:
        """As `ChatInterface._pop_last_user_message` does."""
        left = list(self.shown)
        while left and left[-1]["role"] == "assistant":
            left.pop()
        question = ""
        while left and left[-1]["role"] == "user":
            question = left.pop()["content"][0]["text"] + question
        self.shown = left
        return question

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The conversation of the source's last request."""
        return [(message.role, message.text) for message in self.source.asked[-1]]

    async def kept(self) -> str:
        """Everything that the tab keeps, in memory and on the disk."""
        await self.room.store.flush()
        tab = self.page.tab_id(self.request)
        return repr((await self.page.tab(self.request)).messages()) + repr(
            await self.room.store.tab(tab)
        )


async def frames(events: AsyncGenerator[Any]) -> list[Any]:
    async with aclosing(events):
        return [event async for event in events]
