"""One visitor's flood of events, sessions and streams while another visitor reads an answer."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import gradio as gr
import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import Mount

from benchmarks.tab import Blueprint, Tab
from streamchat.chat.asking import Chat
from streamchat.chat.parties import Sources
from streamchat.events import Done, Event, Request, Text
from streamchat.look import Look
from streamchat.store.database import Store
from streamchat.ui.blueprint import events
from streamchat.ui.gradio_internals import GradioSessions
from streamchat.ui.layout import page
from streamchat.ui.tabs import Tabs
from streamchat.web.admission import Admission
from streamchat.web.allowlist import Allowlist
from streamchat.web.bodies import BoundedBodies
from streamchat.web.calls import Calls
from streamchat.web.crowd import UNREAD_SECONDS, Crowd
from streamchat.web.sessions import Bounds
from tests.hand import Hand
from tests.served import until

# A server and a thousand connections share the processors with the other tests: a test runs once
# more when it fails, and the summary lists it as RERUN, as for tests of pages.
pytestmark = [pytest.mark.anyio, pytest.mark.flaky(reruns=1)]
API = "/gradio_api"


class Answers:
    """Answers every visitor by a hand of their own."""

    name = model = "the hands"

    def __init__(self) -> None:
        self.hands: dict[str, Hand] = {}

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        hand = self.hands.setdefault(request.conversation[-1].text, Hand())
        async with aclosing(hand.stream()) as events:
            async for event in events:
                yield event

    def say(self, question: str, *events: Event) -> None:
        self.hands.setdefault(question, Hand()).say(*events)

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Place:
    """A chat with a crowd in it: the victim is at 127.0.0.1, the attacker at another address."""

    def __init__(self, app: Any, answers: Answers, crowd: Crowd, clock: Clock, url: str) -> None:
        self.app = app
        self.queue = app.blocks._queue
        self.answers = answers
        self.crowd = crowd
        self.clock = clock
        self.url = url
        transport = httpx.AsyncHTTPTransport(
            local_address="127.0.0.9", limits=httpx.Limits(max_connections=None)
        )
        self.attacker = httpx.AsyncClient(base_url=url, transport=transport, timeout=20)
        self._numbers = {fn.api_name: number for number, fn in app.blocks.fns.items()}

    async def join(self, event: str, session: str, *data: Any, **fields: Any) -> int:
        """The status of the attacker's call of an event."""
        body = {"fn_index": self._numbers[event], "session_hash": session, "data": data, **fields}
        path = "queue/join" if self.app.blocks.fns[self._numbers[event]].queue else "run/predict"
        return (await self.attacker.post(f"{API}/{path}", json=body)).status_code

    async def cancel(self, event: str, session: str) -> None:
        body = {"fn_index": self._numbers[event], "session_hash": session, "event_id": "x"}
        assert (await self.attacker.post(f"{API}/cancel", json=body)).status_code == 200

    @asynccontextmanager
    async def reading(self, question: str) -> AsyncIterator[Tab]:
        """A victim in the middle of an answer, who must be able to read its end."""
        self.answers.say(question, Text("The first half"))
        tab = Tab(self.url, await Blueprint.of(self.url), {})
        await tab.open()
        asking = asyncio.create_task(tab.ask(question))
        await shown(tab, b"The first half")
        yield tab
        self.answers.say(question, Text(" and the second."), Done("end_turn"))
        await asking
        assert b"and the second." in b"".join(piece for _, piece in tab.frames)
        tab.close()

    @property
    def working(self) -> int:
        """How many of Gradio's workers have something to do."""
        return sum(job is not None for job in self.queue.active_jobs)

    def kept(self) -> list[Any]:
        """The events that the queue keeps."""
        queue = self.queue
        everything = (
            queue.pending_messages_per_session,
            queue.pending_event_ids_session,
            queue.event_ids_to_events,
        )
        return [*everything[0], *everything[1], *everything[2], *self.app.iterators]


async def shown(tab: Tab, text: bytes) -> None:
    await until(lambda: text in b"".join(piece for _, piece in tab.frames))


@asynccontextmanager
async def opened(*, total: int = 2_000, **bounds: int) -> AsyncIterator[Place]:
    answers, store, clock = Answers(), Store(""), Clock()
    chat = Chat(Sources(answers), store, linger=60, keep=0)

    def identify(peer: str | None, *_: Any) -> str:
        return peer or ""

    crowd = Crowd(bounds=Bounds(**bounds), total=total, clock=clock)
    middleware = [
        Middleware(Allowlist),
        Middleware(BoundedBodies, identify),
        Middleware(Calls, lambda scope: events(scope["app"].get_blocks())),
        Middleware(Admission, identify, lambda scope: GradioSessions(scope["app"]), crowd),
    ]
    demo = page(chat, Tabs(chat, store), identify, look=Look("Tiny"), examples=[])
    app = gr.mount_gradio_app(FastAPI(), demo, path="/", app_kwargs={"middleware": middleware})
    gradio = next(route.app for route in app.routes if isinstance(route, Mount))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    place = Place(gradio, answers, crowd, clock, f"http://127.0.0.1:{listening.getsockname()[1]}")
    try:
        await place.attacker.get(f"{API}/startup-events")
        yield place
    finally:
        await place.attacker.aclose()
        await chat.close()
        server.should_exit = True
        await serving


async def flood(calls: list[Any]) -> set[int]:
    """The statuses of calls, made twenty at a time."""
    statuses: set[int] = set()
    for first in range(0, len(calls), 20):
        statuses |= set(await asyncio.gather(*calls[first : first + 20]))
    return statuses


async def test_a_visitor_cannot_take_all_places_in_the_queue() -> None:
    """Of nine hundred events that one visitor has waiting, those over the bound are refused, and
    another visitor's answer goes on."""
    async with opened() as place:
        place.answers.say("long", Text("A long answer"))
        await place.join("_clear_and_save_textbox", "attacker", "long")
        assert await place.join("_submit_fn", "attacker", None, None) == 200
        async with place.reading("hi"):
            statuses = await flood([place.join("watch", "attacker") for _ in range(905)])
            assert statuses == {200, 429}
            assert place.working <= 12 + 2


async def test_sessions_do_not_multiply_what_a_visitor_may_have_waiting() -> None:
    """The bound holds for all pages of a visitor together."""
    async with opened(events=5) as place:
        statuses = await flood([place.join("watch", f"attacker{number}") for number in range(30)])
        assert statuses == {200, 429}
        assert place.working <= 5


async def test_new_sessions_do_not_end_the_streams_of_others() -> None:
    """However many pages one visitor opens, another visitor's page keeps its messages and its
    state."""
    async with opened(sessions=20) as place, place.reading("hi") as tab:
        state = place.app.state_holder.session_data[tab._session]
        assert await flood([place.join("resume", f"s{number}") for number in range(60)]) <= {
            200,
            429,
        }
        assert await flood([place.join("stop", f"t{number}") for number in range(60)]) == {200}
        assert tab._session in place.queue.pending_messages_per_session
        assert place.app.state_holder.session_data[tab._session] is state
        assert len(place.app.state_holder.session_data) <= 22


async def test_when_all_sessions_are_taken_whoever_has_most_loses_one() -> None:
    """A new visitor gets a session, and the visitor with most sessions loses one."""
    async with opened(total=10, sessions=10) as place:
        for number in range(10):
            await place.join("stop", f"s{number}")
        async with place.reading("hi"):
            assert len(place.crowd) == 10
            assert "s0" not in place.app.state_holder.session_data


async def test_results_that_nobody_fetches_are_dropped() -> None:
    """Results that are not fetched count towards the bound, and are dropped after a minute."""
    async with opened(events=5) as place:
        statuses = await flood([place.join("resume", f"s{number}") for number in range(40)])
        assert statuses == {200, 429}
        await until(lambda: not place.working)
        assert len(place.queue.pending_messages_per_session) == 5
        assert await place.join("resume", "again") == 429
        place.clock.now += 120
        assert await place.join("resume", "again") == 200
        assert list(place.queue.pending_messages_per_session) == ["again"]


async def test_a_page_that_is_closed_leaves_nothing_behind() -> None:
    """The queue keeps no events and no messages of a page that has read everything or has left."""
    async with opened() as place:
        async with place.reading("one"):
            pass
        place.answers.say("two", Text("Half"))
        tab = Tab(place.url, await Blueprint.of(place.url), {})
        await tab.open()
        asking = asyncio.create_task(tab.ask("two"))
        await shown(tab, b"Half")
        asking.cancel()
        tab.close()
        place.answers.say("two", Done("end_turn"))
        await until(lambda: not place.kept() and not place.working)


async def test_streams_that_are_opened_and_left_wait_for_nothing() -> None:
    """A visitor who joins, reads and leaves again and again has no more events than the bound."""
    async with opened(events=5) as place:
        for number in range(30):
            session = f"s{number}"
            if await place.join("watch", session) == 200:
                async with place.attacker.stream(
                    "GET", f"{API}/queue/data?session_hash={session}"
                ) as messages:
                    await anext(messages.aiter_bytes())
        assert place.working <= 5


async def test_the_streams_of_a_visitor_are_counted() -> None:
    """Streams over a visitor's bound are refused, and a stream that ends gives its place back."""
    async with opened(streams=3) as place:
        streams = [await heartbeat(place, f"s{number}") for number in range(3)]
        refused = await place.attacker.get(f"{API}/heartbeat/s4")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
        await streams[0].aclose()
        await until(lambda: place.crowd.visitor("127.0.0.9").streams == 2)
        streams.append(await heartbeat(place, "s5"))
        assert streams[-1].status_code == 200
        for stream in streams[1:]:
            await stream.aclose()


async def heartbeat(place: Place, session: str) -> httpx.Response:
    request = place.attacker.build_request("GET", f"{API}/heartbeat/{session}")
    return await place.attacker.send(request, stream=True)


@pytest.mark.parametrize("session", ["", "x" * 65, "a b", "ä", "../x"])
async def test_a_stream_of_no_session_is_refused(session: str) -> None:
    """A stream with an odd session hash is refused."""
    async with opened() as place:
        answer = await place.attacker.get(f"{API}/queue/data", params={"session_hash": session})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_call")


async def test_bytes_sent_to_all_sessions_are_bounded() -> None:
    """Over the bound the visitor's oldest sessions are dropped."""
    async with opened(size=1_000_000) as place:
        history = [{"role": "user", "content": [{"type": "text", "text": "x" * 300_000}]}]
        assert [await place.join("lambda", f"s{number}", history) for number in range(10)] == [
            200
        ] * 10
        assert len(place.app.state_holder.session_data) <= 3
        assert await place.join("lambda", "s99", history * 4) == 429


async def test_an_event_that_is_cancelled_at_once_gives_its_place_back() -> None:
    """An event that is cancelled before it runs, or twice, gives back its place in the queue."""
    async with opened() as place:
        for _ in range(50):
            cancels = [place.cancel("watch", "attacker") for _ in range(4)]
            await asyncio.gather(place.join("watch", "attacker"), *cancels)
        await place.cancel("watch", "attacker")
        await until(lambda: not place.working and not place.queue.event_ids_to_events)


async def test_a_program_may_ask_several_things_at_once() -> None:
    """One client can have as many calls of `/chat` at once as a visitor may have."""
    async with opened() as place:
        body = json.dumps({"data": ["hi"], "session_hash": "program"}).encode()
        headers = {"content-type": "application/json"}
        asked = [
            place.attacker.post(f"{API}/call/chat", content=body, headers=headers) for _ in range(6)
        ]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}


async def test_a_program_without_a_session_leaves_nothing_behind() -> None:
    """Each call without a session gets a session that counts, and is dropped when others come."""
    async with opened(sessions=5) as place:
        for _ in range(20):
            place.answers.say("hi", Text("Hello."), Done("end_turn"))
            event = (await place.attacker.post(f"{API}/call/chat", json={"data": ["hi"]})).json()[
                "event_id"
            ]
            answer = await place.attacker.get(f"{API}/call/chat/{event}")
            assert "Hello." in answer.text
        assert len(place.app.state_holder.session_data) <= 5
        assert place.kept() == []


async def test_data_of_sessions_without_a_page_is_dropped() -> None:
    """Data sent to sessions without a page goes after a minute; an open page keeps its own for an
    hour."""
    async with opened() as place:
        async with place.reading("hi"):
            await flood(
                [
                    place.join("_clear_and_save_textbox", f"s{number}", "x" * 1_000)
                    for number in range(50)
                ]
            )
            assert len(place.crowd) == 51
        place.clock.now += UNREAD_SECONDS + 1
        assert await place.join("_clear_and_save_textbox", "last", "x") == 200
        assert len(place.crowd) == 2
        assert len(place.app.state_holder.session_data) == 2
