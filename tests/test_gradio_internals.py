"""The changes that the chat makes to Gradio's private behaviour, on a page without a browser."""

import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from inspect import iscoroutine
from typing import Any

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio.utils import MatplotlibBackendMananger

from streamchat.chat.asking import Chat
from streamchat.chat.parties import Sources
from streamchat.look import Look
from streamchat.store.database import Store
from streamchat.system import environment
from streamchat.ui.gradio_internals import events
from streamchat.ui.layout import page
from streamchat.ui.tabs import Tabs
from tests.served import Source


@pytest.fixture
def app() -> Iterator[Any]:
    store = Store("")
    demo = page(
        chat := Chat(Sources(Source()), store, linger=60, keep=0),
        Tabs(chat, store),
        lambda *_: "visitor",
        look=Look("Tiny"),
        examples=[],
    )
    app: Any = gr.routes.App.create_app(demo)
    with TestClient(app) as client:
        app.client = client
        yield app


def run(app: Any, event: str, *data: Any) -> None:
    number = next(number for number, fn in app.blocks.fns.items() if fn.api_name == event)
    call = {"fn_index": number, "session_hash": "abc123", "data": data}
    assert app.client.post("/gradio_api/run/predict", json=call).status_code == 200


def test_a_session_keeps_nothing_that_a_visitor_typed_but_the_conversation(app: Any) -> None:
    """Gradio would keep a second copy of each component's value, including a visitor's key."""
    run(app, "_clear_and_save_textbox", "a secret")
    session = app.state_holder["abc123"]
    assert session.state_data
    assert not any(session.config_values.values())


def test_a_session_does_not_grow_with_each_reply(app: Any) -> None:
    """An updated component replaces the one before it."""
    kept = []
    for _ in range(3):
        run(app, "_clear_and_save_textbox", "hi")
        kept.append(len(app.state_holder["abc123"].blocks_config.blocks))
    assert kept[0] == kept[2]


def updates(chat: gr.ChatInterface) -> list[dict[str, Any]]:
    """The updates of the box by the events that unlock it."""
    unlocking = [
        event for event in chat.fns.values() if event.outputs == [chat.textbox] and not event.inputs
    ]
    called = [event.fn() for event in unlocking if event.fn and event.fn.__name__ == "<lambda>"]
    for coroutine in filter(iscoroutine, called):
        coroutine.close()
    return [update for update in called if isinstance(update, dict)]


def test_the_end_of_an_answer_does_not_empty_the_box(app: Any) -> None:
    """Gradio's event after an answer unlocks the box, and would clear what was typed meanwhile."""
    assert any(
        update.get("value", 0) is None for update in updates(gr.ChatInterface(lambda *_: ""))
    )
    assert not any("value" in update for update in updates(app.blocks))
    assert any(update.get("interactive") for update in updates(app.blocks))


def test_the_page_has_an_empty_queue_cost_less(app: Any) -> None:
    """Gradio would poll an empty queue a thousand times a second; the page has it poll two hundred
    times."""
    assert (
        gr.Blocks()._queue.sleep_when_free
        < events.LOOK_INTERVAL
        == app.blocks._queue.sleep_when_free
    )


@pytest.mark.parametrize(
    ("system", "seconds"), [("Linux", 0.005), ("Darwin", 0.005), ("Windows", 0.05)]
)
def test_a_queue_is_looked_at_no_more_often_than_gradio_would(system: str, seconds: float) -> None:
    """On Windows, where Gradio itself polls seldom, its interval stays."""
    blocks = gr.Blocks()
    blocks._queue.sleep_when_free = 0.05 if system == "Windows" else 0.001
    events.poll_seldom(blocks, system)
    assert blocks._queue.sleep_when_free == seconds


def test_a_new_page_drops_no_messages_of_earlier_ones(app: Any) -> None:
    """Gradio would drop the first session's unread messages after 2,000 further sessions."""
    kept = app.blocks._queue.pending_messages_per_session
    for number in range(2_500):
        kept[str(number)] = number
    assert "0" in kept


def test_every_event_of_the_page_is_without_a_spinner(app: Any) -> None:
    """ChatInterface would show a spinner over the box for every message."""
    assert any(
        event.show_progress == "full" for event in gr.ChatInterface(lambda *_: "").fns.values()
    )
    assert not any(event.show_progress == "full" for event in app.blocks.fns.values())


def test_a_question_comes_back_into_the_box_as_it_was_typed() -> None:
    """The page's own marks in a shown question are taken out again."""
    shown = gr.Chatbot().postprocess([{"role": "user", "content": "a < b"}])
    drawn = shown[0]["content"][0]["text"]  # type: ignore[index]
    assert drawn != "a < b"
    assert gr.Textbox().postprocess(drawn) == "a < b"


class Nothing:
    """A module finder that finds nothing and records the names it was asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        self.names.append(name)
        return None


def test_gradio_does_not_look_for_matplotlib_with_every_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If matplotlib is missing, Gradio would search all folders for it before and after each
    event."""
    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
    monkeypatch.setattr(sys, "meta_path", [disk := Nothing()])

    def event() -> list[str]:
        disk.names.clear()
        with MatplotlibBackendMananger():
            return list(disk.names)

    assert event() == ["matplotlib"]
    environment.set_defaults()
    assert event() == []
