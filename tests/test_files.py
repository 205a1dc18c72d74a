"""Files of a conversation on their way to Claude: what is sent, what it may cost, what is kept."""

import asyncio
import base64
import gc
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import pytest
from anthropic.types import MessageParam
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from streamchat.api.routes import PATH
from streamchat.attachments.attachment import Attachment, Upload
from streamchat.attachments.bounds import Bounds
from streamchat.attachments.checking import checked
from streamchat.attachments.workshop import Workshop
from streamchat.chat.asking import Chat
from streamchat.chat.conversation import checked as checked_turns
from streamchat.chat.files import MOST_OF_VISITOR, Draft, Files
from streamchat.chat.parties import Sources
from streamchat.errors import ClaudeError, Crowded, FileRefused, Spent, TooDear, TooManyFiles
from streamchat.events import Conversation, Message, Usage
from streamchat.meter import input_tokens
from streamchat.money.account import COUNTED, Accounts
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices
from streamchat.options import Choice
from streamchat.settings import Settings
from streamchat.sources.claude.content import content
from streamchat.sources.claude.posting import STEP, Body
from streamchat.sources.claude.source import Claude
from streamchat.sources.demo.source import Demo
from streamchat.sources.lazy import LazySource
from streamchat.store.database import Store
from streamchat.system.pieces import PIECE
from streamchat.visitors import Local
from tests.files import (
    document_block,
    image_block,
    pdf,
    picture,
    plain_block,
    text_block,
    unhurried,
)
from tests.hand import Ticking
from tests.scripted_claude import (
    CUT,
    ScriptedClaude,
    counted,
    delta,
    opens,
    refuses,
    says,
    start,
    streams,
)
from tests.served import EVENTS, Served, served

PRICES = Prices("claude-sonnet-5-5")
MAX_TOKENS = 16_000
CITED = {"citations": {"enabled": True}}
PAPER = pdf("Rivers run to the sea. " * 40, "And so on.")


@dataclass
class Asked:
    api: Served
    budget: Budget
    claude: ScriptedClaude

    async def ask(self, *blocks: Any, **headers: str) -> Any:
        turns = [{"role": "user", "content": [*blocks]}]
        return await self.api.client.post(PATH, json={"messages": turns}, headers=headers)

    @property
    def messages(self) -> list[list[dict[str, Any]]]:
        return [exchange.body["messages"] for exchange in self.claude.exchanges]


@asynccontextmanager
async def asking(claude: ScriptedClaude, *, daily: float = 5) -> AsyncIterator[Asked]:
    """The HTTP API of a chat with a scripted Claude behind it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "sk-owner")
        patch.setenv("ANTHROPIC_BASE_URL", claude.url)
        settings = Settings.read()
    source = LazySource(
        "Claude", settings.model, lambda: Claude(settings, sleep=lambda _: asyncio.sleep(0))
    )
    with suppress(ClaudeError):
        await source.open()
    store = Store("")
    budget = Budget(store, daily=daily, visitor=None)
    accounts = Accounts(budget, PRICES, "", MAX_TOKENS, clock=Ticking(), count=source.count)
    sources = Sources(source, accounts)
    chat = Chat(sources, store, linger=60, keep=3600, files=unhurried())
    async with served(chat=chat) as api:
        yield Asked(api, budget, claude)


@pytest.fixture
async def asked(claude: ScriptedClaude) -> AsyncIterator[Asked]:
    async with asking(claude) as asked:
        yield asked


def attached(data: bytes, name: str = "File 1") -> Attachment:
    return checked([Upload(name, base64.b64encode(data).decode())], Bounds())[0]


async def test_claude_gets_the_files_as_blocks_before_the_question(asked: Asked) -> None:
    """Each block is as the SDK types it: the picture in base64, the PDF as it was sent, the text as
    text, all under their names, and what is not new stays in Claude's cache."""
    answer = await asked.ask(
        text_block("Look at"),
        image_block(picture("JPEG"), "image/jpeg"),
        document_block(PAPER, title="paper.pdf"),
        plain_block("a = 1\n", "a.py"),
        text_block("these."),
    )
    assert answer.text == "Hello there"
    seen, sent = attached(picture("JPEG")), asked.claude.exchange(0).body
    assert seen.media_type == "image/jpeg"
    data = {"type": "base64", "media_type": "image/jpeg", "data": seen.data}
    paper = {
        "type": "base64",
        "media_type": "application/pdf",
        "data": base64.b64encode(PAPER).decode(),
    }
    code = {"type": "text", "media_type": "text/plain", "data": "a = 1\n"}
    assert sent["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": data},
                {"type": "document", "source": paper, "title": "paper.pdf", **CITED},
                {"type": "document", "source": code, "title": "a.py", **CITED},
                {"type": "text", "text": "Look at\n\nthese."},
            ],
        }
    ]
    TypeAdapter(list[MessageParam]).validate_python(sent["messages"])
    assert sent["cache_control"] == {"type": "ephemeral"}


async def test_long_files_are_sent_in_steps(asked: Asked) -> None:
    """Claude gets the same request, and between short parts of it other tasks have turns."""
    words, paper = "é\n" * 200_000, pdf(*["Rivers run to the sea. " * 400] * 30)
    blocks = [plain_block(words), document_block(paper), text_block("?")]
    assert (await asked.ask(*blocks)).text == "Hello there"
    sent = asked.claude.exchange(0)
    assert sent.body["messages"][0]["content"][0]["source"]["data"] == words
    assert sent.body["messages"] == asked.claude.to_count[0]["messages"]
    assert "transfer-encoding" not in sent.headers
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    parts = (await Body.of(sent.body)).parts
    task.cancel()
    assert max(map(len, parts)) < STEP + 6 * PIECE
    assert turns >= len(parts) - 1 > 10
    assert json.loads(b"".join(parts)) == sent.body


async def test_a_file_can_be_all_there_is_to_say(asked: Asked) -> None:
    """A picture without a word is a question; a message may be blocks, too."""
    blocks = [image_block(picture())]
    assert (await asked.api.client.post(PATH, json={"message": blocks})).status_code == 200
    ((block,),) = [turn["content"] for turn in asked.messages[0]]
    assert block["type"] == "image"


async def test_the_next_turn_begins_with_the_same_bytes(asked: Asked) -> None:
    """An earlier turn is sent unchanged, so that Claude's cache has its files."""
    first = {
        "role": "user",
        "content": [image_block(picture("WEBP"), "image/webp"), text_block("?")],
    }
    more = [{"role": "assistant", "content": "Hello there"}, {"role": "user", "content": "And?"}]
    for turns in ([first], [first, *more]):
        await asked.api.client.post(PATH, json={"messages": turns})
    before, after = asked.messages
    assert after[0] == before[0]


async def test_files_stay_with_an_answer_that_breaks_off(asked: Asked) -> None:
    """Claude is asked to go on with the files before it."""
    half = streams(start(), opens(), delta("It is a red picture, and what is more it"), CUT)
    asked.claude.play(half, says("it is small."))
    await asked.ask(image_block(picture()), text_block("What is it?"))
    first, second = asked.messages
    assert second[0] == first[0]
    assert [turn["role"] for turn in second] == ["user", "assistant", "user"]


REJECTIONS = [
    "messages.0.content.0.image.source.base64.data: Could not process image",
    "Could not process image",
    "Could not process PDF",
    "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 8259148 bytes > 5242880",
    "At least one of the image dimensions exceed max allowed size: 8000 pixels",
    "A maximum of 100 PDF pages may be provided.",
]


@pytest.mark.parametrize("said", REJECTIONS)
async def test_a_file_that_claude_rejects_is_a_failure_of_its_own(asked: Asked, said: str) -> None:
    """A program and a person learn that it was a file, and nothing is tried again or charged."""
    asked.claude.play(refuses(400, "invalid_request_error", said))
    answer = await asked.ask(image_block(picture()), text_block("What is it?"))
    assert (answer.status_code, answer.json()["code"]) == (422, "attachment_rejected")
    assert len(asked.claude.exchanges) == 1
    await asked.api.chat.close()
    assert asked.budget.spent() == 0


async def test_a_picture_is_reserved_by_its_size_and_not_by_its_base64(asked: Asked) -> None:
    """A picture of two megabytes is no more than five thousand tokens, and nobody has to count
    them."""
    noise = attached(picture(size=(2_000, 1_500)))
    blown = replace(noise, data=noise.data + "A" * 2_000_000)
    conversation = (Message("user", "?", (blown,)),)
    most = input_tokens(PRICES.most(conversation, "", 1))
    assert noise.tokens == 3_888
    assert noise.tokens < most < noise.tokens + 1_200
    await asked.ask(image_block(picture()))
    assert asked.claude.to_count == []


async def test_a_pdf_is_reserved_by_claudes_own_count(asked: Asked) -> None:
    """Pages and bytes are too rough a bound where Claude counts free of charge; it gets the same
    messages to count."""
    await asked.ask(document_block(PAPER), text_block("?"))
    (body,) = asked.claude.to_count
    assert body["messages"] == asked.messages[0]
    assert body.keys() <= {"model", "messages", "system"}


@pytest.mark.parametrize("number", [100_000, None])
async def test_a_pdf_beyond_the_budget_is_not_sent(
    claude: ScriptedClaude, number: int | None
) -> None:
    """Claude is not asked without money for a PDF's bound, which comes from Claude's count, or else
    from its pages and text."""
    claude.count = lambda _: number
    conversation = (Message("user", "?", (attached(PAPER),)),)
    of_files = None if number is None else int(number * COUNTED)
    cost = PRICES.cost(PRICES.most(conversation, "", MAX_TOKENS, of_files=of_files))
    for daily, status in ((cost * 1.01, 200), (cost * 0.99, 413)):
        async with asking(claude, daily=daily) as asked:
            answer = await asked.ask(document_block(PAPER), text_block("?"))
            assert answer.status_code == status
    assert len(claude.exchanges) == 1


def test_the_shape_of_the_bound_without_a_count() -> None:
    """Each page is a picture and its text."""
    alone = input_tokens(PRICES.most((Message("user", "?"),), "", 1))
    with_paper = input_tokens(PRICES.most((Message("user", "?", (attached(PAPER),)),), "", 1))
    assert with_paper - alone >= 2 * 4_784 + 900


FILES = st.one_of(
    st.tuples(st.integers(1, 400), st.integers(1, 400)).map(lambda size: picture(size=size)),
    st.lists(st.text("abc ü", max_size=300), min_size=1, max_size=4).map(lambda pages: pdf(*pages)),
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=300).map(
        lambda text: f"x{text}".encode()
    ),
)
MESSAGES = st.tuples(st.text(max_size=200), st.lists(FILES, max_size=3))


@given(st.lists(MESSAGES, min_size=1, max_size=4), st.sampled_from([1_600, 2_700, 4_784]))
def test_no_call_with_files_uses_more_than_is_reserved(
    said: Sequence[tuple[str, list[bytes]]], page: int
) -> None:
    """By the scripted Claude's count of the very request, with the dearest pages and a token for
    each byte."""
    conversation: Conversation = tuple(
        Message("user", text, tuple(map(attached, files))) for text, files in said
    )
    reserved = input_tokens(PRICES.most(conversation, "", 1))
    assert counted(body_of(conversation), page=page) <= reserved


QUESTIONS = st.tuples(st.integers(1, 30), st.sampled_from(["whole", "silent", "refused"]))


@given(st.lists(QUESTIONS, min_size=1, max_size=12), st.integers(1_000, 4_784))
async def test_however_many_ask_with_files_no_more_is_billed_than_there_is(
    questions: list[tuple[int, str]], page: int
) -> None:
    """By the scripted Claude's own count of each request, whether it has said what it counted, was
    stopped before that, or turned the request away."""

    async def count(conversation: Conversation, _: Choice) -> int:
        return counted(body_of(conversation), page=page)

    budget, bill = Budget(Store(""), daily=0.5, visitor=None), 0.0
    accounts = Accounts(budget, PRICES, "", MAX_TOKENS, clock=Ticking(), count=count)
    for pages, ending in questions:
        conversation = (Message("user", "?", (paper_of(pages),)),)
        tokens, account = counted(body_of(conversation), page=page), accounts.open("a")
        with suppress(Spent, TooDear):
            meter = await account.call(conversation)
            if ending == "whole":
                meter.count(Usage(cache_write_tokens=tokens, output_tokens=42), output=True)
                meter.end()
            elif ending == "refused":
                meter.waive()
            usage = Usage(cache_write_tokens=tokens, output_tokens=42 * (ending == "whole"))
            bill += PRICES.cost(usage) * (ending != "refused")
        await account.settle()
    assert bill <= budget.spent() + 1e-9
    assert budget.spent() <= 0.5


@cache
def paper_of(pages: int) -> Attachment:
    return attached(pdf(*["Rivers"] * pages))


def body_of(conversation: Conversation) -> dict[str, Any]:
    return {"messages": [{"role": each.role, "content": content(each)} for each in conversation]}


async def test_the_demo_describes_what_it_was_given() -> None:
    """Kind, size, colours, pages and first words of each file are in its answer, and nothing in
    them is Markdown."""
    demo = Demo(sleep=lambda _: asyncio.sleep(0))
    chat = Chat(Sources(demo), Store(""), linger=60, keep=3600, files=unhurried())
    blocks = [
        image_block(picture(size=(600, 400))),
        document_block(PAPER, title="a *paper*.pdf"),
        plain_block("# Hi\nthere", "a.md"),
        text_block("What is it?"),
    ]
    async with served(chat=chat) as api:
        turn = {"role": "user", "content": blocks}
        said = (await api.client.post(PATH, json={"messages": [turn]})).text
    assert "**File 1** is a picture of 600 × 400 pixels, mostly red (" in said
    assert "**a &#42;paper&#42;.pdf** is a PDF of 2 pages (" in said
    assert "It begins “Rivers run to the sea." in said
    assert "**a.md** is a text of 2 lines (10 bytes). It begins “&#35; Hi there”." in said
    assert "You asked: “What is it?”" in said


async def test_the_demo_shows_a_file_that_is_rejected() -> None:
    """The failure looks as Claude's would."""
    demo = Demo(sleep=lambda _: asyncio.sleep(0))
    chat = Chat(Sources(demo), Store(""), linger=60, keep=3600, files=unhurried())
    async with served(chat=chat) as api:
        turn = {"role": "user", "content": [plain_block("hi"), text_block("Reject this file")]}
        answer = await api.client.post(PATH, json={"messages": [turn]})
    assert (answer.status_code, answer.json()["code"]) == (422, "attachment_rejected")


async def test_the_same_words_with_another_file_are_another_question(asked: Asked) -> None:
    """A key for one question is not taken for another: files count as the text does."""
    key = {"Idempotency-Key": "one"}
    first = await asked.ask(image_block(picture()), text_block("?"), **key)
    again = await asked.ask(image_block(picture()), text_block("?"), **key)
    other = await asked.ask(image_block(picture(size=(9, 9))), text_block("?"), **key)
    assert first.headers["location"] == again.headers["location"]
    assert (other.status_code, len(asked.claude.exchanges)) == (422, 1)


def test_turns_that_are_joined_keep_their_files() -> None:
    """A message that was asked again after a failure has the files of both."""
    one, other = attached(picture()), attached(b"text")
    said = [Message("user", "a", (one,)), Message("user", "", (other,)), Message("user", "b")]
    assert checked_turns(said) == (Message("user", "a\n\nb", (one, other)),)


async def test_files_are_nowhere_after_the_reply(asked: Asked) -> None:
    """Over HTTP nothing of a file is kept: the reply's end lets go of it."""
    gc.collect()
    before = attachments()
    await asked.ask(plain_block("words"), text_block("?"))
    gc.collect()
    assert attachments() == before


def attachments() -> int:
    """How many there are in memory."""
    return sum(type(each) is Attachment for each in gc.get_objects())


async def test_files_in_memory_are_bounded_and_given_back() -> None:
    """A visitor whose answers run with many megabytes of files is told to wait for one to end;
    another visitor is not."""
    files = Files()
    large = replace(attached(b"text"), data="a" * (MOST_OF_VISITOR // 2))
    conversation = (Message("user", "?", (large,)),)
    one, other = files.hold(conversation, "a"), files.hold(conversation, "a")
    with pytest.raises(Crowded):
        files.hold(conversation, "a")
    files.hold(conversation, "b").leave()
    one.leave()
    one.leave()
    third = files.hold(conversation, "a")
    with pytest.raises(Crowded):
        files.hold(conversation, "a")
    other.leave()
    third.leave()


async def test_a_visitor_sends_so_many_bytes_of_files_in_an_hour() -> None:
    """Beyond them they read when to come back; others, and the owner at the own machine, are not
    held up."""
    files = unhurried(Bounds(hour=300_000))
    drafts = [Draft("user", "?", (Upload("a", "a tiny text", "text/plain", "text"),))]
    await files.checked(drafts, "a")
    for _ in range(3):
        with pytest.raises(TooManyFiles) as refused:
            await files.checked(drafts, "a")
        assert 2_000 < cast("float", refused.value.retry_after) < 3_600
    await files.checked(drafts, "b")
    for _ in range(3):
        await files.checked(drafts, Local("a"))


async def test_the_time_that_files_take_counts_of_the_hour() -> None:
    """A small file that is slow to check uses the hour up as large ones do."""
    files = Files(Bounds(hour=300_000))
    files._charge(0.5, "a")
    drafts = [Draft("user", "?", (Upload("a", "a tiny text", "text/plain", "text"),))]
    with pytest.raises(TooManyFiles):
        await files.checked(drafts, "a")


async def test_the_time_of_each_visitors_files_is_told() -> None:
    """Also of files that are refused."""
    told: list[str | None] = []
    refused = b'{"refused": "file_empty", "values": {"name": "x"}}'
    workshop = Workshop(
        Bounds(), lambda _: refused, spent=lambda seconds, visitor: told.append(visitor)
    )
    with pytest.raises(FileRefused):
        await workshop.check([Upload("a", "", "text/plain", "text")], "slow")
    assert told == ["slow"]


async def test_without_files_nothing_is_checked_or_started() -> None:
    """A text costs what it did before there were files."""
    files = Files(workshop=Workshop(Bounds(), lambda _: b"never"))
    assert await files.checked([Draft("user", "hi")], "a") == [Message("user", "hi")]


async def test_an_owner_can_turn_files_off() -> None:
    """The refusal names the file and says what to do instead."""
    async with served(files=unhurried(Bounds(per_message=0))) as api:
        turn = {"role": "user", "content": [plain_block("hi", "a.txt")]}
        answer = await api.client.post(PATH, json={"messages": [turn]}, headers=EVENTS)
    assert (answer.status_code, answer.json()["code"]) == (422, "files_off")
    assert "a.txt" in answer.json()["message"]
