"""The page: a ChatInterface whose generator follows a reply, and whose stop button stops it."""

import asyncio
import inspect
import logging
import traceback
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr

from streamchat.chat import Chat
from streamchat.errors import ChatError, InternalError
from streamchat.events import Message
from streamchat.frames import paced
from streamchat.reply import Reply
from streamchat.transcript import Shown, Transcript, conversation, refusal, said

logger = logging.getLogger(__name__)

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
CSS = (Path(__file__).parent / "ui.css").read_text(encoding="utf-8")
LATEX: list[dict[str, str | bool]] = [  # no single dollars: they would make formulas of prices
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]
MAX_CHATS = 400  # that may be written to at once; Gradio keeps a worker for each


class Tab:
    """What one browser tab shows: the messages before its reply, and the reply."""

    def __init__(self) -> None:
        self.before: list[Shown] = []
        self.reply: Reply | None = None
        self._typed: dict[str, str] = {}
        self._asked = asyncio.Condition()

    def typed(self, message: str) -> str:
        """The message as it was typed: Gradio takes the indentation off what it shows, and gives that back."""
        shown = inspect.cleandoc(message)
        if shown != message:
            self._typed[shown] = message
        return self._typed.get(message, message)

    async def show(self, before: list[Shown], reply: Reply) -> None:
        async with self._asked:
            self.before, self.reply = before, reply
            self._asked.notify_all()

    async def next_reply(self, after: Reply | None) -> Reply | None:
        async with self._asked:
            await self._asked.wait_for(lambda: self.reply is not after)
        return self.reply

    def leave(self) -> None:
        """The tab turns to something else: nobody can read its reply any more."""
        if self.reply:
            self.reply.stop("abandoned")


class Tabs:
    def __init__(self) -> None:
        self._tabs: dict[str, Tab] = {}

    def of(self, request: gr.Request) -> Tab:
        if not request.session_hash:
            return Tab()
        return self._tabs.setdefault(request.session_hash, Tab())

    def forget(self, request: gr.Request) -> None:
        self._tabs.pop(request.session_hash or "", None)


def page(chat: Chat, *, title: str, examples: Sequence[str]) -> gr.ChatInterface:
    tabs = Tabs()

    async def answer(message: str, history: list[Shown], request: gr.Request) -> AsyncGenerator[list[Shown]]:
        """The accumulated answer, frame by frame. No exception leaves it: one would lock the page for good."""
        try:
            tab = tabs.of(request)
            tab.leave()
            reply = chat.ask(
                [
                    Message(said.role, tab.typed(said.text))
                    for said in [*conversation(history), Message("user", message)]
                ]
            )
            await tab.show([*history, said("user", message)], reply)
            async with aclosing(shown(reply, messages=len(history))) as frames:
                async for frame in frames:
                    yield frame
        except ChatError as error:
            yield [refusal(error)]
        except Exception as error:  # noqa: BLE001
            _report(error)
            yield [refusal(InternalError())]

    demo = gr.ChatInterface(
        answer,
        title=title,
        examples=list(examples),
        cache_examples=False,
        concurrency_limit=None,
        editable=True,
        api_name="chat",
        api_description="Ask, and follow the answer as a list of messages that grows.",
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
        _stop(demo, tabs)
        _stop_while_editing(demo, tabs)
        demo.unload(tabs.forget)
    return demo


async def shown(reply: Reply, *, messages: int) -> AsyncGenerator[list[Shown]]:
    """The reply as messages, a frame at a time, from its beginning to its end."""
    transcript = Transcript(reply)
    async with aclosing(paced(reply, messages=messages)) as frames:
        async for events in frames:
            transcript.add(events)
            if frame := transcript.messages(waiting=not events):
                yield frame


def _stop(demo: gr.ChatInterface, tabs: Tabs) -> None:
    """Gradio's stop only cancels the generator, as a lost connection does; this one stops the reply and says so."""

    async def stop(request: gr.Request) -> Any:
        tab = tabs.of(request)
        if tab.reply is None or tab.reply.ending:
            return gr.skip()
        tab.reply.stop()
        await tab.reply.ended.wait()
        transcript = Transcript(tab.reply)
        transcript.add(tab.reply.log)
        return [*tab.before, *transcript.messages()]

    demo.textbox.stop(stop, None, demo.chatbot, queue=False, show_progress="hidden", api_visibility="private").then(
        lambda messages: (messages, messages),
        demo.chatbot,
        [demo.chatbot_state, demo.chatbot_value],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )


def _stop_while_editing(demo: gr.ChatInterface, tabs: Tabs) -> None:
    """ChatInterface shows no stop button while it answers an edited message."""

    async def stoppable(request: gr.Request) -> AsyncGenerator[gr.Textbox]:
        tab = tabs.of(request)
        before = tab.reply
        yield gr.Textbox(submit_btn=False, stop_btn=True)
        try:
            async with asyncio.timeout(10):
                reply = await tab.next_reply(before)
            if reply:
                await reply.ended.wait()
        except TimeoutError:
            pass
        yield gr.Textbox(submit_btn=True, stop_btn=False)

    demo.chatbot.edit(
        stoppable, None, demo.textbox, concurrency_limit=None, show_progress="hidden", api_visibility="private"
    )


def _report(error: Exception) -> None:
    """Without the error's message, which may hold what people wrote."""
    logger.error(
        "The page failed with %s:\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
    )
