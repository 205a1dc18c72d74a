import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from streamchat.api.routes import PATH
from streamchat.errors import BrokenOff, Busy, ChatError, ConversationTooLarge, RateLimited
from streamchat.events import Done, Event, Message, Notice, Text, Thinking, Usage
from streamchat.texts import worded
from tests.served import EVENTS, HI, Served, served, until

END = Done("end_turn")


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served() as api:
        yield api


async def test_the_answer_comes_as_text_while_it_is_written(api: Served) -> None:
    """A message is answered with its text, each word as soon as the source says it."""
    api.source.say(Thinking("hm"), Text("The"))
    async with api.client.stream("POST", PATH, json=HI) as answer:
        words = answer.aiter_text()
        assert await anext(words) == "The"
        api.source.say(Text(" Loire."))
        assert await anext(words) == " Loire."
        api.source.say(END)
        assert [word async for word in words] == []
    assert api.source.asked == [(Message("user", "hi"),)]


async def test_nothing_on_the_way_holds_the_answer_back(api: Served) -> None:
    """Its headers forbid to collect it, to change it and to guess what it is, and say where the
    reply can be found."""
    api.source.say(Text("a"), END)
    answer = await api.client.post(PATH, json=HI)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache, no-store, no-transform"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-accel-buffering"] == "no"
    assert (await api.client.get(answer.headers["location"])).text == "a"


async def test_all_that_is_new_is_one_chunk(api: Served) -> None:
    """A reader that was late gets everything at once: on the wire one chunk, and then the end."""
    location = await api.ask(Text("a"), Text("b"), Usage(1, 2), Text("é"), END)
    answer = await api.exchange(
        f"GET {location} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
    )
    assert answer.partition(b"\r\n\r\n")[2] == "4\r\nabé\r\n0\r\n\r\n".encode()


async def test_an_answer_without_a_word_is_an_empty_one(api: Served) -> None:
    """A reply that ended without a word is no error."""
    api.source.say(Thinking("hm"), END)
    answer = await api.client.post(PATH, json=HI)
    assert (answer.status_code, answer.text) == (200, "")


async def test_a_failure_in_the_middle_never_looks_like_a_short_answer(
    api: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """The text so far arrives, then the transfer is broken off instead of ended. The log has no
    traceback."""
    api.source.say(Text("Half an"))
    async with api.client.stream("POST", PATH, json=HI) as answer:
        words = answer.aiter_text()
        assert await anext(words) == "Half an"
        api.source.say(BrokenOff())
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(words)
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (Busy(retry_after=4.2), "5"),
        (RateLimited(retry_after=0), "0"),
        (ConversationTooLarge(), None),
    ],
)
async def test_a_failure_before_the_first_word_is_a_status(
    api: Served, error: ChatError, retry_after: str | None
) -> None:
    """No header is sent before the first word, so that a failure before it has its status, code and
    sentence."""
    api.source.say(
        Thinking("hm"), Notice("as_written", {"text": "Trying again."}, passing=True), error
    )
    answer = await api.client.post(PATH, json=HI)
    assert (answer.status_code, answer.headers.get("retry-after")) == (error.status, retry_after)
    assert answer.json() == {"code": error.code, "message": worded(error)}


@pytest.mark.parametrize("events", [[BrokenOff()], [Text("Half an"), BrokenOff()]])
async def test_a_client_that_could_not_see_a_broken_transfer_gets_the_whole_answer_or_an_error(
    api: Served, events: list[Event | Exception]
) -> None:
    """In HTTP/1.0 the end of the connection is the end of the body: there an answer that failed is
    a status."""
    location = await api.ask(*events)
    answer = await api.exchange(f"GET {location} HTTP/1.0\r\nhost: localhost\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "broken_off"


async def test_an_old_client_gets_its_answer(api: Served) -> None:
    """A reply that ends well arrives in HTTP/1.0, too."""
    location = await api.ask(Text("The"), Text(" Loire."), END)
    answer = await api.exchange(f"GET {location} HTTP/1.0\r\nhost: localhost\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nThe Loire.")


async def test_half_a_character_ends_no_answer(api: Served) -> None:
    """A lone surrogate is a question mark in plain text; the events keep it, so that they join to
    the whole character."""
    location = await api.ask(Text("a\ud83d"), Text("\ude00b"), END)
    assert (await api.client.get(location)).text == "a??b"
    events = (await api.client.get(location, headers=EVENTS)).text
    pieces = [
        json.loads(line[6:])["text"]
        for line in events.splitlines()
        if line.startswith('data: {"text')
    ]
    assert "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16") == "a😀b"


async def test_a_stopped_answer_has_an_end(api: Served) -> None:
    """Stop is no failure: what was written is whole."""
    api.source.say(Text("Half an"))
    async with api.client.stream("POST", PATH, json=HI) as answer:
        words = answer.aiter_text()
        assert await anext(words) == "Half an"
        await api.client.delete(answer.headers["location"])
        assert [word async for word in words] == []


@pytest.mark.parametrize("reason", ["shutdown", "abandoned"])
async def test_an_answer_that_nobody_chose_to_end_is_not_whole(api: Served, reason: str) -> None:
    """Where the server stopped, or went on for nobody, the transfer breaks off; with no word left
    it is a status."""
    location = await api.ask(Text("Half an"))
    async with api.client.stream("GET", location) as answer:
        words = answer.aiter_text()
        assert await anext(words) == "Half an"
        (await api.reply(location)).stop(reason)
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(words)
    rest = await api.client.get(f"{location}?after=1")
    assert (rest.status_code, rest.json()["code"]) == (503, reason)


@pytest.mark.parametrize("reason", ["pause_turn", "tool_use", "a_reason_of_tomorrow"])
async def test_an_answer_that_may_not_be_whole_is_not_taken_for_one(
    api: Served, reason: str
) -> None:
    """As text the transfer breaks off after the last word, or is a status without one; as events
    `done` says why."""
    location = await api.ask(Text("Half an"), Done(reason))
    async with api.client.stream("GET", location) as answer:
        words = answer.aiter_text()
        assert await anext(words) == "Half an"
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(words)
    rest = await api.client.get(f"{location}?after=1")
    assert (rest.status_code, rest.json()["code"]) == (502, "not_whole")
    assert f'"reason": "{reason}"' in await api.again(location)


@pytest.mark.parametrize("headers", [{}, EVENTS])
@pytest.mark.parametrize("events", [[], [Text("Half an")]])
async def test_a_client_that_goes_away_is_a_reader_that_left(
    headers: dict[str, str], events: list[Event]
) -> None:
    """Whether it waited for the first word or read: without it nobody reads, and the reply stops
    after linger."""
    async with served(linger=1) as api:
        api.source.say(*events)
        _, writer = await asyncio.open_connection("127.0.0.1", api.port)
        fields = {
            "host": "localhost",
            "content-type": "application/json",
            "content-length": "17",
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"POST {PATH} HTTP/1.1\r\n{head}\r\n{json.dumps(HI)}".encode())
        await until(lambda: api.source.asked)
        writer.close()
        await until(lambda: api.source.closed)
