"""A client that calls the events of a page in the test's own process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr
from fastapi.testclient import TestClient
from starlette.middleware import Middleware

from streamchat.chat.asking import Chat
from streamchat.chat.parties import Sources
from streamchat.look import Look
from streamchat.store.database import Store
from streamchat.ui.layout import page
from streamchat.ui.tabs import Tabs
from tests.served import Source


class Caller:
    def __init__(self, client: TestClient, demo: gr.Blocks) -> None:
        self.client = client
        self.numbers = {fn.api_name: number for number, fn in demo.fns.items()}
        (self._trigger, _), *_ = demo.fns[self.numbers["_edit_message"]].targets

    def body(self, event: str, *data: Any, **fields: Any) -> dict[str, Any]:
        """The request with which the page calls that event."""
        number = self.numbers[event]
        return {
            "fn_index": number,
            "session_hash": "abc123",
            "trigger_id": self._trigger,
            "data": data,
            "event_data": None,
            **fields,
        }

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(f"/gradio_api/{path}", json=body)


@contextmanager
def calling(middleware: Sequence[Middleware] = ()) -> Iterator[Caller]:
    """A client of a page behind this middleware."""
    store = Store("")
    demo = page(
        chat := Chat(Sources(Source()), store, linger=60, keep=0),
        Tabs(chat, store),
        lambda *_: "visitor",
        look=Look("Tiny"),
        examples=["hi"],
    )
    app = gr.routes.App.create_app(demo, app_kwargs={"middleware": list(middleware)})
    with TestClient(app) as client:
        yield Caller(client, demo)
