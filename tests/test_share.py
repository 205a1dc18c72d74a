"""Shared replies: one call to Claude for everybody with the same question, and a new answer for a
repeated one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streamchat.chat.asking import Chat
from streamchat.chat.parties import Asker, Sources
from streamchat.errors import Busy, TooLittleLeft
from streamchat.events import Done, Event, Message, Receipt, Text, Usage
from streamchat.money.account import Accounts
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices
from streamchat.replies.reply import Reply
from streamchat.replies.share import MAX_SHARES, Shares
from streamchat.store.database import Store
from tests.hand import Clock, Hand, settle
from tests.served import Source

PRICES = Prices("claude-sonnet-5-5")
USED = Usage(25, 42)
WHOLE = (USED, Text("The"), Text(" Loire."), Done("end_turn", USED))
HI = [Message("user", "hi")]


@asynccontextmanager
async def a_chat(
    *, money: float = 5, share: float | None = None
) -> AsyncIterator[tuple[Chat, Source, Budget]]:
    source, store = Source(), Store("")
    budget = Budget(store, daily=money, visitor=share)
    chat = Chat(
        Sources(source, Accounts(budget, PRICES, "", 1_000), shared=frozenset(["hi"])),
        store,
        linger=60,
        keep=3600,
    )
    yield chat, source, budget
    await chat.close()


async def ask(chat: Chat, person: str, question: str = "hi") -> Reply:
    return await chat.ask([Message("user", question)], Asker(visitor=person, person=person))


def receipt(reply: Reply) -> Receipt:
    assert reply.ending
    assert reply.ending.receipt
    return reply.ending.receipt


def found(shares: Shares, question: str) -> Reply | None:
    share = shares.find(question, "somebody else")
    return share.reply if share else None


async def test_however_many_ask_at_once_claude_is_asked_once() -> None:
    """Fifty people ask at once: there is one request, and all read the whole answer."""
    async with a_chat() as (chat, source, _):
        replies = await asyncio.gather(*(ask(chat, f"person {number}") for number in range(50)))
        source.say(*WHOLE)
        await asyncio.gather(*(reply.closed() for reply in replies))
        assert {reply.text for reply in replies} == {"The Loire."}
        assert len({reply.id for reply in replies}) == 50
        assert len(source.asked) == 1


async def test_a_later_reader_reads_from_the_beginning() -> None:
    """Readers who ask during the answer or after it get all of it."""
    async with a_chat() as (chat, source, _):
        await ask(chat, "first")
        source.say(*WHOLE[:2])
        await settle()
        second = await ask(chat, "second")
        source.say(*WHOLE[2:])
        await second.closed()
        third = await ask(chat, "third")
        await third.closed()
        assert (second.text, third.text, len(source.asked)) == ("The Loire.", "The Loire.", 1)


async def test_a_shared_reply_costs_nothing_and_says_so() -> None:
    """The first visitor pays; the others' receipts say that the reply was shared."""
    async with a_chat() as (chat, source, budget):
        first, second = await ask(chat, "first"), await ask(chat, "second")
        source.say(*WHOLE)
        await asyncio.gather(first.closed(), second.closed())
        assert (receipt(first).shared, receipt(first).cost) == (False, PRICES.cost(USED))
        assert (receipt(second).shared, receipt(second).cost) == (True, 0)
        assert budget.spent() == budget.spent("first") == pytest.approx(PRICES.cost(USED), abs=1e-6)
        assert budget.spent("second") == 0


async def test_asking_again_gives_a_new_answer() -> None:
    """The same question again, or Retry, gives a new answer, which is shared from then on."""
    async with a_chat() as (chat, source, _):
        for answer in ("One", "Two"):
            source.say(USED, Text(answer), Done("end_turn", USED))
            reply = await ask(chat, "me")
            await reply.closed()
            assert reply.text == answer
        other = await ask(chat, "other")
        await other.closed()
        assert (other.text, len(source.asked)) == ("Two", 2)


async def test_without_a_person_nothing_is_shared() -> None:
    """If repeated questions cannot be recognised, everybody gets an answer of their own."""
    async with a_chat() as (chat, source, _):
        await chat.ask(HI)
        await chat.ask(HI)
        await settle()
        assert len(source.asked) == 2


async def test_only_examples_are_shared() -> None:
    """No receipt reveals whether somebody else asked the same question, even with ten addresses."""
    async with a_chat() as (chat, source, _):
        for number in range(10):
            source.say(*WHOLE)
            reply = await ask(chat, f"person {number}", "Is my colleague Anna ill?")
            await reply.closed()
            assert not receipt(reply).shared
        assert len(source.asked) == 10


async def test_only_first_questions_are_shared() -> None:
    """A question with a conversation before it is asked for each visitor."""
    async with a_chat() as (chat, source, _):
        said = [*HI, Message("assistant", "Hello."), Message("user", "more")]
        for person in ("one", "two"):
            await chat.ask(said, Asker(visitor=person, person=person))
        await settle()
        assert len(source.asked) == 2


async def test_ones_stop_does_not_stop_the_others() -> None:
    """A reader who stops keeps the text so far; the others read on, and the last one's stop closes
    the connection."""
    async with a_chat() as (chat, source, _):
        first, second = await ask(chat, "first"), await ask(chat, "second")
        source.say(Text("The"))
        await settle()
        first.stop()
        await first.closed()
        assert not source.closed
        assert not receipt(first).closed
        source.say(Text(" Loire"))
        await settle()
        assert (first.text, second.text) == ("The", "The Loire")
        second.stop()
        await second.closed()
        assert source.closed
        assert receipt(second).closed


@pytest.mark.parametrize(
    "end",
    [
        Busy(),
        Done("max_tokens"),
        Done("refusal"),
        Done("pause_turn"),
        Done("tool_use"),
        Done("unknown"),
        None,
    ],
    ids=["failed", "cut off", "refused", "paused", "asks for a tool", "ended oddly", "never ended"],
)
async def test_an_incomplete_answer_is_not_shared(
    end: Event | Exception | None,
) -> None:
    """After a failed, cut off or refused answer the next visitor gets a new one."""
    async with a_chat() as (chat, source, _):
        source.say(Text("Half"), end)
        first = await ask(chat, "first")
        await first.closed()
        await ask(chat, "second")
        await settle()
        assert len(source.asked) == 2


async def test_a_stopped_answer_is_not_shared() -> None:
    """After its only reader's stop, the next visitor gets a whole answer."""
    async with a_chat() as (chat, source, _):
        first = await ask(chat, "first")
        source.say(Text("Half"))
        await settle()
        first.stop()
        await first.closed()
        source.say(*WHOLE)
        second = await ask(chat, "second")
        await second.closed()
        assert (second.text, len(source.asked)) == ("The Loire.", 2)


async def test_a_reader_who_joins_at_a_stop_reads_on() -> None:
    """A reply with another reader is not stopped."""
    async with a_chat() as (chat, source, _):
        first = await ask(chat, "first")
        source.say(*WHOLE[:2])
        await settle()
        first.stop()
        second = await ask(chat, "second")
        await first.closed()
        source.say(*WHOLE[2:])
        await second.closed()
        assert (second.text, len(source.asked)) == ("The Loire.", 1)


async def test_a_reader_who_leaves_at_once_holds_nothing_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reply whose only reader left before its first event stops."""
    clock = Clock(monkeypatch)
    async with a_chat() as (chat, source, _):
        first = await ask(chat, "first")
        first.stop()
        await first.closed()
        await clock.advance(2)
        assert source.closed


async def test_a_suspended_process_does_not_abandon_a_shared_reply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reader counts from its question on, even if the process is suspended before it reads."""
    clock = Clock(monkeypatch)
    async with a_chat() as (chat, source, _):
        first = await ask(chat, "first")
        clock.now += 3600
        await settle()
        source.say(*WHOLE)
        await first.closed()
        assert (first.text, first.ending and first.ending.usage) == ("The Loire.", USED)


async def test_a_refusal_is_for_one_person_only() -> None:
    """If the first visitor has no money left, the next one begins the reply."""
    worst = PRICES.worst(tuple(HI), "", 1_000)
    async with a_chat(share=worst * 1.5) as (chat, source, _):
        await ask(chat, "poor", "something else")
        with pytest.raises(TooLittleLeft):
            await ask(chat, "poor")
        await ask(chat, "rich")
        await settle()
        assert len(source.asked) == 2


async def test_an_answer_is_shared_for_a_while() -> None:
    """After `keep` seconds the question is asked anew."""
    now, hand = 0.0, Hand()
    shares = Shares(keep=60, clock=lambda: now)
    reply = Reply(hand.write, linger=60)
    shares.add("hi", "first", reply)
    hand.say(Done("end_turn"))
    await reply.closed()
    await settle()
    now = 59.0
    assert found(shares, "hi") is reply
    now = 60.0
    assert shares.find("hi", "third") is None


async def test_so_many_questions_are_remembered_and_no_more() -> None:
    """Over the bound, the question asked first is forgotten."""
    shares = Shares(keep=60)
    replies = [Reply(Hand().write, linger=60) for _ in range(MAX_SHARES + 1)]
    for number, reply in enumerate(replies):
        shares.add(f"question {number}", "first", reply)
    assert shares.find("question 0", "second") is None
    assert found(shares, "question 1") is replies[1]
    for reply in replies:
        reply.stop()
    await asyncio.gather(*(reply.closed() for reply in replies))
