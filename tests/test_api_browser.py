"""The routes as a page's own code uses them, with fetch and EventSource in a real Chromium."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.application import Application
from tests.proxy import Proxy
from tests.scripted_claude import (
    CLOSES,
    Hold,
    ScriptedClaude,
    breaks,
    delta,
    ends,
    opens,
    start,
    streams,
)

ASK = """message => fetch("/api/streaming-chat", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({message}),
})"""
READ = f"""async message => {{
    const answer = await ({ASK})(message), reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    window.words = []
    window.reading = (async () => {{
        for (let piece; !(piece = await reader.read()).done;) window.words.push(piece.value)
        return "whole"
    }})().catch(error => error.name)
}}"""
FOLLOW = """location => {
    window.text = ""
    window.seen = []
    window.source = new EventSource(location)
    for (const name of ["text", "done", "error"]) source.addEventListener(name, event => {
        if (event.data) seen.push(name)
        if (event.data && name == "text") text += JSON.parse(event.data).text
    })
}"""


@pytest.fixture(scope="module")
def app(asked_claude: ScriptedClaude) -> Iterator[Application]:
    """An app that keeps its replies."""
    with Application(
        ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=asked_claude.url
    ) as application:
        yield application


@pytest.fixture
def way(app: Application) -> Iterator[Proxy]:
    with Proxy(int(app.url.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser that runs a test's code on pages whose policy forbids it, as another site or a
    program would."""
    with chromium.new_context(bypass_csp=True) as context:
        yield context


@pytest.fixture
def tab(way: Proxy, context: BrowserContext) -> Page:
    """A page of the app's own origin that does nothing by itself."""
    tab = context.new_page()
    tab.goto(f"{way.url}/api/health")
    return tab


def asked(tab: Page) -> Any:
    """Asks and returns the reply's address."""
    return tab.evaluate(f"async message => (await ({ASK})(message)).headers.get('location')", "hi")


def test_fetch_reads_word_by_word(tab: Page, page_claude: ScriptedClaude) -> None:
    """`fetch` gets each word as it is written, and then the end."""
    hold = Hold()
    page_claude.play(
        streams(start(), opens(), delta("The"), hold, delta(" Loire."), CLOSES, ends())
    )
    tab.evaluate(READ, "hi")
    tab.wait_for_function("words.join('') == 'The'")
    hold.release()
    assert tab.evaluate("reading") == "whole"
    assert tab.evaluate("words.join('')") == "The Loire."


def test_fetch_sees_that_an_answer_is_not_whole(tab: Page, page_claude: ScriptedClaude) -> None:
    """An answer that breaks off is a network error after its text."""
    hold = Hold()
    page_claude.play(
        streams(start(), opens(), delta("Half an"), hold, breaks("invalid_request_error"))
    )
    tab.evaluate(READ, "hi")
    tab.wait_for_function("words.join('') == 'Half an'")
    hold.release()
    assert tab.evaluate("reading") == "TypeError"


def test_eventsource_comes_back_after_a_cut_and_not_after_the_end(
    tab: Page, way: Proxy, page_claude: ScriptedClaude
) -> None:
    """After a cut it goes on by itself and gets each word once; after the end it closes."""
    hold = Hold()
    before, after = [f"a{number} " for number in range(20)], [f"b{number} " for number in range(20)]
    page_claude.play(
        streams(start(), opens(), *map(delta, before), hold, *map(delta, after), CLOSES, ends())
    )
    tab.evaluate(FOLLOW, asked(tab))
    tab.wait_for_function("text.endsWith('a19 ')")
    way.cut()
    hold.release()
    way.restore()
    tab.wait_for_function("source.readyState == EventSource.CLOSED")
    assert tab.evaluate("text") == "".join(before + after)
    assert tab.evaluate("seen").count("done") == 1


def test_eventsource_hears_of_a_failure_and_does_not_come_back(
    tab: Page, page_claude: ScriptedClaude
) -> None:
    """A failure is an event with its data, after which EventSource closes."""
    page_claude.play(streams(start(), opens(), delta("Half an"), breaks("invalid_request_error")))
    tab.evaluate(FOLLOW, asked(tab))
    tab.wait_for_function("source.readyState == EventSource.CLOSED")
    assert tab.evaluate("[text, seen.at(-1)]") == ["Half an", "error"]


def test_another_sites_page_is_refused(
    way: Proxy, context: BrowserContext, page_claude: ScriptedClaude
) -> None:
    """The browser does not even send the question of a page under this machine's other name."""
    tab = context.new_page()
    tab.goto(f"http://localhost:{way.port}/api/health")
    asking = (
        ASK.replace('"/api', f'"{way.url}/api')
        + ".then(answer => answer.status, error => error.name)"
    )
    assert tab.evaluate(asking, "hi") == "TypeError"
    assert page_claude.exchanges == []
