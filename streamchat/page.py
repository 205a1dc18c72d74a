"""What happens when somebody uses the page: asks, stops, comes back."""

import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr

from streamchat.answers import Asker
from streamchat.chat import Chat
from streamchat.errors import ChatError, InternalError, trace
from streamchat.events import Failed, Message
from streamchat.frames import paced
from streamchat.receipts import allowance
from streamchat.reply import Reply
from streamchat.tabs import Tab, Tabs, continued
from streamchat.transcript import Shown, refusal, said
from streamchat.visitor import Who

logger = logging.getLogger(__name__)

MAX_PAGES = 10_000  # whose tabs are known, also when they have left: what they asked last may come after that

GO_ON = "Continue the answer"
Update = Any  # of a component: a value, which is cheap, or `gr.update` or `gr.skip`, for which Gradio builds it anew

BUSY: dict[str, Any] = {"interactive": False, "submit_btn": False, "stop_btn": True}
IDLE: dict[str, Any] = {"interactive": True, "submit_btn": True, "stop_btn": False}


class Page:
    """What the page's events call."""

    def __init__(self, chat: Chat, tabs: Tabs, who: Who) -> None:
        self._chat = chat
        self._who = who
        self._tabs = tabs
        self._tab_ids: OrderedDict[str, str] = OrderedDict()

    def tab_id(self, request: gr.Request) -> str:
        return self._tab_ids.get(request.session_hash or "", request.session_hash or "")

    def tab(self, request: gr.Request) -> Tab:
        return self._tabs.get(self.tab_id(request))

    async def answer(
        self, message: str, history: list[Shown], request: gr.Request, key: str = ""
    ) -> AsyncGenerator[list[Shown]]:
        """The accumulated answer, frame by frame. No exception leaves it: one would lock the page for good."""
        tab = self.tab(request)
        try:
            tab.asked([*history, said("user", tab.typed(message))])
            tab.start(await self._ask(tab.said(tab.before), request, key))
            self._tabs.save(self.tab_id(request))
            async with aclosing(tab.frames()) as frames:
                async for frame in frames:
                    yield frame
            yield tab.answer()
        except Exception as error:  # noqa: BLE001 (see above)
            tab.asked([*tab.messages(), refusal(_explained(error))])
            tab.start(None)
            self._tabs.save(self.tab_id(request))
            yield tab.before[-1:]

    async def watch(self, request: gr.Request) -> AsyncGenerator[tuple[Update, Update]]:
        """What stands below an answer, while it is written and then; its own event, or each frame would pay for it."""
        tab = self.tab(request)
        before = tab.reply
        yield gr.update(visible=False), self.allowance(request)
        if reply := before if tab.running else await tab.next_reply(before):
            await reply.ended.wait()
        yield gr.update(visible=tab.unfinished), self.allowance(request)

    def allowance(self, request: gr.Request) -> str:
        """What the visitor may still do."""
        return allowance(self._chat.limits.allowed(), self._chat.left(self._visitor(request)))

    async def claim(self, tab_id: str, draft: str, request: gr.Request) -> tuple[str, Update, str]:
        """Finds the tab again after a reload, and the message that was typed but never arrived."""
        claimed = await self._tabs.claim(tab_id, request.session_hash or "")
        self._tab_ids[request.session_hash or ""] = claimed
        while len(self._tab_ids) > MAX_PAGES:
            self._tab_ids.popitem(last=False)
        arrived = any(message.text.strip() == draft.strip() for message in self.tab(request).questions()[-1:])
        typed = gr.update(value=draft) if draft.strip() and not arrived else gr.skip()
        return claimed, typed, self.allowance(request)

    async def resume(self, request: gr.Request) -> AsyncGenerator[tuple[Update, Update, Update, Update]]:
        """Shows what the tab showed before the reload; a running reply goes on growing."""
        tab = self.tab(request)
        if tab.restored and tab.running:
            async with aclosing(self._followed(tab, request)) as frames:
                async for frame in frames:
                    yield frame
        elif tab.restored:
            yield tab.messages(), gr.skip(), gr.update(visible=tab.unfinished), gr.skip()
        else:
            yield gr.skip(), gr.skip(), GO_ON, self.allowance(request)  # for Gradio empties what gets no answer at all

    async def go_on(self, request: gr.Request, key: str = "") -> AsyncGenerator[tuple[Update, Update, Update, Update]]:
        """Asks for the rest of an answer that broke off or ran out of room."""
        tab = self.tab(request)
        messages = tab.messages()
        try:
            reply = await self._ask(tab.said(messages), request, key)
            tab.before, tab.begun = continued(messages)
            tab.start(reply)
            self._tabs.save(self.tab_id(request))
            async with aclosing(self._followed(tab, request)) as frames:
                async for frame in frames:
                    yield frame
        except Exception as error:  # noqa: BLE001 (as in `answer`)
            yield [*messages, refusal(_explained(error))], gr.update(**IDLE), gr.skip(), gr.skip()

    async def stop(self, request: gr.Request) -> tuple[Update, Update, Update]:
        """Gradio's stop only cancels the generator, as a lost connection does; this one stops the reply."""
        tab = self.tab(request)
        if tab.reply is None or not tab.running:
            return gr.skip(), gr.skip(), gr.skip()
        tab.reply.stop()
        await tab.reply.ended.wait()
        return tab.messages(), gr.update(visible=tab.unfinished), self.allowance(request)

    async def watch_edited(self, request: gr.Request) -> AsyncGenerator[tuple[Update, Update, Update]]:
        """As `watch`, with the stop button that ChatInterface does not show while it answers an edited message."""
        yield gr.update(submit_btn=False, stop_btn=True), gr.skip(), gr.skip()
        async with aclosing(self.watch(request)) as news:
            async for button, allowed in news:
                yield gr.skip(), button, allowed
        yield gr.update(submit_btn=True, stop_btn=False), gr.skip(), gr.skip()

    def undo(self, request: gr.Request) -> Update:
        self.tab(request).undo()
        self._tabs.save(self.tab_id(request))
        return gr.update(visible=False)

    def clear(self, request: gr.Request) -> Update:
        self.tab(request).asked([])
        self._tabs.save(self.tab_id(request))
        return gr.update(visible=False)

    async def chat(self, message: str, request: gr.Request) -> AsyncGenerator[str]:
        """Ask, and follow the answer as its text grows. A client keeps its conversation; cancelling stops the reply."""
        tab = self.tab(request)
        tab.asked([*tab.messages(), said("user", message)])
        try:
            key = request.headers.get("x-api-key", "")
            reply = await self._ask(tab.said(tab.before), request, key, or_spare=False)
        except ChatError as error:
            raise gr.Error(error.message) from None
        tab.start(reply)
        try:
            async with aclosing(paced(reply)) as frames:
                async for _ in frames:
                    yield reply.text
        finally:
            reply.stop()
        if isinstance(reply.ending, Failed):
            raise gr.Error(reply.ending.message)

    async def _ask(self, messages: list[Message], request: gr.Request, key: str, *, or_spare: bool = True) -> Reply:
        asker = Asker(self._visitor(request), self.tab(request).person, key or "", or_spare)
        return await self._chat.ask(messages, asker)

    def _visitor(self, request: gr.Request) -> str:
        client, user = request.client, getattr(request, "username", None)
        return self._who(client.host if client else None, request.headers, user)

    async def _followed(self, tab: Tab, request: gr.Request) -> AsyncGenerator[tuple[Update, Update, Update, Update]]:
        yield tab.messages(), gr.update(**BUSY), gr.update(visible=False), self.allowance(request)
        async with aclosing(tab.frames()) as frames:
            async for frame in frames:
                yield [*tab.before, *frame], gr.skip(), GO_ON, self.allowance(request)
        yield tab.messages(), gr.update(**IDLE), gr.update(visible=tab.unfinished), self.allowance(request)


def _explained(error: Exception) -> ChatError:
    """The error as a reader may see it."""
    if isinstance(error, ChatError):
        return error
    logger.error("The page failed with %s", trace(error))
    return InternalError()
