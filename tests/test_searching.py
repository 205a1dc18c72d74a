"""Searches from Claude's stream to the log: their events, pauses, refusals and money."""

from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from anthropic.types import WebSearchTool20250305Param
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from streamchat.attachments import Attachment
from streamchat.citations import Kind
from streamchat.errors import ChatError, DayIsSpent, Spent, TooDear
from streamchat.events import (
    Citation,
    Conversation,
    Done,
    Event,
    Found,
    FoundPage,
    Message,
    Notice,
    Request,
    Search,
    Text,
    Usage,
)
from streamchat.meter import NOTHING, Meter
from streamchat.money.account import Accounts
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices
from streamchat.options import Choice
from streamchat.store.database import Store
from tests.hand import Ticking
from tests.scripted_claude import (
    CAPABLE,
    CLOSES,
    CUT,
    PING,
    Script,
    ScriptedClaude,
    Step,
    block,
    breaks,
    cites,
    delta,
    ends,
    finds,
    looks_up,
    opens,
    page,
    quotes,
    refuses,
    says,
    settles,
    start,
    streams,
)
from tests.test_claude import a_claude, answer, text

A, B = "https://a.example/x", "https://www.b.example/y"
TOOL = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
ANSWER = [
    start(),
    opens() + delta("Let me look.") + CLOSES,
    looks_up("rivers") + PING,
    finds(page(A), page("javascript:alert(1)"), page(B, None)),
    cites("The Loire is long", quotes(A), quotes(B, title=None)),
    opens() + delta(", and ") + CLOSES,
    cites("wide.", quotes(A, "wide")),
    settles(searches=1, input_tokens=9_000),
]
TOLD = [
    Search(1, "rivers"),
    Found(1, (FoundPage(A, "A page", "May 2, 2026"), FoundPage(B, "", "May 2, 2026"))),
    Citation(1, A, "A page", "so it is"),
    Citation(2, B, "", "so it is"),
    Citation(1, A, "A page", "wide"),
]
WORDS = "Let me look.\n\nThe Loire is long, and wide."


def asks(*searches: int, files: tuple[Any, ...] = ()) -> Request:
    """A question whose calls may have so many searches, one after the other."""
    meters = iter([Meter(NOTHING, searches=number) for number in searches])

    async def again(_: Conversation) -> Meter | None:
        return next(meters)

    question = (Message("user", "hi", files),)
    return Request(question, again, meter=next(meters), choice=Choice(search=True))


def evidence(said: list[Event]) -> list[Event]:
    return [event for event in said if isinstance(event, Search | Found | Citation)]


async def searched(
    claude: ScriptedClaude, *scripts: Script, request: Request, **environment: str
) -> tuple[list[Event], ChatError | None]:
    claude.play(*scripts)
    async with a_claude(claude, **environment) as (source, _):
        return await answer(source, request)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 3_000), max_size=12))
async def test_a_search_is_read_from_pieces_of_any_size(cuts: list[int]) -> None:
    """Text, searches, results and citations are the same wherever the stream is cut. Citations
    follow their text, a source keeps its number, and text after results is a paragraph."""
    stream = b"".join(ANSWER)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[begin:end] for begin, end in pairwise(places)]
    with ScriptedClaude() as claude:
        said, error = await searched(claude, streams(*pieces), request=asks(3))
    assert (text(said), error, evidence(said)) == (WORDS, None, TOLD)
    assert said[-1] == Done("end_turn", Usage(9_000, 42, web_searches=1))
    kinds = [type(event) for event in said if isinstance(event, Text | Search | Found | Citation)]
    assert kinds == [Text, Search, Found, Text, Citation, Citation, Text, Text, Citation]


async def test_the_tool_is_sent_as_claude_takes_it(claude: ScriptedClaude) -> None:
    """The request has the tool with the number of searches and the owner's domains, and the SDK's
    type agrees. Without the choice there is none."""
    blocked = {"STREAMCHAT_SEARCH_BLOCKED": "a.example, b.example"}
    await searched(claude, says("a"), request=asks(2), **blocked)
    await searched(claude, says("a"), request=asks(3))
    await searched(claude, says("a"), request=Request((Message("user", "hi"),)))
    first, second, third = (exchange.body for exchange in claude.exchanges)
    assert first["tools"] == [TOOL | {"max_uses": 2, "blocked_domains": ["a.example", "b.example"]}]
    assert second["tools"] == [TOOL]
    assert "tools" not in third
    assert first["cache_control"] == {"type": "ephemeral"}
    for body in (first, second):
        TypeAdapter(WebSearchTool20250305Param).validate_python(body["tools"][0])


CODES = {
    "max_uses_exceeded": "too_many_searches",
    "too_many_requests": "searches_too_frequent",
    "query_too_long": "query_too_long",
    "invalid_tool_input": "query_rejected",
    "unavailable": "search_unavailable",
    "of_tomorrow": "search_unavailable",
}


async def test_a_failed_search_says_why_and_the_answer_goes_on(claude: ScriptedClaude) -> None:
    """Each of Claude's codes becomes one of ours, a later one too."""
    searches = [looks_up("x", code) + finds(id_=code, failure=code) for code in CODES]
    script = streams(start(), *searches, opens(), delta("So be it."), CLOSES, ends())
    said, error = await searched(claude, script, request=asks(3))
    assert [event.failure for event in said if isinstance(event, Found)] == [*CODES.values()]
    assert (text(said), error) == ("So be it.", None)


REFUSALS = {
    "switched off": "web search is not enabled for your organization",
    "another model": "'claude-x' does not support tool types: web_search_20250305",
    "a domain": "tools.0.web_search_20250305.allowed_domains: invalid domain",
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_a_refused_tool_is_left_out_with_a_notice(claude: ScriptedClaude, why: str) -> None:
    """The answer goes on without searches, the reader is told, and Claude is not asked for them
    again."""
    refusal = refuses(400, "invalid_request_error", REFUSALS[why])
    claude.play(refusal, says("Without."))
    async with a_claude(claude) as (source, _):
        for number in (2, 3):
            said, error = await answer(source, asks(3, 3))
            assert (text(said), error) == ("Without.", None)
            assert [it.code for it in said if isinstance(it, Notice)] == ["search_left_out"]
            assert len(claude.exchanges) == number
    assert ["tools" in each.body for each in claude.exchanges] == [True, False, False]


async def test_a_model_without_searches_is_not_asked_for_them(claude: ScriptedClaude) -> None:
    """The tool is not sent where the model has none, or the money is not enough for a search."""
    dear, _ = await searched(claude, says("a"), request=asks(0))
    claude.capabilities = CAPABLE | {"server_tools": {"web_search": {"supported": False}}}
    unable, _ = await searched(claude, says("a"), request=asks(3))
    codes = [[it.code for it in said if isinstance(it, Notice)] for said in (dear, unable)]
    assert codes == [["search_too_dear"], ["search_left_out"]]
    assert not any("tools" in each.body for each in claude.exchanges)


THINKING = [
    {"type": "thinking_delta", "thinking": "Hm."},
    {"type": "signature_delta", "signature": "Eq"},
]
PAUSED = streams(
    start(input_tokens=100),
    block({"type": "thinking", "thinking": "", "signature": ""}, *THINKING),
    opens() + delta("I look.") + CLOSES,
    looks_up("one") + finds(page(A)),
    cites("It is so.", quotes(A)),
    looks_up("two", "srvtoolu_2"),
    settles("pause_turn", searches=1, input_tokens=5_000),
)
RESUMED = streams(
    start(input_tokens=200),
    finds(page(B), id_="srvtoolu_2"),
    cites("And so.", quotes(B), quotes(A)),
    settles(searches=1, input_tokens=7_000),
)
USE = {"type": "server_tool_use", "name": "web_search"}
SENT_BACK = [
    {"type": "thinking", "thinking": "Hm.", "signature": "Eq"},
    {"type": "text", "text": "I look."},
    {**USE, "id": "srvtoolu_1", "input": {"query": "one"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [page(A)]},
    {"type": "text", "text": "It is so.", "citations": [quotes(A)]},
    {**USE, "id": "srvtoolu_2", "input": {"query": "two"}},
]


async def test_a_paused_turn_goes_on_with_its_blocks_as_they_were(claude: ScriptedClaude) -> None:
    """Claude gets its own blocks back unchanged and last, with the same tool and the searches that
    are left; numbers go on, and the usage of both calls counts."""
    said, error = await searched(claude, PAUSED, RESUMED, request=asks(3, 2))
    first, second = (exchange.body for exchange in claude.exchanges)
    assert second["messages"] == [*first["messages"], {"role": "assistant", "content": SENT_BACK}]
    assert second["tools"] == [TOOL | {"max_uses": 2}]
    assert (text(said), error) == ("I look.\n\nIt is so.\n\nAnd so.", None)
    numbers = [(type(it), it.number) for it in evidence(said)]  # type: ignore[union-attr]
    assert numbers == [
        (Search, 1),
        (Found, 1),
        (Citation, 1),
        (Search, 2),
        (Found, 2),
        (Citation, 2),
        (Citation, 1),
    ]
    assert said[-1] == Done("end_turn", Usage(12_000, 84, web_searches=2))


@pytest.mark.parametrize(
    "then",
    ["no searches left", "refused", "broken"],
)
async def test_a_pause_that_cannot_go_on_so_goes_on_from_its_text(
    claude: ScriptedClaude, then: str
) -> None:
    """Where Claude cannot have its searches back it gets its words alone, with no search in
    them."""
    refusal = refuses(400, "invalid_request_error", "messages.1: Invalid encrypted_content")
    between = {"refused": [refusal], "broken": [streams(start(), breaks())]}.get(then, [])
    request = asks(3, 0) if then == "no searches left" else asks(3, 2, 2)
    scripts = [PAUSED, *between, says("It is so.", " The end.")]
    said, error = await searched(claude, *scripts, request=request)
    last = claude.exchanges[-1].body["messages"]
    assert error is None
    assert text(said) == "I look.\n\nIt is so. The end."
    assert last[1] == {"role": "assistant", "content": "I look.\n\nIt is so."}
    assert last[2]["role"] == "user"


async def test_an_answer_ends_with_no_search_open(claude: ScriptedClaude) -> None:
    """At the last pause, and where the stream breaks off, a search without results is ended."""
    alone = {"STREAMCHAT_CONTINUATIONS": "0"}
    said, _ = await searched(claude, PAUSED, request=asks(3), **alone)
    assert said[-2:] == [Found(2, failure="search_cut_off"), Done("pause_turn", said[-1].usage)]  # type: ignore[union-attr]
    broken = streams(start(), looks_up("x"), breaks())
    said, error = await searched(claude, broken, says("Found."), request=asks(3, 3))
    assert (text(said), error) == ("Found.", None)
    assert evidence(said) == [Search(1, "x"), Found(1, failure="search_cut_off")]


async def test_results_beyond_the_reservation_need_more_money(claude: ScriptedClaude) -> None:
    """The stream goes on if there is money for them, and is closed if there is none."""
    large = [start(), looks_up("x"), finds(page(A, size=90_000)), cites("Yes.", quotes(A)), ends()]
    asked: list[int] = []

    async def extend(meter: Meter) -> None:
        asked.append(meter.needed().input_tokens)
        if len(asked) > 1:
            raise DayIsSpent
        meter.worst = meter.needed()

    for words in ("Yes.", ""):
        meter = Meter(Usage(30_000, 1_000, web_searches=1), searches=1)
        request = Request(
            (Message("user", "hi"),), meter=meter, choice=Choice(search=True), extend=extend
        )
        said, error = await searched(claude, streams(*large), request=request)
        assert text(said) == words
        assert isinstance(error, DayIsSpent) is not bool(words)
    assert all(number > 45_000 for number in asked)


PRICES = Prices("claude-sonnet-5-5")
# of a call with a short question and the tool
PROMPT = 2_700


def reads(sizes: list[int], *, whole: bool) -> tuple[list[Step], Usage]:
    """A stream with searches whose results have these bytes, and Claude's bill for it: after each
    result Claude reads everything once more."""
    steps: list[Step] = [start(input_tokens=PROMPT)]
    known = read = PROMPT
    for number, size in enumerate(sizes):
        steps += [looks_up("x", str(number)), finds(page(A, size=size), id_=str(number))]
        known += size // 3 + 20
        read += known
    if whole:
        steps.append(settles(searches=len(sizes), input_tokens=read, output_tokens=40))
    else:
        steps.append(CUT)
    return steps, Usage(read, 40 * whole, web_searches=len(sizes))


ANSWERS = st.tuples(st.lists(st.integers(0, 19_000), max_size=3), st.booleans())


@settings(max_examples=12, deadline=None)
@given(st.lists(ANSWERS, min_size=1, max_size=4), st.sampled_from([0.1, 0.3, 0.6]))
async def test_no_more_is_spent_on_searches_than_allowed(
    answers: list[tuple[list[int], bool]], daily: float
) -> None:
    """By Claude's own bill, whole and broken answers with searches stay within the day's money, and
    the ledger is never below the bill."""
    question, billed = (Message("user", "hi"),), 0.0
    with ScriptedClaude() as claude:
        async with a_claude(claude, STREAMCHAT_CONTINUATIONS="0") as (source, _):
            budget = Budget(Store(""), daily=daily, visitor=None)
            accounts = Accounts(budget, PRICES, "", 4_000, clock=Ticking(), searches=3)
            for sizes, whole in answers:
                account = accounts.open(None, Choice(search=True))
                with suppress(Spent, TooDear):
                    meter = await account.call(question)
                    steps, bill = reads(sizes[: meter.searches], whole=whole)
                    claude.play(streams(*steps))
                    request = Request(
                        question, meter=meter, choice=account.choice, extend=account.extend
                    )
                    await answer(source, request)
                    billed += PRICES.cost(bill)
                await account.settle()
    assert billed <= budget.spent() + 1e-5
    assert budget.spent() <= daily


PLACES: list[tuple[dict[str, Any], tuple[Kind, int, int]]] = [
    ({"type": "page_location", "start_page_number": 2, "end_page_number": 4}, ("page", 2, 3)),
    ({"type": "char_location", "start_char_index": 5, "end_char_index": 9}, ("characters", 5, 8)),
    (
        {"type": "content_block_location", "start_block_index": 0, "end_block_index": 1},
        ("blocks", 0, 0),
    ),
]


async def test_documents_are_cited_by_their_places(claude: ScriptedClaude) -> None:
    """All documents of a request ask for citations, and each place is an event: pages from 1, and
    the last one belongs to it. A model without citations is not asked."""
    files = tuple(Attachment(name, "text/plain", "And so on.", 9, 9) for name in ("a.txt", "b.txt"))
    named = {"document_index": 1, "document_title": "b.txt", "cited_text": "And so on."}
    script = streams(start(), cites("Yes.", *(place | named for place, _ in PLACES)), ends())
    said, _ = await searched(claude, script, request=asks(0, files=files))
    expected = [
        Citation(number, "", "b.txt", "And so on.", 1, *place)
        for number, (_, place) in enumerate(PLACES, 1)
    ]
    assert evidence(said) == expected
    claude.capabilities = CAPABLE | {"citations": {"supported": False}}
    await searched(claude, says("No."), request=asks(0, files=files))
    bodies = [exchange.body["messages"][0]["content"][:2] for exchange in claude.exchanges]
    enabled = [[block.get("citations") for block in blocks] for blocks in bodies]
    assert enabled == [[{"enabled": True}] * 2, [None] * 2]
