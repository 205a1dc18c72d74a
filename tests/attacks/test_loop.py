"""Single requests that hold the event loop, so that everybody else waits."""

import asyncio

import gradio as gr
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from streamchat.api.routes import PATH, routes
from streamchat.api.stream import AT_ONCE
from streamchat.events import Done, Text
from streamchat.ui.gradio_internals.messages import postprocess
from streamchat.ui.markdown import RULE, written
from streamchat.ui.transcript import text_of
from streamchat.visitors import Flow
from tests.attacks.visitor import Room, Visitor
from tests.hand import settle
from tests.served import EVENTS


class Others:
    """Counts how often another task gets a turn on the event loop."""

    def __init__(self) -> None:
        self.turns = 0
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)

    def stop(self) -> None:
        self._task.cancel()


def client_of(room: Room) -> AsyncClient:
    own = ASGITransport(FastAPI(routes=routes(room.chat, lambda *_: "visitor").routes))
    return AsyncClient(transport=own, base_url="http://localhost")


async def test_a_long_log_is_read_with_turns_for_others() -> None:
    """A log of many events is rendered in parts, with all events and their numbers."""
    room, words = Room(), 20 * AT_ONCE
    room.source.say(*[Text("a")] * words, Done("end_turn"))
    async with client_of(room) as client:
        asked = await client.post(PATH, json={"message": "hi"})
        others = Others()
        read = await client.get(asked.headers["location"], headers=EVENTS)
        others.stop()
    ids = [int(line[4:]) for line in read.text.splitlines() if line.startswith("id: ")]
    assert ids == [*range(1, words + 2)]
    assert others.turns > 20
    await room.close()


async def test_a_long_name_of_a_field_is_not_repeated_in_full() -> None:
    """An error quotes only the beginning of a field's name."""
    room, name = Room(), "k" * 1_000_000
    async with client_of(room) as client:
        for body in ({name: 1}, {"messages": [{"role": "user", "content": "hi", name: 1}]}):
            answer = await client.post(PATH, json=body)
            assert answer.status_code == 422
            assert len(answer.content) < 1_000
    await room.close()


def test_a_long_text_is_shown_without_a_search_for_its_indentation() -> None:
    """A long message skips Gradio's `inspect.cleandoc`, which would read each line several times."""
    long, short = "    a\n" * 20_000, "    a\n    b"
    shown = postprocess(gr.Chatbot(), [{"role": "user", "content": text} for text in (long, short)])
    assert [written([text_of(message)]) for message in shown] == [long, short]


def test_a_long_row_of_dashes_is_read_once() -> None:
    """A million dashes below a table's head are recognised in one pass."""
    row = "|" + " -" * 1_000_000
    assert RULE.match(row)
    assert not RULE.match(row + "x")


async def test_a_long_chat_that_is_loaded_again_and_again_is_waited_for() -> None:
    """A visitor who reloads a long chat again and again waits, and another visitor does not."""
    room = Room(found=Flow(3_000_000, 1))
    visitor, other = Visitor(room), Visitor(room, "192.0.2.2", "other")
    await visitor.ask("a" * 900_000)
    await other.ask("hi")
    for _ in range(3):
        await visitor.reload()
    again = asyncio.create_task(visitor.reload())
    for _ in range(20):
        await settle()
    await other.reload()
    assert not again.done()
    assert other.shown
    again.cancel()
    await room.close()
