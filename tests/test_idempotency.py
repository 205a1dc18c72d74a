import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from streamchat.api.routes import PATH
from streamchat.chat.asking import Chat
from streamchat.chat.idempotency import Idempotency
from streamchat.chat.parties import Asker, Sources
from streamchat.errors import BrokenOff, Busy, ChatError, Crowded, KeyReused, TooOften
from streamchat.events import Done, Event, Message, Text, Thinking
from streamchat.replies.reply import Reply
from streamchat.store.database import Store
from streamchat.visitors.limits import Limits
from tests.hand import Hand, settle
from tests.served import EVENTS, HI, Served, Source, served, until

END = Done("end_turn")
KEY = {"idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
QUESTION = (Message("user", "hi"),)
OTHER = (Message("user", "ho"),)
ME = Asker("me", "me")


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served() as api:
        yield api


async def test_a_question_whose_connection_was_lost_is_not_asked_again(api: Served) -> None:
    """The same key finds the running reply from its beginning."""
    _, writer = await asyncio.open_connection("127.0.0.1", api.port)
    fields = {
        "host": "localhost",
        "content-type": "application/json",
        "content-length": "17",
        **KEY,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    writer.write(f"POST {PATH} HTTP/1.1\r\n{head}\r\n{json.dumps(HI)}".encode())
    await until(lambda: api.source.asked)
    writer.close()
    api.source.say(Text("The"))
    async with api.client.stream("POST", PATH, json=HI, headers=KEY) as answer:
        words = answer.aiter_text()
        assert await anext(words) == "The"
        api.source.say(Text(" Loire."), END)
        assert "".join([word async for word in words]) == " Loire."
    assert len(api.source.asked) == 1


async def test_an_ended_reply_is_read_again_in_any_form(api: Served) -> None:
    """Status 200 and the same address, as text and as events, even if the JSON is formatted
    differently."""
    api.source.say(Text("The"), Text(" Loire."), END)
    first = await api.client.post(PATH, json=HI, headers=KEY)
    again = await api.client.post(PATH, json=HI, headers=KEY)
    events = await api.client.post(PATH, json=HI, headers=KEY | EVENTS)
    written = {
        "content-type": "application/json",
        "idempotency-key": KEY["idempotency-key"].strip('"'),
    }
    other = await api.client.post(PATH, content=b' {"message" : "\\u0068i"}', headers=written)
    assert [answer.status_code for answer in (first, again, events, other)] == [200] * 4
    assert {answer.headers["location"] for answer in (first, again, events, other)} == {
        first.headers["location"]
    }
    assert first.text == again.text == other.text == "The Loire."
    assert events.text.count("event: text") == 2
    assert len(api.source.asked) == 1


async def test_a_key_is_for_one_question(api: Served) -> None:
    """The same key with another body is refused, and the first reply stays."""
    api.source.say(Text("a"), END)
    await api.client.post(PATH, json=HI, headers=KEY)
    answer = await api.client.post(PATH, json={"message": "ho"}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert (await api.client.post(PATH, json=HI, headers=KEY)).text == "a"
    assert len(api.source.asked) == 1


async def test_without_a_key_and_with_another_one_a_question_is_asked_anew(api: Served) -> None:
    """Equal questions alone are not the same request."""
    for headers in ({}, {}, KEY, {"idempotency-key": "k2"}):
        api.source.say(Text("a"), END)
        assert (await api.client.post(PATH, json=HI, headers=headers)).text == "a"
    assert len(api.source.asked) == 4


@pytest.mark.parametrize(
    "key",
    ["", '""', '"', '"a', 'a"b', "a b", "é", '"é"', "x" * 256, "a, b", '"a\\b"', '"a";b', "(a)"],
)
async def test_an_invalid_key_is_refused(api: Served, key: str) -> None:
    """A key that is empty, too long or has other characters is refused."""
    answer = await api.client.post(PATH, json=HI, headers={b"idempotency-key": key.encode()})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")
    assert api.source.asked == []


async def test_two_keys_are_refused(api: Served) -> None:
    """A request has at most one key."""
    answer = await api.client.post(
        PATH, json=HI, headers=[("idempotency-key", "a"), ("idempotency-key", "b")]
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("key", "same"), [('"a"', "a"), ('"\\"\\\\"', '"\\"\\\\"'), ('"a b!"', '"a b!"')]
)
async def test_a_key_may_be_written_in_two_ways(api: Served, key: str, same: str) -> None:
    """The draft's quotation marks are optional."""
    api.source.say(Text("a"), END)
    answers = [
        await api.client.post(PATH, json=HI, headers={"idempotency-key": it}) for it in (key, same)
    ]
    assert answers[0].headers["location"] == answers[1].headers["location"]


@pytest.mark.parametrize("refusal", [Crowded(), TooOften(retry_after=20), ValueError("a bug")])
async def test_a_refused_question_may_be_asked_again(api: Served, refusal: Exception) -> None:
    """A refused question does not use up its key: the same key may come with another body."""
    api.source.refusal = refusal
    assert (await api.client.post(PATH, json={"message": "ho"}, headers=KEY)).status_code >= 400
    api.source.refusal = None
    api.source.say(Text("a"), END)
    assert (await api.client.post(PATH, json=HI, headers=KEY)).text == "a"


async def test_a_reply_that_failed_before_its_first_word_is_tried_again(api: Served) -> None:
    """The key may be used again after such a failure, as after a 503 with `Retry-After`; a reply
    that failed in its middle stays."""
    api.source.say(Thinking("hm"), Busy(retry_after=1))
    assert (await api.client.post(PATH, json=HI, headers=KEY)).status_code == 503
    api.source.say(Text("Half"), BrokenOff())
    first = await api.client.post(PATH, json=HI, headers=KEY | EVENTS)
    again = await api.client.post(PATH, json=HI, headers=KEY | EVENTS)
    assert first.headers["location"] == again.headers["location"]
    assert "broken_off" in again.text
    assert len(api.source.asked) == 2


async def test_a_reply_that_is_kept_no_longer_is_asked_anew() -> None:
    """A key does not extend the time for which a reply is kept."""
    async with served(keep=0) as api:
        for _ in range(2):
            api.source.say(Text("a"), END)
            assert (await api.client.post(PATH, json=HI, headers=KEY)).text == "a"
        assert len(api.source.asked) == 2


async def test_a_repeated_request_is_no_second_question() -> None:
    """A repeated request does not count against the rate limit."""
    source, limits = Source(), Limits(rate="1/minute", visitor_replies=1, max_replies=1)
    chat = Chat(Sources(source), Store(""), linger=60, keep=60, limits=limits)
    replies = [await chat.ask(QUESTION, ME, once="k") for _ in range(3)]
    assert replies[0] is replies[1] is replies[2]
    with pytest.raises(TooOften):
        await chat.ask(QUESTION, ME, once="k2")
    await chat.close()


class Replies:
    """Begins replies that a test operates by hand, and finds them by id."""

    def __init__(self) -> None:
        self.hands: list[Hand] = []
        self.replies: dict[str, Reply] = {}
        self.refusals: list[ChatError] = []
        self.may_begin = asyncio.Event()
        self.may_begin.set()

    async def begin(self) -> Reply:
        hand = Hand()
        self.hands.append(hand)
        await self.may_begin.wait()
        if self.refusals:
            raise self.refusals.pop()
        reply = Reply(hand.write, linger=60)
        self.replies[reply.id] = reply
        return reply

    async def find(self, reply_id: str) -> Reply:
        return self.replies[reply_id]


STRANGERS = [Asker("you", "you"), Asker("me", "me", key="sk-mine"), Asker("mek", ""), Asker(None)]


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_strangers_equal_key_is_another_one(stranger: Asker) -> None:
    """Keys belong to one visitor and one payer: the same key of another one begins another reply,
    and no conflict."""
    replies = Replies()
    idempotency = Idempotency(replies.find)
    mine = await idempotency.reply("k", QUESTION, ME, replies.begin)
    theirs = await idempotency.reply("k", OTHER, stranger, replies.begin)
    assert mine is not theirs
    assert await idempotency.reply("k", QUESTION, ME, replies.begin) is mine
    assert await idempotency.reply("k", OTHER, stranger, replies.begin) is theirs


async def test_requests_at_the_same_moment_get_one_reply() -> None:
    """Requests with the same key wait while the first one is admitted; one with another body is
    refused."""
    replies = Replies()
    replies.may_begin.clear()
    idempotency = Idempotency(replies.find)
    asking = [
        asyncio.create_task(idempotency.reply("k", QUESTION, ME, replies.begin)) for _ in range(3)
    ]
    await settle()
    other = asyncio.create_task(idempotency.reply("k", OTHER, ME, replies.begin))
    await settle()
    replies.may_begin.set()
    found = await asyncio.gather(*asking)
    assert found[0] is found[1] is found[2]
    with pytest.raises(KeyReused):
        await other
    assert len(replies.hands) == 1


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "is refused"])
async def test_the_next_begins_where_the_first_did_not(leaves: bool) -> None:
    """If the first request is cancelled or refused during admission, the next one in line
    begins."""
    replies = Replies()
    replies.may_begin.clear()
    idempotency = Idempotency(replies.find)
    first, second = [
        asyncio.create_task(idempotency.reply("k", QUESTION, ME, replies.begin)) for _ in range(2)
    ]
    await settle()
    if leaves:
        first.cancel()
    else:
        replies.refusals.append(Crowded())
        replies.may_begin.set()
        with pytest.raises(Crowded):
            await first
    replies.may_begin.set()
    assert isinstance(await second, Reply)
    assert len(replies.hands) == 2


async def test_keys_are_forgotten_after_a_day() -> None:
    """After a day a key may be used for another question, and not before."""
    now = 0.0
    replies = Replies()
    idempotency = Idempotency(replies.find, clock=lambda: now)
    first = await idempotency.reply("k", QUESTION, ME, replies.begin)
    now = 86_399.0
    assert await idempotency.reply("k", QUESTION, ME, replies.begin) is first
    now = 86_400.0
    assert await idempotency.reply("k", OTHER, ME, replies.begin) is not first


async def test_keys_are_bounded() -> None:
    """Keys are bounded by visitor and in all: the visitor with most loses the ones used longest
    ago."""
    replies = Replies()
    idempotency = Idempotency(replies.find, most=10, most_of_visitor=5)
    mine = await idempotency.reply("k", QUESTION, ME, replies.begin)
    for number in range(100):
        await idempotency.reply(f"k{number}", QUESTION, Asker(f"flood {number % 3}"), replies.begin)
    assert await idempotency.reply("k", QUESTION, ME, replies.begin) is mine
    begun = len(replies.hands)
    await idempotency.reply("k99", QUESTION, Asker("flood 0"), replies.begin)
    assert len(replies.hands) == begun
    await idempotency.reply("k0", QUESTION, Asker("flood 0"), replies.begin)
    assert len(replies.hands) == begun + 1


ENDINGS: dict[str, tuple[list[Event | Exception], str, bool]] = {
    "abandoned without a word": ([], "abandoned", False),
    "abandoned in the middle": ([Text("Half")], "abandoned", True),
    "stopped without a word": ([], "stopped", True),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_stopped_reply_stays_stopped(ending: str) -> None:
    """A stopped reply is an answer; one that nobody read and that ended without a word is none."""
    said, reason, same = ENDINGS[ending]
    replies = Replies()
    idempotency = Idempotency(replies.find)
    reply = await idempotency.reply("k", QUESTION, ME, replies.begin)
    replies.hands[0].say(*said)
    await settle()
    reply.stop(reason)
    await reply.closed()
    assert (await idempotency.reply("k", QUESTION, ME, replies.begin) is reply) == same
