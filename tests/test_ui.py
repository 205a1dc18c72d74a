"""The work of the page's server for each frame, seen by a page without a browser."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import uvicorn
from fastapi import FastAPI, Request

from benchmarks.tab import Blueprint, Tab
from streamchat.chat.asking import Chat
from streamchat.chat.parties import Sources
from streamchat.errors import ChatFull
from streamchat.events import Done, Text
from streamchat.look import Look
from streamchat.store.database import Store
from streamchat.texts import worded
from streamchat.ui.gradio_internals import messages
from streamchat.ui.handlers import Page
from streamchat.ui.layout import page
from streamchat.ui.notes import aside
from streamchat.ui.room import MAX_MESSAGES
from streamchat.ui.tab import Tab as Kept
from streamchat.ui.tabs import Tabs
from streamchat.ui.transcript import Shown, drawn, is_made, message_of, text_of
from tests.application import ROOT
from tests.served import Source


@pytest.fixture(autouse=True)
def sums_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the app has it; that it does is a test of its own."""
    monkeypatch.setenv("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000")


@asynccontextmanager
async def opened(
    source: Source, store: Store | None = None, *, before: str = ""
) -> AsyncIterator[Tab]:
    """A page of the source's, on a real server on loopback, with what the tab `before` showed."""
    store = store or Store("")
    chat = Chat(Sources(source), store, linger=60, keep=0)
    demo = page(chat, Tabs(chat, store), lambda *_: "visitor", look=Look("Tiny"), examples=[])
    listening = socket.create_server(("127.0.0.1", 0))
    app = gr.mount_gradio_app(FastAPI(), demo, path="/")
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    tab = Tab(url, await Blueprint.of(url), {}, before=before)
    try:
        await tab.open()
        yield tab
    finally:
        tab.close()
        await chat.close()
        server.should_exit = True
        await serving


@pytest.mark.anyio
async def test_a_frame_makes_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a conversation is, Gradio makes no earlier message of it anew; the page has them
    all."""
    made: list[Shown] = []
    gradios = messages.original_messages

    def seen(chatbot: gr.Chatbot, messages: list[Any] | None) -> Any:
        made.extend(messages or [])
        return gradios(chatbot, messages)

    monkeypatch.setattr(messages, "original_messages", seen)
    source = Source()
    async with opened(source) as tab:
        for answer in ("First", "Second"):
            source.say(Text(answer), Text(" answer."), Done("end_turn"))
            await tab.ask("hi")
        shown = b"".join(piece for _, piece in tab.frames)
    assert b"First answer." in shown
    assert b"Second" in shown
    assert made
    assert not [message for message in made if is_made(message)]


def test_messages_are_what_gradio_makes_of_them() -> None:
    """Those that it made before are given back as they are, and those after them are made."""
    chatbot: Any = gr.Chatbot()
    new: list[Any] = [
        message_of("user", "  hi\n"),
        message_of("assistant", "Hello."),
        aside("A note."),
        {"role": "user", "content": "so"},
    ]
    made = messages.original_messages(chatbot, new).model_dump()
    assert chatbot.postprocess([*made, *new]) == [*made, *map(drawn, made)]
    assert chatbot.postprocess(made)[0] is made[0]
    assert chatbot.postprocess(None) == []


@pytest.mark.anyio
async def test_a_full_chat_does_not_grow(tmp_path: Path) -> None:
    """However often a page goes on asking in a chat that is full, it shows the last of these
    questions, and why."""
    store = Store(str(tmp_path))
    await store.open()
    full = [
        message_of(role, f"{role} {turn}")
        for turn in range(MAX_MESSAGES // 2)
        for role in ("user", "assistant")
    ]
    Tabs(Chat(Sources(Source()), store, linger=60, keep=60), store).save("before", Kept(full))
    await store.flush()
    async with opened(source := Source(), store, before="before") as tab:
        for number in range(3):
            await tab.ask(f"question {number}")
            conversation = tab.conversation()
            assert len(conversation) == MAX_MESSAGES + 2
            assert f"question {number}" in text_of(conversation[-2])
            assert worded(ChatFull()) in text_of(conversation[-1])
    assert all(
        text_of(kept) in text_of(shown) for kept, shown in zip(full, conversation, strict=False)
    )
    assert not source.asked


@pytest.mark.anyio
async def test_no_spinner_turns_over_the_page() -> None:
    """ChatInterface would have one turn over the box at each message, for as long as the network
    takes."""
    async with opened(Source()) as tab:
        config = json.loads(await tab.wire.get("/config"))
    assert {event["show_progress"] for event in config["dependencies"]} == {"hidden", "minimal"}


@pytest.mark.anyio
async def test_a_question_asked_while_the_page_opens_is_asked_once() -> None:
    """The messages shown while a page opens are history only if they were restored, not if they are
    being asked."""
    chat = Chat(Sources(Source()), Store(""), linger=60, keep=0)
    this = Page(chat, tabs := Tabs(chat, Store("")), lambda *_: "visitor")
    request = gr.Request(Request({"type": "http", "headers": []}), session_hash="page")
    shown = [message_of("user", "hi")]
    (await this.tab(request)).reset(shown)
    assert await this.found(shown, request) == ({"__type__": "update"}, {"__type__": "update"})
    await tabs.claim("", "page")
    tabs.save("old", Kept(shown))
    await this.claim("old", "", request)
    assert await this.found(shown, request) == (shown, shown)


@pytest.mark.process
def test_gradio_sums_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each event it would make statistics of the last 10,000, the slower the longer the
    server has been up."""
    monkeypatch.delenv("GRADIO_ANALYTICS_CACHE_FREQUENCY")
    frequency = "import app; print(app.demo._queue.ANAYLTICS_CACHE_FREQUENCY)"
    assert (
        subprocess.check_output([sys.executable, "-c", frequency], cwd=ROOT, text=True).strip()
        == "1000000000"
    )
