"""What the chat changes of Gradio's private behaviour, on a page without a browser."""

from collections.abc import Iterator
from inspect import iscoroutine
from typing import Any

import gradio as gr
import pytest
from fastapi.testclient import TestClient

from streamchat.chat.asking import Chat
from streamchat.store.database import Store
from streamchat.ui import gradio_internals
from streamchat.ui.layout import page
from tests.served import Source


@pytest.fixture
def app() -> Iterator[Any]:
    store = Store("")
    demo = page(Chat(Source(), store, linger=60, keep=0), store, lambda *_: "visitor", title="Tiny", examples=[])
    app: Any = gr.routes.App.create_app(demo)
    with TestClient(app) as client:
        app.client = client
        yield app


def run(app: Any, event: str, *data: Any) -> None:
    number = next(number for number, fn in app.blocks.fns.items() if fn.api_name == event)
    call = {"fn_index": number, "session_hash": "abc123", "data": data}
    assert app.client.post("/gradio_api/run/predict", json=call).status_code == 200


def test_a_session_keeps_nothing_that_a_visitor_typed_but_the_conversation(app: Any) -> None:
    """Gradio would keep each value of each component a second time, a visitor's own key among them."""
    run(app, "_clear_and_save_textbox", "a secret")
    session = app.state_holder["abc123"]
    assert session.state_data
    assert not any(session.config_values.values())


def test_a_session_does_not_grow_with_each_reply(app: Any) -> None:
    """A component that is updated takes the place of the one before it."""
    kept = []
    for _ in range(3):
        run(app, "_clear_and_save_textbox", "hi")
        kept.append(len(app.state_holder["abc123"].blocks_config.blocks))
    assert kept[0] == kept[2]


def test_the_end_of_an_answer_does_not_empty_the_box() -> None:
    """Gradio's event after an answer unlocks the box, and would take away what was typed meanwhile."""

    def updates(chat: gr.ChatInterface) -> list[dict[str, Any]]:
        unlocking = [event for event in chat.fns.values() if event.outputs == [chat.textbox] and not event.inputs]
        called = [event.fn() for event in unlocking if event.fn and event.fn.__name__ == "<lambda>"]
        for coroutine in filter(iscoroutine, called):
            coroutine.close()
        return [update for update in called if isinstance(update, dict)]

    chat = gr.ChatInterface(lambda message, history: message)
    assert any(update.get("value", 0) is None for update in updates(chat))
    gradio_internals.keep_typed(chat)
    assert not any("value" in update for update in updates(chat))
    assert any(update.get("interactive") for update in updates(chat))
