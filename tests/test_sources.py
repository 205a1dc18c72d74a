"""The promises that every source keeps, whether the demo or Claude answers."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import astuple
from itertools import pairwise
from operator import le
from typing import Protocol

import pytest

from streamchat.chat.parties import Source
from streamchat.errors import ChatError
from streamchat.events import Done, Event, Failed, Message, Request, Text, Thinking, Usage
from streamchat.settings import Settings
from streamchat.sources.claude.source import Claude
from streamchat.sources.demo.source import Demo
from streamchat.sources.lazy import LazySource
from streamchat.texts import worded
from streamchat.texts.english import UNKNOWN
from tests.scripted_claude import (
    CLOSES,
    Hold,
    ScriptedClaude,
    breaks,
    delta,
    ends,
    opens,
    says,
    start,
    streams,
    thought,
)


class Stage(Protocol):
    """A source, and the requests that make it do what a test needs. Its sleeping takes no time."""

    source: Source

    def whole(self) -> Request:
        """Thinks, and then gives a whole answer."""

    def rest(self, begun: str) -> Request:
        """Asks for the rest of the answer to `whole`, of which that much was said."""

    def wordless(self) -> Request:
        """Ends without a word."""

    def busy(self) -> Request:
        """Fails at first in a way that passes, and then gives a whole answer."""

    def failing(self) -> Request:
        """Fails after some words."""

    def standing(self) -> Request:
        """Has far to go after its first word."""

    def various(self, count: int) -> list[Request]:
        """So many requests of which each gets an answer of its own."""

    async def meant_for(self, request: Request) -> str:
        """The text that belongs to one of `various`."""

    async def released(self) -> bool:
        """Whether nothing is held any more for the answer that was given up."""

    def untouched(self) -> bool:
        """Whether nothing was done yet for any request."""


class DemoStage:
    def __init__(self) -> None:
        self.source: Source = Demo(sleep=self._sleep)
        self._slept = 0

    async def _sleep(self, _: float) -> None:
        self._slept += 1
        await asyncio.sleep(0)

    def whole(self) -> Request:
        return asking("Think it through: why is the sky blue?")

    def rest(self, begun: str) -> Request:
        return Request((*self.whole().conversation, Message("assistant", begun)))

    def wordless(self) -> Request:
        return asking("Say nothing at all")

    def busy(self) -> Request:
        return asking("Be busy at first")

    def failing(self) -> Request:
        return asking("Fail in the middle")

    def standing(self) -> Request:
        return asking("Write me 2,000 words about rivers")

    def various(self, count: int) -> list[Request]:
        return [asking(f"Where is number {number}?") for number in range(count)]

    async def meant_for(self, request: Request) -> str:
        return text(await heard(Demo(sleep=self._sleep).stream(request)))

    async def released(self) -> bool:
        before = self._slept
        await asyncio.sleep(0)
        return self._slept == before

    def untouched(self) -> bool:
        return not self._slept


class ClaudeStage:
    def __init__(self, scripted: ScriptedClaude) -> None:
        settings = Settings.read()
        self.source: Source = LazySource(
            "Claude", settings.model, lambda: Claude(settings, sleep=self._sleep)
        )
        self._scripted = scripted

    async def _sleep(self, _: float) -> None:
        await asyncio.sleep(0)

    def whole(self) -> Request:
        self._scripted.play(
            says("Because ", "of ", "", "Rayleigh.", thinks=["Light", "", " scatters."])
        )
        return asking("Why is the sky blue?")

    def rest(self, begun: str) -> Request:
        self._scripted.play(
            says(*"Because of Rayleigh.".removeprefix(begun), thinks=["Where was I?"])
        )
        return Request((*asking("Why is the sky blue?").conversation, Message("assistant", begun)))

    def wordless(self) -> Request:
        self._scripted.play(streams(start(), ends()))
        return asking("Say nothing.")

    def busy(self) -> Request:
        self._scripted.play(
            streams(start(), opens("thinking"), thought("Hm."), breaks()), says("Here I am.")
        )
        return asking("Hello?")

    def failing(self) -> Request:
        self._scripted.play(streams(start(), opens(), delta("Half"), delta(" an"), breaks()))
        return asking("Hello?")

    def standing(self) -> Request:
        self._scripted.play(streams(start(), opens(), delta("Once"), Hold()))
        return asking("Tell me a story.")

    def various(self, count: int) -> list[Request]:
        self._scripted.exchanges.clear()
        self._scripted.play(*(says("This is ", f"script {number}", ".") for number in range(count)))
        return [asking(f"Question {number}?") for number in range(count)]

    async def meant_for(self, request: Request) -> str:
        asked = [exchange.said for exchange in self._scripted.exchanges]
        return f"This is script {asked.index([('user', request.conversation[-1].text)])}."

    async def released(self) -> bool:
        return await asyncio.to_thread(self._scripted.exchange(0).gone.wait, 10)

    def untouched(self) -> bool:
        return not self._scripted.connections


@pytest.fixture
def way_to_claude(claude: ScriptedClaude, monkeypatch: pytest.MonkeyPatch) -> ScriptedClaude:
    """The scripted Claude, with the environment that leads a Claude source to it."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", claude.url)
    return claude


@pytest.fixture(params=["demo", "claude"])
async def stage(
    request: pytest.FixtureRequest, way_to_claude: ScriptedClaude
) -> AsyncIterator[Stage]:
    stage: Stage = DemoStage() if request.param == "demo" else ClaudeStage(way_to_claude)
    yield stage
    await stage.source.close()


def asking(question: str, *before: Message) -> Request:
    return Request((*before, Message("user", question)))


async def listen(events: AsyncGenerator[Event], said: list[Event]) -> None:
    async with aclosing(events):
        async for event in events:
            said += [event]


async def heard(events: AsyncGenerator[Event]) -> list[Event]:
    said: list[Event] = []
    await listen(events, said)
    return said


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


async def first_word(events: AsyncGenerator[Event]) -> Text:
    return await anext(event async for event in events if isinstance(event, Text))


async def test_a_reply_has_one_end_and_it_is_the_last_event(stage: Stage) -> None:
    """Thoughts come before the text, exactly one Done after it; a failure is never yielded."""
    events = await heard(stage.source.stream(stage.whole()))
    assert [type(event) for event in events if isinstance(event, Done | Failed)] == [Done]
    assert isinstance(events[-1], Done)
    kinds = [type(event) for event in events if isinstance(event, Text | Thinking)]
    assert set(kinds) == {Thinking, Text}
    assert kinds == sorted(kinds, key=[Thinking, Text].index)


async def test_no_piece_is_empty(stage: Stage) -> None:
    """Every piece of text or thought has at least one sign, so that the first piece is the first
    word."""
    events = await heard(stage.source.stream(stage.whole()))
    assert all(event.text for event in events if isinstance(event, Text | Thinking))


async def test_an_answer_without_a_word_ends_like_any_other(stage: Stage) -> None:
    """Saying nothing is no failure."""
    events = await heard(stage.source.stream(stage.wordless()))
    assert text(events) == ""
    assert isinstance(events[-1], Done)


async def test_the_end_knows_what_was_used(stage: Stage) -> None:
    """Tokens are counted while the answer is written; no count ever falls, and the last one is in
    the end."""
    events = await heard(stage.source.stream(stage.whole()))
    counts = [event for event in events if isinstance(event, Usage)]
    assert events[-1] == Done("end_turn", counts[-1])
    assert min(counts[-1].input_tokens, counts[-1].output_tokens) > 0
    assert never_falls(counts)


async def test_a_source_that_was_busy_gives_one_whole_answer(stage: Stage) -> None:
    """Attempts that were turned away leave one answer with one end, and their counts do not make it
    cheaper."""
    events = await heard(stage.source.stream(stage.busy()))
    assert text(events)
    assert [type(event) for event in events if isinstance(event, Done | Failed)] == [Done]
    assert never_falls([event for event in events if isinstance(event, Usage)])


def never_falls(counts: list[Usage]) -> bool:
    return all(all(map(le, astuple(before), astuple(after))) for before, after in pairwise(counts))


async def test_a_failure_comes_after_the_words_before_it(stage: Stage) -> None:
    """The text so far is kept. Then a ChatError with a sentence for the reader is raised, and there
    is no end event."""
    said: list[Event] = []
    with pytest.raises(ChatError) as caught:
        await listen(stage.source.stream(stage.failing()), said)
    assert worded(caught.value) != UNKNOWN
    assert text(said)
    assert not any(isinstance(event, Done | Failed) for event in said)


async def test_after_a_failure_the_source_answers_the_next_question(stage: Stage) -> None:
    """One reply's failure is no other's."""
    with pytest.raises(ChatError):
        await heard(stage.source.stream(stage.failing()))
    assert text(await heard(stage.source.stream(stage.whole())))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
async def test_a_partial_answer_gets_its_rest(stage: Stage, share: float) -> None:
    """A conversation that ends with the assistant's words is answered with those that are missing,
    and no others."""
    whole = text(await heard(stage.source.stream(stage.whole())))
    begun = whole[: round(len(whole) * share)]
    events = await heard(stage.source.stream(stage.rest(begun)))
    assert begun + text(events) == whole
    assert isinstance(events[-1], Done)
    assert not any(isinstance(event, Thinking) for event in events)


async def test_an_answer_that_is_given_up_says_nothing_more(stage: Stage) -> None:
    """A person who closes an answer in its middle hears no further word of it, and nothing is held
    for it any more."""
    events = stage.source.stream(stage.standing())
    assert await first_word(events)
    await events.aclose()
    assert [event async for event in events] == []
    assert await stage.released()


async def test_an_answer_may_be_given_up_twice(stage: Stage) -> None:
    """Closing what is closed, or has ended, is no error."""
    events = stage.source.stream(stage.whole())
    assert await first_word(events)
    await events.aclose()
    await events.aclose()
    ended = stage.source.stream(stage.whole())
    await heard(ended)
    await ended.aclose()


async def test_an_answer_whose_reader_is_cancelled_is_given_up(stage: Stage) -> None:
    """A cancelled task leaves with the cancellation and not with an error of the source's."""
    events = stage.source.stream(stage.standing())
    assert await first_word(events)
    reading = asyncio.create_task(heard(events))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    assert reading.cancelled()
    assert await stage.released()


async def test_an_answer_given_up_before_its_first_step_was_never_asked_for(stage: Stage) -> None:
    """A task that is cancelled before it begins leaves nothing behind: no request, no connection,
    no task."""
    before = asyncio.all_tasks()
    events = stage.source.stream(stage.whole())
    reading = asyncio.create_task(heard(events))
    reading.cancel()
    await asyncio.wait({reading})
    await events.aclose()
    assert reading.cancelled()
    assert stage.untouched()
    assert asyncio.all_tasks() == before
    assert text(await heard(stage.source.stream(stage.whole())))


async def test_twenty_people_are_answered_at_once(stage: Stage) -> None:
    """All twenty have begun before the first goes on, and everybody gets the answer to his own
    question."""
    everybody = asyncio.Barrier(20)

    async def one(request: Request) -> str:
        async with aclosing(stage.source.stream(request)) as events:
            begun = await first_word(events)
            await everybody.wait()
            return begun.text + text([event async for event in events])

    requests = stage.various(20)
    answers = await asyncio.gather(*map(one, requests))
    assert answers == [await stage.meant_for(request) for request in requests]
    assert len(set(answers)) == 20


async def test_a_conversation_is_accepted_with_its_history(stage: Stage) -> None:
    """A question after others gets a whole answer, and the request that was handed over is
    unchanged."""
    history = (Message("user", "My cat is called Miez."), Message("assistant", "Nice!\n\n\tWell."))
    question = stage.whole().conversation[-1].text
    request = asking(question, *history)
    assert isinstance((await heard(stage.source.stream(request)))[-1], Done)
    assert request == asking(question, *history)


async def test_its_name_begins_a_sentence(stage: Stage) -> None:
    """ "... answers." is what people read: a name is one short phrase of words, without the marks of
    code."""
    name = stage.source.name
    assert re.fullmatch(r"[A-Za-z][\w.() -]{2,60}", name)
    assert name == name.strip()
    assert not re.search(r"_|  |object|None", name)


async def test_it_can_be_opened_and_closed(stage: Stage) -> None:
    """It answers with and without having been opened, and closing it twice is no error."""
    assert text(await heard(stage.source.stream(stage.whole())))
    await stage.source.open()
    assert text(await heard(stage.source.stream(stage.whole())))
    await stage.source.close()
    await stage.source.close()


async def test_it_can_be_closed_without_ever_being_used(stage: Stage) -> None:
    """A server that stops before anybody asked has nothing to wait for."""
    await stage.source.close()
    assert stage.untouched()


@pytest.mark.parametrize(
    "said", [[], [opens(), delta("Here I ")]], ids=["before its first word", "in its middle"]
)
async def test_tokens_of_an_attempt_that_failed_are_counted(
    way_to_claude: ScriptedClaude, said: list[bytes]
) -> None:
    """A usage is that of the whole reply: what Claude wrote into its cache before it broke off was
    paid for as well."""
    broken = streams(start(cache_creation_input_tokens=1_000), *said, breaks())
    whole = streams(start(cache_read_input_tokens=1_000), opens(), delta("am."), CLOSES, ends())
    way_to_claude.play(broken, whole)
    source = ClaudeStage(way_to_claude).source
    events = await heard(source.stream(asking("Hello?")))
    counts = [event for event in events if isinstance(event, Usage)]
    await source.close()
    assert never_falls(counts)
    assert counts[-1] == Usage(50, 43, 1_000, 1_000)
    assert events[-1] == Done("end_turn", counts[-1])
