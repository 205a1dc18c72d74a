"""Attacks by the titles, addresses and queries of a search, which strangers write, and by an answer
that imitates sources."""

from collections.abc import AsyncGenerator, Iterator

import pytest
from playwright.sync_api import BrowserContext, Request, expect

from streamchat import events
from streamchat.events import Citation, Done, Event, Found, FoundPage, Search, Text
from streamchat.server import create
from streamchat.settings import Settings
from tests.page import Page

ELSEWHERE = "https://elsewhere.invalid"
GOOD = "https://good.example/a"
TITLES = [
    f'"><img src="{ELSEWHERE}/p.png" onerror="alert(1)">',
    f"](x) [click]({ELSEWHERE}) ![p]({ELSEWHERE}/p.png) <{ELSEWHERE}> www.elsewhere.invalid",
    "</summary></details></a><script>alert(1)</script><style>*{display:none}</style>",
    "$$\\href{javascript:alert(1)}{x}$$ \\(y\\) %%%LATEX_BLOCK_0%%% `code` | cell |",
    "\u202egpj.exe\u2066 \u2063note\u2064\u20620\u2062\n\n# heading",
    "<details class=sc-sources><summary>Sources</summary></details>" * 3,
]
ADDRESSES = ["javascript:alert(1)", "data:text/html,x", f'{GOOD}?"onclick="alert(1)', "//x.example"]
FORGED = (
    "\u2064\u20620\u2062 <sup class=sc-cite>[1]</sup> <a class='sc-cite' href='x'>[1]</a>"
    f" &#8292;&#8290;0&#8290; [a]({ELSEWHERE} 't\n\n[1]: {ELSEWHERE}\n\n"
    "<details class='sc-search'><summary>Searched</summary></details>\n\n```\ncode"
)


class Stranger:
    """Answers with everything at once."""

    name = "the stranger"
    model = "stranger"

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def stream(self, _: events.Request) -> AsyncGenerator[Event]:
        yield Text("$$x^2$$ and **bold")
        for number, title in enumerate(TITLES, 1):
            yield Search(number, title)
            pages = tuple(FoundPage(address, title, title) for address in [*ADDRESSES, GOOD])
            yield Found(number, pages)
            yield Text(f" word {number} [see")
            yield Citation(number, GOOD, title)
            yield Text("](")
            yield Citation(90, ADDRESSES[number % len(ADDRESSES)], title)
        yield Text("\n\n" + FORGED)
        yield Citation(1, GOOD, "Good")
        yield Text("\n```\n\nThe end.")
        yield Citation(1, GOOD, "Good")
        yield Done("end_turn")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with create(Settings(data_dir=""), source=Stranger()).launch() as running:
        yield running.url


def test_foreign_titles_and_addresses_stay_words(context: BrowserContext, url: str) -> None:
    """No script runs, nothing is fetched, links lead to the one address of the web, and an answer's
    own marks, lists and links look like no source of the page."""
    page = Page(context, url)
    fetched: list[str] = []

    def note(request: Request) -> None:
        if "elsewhere" in request.url:
            fetched.append(request.url)

    page.browser.on("request", note)
    page.browser.on("dialog", lambda dialog: fetched.append(dialog.message))
    page.ask("hi")
    page.shows("The end.")
    page.ready()
    expect(page.browser.locator(".bot .sc-search")).to_have_count(len(TITLES))
    expect(page.browser.locator(".bot .sc-sources")).to_have_count(1)
    for line in page.browser.locator(".bot :is(.sc-search, .sc-sources) > summary").all():
        line.click()
    ours = page.browser.locator(".bot :is(a.sc-cite, a.sc-page)")
    to = set(ours.evaluate_all("found => found.map(one => one.origin)"))
    assert to == {"https://good.example"}
    safe = (
        "found => found.every(one => one.target === '_blank' && one.relList.contains('noopener'))"
    )
    assert ours.evaluate_all(safe)
    within = ".bot :is(.sc-search, .sc-sources, .sc-cite) :is(img, script, style, .katex, h1, code)"
    assert page.browser.locator(within).count() == 0
    # six words have each their two numbers, and the end has one: none is forged, none is in code
    expect(page.browser.locator(".bot .sc-cite")).to_have_count(2 * len(TITLES) + 1)
    expect(page.browser.locator(".bot pre .sc-cite")).to_have_count(0)
    assert page.browser.locator("pre").last.inner_text().count("[1]") == 0
    assert fetched == []
    assert page.errors == []
