"""The page: a ChatInterface whose generator follows a reply, whose stop stops it, and whose reload finds it again."""

import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr

from streamchat.chat import Chat
from streamchat.errors import ChatError, InternalError, trace
from streamchat.events import Failed, Message
from streamchat.frames import paced
from streamchat.reply import Reply
from streamchat.store import Store
from streamchat.tabs import Tab, Tabs, continued
from streamchat.transcript import Shown, refusal, said
from streamchat.visitor import Who

logger = logging.getLogger(__name__)

HERE = Path(__file__).parent
CSS = (HERE / "ui.css").read_text(encoding="utf-8")
NARROW = "@media (max-width: 600px) { .gradio-container > .main { padding: 0.5rem !important; } }"  # out of CSS's reach
HEAD = f"<style>{NARROW}</style><script>{(HERE / 'ui.js').read_text(encoding='utf-8')}</script>"
THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="slate",
    radius_size="lg",
    font=("ui-sans-serif", "system-ui", "sans-serif"),
    font_mono=("ui-monospace", "monospace"),
).set(
    input_background_fill="*block_background_fill",
    input_background_fill_dark="*block_background_fill",
)
LATEX: list[dict[str, str | bool]] = [  # no single dollars: they would make formulas of prices
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]
MAX_CHATS = 400  # that may be written to at once; Gradio keeps a worker for each
MAX_PAGES = 10_000  # whose tabs are known; a page that leaves is forgotten

Update = Any  # of a component
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


BUSY: dict[str, Any] = {"interactive": False, "submit_btn": False, "stop_btn": True}
IDLE: dict[str, Any] = {"interactive": True, "submit_btn": True, "stop_btn": False}
READ_TAB = "() => streamchat.read()"
KEEP_TAB = "tab => streamchat.keep(tab)"


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
        self, message: str, history: list[Shown], request: gr.Request
    ) -> AsyncGenerator[tuple[list[Shown], Update]]:
        """The accumulated answer, frame by frame. No exception leaves it: one would lock the page for good."""
        tab = self.tab(request)
        try:
            tab.asked([*history, said("user", tab.typed(message))])
            tab.start(await self._ask(tab.said(tab.before), request))
            self._tabs.save(self.tab_id(request))
            button = gr.Button(visible=False)
            async with aclosing(tab.frames()) as frames:
                async for frame in frames:
                    yield frame, button
                    button = gr.skip()
            yield tab.answer(), gr.Button(visible=tab.unfinished)
        except Exception as error:  # noqa: BLE001 (see above)
            tab.asked([*tab.messages(), refusal(_explained(error))])
            self._tabs.save(self.tab_id(request))
            yield tab.before[-1:], gr.skip()

    async def claim(self, tab_id: str, draft: str, request: gr.Request) -> tuple[str, Update]:
        """Finds the tab again after a reload, and the message that was typed but never arrived."""
        claimed = await self._tabs.claim(tab_id, request.session_hash or "")
        self._tab_ids[request.session_hash or ""] = claimed
        while len(self._tab_ids) > MAX_PAGES:
            self._tab_ids.popitem(last=False)
        arrived = any(message.text.strip() == draft.strip() for message in self.tab(request).questions()[-1:])
        return claimed, gr.Textbox(value=draft) if draft.strip() and not arrived else gr.skip()

    async def resume(self, request: gr.Request) -> AsyncGenerator[tuple[Update, Update, Update]]:
        """Shows what the tab showed before the reload; a running reply goes on growing."""
        tab = self.tab(request)
        if tab.restored and tab.reply and not tab.reply.ending:
            async with aclosing(self._followed(tab)) as frames:
                async for frame in frames:
                    yield frame
        elif tab.restored:
            yield tab.messages(), gr.skip(), gr.Button(visible=tab.unfinished)
        else:
            yield gr.skip(), gr.skip(), gr.skip()  # for Gradio empties what gets no answer at all

    async def go_on(self, request: gr.Request) -> AsyncGenerator[tuple[Update, Update, Update]]:
        """Asks for the rest of an answer that broke off or ran out of room."""
        tab = self.tab(request)
        messages = tab.messages()
        try:
            reply = await self._ask(tab.said(messages), request)
            tab.before, tab.begun = continued(messages)
            tab.start(reply)
            self._tabs.save(self.tab_id(request))
            async with aclosing(self._followed(tab)) as frames:
                async for frame in frames:
                    yield frame
        except Exception as error:  # noqa: BLE001 (as in `answer`)
            yield [*messages, refusal(_explained(error))], gr.Textbox(**IDLE), gr.skip()

    async def stop(self, request: gr.Request) -> tuple[Update, Update]:
        """Gradio's stop only cancels the generator, as a lost connection does; this one stops the reply."""
        tab = self.tab(request)
        if tab.reply is None or tab.reply.ending:
            return gr.skip(), gr.skip()
        tab.reply.stop()
        await tab.reply.ended.wait()
        return tab.messages(), gr.Button(visible=tab.unfinished)

    async def stoppable(self, request: gr.Request) -> AsyncGenerator[Update]:
        """ChatInterface shows no stop button while it answers an edited message."""
        tab = self.tab(request)
        before = tab.reply
        yield gr.Textbox(submit_btn=False, stop_btn=True)
        reply = await tab.next_reply(before)
        if reply:
            await reply.ended.wait()
        yield gr.Textbox(submit_btn=True, stop_btn=False)

    def undo(self, request: gr.Request) -> Update:
        self.tab(request).undo()
        self._tabs.save(self.tab_id(request))
        return gr.Button(visible=False)

    def clear(self, request: gr.Request) -> Update:
        self.tab(request).asked([])
        self._tabs.save(self.tab_id(request))
        return gr.Button(visible=False)

    def leave(self, request: gr.Request) -> None:
        self._tab_ids.pop(request.session_hash or "", None)

    async def chat(self, message: str, request: gr.Request) -> AsyncGenerator[str]:
        """Ask, and follow the answer as its text grows. A client keeps its conversation; cancelling stops the reply."""
        tab = self.tab(request)
        tab.asked([*tab.messages(), said("user", message)])
        try:
            reply = await self._ask(tab.said(tab.before), request, or_spare=False)
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

    async def _ask(self, messages: list[Message], request: gr.Request, *, or_spare: bool = True) -> Reply:
        client, user = request.client, getattr(request, "username", None)
        visitor = self._who(client.host if client else None, request.headers, user)
        return await self._chat.ask(messages, visitor=visitor, or_spare=or_spare)

    async def _followed(self, tab: Tab) -> AsyncGenerator[tuple[Update, Update, Update]]:
        yield tab.messages(), gr.Textbox(**BUSY), gr.Button(visible=False)
        async with aclosing(tab.frames()) as frames:
            async for frame in frames:
                yield [*tab.before, *frame], gr.skip(), gr.skip()
        yield tab.messages(), gr.Textbox(**IDLE), gr.Button(visible=tab.unfinished)


def page(chat: Chat, store: Store, who: Who, *, title: str, examples: Sequence[str]) -> gr.ChatInterface:
    this = Page(chat, Tabs(chat, store), who)
    go_on = gr.Button("Continue the answer", visible=False, size="sm", elem_id="continue", render=False)
    demo = gr.ChatInterface(
        this.answer,
        title=title,
        examples=list(examples),
        cache_examples=False,
        concurrency_limit=None,
        editable=True,
        additional_outputs=[go_on],
        api_visibility="private",
        textbox=gr.Textbox(
            elem_id="message",
            placeholder="Type a message...",
            show_label=False,
            scale=7,
            autofocus=True,
            submit_btn=True,
            stop_btn=True,
        ),
        chatbot=gr.Chatbot(
            scale=1,
            layout="panel",
            show_label=False,
            editable="user",
            buttons=["copy"],
            latex_delimiters=LATEX,
            placeholder=f"### {chat.source.name} answers",
        ),
    )
    with demo:
        go_on.render()  # type: ignore[no-untyped-call]
        _wire(demo, this, go_on)
        gr.api(this.chat, api_name="chat", concurrency_limit=None)  # type: ignore[attr-defined]
    return demo


def _wire(demo: gr.ChatInterface, this: Page, go_on: gr.Button) -> None:
    tab, draft = gr.Textbox(visible=False), gr.Textbox(visible=False)
    chatbot, textbox = demo.chatbot, demo.textbox
    known = {
        "fn": lambda messages: (messages, messages),
        "inputs": chatbot,
        "outputs": [demo.chatbot_state, demo.chatbot_value],
        "queue": False,
        **QUIET,
    }
    demo.load(this.claim, [tab, draft], [tab, textbox], js=READ_TAB, concurrency_limit=None, **QUIET).then(
        None, tab, None, js=KEEP_TAB, **QUIET
    ).then(this.resume, None, [chatbot, textbox, go_on], concurrency_limit=None, **QUIET).then(**known)
    demo.unload(this.leave)
    textbox.stop(this.stop, None, [chatbot, go_on], queue=False, **QUIET).then(**known)
    go_on.click(this.go_on, None, [chatbot, textbox, go_on], concurrency_limit=None, **QUIET).then(**known)
    chatbot.edit(this.stoppable, None, textbox, concurrency_limit=None, **QUIET)
    chatbot.undo(this.undo, None, go_on, queue=False, **QUIET)
    chatbot.clear(this.clear, None, go_on, queue=False, **QUIET)


def _explained(error: Exception) -> ChatError:
    """The error as a reader may see it."""
    if isinstance(error, ChatError):
        return error
    logger.error("The page failed with %s", trace(error))
    return InternalError()
