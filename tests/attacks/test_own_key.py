"""Attacks with a visitor's own key: on the owner's credentials, on other visitors, and on shared
state."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anthropic
import httpx2
import pytest

from streamchat.chat.asking import Chat
from streamchat.chat.parties import Asker, Sources
from streamchat.errors import BadKey, DayIsSpent, NoOwnKeys, Paused
from streamchat.events import Message, Request, Usage
from streamchat.money.account import Accounts
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices
from streamchat.replies.reply import Reply
from streamchat.settings import Settings
from streamchat.sources.claude import clients
from streamchat.sources.claude.source import Claude
from streamchat.sources.lazy import LazySource
from streamchat.store.database import Store
from tests.scripted_claude import CAPABLE, Script, ScriptedClaude, refuses, says
from tests.test_claude import INCAPABLE, answer

JUNK = "sk-ant-junk-0123456789"
ASKED = Request((Message("user", "hi"),), key=JUNK)
SECRET = "owner-secret"
ENVIRONMENTS = {
    "key": {"ANTHROPIC_API_KEY": SECRET},
    "token": {"ANTHROPIC_AUTH_TOKEN": SECRET},
    "key and token": {"ANTHROPIC_API_KEY": f"{SECRET}-1", "ANTHROPIC_AUTH_TOKEN": f"{SECRET}-2"},
    "header": {"ANTHROPIC_CUSTOM_HEADERS": f"X-Gateway-Token: {SECRET}"},
    "headers": {
        "ANTHROPIC_CUSTOM_HEADERS": (
            f"X-One: {SECRET}\nx-api-key: {SECRET}\nCookie: session={SECRET}"
        )
    },
    "authorization": {"ANTHROPIC_CUSTOM_HEADERS": f"Authorization: Bearer {SECRET}"},
    "authorization in small letters": {
        "ANTHROPIC_CUSTOM_HEADERS": f"authorization: Bearer {SECRET}"
    },
    "a header that every request has": {
        "ANTHROPIC_CUSTOM_HEADERS": f"User-Agent: {SECRET}\naccept: {SECRET}"
    },
    "workspace": {"ANTHROPIC_CUSTOM_HEADERS": f"anthropic-workspace-id: {SECRET}"},
    "profile": {"ANTHROPIC_PROFILE": SECRET},
    "federation": {
        "ANTHROPIC_IDENTITY_TOKEN": SECRET,
        "ANTHROPIC_FEDERATION_RULE_ID": SECRET,
        "ANTHROPIC_ORGANIZATION_ID": SECRET,
    },
    "everything": {
        "ANTHROPIC_API_KEY": SECRET,
        "ANTHROPIC_AUTH_TOKEN": SECRET,
        "ANTHROPIC_CUSTOM_HEADERS": f"Authorization: Bearer {SECRET}\nX-Gateway-Token: {SECRET}",
        "ANTHROPIC_PROFILE": SECRET,
        "ANTHROPIC_WEBHOOK_SIGNING_KEY": SECRET,
    },
}


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any setting of the owner's."""
    for name in [name for name in os.environ if name.startswith("ANTHROPIC_")]:
        monkeypatch.delenv(name)
    return monkeypatch


@asynccontextmanager
async def a_source(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch, environment: dict[str, str]
) -> AsyncIterator[Claude]:
    owner.setenv("ANTHROPIC_BASE_URL", claude.url)
    for name, value in environment.items():
        owner.setenv(name, value)
    source = Claude(Settings.read(), sleep=lambda _: asyncio.sleep(0))
    yield source
    await source.close()


class Seeing(ScriptedClaude):
    """Keeps the heads of all requests, also of those that look up the model."""

    def __init__(self, *scripts: Script) -> None:
        super().__init__(*scripts)
        self.heads: list[str] = []

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read = reader.readuntil

        async def readuntil(separator: bytes) -> bytes:
            head = await read(separator)
            self.heads.append(head.decode())
            return head

        reader.readuntil = readuntil  # type: ignore[assignment, method-assign]
        await super()._connection(reader, writer)


@pytest.fixture
def seeing() -> Iterator[Seeing]:
    with Seeing(says("Hello")) as claude:
        yield claude


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
async def test_a_junk_key_sends_nothing_of_the_owners(
    seeing: Seeing, owner: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """A request with a visitor's key has no credential and no header of the owner's environment."""
    async with a_source(seeing, owner, environment) as source:
        _, error = await answer(source, ASKED)
    assert error is None
    assert len(seeing.heads) == 2
    for head in seeing.heads:
        assert SECRET not in head
        assert f"\r\nauthorization: bearer {JUNK}\r\n" in head.lower()
        assert head.lower().count("\r\nauthorization:") == 1


async def test_the_owner_still_has_the_headers_of_the_environment(
    seeing: Seeing, owner: pytest.MonkeyPatch
) -> None:
    """The owner's own requests have the headers from the environment that a gateway needs."""
    environment = ENVIRONMENTS["header"] | ENVIRONMENTS["key"]
    async with a_source(seeing, owner, environment) as source:
        await answer(source, Request(ASKED.conversation))
        await answer(source, ASKED)
    *of_owner, of_visitor = seeing.heads
    assert all(f"x-gateway-token: {SECRET}" in head.lower() for head in of_owner)
    assert SECRET not in of_visitor


async def test_a_password_in_the_gateways_address_is_not_sent(
    seeing: Seeing, owner: pytest.MonkeyPatch
) -> None:
    """A user and password in ANTHROPIC_BASE_URL do not replace a visitor's key."""
    async with a_source(seeing, owner, {}) as source:
        await source.close()
    url = seeing.url.replace("http://", f"http://owner:{SECRET}@")
    async with a_source(seeing, owner, {"ANTHROPIC_BASE_URL": url}) as source:
        await answer(source, ASKED)
    assert all(f"authorization: bearer {JUNK}\r\n" in head.lower() for head in seeing.heads)
    assert not [head for head in seeing.heads if "basic" in head.lower()]


class Baking(Seeing):
    """Sets a cookie with each model and each answer."""

    def _model(self) -> bytes:
        return (
            super()._model().replace(b"\r\n\r\n", b"\r\nset-cookie: session=a; Path=/\r\n\r\n", 1)
        )


async def test_cookies_are_not_shared_between_keys(owner: pytest.MonkeyPatch) -> None:
    """A cookie that a gateway sets for one key is not sent with another."""
    with Baking(says("Hello")) as claude:
        url = claude.url.replace("127.0.0.1", "localhost")
        environment = {"ANTHROPIC_API_KEY": SECRET, "ANTHROPIC_BASE_URL": url}
        async with a_source(claude, owner, environment) as source:
            await source.open()
            for key in ("", JUNK, f"{JUNK}-2"):
                await answer(source, Request(ASKED.conversation, key=key))
    assert len(claude.heads) == 4
    assert not [head for head in claude.heads if "session=a" in head]


def test_the_client_for_visitors_reads_no_headers_from_the_environment(
    owner: pytest.MonkeyPatch,
) -> None:
    """The SDK adds environment headers to each copy of a client unless `Bare` overrides it."""
    owner.setenv("ANTHROPIC_CUSTOM_HEADERS", f"X-Gateway-Token: {SECRET}")
    taken = anthropic.AsyncAnthropic(api_key=JUNK).default_headers
    assert taken["X-Gateway-Token"] == SECRET
    client = clients.for_visitors(Settings.read(), httpx2.Timeout(5)).with_options(api_key=JUNK)
    assert SECRET not in str(client.default_headers)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_key_that_may_not_see_the_model_tells_nothing_about_it(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch, status: int
) -> None:
    """A key without access to the model does not change what the chat knows about the model."""
    claude.capabilities = INCAPABLE
    async with a_source(claude, owner, {"ANTHROPIC_API_KEY": SECRET}) as source:
        claude.models_status = status
        await answer(source, ASKED)
        claude.models_status = 200
        await answer(source, Request(ASKED.conversation))
    assert "thinking" not in claude.exchanges[-1].body


async def test_a_refusal_to_one_key_does_not_affect_others(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch
) -> None:
    """A refusal to one key does not turn off thinking or caching for other visitors."""
    claude.capabilities = CAPABLE
    refusal = refuses(
        400, "invalid_request_error", "thinking: adaptive thinking is not supported on this model"
    )
    claude.play(refusal, says("Without."), says("With."))
    async with a_source(claude, owner, {"ANTHROPIC_API_KEY": SECRET}) as source:
        await answer(source, ASKED)
        await answer(source, Request(ASKED.conversation))
    assert ["thinking" in exchange.body for exchange in claude.exchanges] == [True, False, True]


@asynccontextmanager
async def a_chat(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch, *, takes_keys: bool = True
) -> AsyncIterator[tuple[Chat, Budget]]:
    """A chat whose owner has no money left for today."""
    owner.setenv("ANTHROPIC_BASE_URL", claude.url)
    owner.setenv("ANTHROPIC_API_KEY", SECRET)
    settings = Settings.read()
    source, store = LazySource("Claude", settings.model, lambda: Claude(settings)), Store("")
    budget, prices = Budget(store, daily=0, visitor=None), Prices(settings.model)
    accounts = Accounts(budget, prices, "", 1_000)
    sources = Sources(source, accounts, own=source if takes_keys else None)
    chat = Chat(sources, store, linger=60, keep=60)
    yield chat, budget
    await chat.close()


async def ask(chat: Chat, key: str) -> Reply:
    reply = await chat.ask([Message("user", "hi")], Asker("203.0.113.7", key=key))
    await reply.closed()
    return reply


def keys(claude: ScriptedClaude) -> list[str]:
    return [exchange.headers["authorization"] for exchange in claude.exchanges]


ASKS_FOR_NOTHING = ["", " ", "\t", "\r\n", " \t "]
NO_KEYS = [
    '"',
    "''",
    '" \' "',
    "sk-ünmöglich",
    "sk-\x00-nul",
    "sk-\x7f-del",
    "\u200bsk-zero-width",
    "🔑",
]


@pytest.mark.parametrize("key", ASKS_FOR_NOTHING)
async def test_a_blank_key_is_none(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch, key: str
) -> None:
    """A key of spaces does not get past the budget."""
    async with a_chat(claude, owner) as (chat, _):
        with pytest.raises(DayIsSpent):
            await ask(chat, key)
    assert keys(claude) == []


@pytest.mark.parametrize("key", NO_KEYS)
async def test_an_impossible_key_is_not_sent(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch, key: str
) -> None:
    """A key of quotation marks, or of characters that no header can carry, does not get past the
    budget."""
    async with a_chat(claude, owner) as (chat, _):
        with pytest.raises(BadKey):
            await ask(chat, key)
    assert keys(claude) == []


@pytest.mark.parametrize(
    "key", [f"{JUNK}\r\nX-Injected: 1", f"{JUNK}\tX", f"'{JUNK}'", JUNK * 1_500]
)
async def test_an_odd_key_is_sent_as_one_header(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch, key: str
) -> None:
    """A line break in a key adds no header, and a key of 30 kB does not break the request."""
    async with a_chat(claude, owner) as (chat, budget):
        await ask(chat, key)
        assert budget.spent() == 0
    (sent,) = claude.exchanges
    assert sent.headers["authorization"] == "Bearer " + "".join(key.split()).strip("'")
    assert "x-injected" not in sent.headers


async def test_a_key_pays_while_claude_is_paused_for_the_owner(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch
) -> None:
    """A pause by the owner does not stop answers that visitors pay for."""
    async with a_chat(claude, owner) as (chat, budget):
        await chat.pause.turn(on=True)
        with pytest.raises(Paused):
            await ask(chat, "")
        reply = await ask(chat, JUNK)
        assert reply.ending
        assert reply.ending.receipt
        assert (reply.ending.receipt.own_key, reply.ending.usage, budget.spent()) == (
            True,
            Usage(25, 42),
            0,
        )
    assert keys(claude) == [f"Bearer {JUNK}"]


async def test_where_no_keys_are_taken_none_is_sent(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch
) -> None:
    """A chat that takes no keys refuses one."""
    async with a_chat(claude, owner, takes_keys=False) as (chat, _):
        with pytest.raises(NoOwnKeys):
            await ask(chat, JUNK)
    assert keys(claude) == []


async def test_two_keys_at_once_stay_apart(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch
) -> None:
    """Concurrent visitors each pay with their own key."""
    wanted = [f"{JUNK}-{number}" for number in range(20)]
    async with a_chat(claude, owner) as (chat, _):
        await asyncio.gather(*(ask(chat, key) for key in wanted))
    assert sorted(keys(claude)) == sorted(f"Bearer {key}" for key in wanted)


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_a_key_that_claude_repeats_is_in_no_error(
    claude: ScriptedClaude, owner: pytest.MonkeyPatch, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """No error or log line contains the visitor's or the owner's key."""
    claude.play(
        refuses(status, "api_error", f"what is {JUNK}, or {SECRET}?", x_should_retry="false")
    )
    async with a_chat(claude, owner) as (chat, _):
        reply = await ask(chat, JUNK)
    told = f"{reply.log} {caplog.text}"
    assert JUNK not in told
    assert SECRET not in told
