import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.errors import Busy
from streamchat.events import Done, Ending, Event, Failed, Receipt, Text, Thinking, Usage
from streamchat.replies.reply import PATIENCE, Reply, Wanted
from tests.hand import Clock, Hand, settle

END = Done("end_turn")
RECEIPT = Receipt("claude", "end_turn", 3, 2.0, 0.5, 40.0, 0.01, 0.0)


def a_reply(linger: float = 60) -> tuple[Hand, Reply]:
    hand = Hand()
    return hand, Reply(hand.write, linger=linger)


async def read(reply: Reply, after: int = 0) -> list[Event]:
    async with aclosing(reply.follow(after)) as news:
        return [event async for _, events in news for event in events]


async def test_a_reader_gets_every_event_in_order_and_the_end() -> None:
    """A person who follows from the start sees all that was written, once, and then the following
    ends."""
    hand, reply = a_reply()
    hand.say(Thinking("hm"), Text("a"), Text("b"), END)
    assert await read(reply) == [Thinking("hm"), Text("a"), Text("b"), END]
    assert reply.text == "ab"


async def test_a_reader_that_was_slow_gets_everything_new_at_once() -> None:
    """A reader that was busy for three events gets the three in one go, not one after the other."""
    hand, reply = a_reply()
    hand.say(Text("a"))
    async with aclosing(reply.follow()) as news:
        assert await anext(news) == (1, [Text("a")])
        hand.say(Text("b"), Text("c"), Text("d"))
        await settle()
        assert await anext(news) == (4, [Text("b"), Text("c"), Text("d")])


@given(texts=st.lists(st.text(), max_size=8), cut=st.integers(0, 9))
async def test_a_reader_that_comes_back_misses_nothing(texts: list[str], cut: int) -> None:
    """The events read before a break and those read from that position on are the whole log."""
    hand, reply = a_reply()
    hand.say(*map(Text, texts), END)
    whole = await read(reply)
    assert whole[:cut] + await read(reply, min(cut, len(whole))) == whole


async def test_readers_do_not_wait_for_each_other() -> None:
    """Two people read the same reply; the one who stands still does not hold the other up."""
    hand, reply = a_reply()
    hand.say(Text("a"))
    async with aclosing(reply.follow()) as standing:
        await anext(standing)
        hand.say(Text("b"), END)
        assert await read(reply) == [Text("a"), Text("b"), END]


async def test_stop_keeps_what_was_written_and_closes_the_source() -> None:
    """Stop is an end with a reason: the text stays, the log is sealed and the source is closed."""
    hand, reply = a_reply()
    hand.say(Usage(7, 1), Text("half"))
    await settle()
    reply.stop()
    assert await read(reply) == [Usage(7, 1), Text("half"), Done("stopped", Usage(7, 1))]
    assert hand.closed


async def test_stop_before_the_first_step_still_ends_the_log() -> None:
    """A reply stopped in the very moment it was asked for has an end like any other."""
    _, reply = a_reply()
    reply.stop()
    assert await read(reply) == [Done("stopped")]


async def test_a_second_stop_changes_nothing() -> None:
    """Pressing stop twice, or after the end, is no error and leaves one end with the first
    reason."""
    hand, reply = a_reply()
    hand.say(Text("a"))
    await settle()
    reply.stop()
    reply.stop("shutdown")
    await reply.ended.wait()
    reply.stop("abandoned")
    assert await read(reply) == [Text("a"), Done("stopped")]


async def test_a_failure_is_the_last_event_and_keeps_the_text() -> None:
    """A source that fails leaves its partial text and one end that says what happened and when to
    come back."""
    hand, reply = a_reply()
    hand.say(Text("half"), Busy(retry_after=4, request_id="req_1"))
    assert await read(reply) == [Text("half"), Failed("busy", 503, 4, "req_1")]


async def test_an_unforeseen_error_is_logged_without_what_people_wrote(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bug ends the reply with a sentence for the reader and a trace for the owner, but not with
    anyone's words."""
    hand, reply = a_reply()
    hand.say(ValueError("the visitor's secret"))
    assert [type(event) for event in await read(reply)] == [Failed]
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_source_that_just_ends_has_failed() -> None:
    """A source that ends without saying how is never taken for a whole answer."""
    hand, reply = a_reply()
    hand.say(Text("half"), None)
    assert isinstance((await read(reply))[-1], Failed)


async def test_nothing_is_written_after_the_end() -> None:
    """Text after a reply's end is dropped."""
    hand, reply = a_reply()
    hand.say(END, Text("late"))
    assert await read(reply) == [END]
    assert hand.closed


async def test_heartbeats_come_while_nothing_is_said() -> None:
    """A reader that asks for heartbeats gets an empty list at the same position while the source is
    silent."""
    hand, reply = a_reply()
    async with aclosing(reply.follow(heartbeat=0.001)) as news:
        assert await anext(news) == (0, [])
        hand.say(Text("a"))
        assert [events async for _, events in _until_text(news)][-1] == [Text("a")]


async def _until_text(
    news: AsyncGenerator[tuple[int, list[Event]]],
) -> AsyncGenerator[tuple[int, list[Event]]]:
    async for position, events in news:
        yield position, events
        if events:
            return


async def test_leaving_is_not_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last reader goes the reply goes on until linger has passed, and then stops with its
    reason."""
    clock = Clock(monkeypatch)
    hand, reply = a_reply(linger=60)
    hand.say(Text("a"))
    async with aclosing(reply.follow()) as news:
        await anext(news)
        await clock.advance(1000)
        assert reply.ending is None
    await clock.run(59)
    assert reply.ending is None
    await clock.run(2)
    assert reply.ending == Done("abandoned")
    assert hand.closed


async def test_a_reader_that_comes_back_in_time_keeps_the_reply_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Linger begins anew each time the last reader leaves."""
    clock = Clock(monkeypatch)
    _hand, reply = a_reply(linger=60)
    for _ in range(3):
        async with aclosing(reply.follow(heartbeat=1)) as news:
            waiting = asyncio.ensure_future(anext(news))
            await settle()
            await clock.advance(50)
            await waiting
        await clock.run(50)
    assert reply.ending is None
    reply.stop()
    await reply.ended.wait()


async def test_a_reply_nobody_ever_reads_stops_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply whose asker was gone before reading a word does not run for ever."""
    clock = Clock(monkeypatch)
    _, reply = a_reply(linger=5)
    await clock.run(6)
    assert reply.ending == Done("abandoned")


async def test_a_suspended_process_does_not_abandon_a_reply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reader that was about to begin when the process stood still finds its reply running,
    however long that was."""
    clock = Clock(monkeypatch)
    hand, reply = a_reply(linger=1)
    hand.say(Text("a"), Done("end_turn"))
    await clock.advance(3600)
    assert reply.ending == Done("end_turn")
    _, late = a_reply(linger=1)
    for _ in range(3):
        await clock.advance(3600)
    assert late.ending is None
    late.stop()
    await late.closed()


async def test_ids_are_secrets() -> None:
    """An id has 192 bits and is never given twice, so that nobody guesses somebody else's reply."""
    replies = [a_reply()[1] for _ in range(50)]
    assert len({reply.id for reply in replies}) == 50
    assert min(len(reply.id) for reply in replies) >= 32
    for reply in replies:
        reply.stop()
        await reply.ended.wait()


class Connection:
    """A source that reads a connection as it is wanted: `filled` is what lies there, `reads` how
    often it was read."""

    def __init__(self) -> None:
        self.filled: list[Event] = []
        self.reads = 0
        self._news = asyncio.Event()

    def fill(self, *events: Event) -> None:
        self.filled += events
        self._news.set()

    async def write(self, wanted: Wanted) -> AsyncGenerator[Event]:
        while True:
            await self._news.wait()
            self._news.clear()
            self.reads += 1
            events, self.filled = self.filled, []
            for event in events:
                yield event
            await wanted()


async def test_what_nobody_waits_for_gathers_and_is_then_read_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a reader rests, what comes stays where it is, but for one piece; who wants more gets
    all of it at once."""
    clock, connection = Clock(monkeypatch), Connection()
    reply = Reply(connection.write, linger=60)
    news = reply.follow()
    connection.fill(Text("a"))
    assert await anext(news) == (1, [Text("a")])
    resting = asyncio.ensure_future(reply.rest(0.2, gather=True))
    await settle()
    for word in "bcde":
        connection.fill(Text(word))
        await settle()
    assert (connection.reads, reply.text) == (2, "ab")
    await clock.advance(0.2)
    await resting
    assert await anext(news) == (5, [Text("b"), Text("c"), Text("d"), Text("e")])
    assert connection.reads == 3
    reply.stop()
    await reply.closed()


async def test_nobody_slows_a_source_down_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that rests and never comes back does not keep the reply from its end."""
    clock, connection = Clock(monkeypatch), Connection()
    reply = Reply(connection.write, linger=60)
    connection.fill(Text("a"))
    await settle()
    resting = asyncio.ensure_future(reply.rest(30, gather=True))
    await settle()
    for event in (Text("b"), Text("c"), END):
        connection.fill(event)
        await settle()
    assert (reply.text, reply.ending) == ("ab", None)
    await clock.advance(PATIENCE)
    assert (reply.text, reply.ending) == ("abc", END)
    await resting


async def test_a_rest_in_which_nothing_may_gather_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As long as there are few readers, what comes is read as it comes, and the end ends the
    rest."""
    Clock(monkeypatch)
    connection = Connection()
    reply = Reply(connection.write, linger=60)
    connection.fill(Text("a"))
    await settle()
    resting = asyncio.ensure_future(reply.rest(30))
    await settle()
    connection.fill(Text("b"))
    await settle()
    connection.fill(END)
    await resting
    assert (reply.text, reply.ending, connection.reads) == ("ab", END, 3)


async def test_a_reply_is_whole_before_its_writer_begins() -> None:
    """A writer that runs within the constructor, as an eager task of Python 3.12 does, finds all
    that it needs."""
    asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))
    hand = Hand()
    hand.say(Text("Hello"), END)
    reply = Reply(hand.write, linger=60, receipt=lambda *_: RECEIPT)
    await reply.closed()
    assert (reply.text, reply.ending) == ("Hello", replace(END, receipt=RECEIPT))


async def test_a_reply_is_settled_before_its_receipt_is_made() -> None:
    """The cost of a reply is final when its receipt says it, and a receipt made before the end
    settles nothing."""
    steps: list[str] = []

    def receipt(_: Reply, ending: Ending) -> Receipt:
        steps.append("receipt")
        return RECEIPT

    hand = Hand()
    reply = Reply(hand.write, linger=60, receipt=receipt, settle=lambda: steps.append("settle"))
    assert reply.receipt(Done("running")) == RECEIPT
    hand.say(END)
    await reply.closed()
    assert steps == ["receipt", "settle", "receipt"]
