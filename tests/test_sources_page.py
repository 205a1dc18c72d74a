"""Searches and sources of an answer as their reader meets them, in a real Chromium."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, expect

from tests.application import Application
from tests.page import Page
from tests.scripted_claude import (
    ScriptedClaude,
    Step,
    cites,
    finds,
    looks_up,
    quotes,
    says,
    settles,
    start,
    streams,
)
from tests.scripted_claude import page as found
from tests.test_look import SHIFTS
from tests.test_sidebar import Chat, Side, chat

__all__ = ["chat"]

QUESTION = "Search the web for the longest river"
RIVERS = "https://www.example.com/rivers"


def numbers(page: Page) -> Locator:
    return page.browser.locator(".bot .sc-cite")


def line(page: Page) -> Locator:
    return page.browser.locator(".bot .sc-search")


def whole(page: Page) -> list[str]:
    """The answer as it is drawn, once it has ended, without its receipt."""
    expect(page.browser.locator(".bot .sc-sources")).to_have_count(1)
    page.ready()
    drawn = page.browser.locator(".bot.message .prose:not(:has(.sc-receipt))")
    return list(drawn.evaluate_all("found => found.map(one => one.innerHTML)"))


def test_a_search_is_followed_from_its_line_to_its_sources(
    chat: Chat, context: BrowserContext
) -> None:
    """Its line stands where it happened and opens to the pages, also after a reload in its middle;
    numbers lead safely out of the page and have names; nothing jumps. A copy has ordinary links, a
    link to the conversation and another version show the same."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = Side(chat, context).page
    page.ask(QUESTION)
    expect(line(page)).to_have_text("Searching for “the longest river”")
    page.browser.reload()
    expect(line(page)).to_have_text(re.compile("^Search"))
    page.browser.evaluate(SHIFTS)
    expect(numbers(page).first).to_be_visible()
    expect(page.browser.locator(".bot .sc-sources")).to_have_count(0)
    answer = whole(page)
    assert page.browser.evaluate("window.shifted") <= 0.02

    first = page.browser.get_by_role(
        "link", name="Source 1: An invented page about rivers, example.com"
    ).first
    expect(first).to_have_attribute("href", RIVERS)
    expect(first).to_have_attribute("target", "_blank")
    expect(first).to_have_attribute("rel", re.compile("noopener"))
    expect(numbers(page)).to_have_text(["[1]", "[1]", "[2]", "[2]", "[3]", "[1]", "[4]"])
    line(page).locator("summary").click()
    expect(line(page).get_by_role("link")).to_have_count(5)
    page.browser.get_by_text("4 sources").click()
    expect(page.browser.locator(".bot .sc-sources").get_by_role("link")).to_have_count(4)

    page.press("Copy message")
    copied = page.browser.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n")
    assert f"are **invented**.[[1]]({RIVERS}) When" in copied
    assert copied.startswith("I will look that up.\n\nI am the demo")
    assert f"\n\n1. [An invented page about rivers]({RIVERS})\n2. " in copied
    assert not re.search("sc-|Searched|[\u2062-\u2064]", copied)

    page.browser.reload()
    assert whole(page) == answer
    page.press("Retry")
    expect(page.browser.get_by_text("2 / 2")).to_be_visible()
    assert whole(page) == answer
    page.browser.get_by_role("button", name="Menu", exact=True).click()
    page.browser.get_by_role("button", name="Share", exact=True).click()
    page.browser.get_by_role("button", name="Make a link").click()
    link = page.browser.get_by_role("dialog").get_by_label("Link", exact=True)
    expect(link).not_to_have_value("")
    page.browser.goto(link.input_value())
    expect(page.browser.locator(".answer .sc-cite")).to_have_count(7)
    expect(page.browser.locator(".answer .sc-search > summary")).to_contain_text("Searched for")
    expect(page.browser.locator(".answer .sc-sources a")).to_have_count(4)
    assert page.errors == []


def test_a_search_that_failed_or_was_stopped_is_a_quiet_line(
    chat: Chat, context: BrowserContext
) -> None:
    """The answer goes on after a failed one; an answer that was stopped in a search says so."""
    page = Side(chat, context).page
    page.ask("Let a search fail")
    page.shows("web search is not available")
    page.shows("the odds are good")
    expect(page.browser.locator(".bot [aria-label*='\u2063\u2063']")).to_have_count(0)
    page.ask("Pause in the middle of a search")
    page.shows("Claude paused")
    expect(line(page).last).to_contain_text("the oldest bridge")
    page.stop()
    page.shows("The answer ended before this search had its results.")
    page.ready()


def searched(words: str, url: str, then: Step) -> tuple[Step, ...]:
    """A search that finds a page, and words that cite it."""
    return start(), looks_up(words), finds(found(url)), cites(f"As to {words}.", quotes(url)), then


@contextmanager
def searching(claude: ScriptedClaude, folder: Path) -> Iterator[Application]:
    """The app with that Claude, which may search, and saved conversations."""
    with Application(
        ANTHROPIC_API_KEY="sk-test",
        ANTHROPIC_BASE_URL=claude.url,
        STREAMCHAT_DATA_DIR=str(folder),
        STREAMCHAT_WEB_SEARCH="on",
    ) as app:
        yield app


def test_what_claude_found_stays_with_its_answer(context: BrowserContext, tmp_path: Path) -> None:
    """Two searches, with a pause between them, are drawn as one answer, which is the same after a
    restart. The next question takes its words and sources along, and no block of a search, also
    after the question was asked again."""
    url = "https://example.org/bridges"
    with ScriptedClaude() as claude:
        claude.play(
            streams(*searched("bridges", url, settles("pause_turn", searches=1))),
            streams(*searched("rivers", RIVERS, settles(searches=1))),
            says("So it is."),
            says("It still is."),
        )
        with searching(claude, tmp_path) as app:
            page = Page(context, app.url)
            page.ask("Which is longer?")
            answer = whole(page)
            expect(numbers(page)).to_have_text(["[1]", "[2]"])
            expect(line(page)).to_have_count(2)
            address = page.browser.url.removeprefix(app.url)
        with searching(claude, tmp_path) as app:
            page.browser.goto(app.url + address)
            assert whole(page) == answer
            page.ask("Is it?")
            page.shows("So it is.")
            page.ready()
            page.press("Retry")
            page.shows("It still is.")
        assert page.errors == []
        assert claude.exchange(1).body["messages"][-1]["role"] == "assistant"
        for number in (2, 3):
            body = claude.exchange(number).body
            assert [tool["name"] for tool in body["tools"]] == ["web_search"]
            sent = repr(body["messages"])
            assert "As to bridges." in sent
            assert url in sent
            assert not re.search("tool_use|tool_result|encrypted|sc-|[\u2062-\u2064]", sent)
