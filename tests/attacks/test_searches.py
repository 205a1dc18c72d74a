"""Searches of a Claude that lies about them: money, time and the size of an answer stay bounded."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from streamchat.citations import LONGEST_URL, address
from streamchat.errors import ChatError, Spent
from streamchat.events import Citation, Event, Found, FoundPage, Message, Request, Search, Usage
from streamchat.meter import input_tokens
from streamchat.money.account import Account, Accounts
from streamchat.money.budget import Budget
from streamchat.options import Choice
from streamchat.saved.markup import drawn
from streamchat.sources.claude.blocks import Blocks
from streamchat.sources.claude.evidence import Evidence
from streamchat.store.database import Store
from streamchat.ui.cited import read
from streamchat.ui.composing import MOST_CHARACTERS, MOST_MARKS, Composing
from tests.hand import Ticking
from tests.scripted_claude import (
    CUT,
    Script,
    ScriptedClaude,
    cites,
    event,
    finds,
    looks_up,
    page,
    quotes,
    settles,
    start,
    streams,
)
from tests.test_claude import a_claude, answer
from tests.test_searching import PRICES

A = "https://a.example/x"
QUESTION = (Message("user", "hi"),)
PROMPT = 2_700


@asynccontextmanager
async def asked(
    claude: ScriptedClaude, *scripts: Script, daily: float = 5.0
) -> AsyncIterator[tuple[Account, Budget, list[Event], ChatError | None]]:
    """An answer with searches to these scripts, and its settled account."""
    claude.play(*scripts)
    budget = Budget(Store(""), daily=daily, visitor=None)
    accounts = Accounts(budget, PRICES, "", 4_000, clock=Ticking(), searches=3)
    account = accounts.open(None, Choice(search=True))
    async with a_claude(claude) as (source, _):
        ways: dict[str, Any] = {"meter": await account.call(QUESTION), "extend": account.extend}
        request = Request(QUESTION, account.call, choice=account.choice, **ways)
        said, error = await answer(source, request)
    await account.settle()
    yield account, budget, said, error


LOW: dict[str, dict[str, Any]] = {
    "the output alone": {"output_tokens": 40},
    "no searches": {"output_tokens": 40, "input_tokens": 9_000},
    "no input": {"output_tokens": 40, "server_tool_use": {"web_search_requests": 2}},
    "negative counts": {
        "output_tokens": 40,
        "input_tokens": -9_000,
        "server_tool_use": {"web_search_requests": -2},
    },
    "counts of another kind": {
        "output_tokens": 40,
        "input_tokens": "9000",
        "server_tool_use": {"web_search_requests": [2]},
    },
}


@pytest.mark.parametrize("usage", LOW.values(), ids=LOW.keys())
async def test_searches_that_the_last_count_leaves_out_are_paid(
    claude: ScriptedClaude, usage: dict[str, Any]
) -> None:
    """Where the last count has no number of searches, or no input with their results, what was seen
    of them counts."""
    searches = [looks_up("x", each) + finds(page(A, size=12_000), id_=each) for each in "ab"]
    counted = event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage)
    end = counted + event("message_stop")
    script = streams(start(input_tokens=PROMPT), *searches, cites("Yes.", quotes(A)), end)
    bill = Usage(3 * PROMPT + 3 * 4_000, 40, web_searches=2)
    async with asked(claude, script) as (account, budget, _, error):
        assert error is None
        assert account.bill()["searches"] == 2
        assert budget.spent() >= PRICES.cost(bill)


async def test_a_search_of_the_call_before_is_paid_where_its_results_come(
    claude: ScriptedClaude,
) -> None:
    """A paused turn goes on with the results of a search, and breaks off in the next one: both
    count."""
    paused = streams(
        start(input_tokens=PROMPT),
        looks_up("x", "one"),
        settles("pause_turn", searches=0, input_tokens=PROMPT),
    )
    broken = streams(
        start(input_tokens=PROMPT), finds(page(A), id_="one"), looks_up("y", "two"), CUT
    )
    end = streams(start(), cites("Yes.", quotes(A)), settles(searches=0, input_tokens=PROMPT))
    async with asked(claude, paused, broken, end) as (account, _, _, error):
        assert error is None
        assert len(claude.exchanges) == 3
        assert account.bill()["searches"] == 2
        second = account._calls[1].meter.used()
        assert input_tokens(second) > 3 * PROMPT + 10_000


async def test_more_searches_than_were_allowed_need_more_money(claude: ScriptedClaude) -> None:
    """Of twenty searches where three are allowed, only those are read that there is money for; what
    has arrived all the same counts."""
    searches = [looks_up("x", str(number)) + finds(id_=str(number)) for number in range(20)]
    script = streams(start(input_tokens=1), *searches, settles(searches=20, input_tokens=5_000))
    async with asked(claude, script, daily=0.2) as (_, budget, said, error):
        assert isinstance(error, Spent)
        assert sum(isinstance(each, Search) for each in said) < 15
        assert budget.spent() >= 0.1


def test_citations_of_one_block_are_gathered_once() -> None:
    """Ten thousand citations are not copied for each that follows, and all go back to Claude."""
    blocks = Blocks(Evidence())
    blocks.begin({"type": "text", "text": "x", "citations": [quotes(A)]})
    begun = blocks._block
    assert begun
    before = begun["citations"]
    for _ in range(10_000):
        blocks.add({"type": "citations_delta", "citation": quotes(A)})
        assert begun["citations"] is before
    blocks.end()
    assert len(blocks.whole[0]["citations"]) == 10_001


class Counting(dict[str, Any]):
    """A citation that leads nowhere, and counts how often it is looked at."""

    looks = 0

    def get(self, name: str, default: Any = None) -> Any:
        Counting.looks += name == "url"
        return {"type": "web_search_result_location", "url": "javascript:x"}.get(name, default)


def test_citations_that_lead_nowhere_take_no_time_without_end() -> None:
    """After as many as an answer may have no further one is looked at."""
    evidence = Evidence()
    assert not any(evidence.cited(Counting()) for _ in range(10_000))
    assert Counting.looks <= MOST_MARKS


@pytest.mark.parametrize(
    "url",
    ["https://" + "a." * 127 + "example/", A + "é" * 700],
    ids=["a long name", "a path that grows"],
)
def test_an_address_that_is_too_long_is_none(url: str) -> None:
    """It is not cut, for a part of it would lead elsewhere."""
    assert len(url) < LONGEST_URL
    assert address(url) == ""


def test_the_sources_of_one_answer_are_bounded() -> None:
    """Pages and citations with long addresses have so many characters at most, and so many marks,
    also in an answer that is continued again and again."""
    text = ""
    for number in range(3):
        composing = Composing(text)
        for place in range(MOST_MARKS):
            url = f"https://a.example/{number}/{place}/{'%' * 1_900}"
            composing.look(Search(place, "x"))
            composing.find(Found(place, (FoundPage(url, "A page"),) * 10))
            composing.say("x ")
            composing.cite(Citation(place + 1, url, "A page"))
        text = composing.text(is_whole=True)
    assert len(text) < 2 * MOST_CHARACTERS
    kept = read(text)
    assert kept.citations
    assert 0 < text.count("\u2064\u2062") < 2 * MOST_MARKS


def test_no_link_of_a_shared_page_speaks_for_the_page_that_it_leads_to() -> None:
    """Search engines count no link of an answer, whether of its words, its sources or its
    searches."""
    composing = Composing()
    composing.look(Search(1, "x"))
    composing.find(Found(1, (FoundPage(A, "A page"),)))
    composing.say("See [this](https://b.example).")
    composing.cite(Citation(1, A, "A page"))
    html = "".join(drawn(composing.text(is_whole=True)))
    links = re.findall("<a [^>]*>", html)
    assert len(links) == 4
    assert all('rel="noopener noreferrer nofollow ugc"' in link for link in links)
