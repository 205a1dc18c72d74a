from collections.abc import AsyncIterator
from dataclasses import asdict

import pytest
from httpx_sse import aconnect_sse
from hypothesis import given
from hypothesis import strategies as st

from streamchat.api.routes import PATH
from streamchat.api.sse import CUT_OFF, rendered
from streamchat.api.stream import KEEPALIVE_SECONDS
from streamchat.errors import Busy
from streamchat.events import (
    Citation,
    Done,
    Ending,
    Event,
    Failed,
    Found,
    FoundPage,
    Notice,
    Search,
    Text,
    Thinking,
    Usage,
)
from streamchat.texts import text, worded
from tests.served import EVENTS, HI, Served, events, served

END = Done("end_turn", Usage(25, 42, 3, 4))


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served() as api:
        yield api


async def test_every_event_as_it_is_sent(api: Served) -> None:
    """Each event has its name, its data on one line, and the position after it, in which usage
    counts unsent."""
    api.source.say(
        Usage(25, 1),
        Thinking("hm"),
        Notice("as_written", {"text": "Trying again."}),
        Text("one\ntwo"),
        END,
    )
    answer = await api.client.post(PATH, json=HI, headers=EVENTS)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache, no-store, no-transform"
    assert answer.text.startswith("retry: 2000\n")
    sent, _, receipt = events(answer.text).partition(', "receipt": ')
    assert '"model": "hand"' in receipt
    assert (
        sent
        == 'id: 2\nevent: thinking\ndata: {"text": "hm"}\n\nid: 3\nevent: notice\ndata: {"code":'
        ' "as_written", "text": "Trying again."}\n\nid: 4\nevent: text\ndata: {"text": "one\\ntwo"}\n\nid: 5\nevent:'
        ' done\ndata: {"reason": "end_turn", "usage": {"input_tokens": 25, "output_tokens": 42,'
        ' "cache_write_tokens": 3, "cache_read_tokens": 4, "web_searches": 0}'
    )


async def test_searches_and_citations_are_events_in_order(api: Served) -> None:
    """A search, its results or why it failed, and each citation stand where the log has them, with
    the sentence of a failure."""
    page = FoundPage("https://a.example/x", "A", "May 2, 2026")
    api.source.say(
        Search(1, "rivers"),
        Found(1, (page,)),
        Found(2, failure="query_too_long"),
        Text("Long."),
        Citation(1, page.url, page.title, "so long"),
        END,
    )
    async with aconnect_sse(api.client, "POST", PATH, json=HI) as source:
        events = [event async for event in source.aiter_sse()]
    search, found, failed, _, citation, _ = events
    assert (search.event, search.json()) == ("search", {"number": 1, "query": "rivers"})
    assert found.event == failed.event == "found"
    assert found.json() == {"number": 1, "sources": [asdict(page)], "failure": ""}
    assert failed.json()["message"] == text("query_too_long")
    assert (citation.event, citation.id) == ("citation", "5")
    assert citation.json().items() >= {"number": 1, "url": page.url, "quote": "so long"}.items()


async def test_a_failure_is_an_event_and_then_the_end(api: Served) -> None:
    """A person who reads events is told what happened, when to try again, and Claude's id of the
    request."""
    api.source.say(Text("Half an"), Busy(retry_after=4.2, request_id="req_1"))
    async with aconnect_sse(api.client, "POST", PATH, json=HI) as source:
        events = [event async for event in source.aiter_sse()]
    assert [(event.event, event.id) for event in events] == [("text", "1"), ("error", "2")]
    failure = {"code": "busy", "message": worded(Busy()), "retry_after": 4.2, "request_id": "req_1"}
    assert events[1].json() == failure


async def test_events_begin_before_the_first_word(api: Served) -> None:
    """The stream, with the address of its reply, is there at once, and a failure after it is an
    event."""
    async with aconnect_sse(api.client, "POST", PATH, json=HI) as source:
        assert source.response.headers["location"].startswith(f"{PATH}/")
        api.source.say(Busy())
        assert [event.event async for event in source.aiter_sse()] == ["error"]


async def test_silence_is_filled_with_heartbeats() -> None:
    """While nothing is said a comment comes now and then, so that no proxy takes the line for
    dead."""
    assert KEEPALIVE_SECONDS <= 15
    async with (
        served(keepalive=0.001) as api,
        api.client.stream("POST", PATH, json=HI, headers=EVENTS) as answer,
    ):
        lines = answer.aiter_lines()
        assert [await anext(lines) for _ in range(3)] == ["retry: 2000", ":", ":"]
        api.source.say(END)
        assert "event: done" in [line async for line in lines]


@pytest.mark.parametrize(("read", "missed"), [(1, "b"), (2, ""), (3, ""), (4, ""), (1_000, "")])
async def test_a_reader_ahead_of_the_disk_gets_the_end(api: Served, read: int, missed: str) -> None:
    """After a crash an EventSource may have read more than was stored: it gets the end once, and
    closes."""
    location = await api.ask(Text("a"), Text("b"))
    reply = await api.reply(location)
    reply.stop("shutdown")
    await reply.closed()
    answer = await api.client.get(location, headers=EVENTS | {"last-event-id": str(read)})
    assert [
        line
        for line in answer.text.splitlines()
        if "text" in line or "done" in line or "id" in line
    ] == [
        *(["id: 2", "event: text", 'data: {"text": "b"}'] if missed else []),
        f"id: {CUT_OFF}",
        "event: done",
    ]
    again = await api.client.get(location, headers=EVENTS | {"last-event-id": str(CUT_OFF)})
    assert again.status_code == 204


@pytest.mark.parametrize("place", ["header", "query"])
@pytest.mark.parametrize("last", [END, Busy()])
async def test_a_browser_that_has_the_end_is_told_not_to_come_back(
    api: Served, place: str, last: Event | Exception
) -> None:
    """At the end of an ended reply the answer is 204, on which an EventSource closes instead of
    asking for ever."""
    location = await api.ask(Text("a"), last)
    if place == "header":
        answer = await api.client.get(location, headers=EVENTS | {"last-event-id": "2"})
    else:
        answer = await api.client.get(f"{location}?after=2", headers=EVENTS)
    assert (answer.status_code, answer.content) == (204, b"")


texts = st.text() | st.sampled_from(
    ["\n", "\r\n\r\n", "\u2028", "\0", "data: x\n\n", ":", "😀", ' "\\']
)
event = (
    st.builds(Text, texts)
    | st.builds(Thinking, texts)
    | st.builds(Notice, texts)
    | st.just(Usage(1, 2))
)
endings = st.builds(Done, texts) | st.builds(Failed, st.just("busy"), st.just(503), texts)


@given(log=st.lists(event, max_size=8), ending=endings)
async def test_a_reader_that_was_cut_off_anywhere_misses_nothing(
    log: list[Event], ending: Ending
) -> None:
    """Cut at any position and come back with the last id: the bytes are those of a reader that was
    never cut."""
    async with served() as api:
        location = await api.ask(*log, ending)
        written = (await api.reply(location)).log
        assert written[:-1] == log
        sent = [rendered(position, event).decode() for position, event in enumerate(written, 1)]
        for cut in range(len(sent) + 1):
            assert "".join(sent[:cut]) + await api.again(location, cut) == "".join(sent)


@given(pieces=st.lists(texts, min_size=1, max_size=5))
async def test_any_text_arrives_as_it_was_written(pieces: list[str]) -> None:
    """No text, whatever lines and signs are in it, is taken for the protocol's own."""
    async with served() as api:
        location = await api.ask(*map(Text, pieces), END)
        async with aconnect_sse(api.client, "GET", location) as source:
            received = [event async for event in source.aiter_sse()]
        assert [event.json()["text"] for event in received[:-1]] == pieces
        assert received[-1].event == "done"
