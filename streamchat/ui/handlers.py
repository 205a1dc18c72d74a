"""The functions behind the page's events: ask, stop, resume."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr

from streamchat.chat import Chat
from streamchat.errors import ChangedMeanwhile, TooOften
from streamchat.events import well_formed
from streamchat.replies import Reply
from streamchat.texts import failure, text
from streamchat.ui.asking import MAX_PAGES
from streamchat.ui.calls import once, version
from streamchat.ui.content import plain
from streamchat.ui.continuing import together
from streamchat.ui.endpoint import Endpoint
from streamchat.ui.frames import frames
from streamchat.ui.leaving import until
from streamchat.ui.markdown import written
from streamchat.ui.room import check_room
from streamchat.ui.tab import Tab
from streamchat.ui.tabs import Tabs, is_id
from streamchat.ui.titling import Titling
from streamchat.ui.transcript import (
    Shown,
    continued,
    turns,
    turns_left,
)
from streamchat.ui.watching import Update, Watching
from streamchat.visitors import Flow, Identify, Limits

# of one visitor; generous, because a school that opens its pages at once may be one address
CLAIMS = "600/minute"
# bytes of chats that the pages of one visitor find again at once
FOUND = 16_000_000
# and then in each second, as a long one takes the processor a second
FOUND_AGAIN = 1_000_000

GO_ON = text("go_on")

BUSY: dict[str, Any] = {"interactive": False, "submit_btn": False, "stop_btn": True}
IDLE: dict[str, Any] = {"interactive": True, "submit_btn": True, "stop_btn": False}


class Page(Watching, Endpoint):
    """The functions that the page's events call."""

    def __init__(  # noqa: PLR0913 (each bound is its own)
        self,
        chat: Chat,
        tabs: Tabs,
        identify: Identify,
        titling: Titling | None = None,
        *,
        max_pages: int = MAX_PAGES,
        claims: str = CLAIMS,
        found: Flow | None = None,
    ) -> None:
        super().__init__(chat, tabs, identify, titling, max_pages=max_pages)
        self._claims = Limits(rate=claims, visitor_replies=sys.maxsize, max_replies=sys.maxsize)
        self._found = found or Flow(FOUND, FOUND_AGAIN)

    async def answer(
        self, message: str, history: list[Shown], request: gr.Request
    ) -> AsyncGenerator[list[Shown]]:
        """Yields the accumulated answer, frame by frame. No exception leaves it: one would lock the
        page for good.

        Only the number of turns is taken from the page's history; the words come from the tab.
        """
        tab = await self.tab(request)
        try:
            message = plain(written([well_formed(message or "")]))
            check_room(message, history or ())
            reply = await self._begun(tab, turns(history or ()), message, request)
        except Exception as error:  # noqa: BLE001 (see above)
            tab.refuse()
            yield [self._refusal(error)]
            return
        try:
            replaced, left = tab.read(), self._left(request)
            async with aclosing(until(left, frames(tab, self._chat.pace))) as news:
                async for frame in news:
                    if replaced.is_set() or tab.reply is not reply:
                        return
                    yield frame
            if not left.is_set():
                yield tab.answer()
        except Exception as error:  # noqa: BLE001 (see above)
            tab.end()
            yield [*tab.answer(), self._refusal(error)]

    async def _begun(self, tab: Tab, turn: int, message: str, request: gr.Request) -> Reply:
        """The tab's new reply to the message. After a refusal the tab stays as it is. A message
        sent again, with its reply's key, gets that reply."""
        key = once(request)
        if tab.reply and tab.answers(key):
            tab.repeat(turn)
            return tab.reply
        path, taken_back = tab.path(version(request)), tab.taken_back
        asked = tab.asking(turn, message, path, await self._sent(request))
        size = self._tabs.checked_size(asked)
        await tab.ended()
        reply = await self._ask(tab, asked, request, once=key)
        if reply is not tab.reply:
            _check(reply, tab.taken_back == taken_back)
            tab.begin(asked, reply, key, path)
            self._keep(request, tab, reply, size=size)
        return reply

    async def claim(self, tab_id: str, draft: str, request: gr.Request) -> tuple[str, Update, str]:
        """Finds the tab again after a reload, and the typed message that was never sent.

        A page that claims too often keeps its id for the next time. The request's headers have the
        message's key, and whether another page shows the tab.
        """
        page, visitor = request.session_hash or "", self._visitor(request)
        if not is_id(page):
            return "", gr.skip(), self.allowance(request)
        try:
            self._claims.admit(visitor).leave()
        except TooOften as refusal:
            return tab_id, gr.skip(), failure(text("pages_too_often"), refusal.retry_after)
        duplicate = request.headers.get("x-tab-open") == "elsewhere"
        had = self._tab_ids.get(page) is not None and await self.tab(request)
        claimed = await self._tabs.claim(
            tab_id, page, visitor, duplicate=duplicate, reader=self._reader(request)
        )
        self._tab_ids.put(page, claimed, visitor)
        if had:
            self._leaving.leave(page, had, await self.tab(request))
        draft = well_formed(draft)
        received = not draft.strip() or (await self.tab(request)).has_received(
            once(request) or draft
        )
        typed = gr.skip() if received else gr.update(value=draft)
        return claimed, typed, self.allowance(request)

    async def resume(
        self, request: gr.Request
    ) -> AsyncGenerator[tuple[Update, Update, Update, Update]]:
        """Shows what the tab showed before the reload, and follows its running reply. A visitor who
        loads long chats again and again has to wait."""
        tab = await self.tab(request)
        if tab.restored:
            await asyncio.sleep(self._found.take(self._visitor(request), tab.size))
        if tab.restored and tab.running:
            async with aclosing(self._followed(tab, request)) as news:
                async for frame in news:
                    yield frame
        elif tab.restored:
            yield tab.shown(), gr.skip(), gr.update(visible=tab.unfinished), gr.skip()
        else:
            # Gradio empties components that get no value
            yield gr.skip(), gr.skip(), GO_ON, self.allowance(request)

    async def found(self, messages: list[Shown], request: gr.Request) -> tuple[Update, Update]:
        """Gives ChatInterface the restored messages, but not a question that is being asked
        already."""
        return (
            (messages, messages) if (await self.tab(request)).restored else (gr.skip(), gr.skip())
        )

    async def go_on(
        self, request: gr.Request
    ) -> AsyncGenerator[tuple[Update, Update, Update, Update]]:
        """Asks for the rest of an answer that broke off or ran out of room."""
        tab = await self._seen(request)
        messages, before, last = tab.shown(), tab.before, tab.reply
        try:
            check_room("", messages)
            self._tabs.checked_size(messages)
            reply = await self._ask(tab, messages, request, choice=tab.choice)
            _check(reply, tab.before is before and tab.reply is last)
            tab.earlier = together(tab.earlier, last.ending if last else None)
            tab.before, tab.begun = continued(messages)
            tab.start(reply)
            self._keep(request, tab, reply, size=None)
            async with aclosing(self._followed(tab, request)) as news:
                async for frame in news:
                    yield frame
        except Exception as error:  # noqa: BLE001 (as in `answer`)
            yield [*messages, self._refusal(error)], gr.update(**IDLE), gr.skip(), gr.skip()

    async def stop(self, request: gr.Request) -> tuple[Update, ...]:
        """Stops the reply. Gradio's own stop only cancels the generator, as a lost connection
        does."""
        tab = await self.tab(request)
        if not tab.stop_reply() or tab.reply is None:
            return (gr.skip(),) * 5
        await tab.reply.ended.wait()
        messages = tab.shown()
        return (
            messages,
            messages,
            messages,
            gr.update(visible=tab.unfinished),
            self.allowance(request),
        )

    async def undo(self, history: list[Shown], request: gr.Request, undone: gr.UndoData) -> Update:
        """Takes back the same question and answer as the page, which may have done so already."""
        tab = await self._seen(request)
        place = undone.index if isinstance(undone.index, int) else undone.index[0]
        tab.undo(turns_left(history, place))
        self.save(request, tab)
        return gr.update(visible=False)

    async def _seen(self, request: gr.Request) -> Tab:
        """The tab, with the version that the page shows, where another page has left that."""
        tab, number = await self.tab(request), version(request)
        if number is not None and not tab.running:
            tab.show(number)
        return tab

    async def _followed(
        self, tab: Tab, request: gr.Request
    ) -> AsyncGenerator[tuple[Update, Update, Update, Update]]:
        seen, left = len(tab.reply.log) if tab.reply else 0, self._left(request)
        yield tab.shown(), gr.update(**BUSY), gr.update(visible=False), self.allowance(request)
        async with aclosing(until(left, frames(tab, self._chat.pace, after=seen))) as news:
            async for frame in news:
                yield [*tab.before, *frame], gr.skip(), GO_ON, self.allowance(request)
        if left.is_set():
            yield gr.skip(), gr.update(**IDLE), gr.skip(), gr.skip()
            return
        yield (
            tab.messages(),
            gr.update(**IDLE),
            gr.update(visible=tab.unfinished),
            self.allowance(request),
        )


def _check(reply: Reply, is_same: bool) -> None:
    """Stops the reply and raises `ChangedMeanwhile` if its conversation has changed since it was
    asked for, so that the reply does not restore removed turns."""
    if not is_same:
        reply.stop()
        raise ChangedMeanwhile
