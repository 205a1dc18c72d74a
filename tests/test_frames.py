import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.errors import Busy
from streamchat.events import Done, Event, Failed, Notice, Text, Thinking, Usage
from streamchat.replies.frames import HEARTBEAT_SECONDS, MOST, paced, portions
from streamchat.replies.pace import FASTEST, Pace
from streamchat.replies.reply import Reply
from tests.hand import Clock, Hand, settle

END = Done("end_turn")

Frame = tuple[float, list[Event]]


class Page:
    """A page that draws every frame at once; `drawn` has the frames, each with its second."""

    def __init__(self, reply: Reply, clock: Clock, *, messages: int = 0, after: int = 0) -> None:
        self.drawn: list[Frame] = []
        self._clock = clock
        self.drawing = asyncio.create_task(self._draw(reply, messages, after))

    async def _draw(self, reply: Reply, messages: int, after: int) -> None:
        async with aclosing(paced(reply, Pace(), messages=messages, after=after)) as frames:
            async for events in frames:
                self.drawn.append((round(self._clock.now, 3), events))


class Show:
    """A reply written by hand and a page that draws it, on a clock operated by hand."""

    def __init__(self, clock: Clock, *, messages: int = 0) -> None:
        self.hand = Hand()
        self.clock = clock
        self.reply = Reply(self.hand.write, linger=60)
        self.page = Page(self.reply, clock, messages=messages)

    async def at(self, second: float, *events: Event | Exception) -> None:
        """Moves the clock to that second and has the source say these events."""
        await self.clock.advance(second - self.clock.now)
        self.hand.say(*events)
        await settle()


@pytest.fixture
async def show(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Show]:
    show = Show(Clock(monkeypatch))
    yield show
    show.reply.stop()
    show.page.drawing.cancel()
    await settle()


async def at_once(frames: AsyncGenerator[list[Event]]) -> list[Event] | None:
    """The next frame, if it is there without waiting."""
    following = asyncio.ensure_future(anext(frames))
    await settle()
    if following.done():
        return following.result()
    following.cancel()
    await settle()
    return None


async def test_the_first_event_is_drawn_at_once(show: Show) -> None:
    """The first event waits for no frame."""
    await show.at(0.03, Text("a"))
    assert show.page.drawn == [(0.03, [Text("a")])]


async def test_events_of_one_frame_are_drawn_together(show: Show) -> None:
    """However fast words come, there are ten frames a second, each with everything new."""
    await show.at(0, Text("a"))
    await show.at(0.02, Text("b"), Text("c"))
    await show.at(0.05, Text("d"))
    await show.at(0.1)
    await show.at(0.15, Text("e"))
    await show.at(0.19, Text("f"))
    await show.at(0.2)
    assert show.page.drawn == [
        (0, [Text("a")]),
        (0.1, [Text("b"), Text("c"), Text("d")]),
        (0.2, [Text("e"), Text("f")]),
    ]


async def test_a_word_after_a_pause_is_drawn_at_once(show: Show) -> None:
    """A frame waits only for the interval after the last one."""
    await show.at(0, Text("a"))
    await show.at(0.7, Text("b"))
    assert show.page.drawn[1:] == [(0.7, [Text("b")])]


async def test_a_long_conversation_is_drawn_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long conversation, whose frames cost the browser more, gets fewer of them."""
    show = Show(Clock(monkeypatch), messages=400)
    await show.at(0, Text("a"))
    await show.at(0.2, Text("b"))
    assert len(show.page.drawn) == 1
    await show.at(0.25)
    assert show.page.drawn[1:] == [(0.25, [Text("b")])]
    await show.at(0.25, END)


@pytest.mark.parametrize(
    "before",
    [Usage(7), Thinking("hm"), Notice("as_written", {"text": "Trying again."}, passing=True)],
)
async def test_the_first_word_does_not_wait_for_a_frame(show: Show, before: Event) -> None:
    """A count, a thought or a notice a moment earlier does not delay the first word."""
    await show.at(0, before)
    await show.at(0.01, Text("a"))
    assert show.page.drawn == [(0, [before]), (0.01, [Text("a")])]


async def test_the_first_word_does_not_wait_after_a_sign_of_life(show: Show) -> None:
    """An empty frame a moment earlier does not delay it either."""
    await show.at(HEARTBEAT_SECONDS)
    await show.at(HEARTBEAT_SECONDS + 0.01, Text("a"))
    assert show.page.drawn == [(HEARTBEAT_SECONDS, []), (HEARTBEAT_SECONDS + 0.01, [Text("a")])]


async def test_the_first_word_does_not_wait_because_the_page_was_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A first word that comes while the page still draws is in the very next frame."""
    Clock(monkeypatch)
    hand = Hand()
    reply = Reply(hand.write, linger=60)
    hand.say(Usage(7))
    async with aclosing(paced(reply, Pace())) as frames:
        assert await anext(frames) == [Usage(7)]
        hand.say(Text("a"))
        await settle()
        assert await at_once(frames) == [Text("a")]


@pytest.mark.parametrize(
    ("said", "ending"), [(END, END), (Busy(retry_after=4), Failed("busy", 503, 4))]
)
async def test_the_end_is_there_at_once_with_all_that_was_left(
    show: Show, said: Event | Exception, ending: Event
) -> None:
    """The last words and the end are one frame, which does not wait for the interval; no frame
    follows."""
    await show.at(0, Text("a"))
    await show.at(0.02, Text("b"))
    await show.at(0.03, Text("c"), said)
    assert show.page.drawn[1:] == [(0.03, [Text("b"), Text("c"), ending])]
    assert show.page.drawing.done()


async def test_a_stop_is_there_at_once(show: Show) -> None:
    """A stop is drawn without waiting for the interval."""
    await show.at(0, Text("a"))
    await show.at(0.02, Text("b"))
    show.reply.stop()
    await settle()
    assert show.page.drawn[1:] == [(0.02, [Text("b"), Done("stopped")])]
    assert show.page.drawing.done()


async def test_the_end_does_not_wait_because_the_page_was_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An end that comes while the page still draws is in the very next frame."""
    Clock(monkeypatch)
    hand = Hand()
    hand.say(Text("a"))
    async with aclosing(paced(Reply(hand.write, linger=60), Pace())) as frames:
        assert await anext(frames) == [Text("a")]
        hand.say(Text("b"), END)
        await settle()
        assert await at_once(frames) == [Text("b"), END]


async def test_silence_is_drawn_as_empty_frames(show: Show) -> None:
    """During silence there is an empty frame about every two seconds, so that a closed tab is
    noticed."""
    for tick in range(1, 40):
        await show.at(tick / 4)
    assert {len(events) for _, events in show.page.drawn} == {0}
    seconds = [0.0, *(second for second, _ in show.page.drawn)]
    assert len(seconds) == 5
    assert all(2 <= after - before <= 2.5 for before, after in pairwise(seconds))


async def test_words_that_come_regularly_leave_no_room_for_empty_frames(show: Show) -> None:
    """Empty frames come only during silence."""
    for number in range(30):
        await show.at(number / 5, Text(f"{number}"))
    assert all(events for _, events in show.page.drawn)
    assert len(show.page.drawn) == 30


async def test_a_page_that_comes_back_draws_only_what_it_missed(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rendering may begin at a position, and the first frame has everything new since then."""
    await show.at(0, Text("a"), Text("b"), Text("c"))
    page = Page(show.reply, show.clock, after=1)
    await settle()
    assert page.drawn == [(0, [Text("b"), Text("c")])]
    page.drawing.cancel()


async def test_an_ended_reply_is_one_frame(show: Show) -> None:
    """An ended reply is drawn at once, not at the pace at which it was written."""
    await show.at(0, Text("a"))
    await show.at(1, Text("b"))
    await show.at(2, END)
    page = Page(show.reply, show.clock)
    await settle()
    assert page.drawn == [(2, [Text("a"), Text("b"), END])]
    assert page.drawing.done()


@given(
    st.lists(
        st.tuples(st.sampled_from([Text("a"), Thinking("b"), Usage(7)]), st.floats(0, 0.3)),
        max_size=12,
    )
)
async def test_no_event_is_lost_doubled_or_moved(said: list[tuple[Event, float]]) -> None:
    """The frames joined are the log, and two frames are nearer than the interval only if the later
    one has the first event of a kind."""
    with pytest.MonkeyPatch.context() as patch:
        show, second = Show(Clock(patch)), 0.0
        for event, pause in said:
            second += pause
            await show.at(second, event)
        await show.at(second + 0.3, END)
    assert show.page.drawing.done()
    assert [event for _, events in show.page.drawn for event in events] == show.reply.log
    seen: set[type[Event]] = set()
    last = -1.0
    for second, events in show.page.drawn:
        assert second - last >= FASTEST - 0.001 or {type(event) for event in events} - seen
        seen |= {type(event) for event in events}
        last = second


WORDS = st.lists(
    st.one_of(st.text(max_size=20), st.sampled_from(["x" * 5_000, "y" * 50_000])).map(Text),
    max_size=40,
)


@given(WORDS)
def test_a_frame_has_only_so_much_text(events: list[Text]) -> None:
    """A very long text is split over several frames, so that the browser stays usable."""
    frames = portions([*events, Done("end_turn")])
    assert "".join(
        event.text for frame in frames for event in frame if isinstance(event, Text)
    ) == "".join(event.text for event in events)
    assert frames[-1][-1] == Done("end_turn")
    assert all(
        sum(len(event.text) for event in frame if isinstance(event, Text)) <= MOST
        for frame in frames
    )


def test_an_empty_frame_tells_a_waiting_page_from_a_closed_one() -> None:
    """An empty frame is sent, because sending fails if the page is closed."""
    assert portions([]) == [[]]
