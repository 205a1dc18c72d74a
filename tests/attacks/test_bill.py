"""Attacks on the owner's money: stopping, breaking or repeating calls so that Claude bills more
than is counted."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from streamchat.chat.asking import Chat
from streamchat.chat.parties import Asker, Sources
from streamchat.errors import ClaudeError
from streamchat.events import Message, Receipt, Usage
from streamchat.money.account import Accounts
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices
from streamchat.replies.reply import Reply
from streamchat.settings import Settings
from streamchat.sources.claude.source import Claude
from streamchat.sources.lazy import LazySource
from streamchat.store.database import Store
from tests.hand import Ticking
from tests.scripted_claude import (
    CUT,
    PING,
    RESET,
    Hold,
    Script,
    ScriptedClaude,
    breaks,
    delta,
    ends,
    event,
    opening,
    opens,
    refuses,
    says,
    start,
    streams,
    thought,
)

PRICES = Prices("claude-sonnet-5-5")
MAX_TOKENS = 16_000
SPEED = 100.0  # tokens per second
ASKER = Asker("203.0.113.7", person="somebody")
REDACTED = event(
    "content_block_start", index=0, content_block={"type": "redacted_thinking", "data": "EqQB"}
)
SIGNED = event(
    "content_block_delta", index=0, delta={"type": "signature_delta", "signature": "EqQB"}
)


@dataclass
class Attack:
    """A visitor of a chat with a scripted Claude behind it."""

    chat: Chat
    budget: Budget
    clock: Ticking

    async def ask(self, text: str = "hi") -> Reply:
        return await self.chat.ask([Message("user", text)], ASKER)

    async def spent(self) -> float:
        """The dollars in the ledger once every reply has ended."""
        await self.chat.close()
        assert self.budget.reserved() == 0
        return self.budget.spent()


@asynccontextmanager
async def attack(
    claude: ScriptedClaude, *scripts: Script, continuations: int = 2
) -> AsyncIterator[Attack]:
    claude.play(*scripts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "sk-owner")
        patch.setenv("ANTHROPIC_BASE_URL", claude.url)
        patch.setenv("STREAMCHAT_CONTINUATIONS", str(continuations))
        settings = Settings.read()
        source = LazySource(
            "Claude", settings.model, lambda: Claude(settings, sleep=lambda _: asyncio.sleep(0))
        )
        with suppress(ClaudeError):
            await source.open()
    clock, store = Ticking(), Store("")
    budget = Budget(store, daily=5, visitor=None)
    accounts = Accounts(budget, PRICES, "", MAX_TOKENS, speed=SPEED, clock=clock)
    chat = Chat(Sources(source, accounts), store, linger=60, keep=3600)
    yield Attack(chat, budget, clock)
    await chat.close()


async def reached(claude: ScriptedClaude, number: int = 0) -> None:
    """Waits until Claude has received the request with that number."""
    await asyncio.to_thread(claude.exchange, number)


async def has(reply: Reply, text: str) -> None:
    """Waits until the reader has seen this text."""
    async for _ in reply.follow():
        if text in reply.text:
            return


def receipt(reply: Reply) -> Receipt:
    assert reply.ending
    assert reply.ending.receipt
    return reply.ending.receipt


THOUGHTS = {
    "summarised": [opens("thinking"), thought("Hm.")],
    "signed only": [opens("thinking"), SIGNED],
    "redacted": [REDACTED],
}


@pytest.mark.parametrize("thoughts", THOUGHTS)
async def test_a_stop_while_claude_thinks_is_settled_at_max_tokens(
    claude: ScriptedClaude, thoughts: str
) -> None:
    """A stop during thinking costs the most tokens that the answer could have."""
    script = streams(start(), *THOUGHTS[thoughts], opens(), delta("The answer"), Hold())
    async with attack(claude, script) as visitor:
        reply = await visitor.ask()
        await has(reply, "The answer")
        reply.stop()
        assert await visitor.spent() >= PRICES.cost(Usage(25, 15_000))
        assert receipt(reply).cost == pytest.approx(PRICES.cost(Usage(25, MAX_TOKENS)))
        assert receipt(reply).assumed == pytest.approx(PRICES.cost(Usage(0, MAX_TOKENS - 1)))


@pytest.mark.parametrize("bytes_a_token", [1, 2, 3])
async def test_a_stop_while_claude_reads_is_settled_at_a_token_a_byte(
    claude: ScriptedClaude, bytes_a_token: int
) -> None:
    """A stop before the first event costs the prompt at a token for each byte."""
    hold = Hold()
    async with attack(claude, [opening(), hold, start(), ends()]) as visitor:
        reply = await visitor.ask("x" * 60_000)
        await reached(claude)
        reply.stop()
        assert await visitor.spent() >= PRICES.cost(
            Usage(cache_write_tokens=60_000 // bytes_a_token)
        )


async def test_a_stop_while_nothing_comes_is_settled_by_the_time(claude: ScriptedClaude) -> None:
    """A stop during a stall costs the tokens that Claude can write in that time."""
    async with attack(claude, streams(start(), opens(), delta("One"), Hold())) as visitor:
        reply = await visitor.ask()
        await has(reply, "One")
        visitor.clock.now += 30
        reply.stop()
        assert await visitor.spent() >= PRICES.cost(Usage(25, 30 * 99))


async def test_the_thoughts_of_a_continuation_count(claude: ScriptedClaude) -> None:
    """Thoughts of a continued answer are counted although nobody sees them."""
    first = streams(start(), opens(), delta("Half an answer"), breaks())
    second = streams(start(), opens("thinking"), thought("Hm."), breaks("invalid_request_error"))
    async with attack(claude, first, second) as visitor:
        reply = await visitor.ask()
        await reply.closed()
        assert len(claude.exchanges) == 2
        assert await visitor.spent() >= PRICES.cost(Usage(25, 15_000))


READING = {
    "reset before an answer": [b"", RESET],
    "closed before an answer": [b"", CUT],
    "an answer of a gateway that lost Claude": refuses(502, ""),
    "a time-out": refuses(504, "timeout_error"),
    "closed by a gateway": refuses(499, ""),
    "an error as the first event": streams(breaks()),
    "reset after the headers": [opening(), RESET],
    "cut after the headers": [opening(), CUT],
    "an empty stream": streams(),
    "no stream": [opening("text/html"), b"<html>"],
}
WRITING = {
    "reset": RESET,
    "cut": CUT,
    "an error": breaks(),
    "an event that is no JSON": b"event: content_block_delta\ndata: {\n\n",
    "an event that is no UTF-8": b"event: content_block_delta\ndata: \xff\n\n",
    "an event without its shape": event("content_block_delta", index=0),
    "an end without a reason": PING,
}


class Unkept(ScriptedClaude):
    """Closes each connection after it has told about the model."""

    def _model(self) -> bytes:
        return super()._model().replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)


@pytest.fixture
def unkept() -> Iterator[ScriptedClaude]:
    with Unkept() as scripted:
        yield scripted


@pytest.mark.parametrize("fault", READING)
async def test_every_attempt_that_may_have_been_read_is_charged(
    unkept: ScriptedClaude, fault: str
) -> None:
    """Each failed call with a long prompt is charged for that prompt."""
    async with attack(unkept, READING[fault]) as visitor:
        reply = await visitor.ask("x" * 60_000)
        await reply.closed()
        each = PRICES.cost(Usage(cache_write_tokens=60_000))
        assert receipt(reply).cost >= len(unkept.exchanges) * each
        assert receipt(reply).assumed == receipt(reply).cost
        assert await visitor.spent() >= len(unkept.exchanges) * each


@pytest.mark.parametrize("fault", WRITING)
async def test_every_attempt_that_thought_is_charged_for_its_thoughts(
    claude: ScriptedClaude, fault: str
) -> None:
    """Each broken stream is charged for the thinking it may have done."""
    async with attack(
        claude, streams(start(), opens("thinking"), thought("Hm."), WRITING[fault])
    ) as visitor:
        reply = await visitor.ask()
        await reply.closed()
        assert len(claude.exchanges) == 4
        assert await visitor.spent() >= 4 * PRICES.cost(Usage(25, 15_000))


@pytest.mark.parametrize("fault", WRITING)
async def test_an_answer_that_breaks_off_is_charged_for_all_its_bytes(
    claude: ScriptedClaude, fault: str
) -> None:
    """A broken answer of one-letter words costs a token for each byte."""
    words = "1 2 3 4 5 6 7 8 9 " * 100
    script = streams(start(), opens(), delta(words), WRITING[fault])
    async with attack(claude, script, continuations=0) as visitor:
        reply = await visitor.ask()
        await reply.closed()
        assert await visitor.spent() >= PRICES.cost(Usage(25, len(words)))


ENDS = ("stopped", "abandoned", "shutdown")


@pytest.mark.parametrize("reason", ENDS)
async def test_every_early_end_is_settled_at_the_bound(claude: ScriptedClaude, reason: str) -> None:
    """A visitor who leaves, and a restart, cost the upper bound, as a stop does."""
    script = streams(start(), opens("thinking"), thought("Hm."), opens(), delta("So"), Hold())
    async with attack(claude, script) as visitor:
        reply = await visitor.ask()
        await has(reply, "So")
        reply.stop(reason)
        assert await visitor.spent() >= PRICES.cost(Usage(25, 15_000))


TURNED_AWAY = {
    "busy": refuses(529, "overloaded_error"),
    "too often": refuses(429, "rate_limit_error"),
    "internal fault": refuses(500, "api_error"),
    "rejected": refuses(400, "invalid_request_error"),
    "too large": refuses(413, "request_too_large"),
}


@pytest.mark.parametrize("answer", TURNED_AWAY)
async def test_a_call_that_claude_turned_away_is_free(claude: ScriptedClaude, answer: str) -> None:
    """A request that Claude refuses without a charge takes nothing from the budget."""
    async with attack(claude, TURNED_AWAY[answer]) as visitor:
        reply = await visitor.ask("x" * 60_000)
        await reply.closed()
        assert (receipt(reply).cost, await visitor.spent()) == (0, 0)


async def test_a_claude_that_cannot_be_reached_charges_nothing() -> None:
    """A call that gets no connection takes nothing from the budget."""
    with ScriptedClaude() as gone:
        pass
    async with attack(gone) as visitor:
        reply = await visitor.ask()
        await reply.closed()
        assert (receipt(reply).cost, await visitor.spent()) == (0, 0)


async def test_a_whole_answer_costs_what_claude_counted(claude: ScriptedClaude) -> None:
    """A finished answer costs Claude's own count, however long it took."""
    async with attack(claude, says("The answer", thinks=["Hm."])) as visitor:
        reply = await visitor.ask()
        await reply.closed()
        visitor.clock.now += 60
        assert (receipt(reply).cost, receipt(reply).assumed) == (PRICES.cost(Usage(25, 42)), 0)
        assert await visitor.spent() == pytest.approx(PRICES.cost(Usage(25, 42)), abs=1e-6)
