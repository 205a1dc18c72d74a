"""A message that a page sends twice, and a tab that is open twice, without a browser."""

import asyncio

import gradio as gr
import pytest
from starlette.requests import Request

from streamchat.chat.asking import MAX_REPEATS
from streamchat.errors import Crowded
from streamchat.events import Done, Failed, Text
from streamchat.ui.tab import Tab
from streamchat.ui.transcript import Shown, message_of
from tests.attacks.visitor import Room, Visitor, frames
from tests.hand import settle

WHOLE = (Text("Fine."), Done("end_turn"))


def keyed(visitor: Visitor, session: str = "first", **headers: str) -> gr.Request:
    """A request of the visitor's page with a key and these headers."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "headers": raw, "client": (visitor.address, 1)}
    return gr.Request(Request(scope), session_hash=session)


async def send(
    visitor: Visitor, once: str, message: str = "hi", shown: list[Shown] | None = None
) -> str:
    """The text of the last frame for a message, sent with a key if there is one."""
    answer = await frames(
        visitor.page.answer(message, shown or [], keyed(visitor, idempotency_key=once))
    )
    return str(answer[-1][0]["content"][0]["text"]) if answer else ""


async def test_a_message_with_the_same_key_is_asked_once() -> None:
    """A repeated message gets the same answer, during it or after it; with another key it is a new
    message."""
    visitor = Visitor(Room())
    first = asyncio.create_task(send(visitor, "a"))
    second = asyncio.create_task(send(visitor, "a"))
    await settle()
    visitor.source.say(*WHOLE)
    assert await second == "Fine."
    await first
    assert await send(visitor, "a") == "Fine."
    assert len(visitor.source.asked) == 1
    visitor.source.say(Text("Again."), Done("end_turn"))
    assert await send(visitor, "b") == "Again."
    assert len(visitor.source.asked) == 2


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "é"])
async def test_an_invalid_key_counts_as_none(key: str) -> None:
    """Each message with an invalid key is asked, like one without a key."""
    visitor = Visitor(Room())
    for _ in range(2):
        visitor.source.say(*WHOLE)
        assert await send(visitor, key) == "Fine."
    assert len(visitor.source.asked) == 2


async def test_a_message_that_came_to_nothing_is_asked_again() -> None:
    """The same key asks again if the reply failed before its first word."""
    visitor = Visitor(Room())
    visitor.source.say(RuntimeError())
    await send(visitor, "a")
    visitor.source.say(*WHOLE)
    assert await send(visitor, "a") == "Fine."
    tab = await visitor.page.tab(visitor.request)
    assert not isinstance(tab.reply and tab.reply.ending, Failed)


async def test_a_message_that_is_sent_again_stays_where_the_page_shows_it() -> None:
    """The page shows the question twice, once without an answer; the next one follows the answered
    one."""
    visitor = Visitor(Room())
    visitor.source.say(*WHOLE)
    await send(visitor, "a")
    question = message_of("user", "hi")
    await send(visitor, "a", shown=[question])
    visitor.source.say(Text("Next."), Done("end_turn"))
    await send(visitor, "b", "next", [question, question, message_of("assistant", "Fine.")])
    assert visitor.sent == [("user", "hi"), ("assistant", "Fine."), ("user", "next")]


async def test_a_stranger_with_the_same_key_gets_nothing_of_it() -> None:
    """Keys belong to one visitor."""
    room = Room()
    visitor, stranger = Visitor(room), Visitor(room, "192.0.2.2")
    for each, answer in ((visitor, "For one."), (stranger, "For the other.")):
        each.source.say(Text(answer), Done("end_turn"))
    assert await send(visitor, "a") == "For one."
    request = keyed(stranger, "other", idempotency_key="a")
    assert (await frames(stranger.page.answer("hi", [], request)))[-1][0]["content"][0][
        "text"
    ] == "For the other."


async def test_a_draft_is_known_by_its_key() -> None:
    """The same words with another key are a draft, even if they were asked before."""
    visitor = Visitor(Room())
    visitor.source.say(*WHOLE)
    await send(visitor, "a", "yes")
    tab = visitor.page.tab_id(visitor.request)
    for number, (key, typed) in enumerate([("a", None), ("b", "yes")]):
        request = keyed(visitor, f"again{number}", idempotency_key=key)
        assert (await visitor.page.claim(tab, "yes", request))[1].get("value") == typed


async def duplicated(visitor: Visitor, session: str) -> tuple[gr.Request, Tab]:
    request = keyed(visitor, session, x_tab_open="elsewhere")
    await visitor.page.claim(visitor.page.tab_id(visitor.request), "", request)
    return request, await visitor.page.tab(request)


@pytest.mark.parametrize("act", ["stop", "ask"])
async def test_a_duplicate_ends_nothing_of_the_first_tab(act: str) -> None:
    """Stop and a new question act only in the tab where they are pressed."""
    visitor = Visitor(Room())
    asking = asyncio.create_task(send(visitor, "a"))
    await settle()
    visitor.source.say(Text("Begun"))
    await settle()
    request, tab = await duplicated(visitor, "second")
    await settle()
    assert "Begun" in repr(tab.messages())
    if act == "ask":
        visitor.source.refusal = Crowded()
        await frames(visitor.page.answer("next", tab.messages(), request))
    else:
        await visitor.page.stop(request)
    await settle()
    assert not tab.running
    assert not visitor.source.closed
    visitor.source.say(Text(" and ended."), Done("end_turn"))
    assert await asking == "Begun and ended."
    await settle()
    assert "and ended" not in repr(tab.messages())


async def test_a_page_that_is_loaded_again_stops_its_answer() -> None:
    """After a reload the reader's stop ends the call to Claude, as no other page shows the tab."""
    visitor = Visitor(Room())
    asking = asyncio.create_task(send(visitor, "a"))
    await settle()
    visitor.source.say(Text("Begun"))
    await settle()
    request = visitor.opens("second")
    await visitor.page.claim(visitor.page.tab_id(visitor.request), "", request)
    await visitor.page.stop(request)
    assert visitor.source.closed
    await asking


async def test_duplicates_are_bounded() -> None:
    """Over the bound on copied answers, a duplicate counts as a reload."""
    visitor = Visitor(Room())
    asking = asyncio.create_task(send(visitor, "a"))
    await settle()
    first = await visitor.page.tab(visitor.request)
    tabs = [(await duplicated(visitor, f"number{number}"))[1] for number in range(MAX_REPEATS + 2)]
    assert [tab.reply is first.reply for tab in tabs] == [False] * MAX_REPEATS + [True] * 2
    tabs[0].end()
    await settle()
    assert (await duplicated(visitor, "later"))[1].reply is not first.reply
    visitor.source.say(*WHOLE)
    await asking
