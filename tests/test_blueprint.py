"""The page's own calls, and only these, fit the events that it may call."""

from typing import Any

import gradio as gr
import pytest

from streamchat.chat.asking import Chat
from streamchat.chat.parties import Sources
from streamchat.errors import Busy
from streamchat.events import Done, Event, Failed, Notice, Text, Thinking
from streamchat.look import Look
from streamchat.store.database import Store
from streamchat.ui.blueprint import events, is_message
from streamchat.ui.layout import page
from streamchat.ui.notes import message_of, refusal
from streamchat.ui.tabs import Tabs
from tests.served import Source
from tests.test_transcript import Reader

USED = """
    _append_message_to_history _append_message_to_history_1 _append_message_to_history_2 _clear_and_save_textbox
    _edit_message _pop_last_user_message _pop_last_user_message_1 _save_conversation
    _save_conversation_1 _save_conversation_2 _save_conversation_4 _submit_fn _submit_fn_1 _submit_fn_2 _submit_fn_4
    chat claim example_clicked found go_on resume stop undo watch watch_edited watch_example
    lambda lambda_1 lambda_2 lambda_3 lambda_4 lambda_5 lambda_6 lambda_7 lambda_8 lambda_9 lambda_10 lambda_11
    lambda_12 lambda_15 lambda_16 lambda_17 lambda_20
"""


@pytest.fixture(scope="module")
def demo() -> gr.Blocks:
    store = Store("")
    chat = Chat(Sources(Source()), store, linger=60, keep=0)
    return page(chat, Tabs(chat, store), lambda *_: "v", look=Look("T"), examples=["hi"])


def test_each_event_that_can_be_called_is_known(demo: gr.Blocks) -> None:
    """A new event, of Gradio's next release or of ours, fails this test before a client can call
    it."""
    assert {demo.fns[number].api_name for number in events(demo).numbered} == set(USED.split())


def test_the_documented_endpoint_is_the_only_one_with_a_name(demo: gr.Blocks) -> None:
    """Programs call one event by its name."""
    assert {name: event.names for name, event in events(demo).named.items()} == {
        "chat": ("message",)
    }


ENDS = (Done("end_turn"), Done("stopped"), Done("max_tokens"), Failed.of(Busy()))


@pytest.mark.anyio
@pytest.mark.parametrize("end", ENDS, ids=str)
@pytest.mark.parametrize(
    "before", [(), (Thinking("Hm."),), (Text("Hello"),), (Thinking("Hm."), Text("Hello"))], ids=str
)
async def test_all_that_the_page_shows_may_come_back(before: tuple[Event, ...], end: Event) -> None:
    """Thoughts, notes, receipts and refusals pass when the page sends its conversation back,
    running or ended."""
    reader = Reader()
    chatbot: Any = gr.Chatbot()
    frames = [
        await reader.sees(event)
        for event in (Notice("as_written", {"text": "Claude is busy."}, passing=True), *before, end)
    ]
    waiting = reader.transcript.messages(waiting=True)
    for messages in (*frames, waiting, [message_of("user", "hi"), refusal(Busy())]):
        assert all(map(is_message, chatbot.postprocess(messages)))
