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
    """A reader from the start gets each event once, and then the end."""
    hand, reply = a_reply()
    hand.say(Thinking("hm"), Text("a"), Text("b"), END)
    assert await read(reply) == [Thinking("hm"), Text("a"), Text("b"), END]
    assert reply.text == "ab"


async def test_a_reader_that_was_slow_gets_everything_new_at_once() -> None:
    """A reader that was busy for three events gets them together."""
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
    """A reader that stands still does not delay another one."""
    hand, reply = a_reply()
    hand.say(Text("a"))
    async with aclosing(reply.follow()) as standing:
        await anext(standing)
        hand.say(Text("b"), END)
        assert await read(reply) == [Text("a"), Text("b"), END]


async def test_stop_keeps_what_was_written_and_closes_the_source() -> None:
    """The text stays, the log ends with the reason, and the source is closed."""
    hand, reply = a_reply()
    hand.say(Usage(7, 1), Text("half"))
    await settle()
    reply.stop()
    assert await read(reply) == [Usage(7, 1), Text("half"), Done("stopped", Usage(7, 1))]
    assert hand.closed


async def test_stop_before_the_first_step_still_ends_the_log() -> None:
    """A reply stopped at once has an end."""
    _, reply = a_reply()
    reply.stop()
    assert await read(reply) == [Done("stopped")]


async def test_a_second_stop_changes_nothing() -> None:
    """Stop is idempotent, also after the end: the first reason stays."""
    hand, reply = a_reply()
    hand.say(Text("a"))
    await settle()
    reply.stop()
    reply.stop("shutdown")
    await reply.ended.wait()
    reply.stop("abandoned")
    assert await read(reply) == [Text("a"), Done("stopped")]


async def test_a_failure_is_the_last_event_and_keeps_the_text() -> None:
    """The text so far stays, and one end has the error and the time to come back."""
    hand, reply = a_reply()
    hand.say(Text("half"), Busy(retry_after=4, request_id="req_1"))
    assert await read(reply) == [Text("half"), Failed("busy", 503, 4, "req_1")]


async def test_an_unforeseen_error_is_logged_without_what_people_wrote(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reader gets a sentence, and the log a trace without anybody's words."""
    hand, reply = a_reply()
    hand.say(ValueError("the visitor's secret"))
    assert [type(event) for event in await read(reply)] == [Failed]
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_source_that_just_ends_has_failed() -> None:
    """A source without an end event has failed."""
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
    """With a heartbeat, a silent source yields an empty list at the same position."""
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
    """After the last reader the reply goes on for `linger` seconds, and then stops with its
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
    """The linger time starts again each time the last reader leaves."""
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
    """A reply that was never read stops after `linger`."""
    clock = Clock(monkeypatch)
    _, reply = a_reply(linger=5)
    await clock.run(6)
    assert reply.ending == Done("abandoned")


async def test_a_suspended_process_does_not_abandon_a_reply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After any suspension of the process, a reader that was about to begin finds its reply
    running."""
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
    """An id has 192 random bits and is never given twice."""
    replies = [a_reply()[1] for _ in range(50)]
    assert len({reply.id for reply in replies}) == 50
    assert min(len(reply.id) for reply in replies) >= 32
    for reply in replies:
        reply.stop()
        await reply.ended.wait()


class Connection:
    """A source that reads a connection on demand: `filled` waits there, and `reads` counts the
    reads."""

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


async def test_unread_text_gathers_and_is_read_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a reader rests, all but one piece stays at the source; the next reader gets everything
    at once."""
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


async def test_a_resting_reader_cannot_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that never returns does not keep the reply from its end."""
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
    """Without `gather`, text is read as it comes, and the end ends the rest."""
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
    """A writer that runs inside the constructor, as an eager task of Python 3.12, finds everything
    it needs."""
    asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))
    hand = Hand()
    hand.say(Text("Hello"), END)
    reply = Reply(hand.write, linger=60, receipt=lambda *_: RECEIPT)
    await reply.closed()
    assert (reply.text, reply.ending) == ("Hello", replace(END, receipt=RECEIPT))


async def test_a_reply_is_settled_before_its_receipt_is_made() -> None:
    """The receipt has the final cost, and a receipt before the end settles nothing."""
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
