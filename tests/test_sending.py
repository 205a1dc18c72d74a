"""Questions are sent once, with the visitor's own key; drafts stay in their tab."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Route, expect

from tests.application import ROOT, Application
from tests.page import Page
from tests.proxy import Proxy
from tests.scripted_claude import (
    CLOSES,
    Hold,
    Script,
    ScriptedClaude,
    delta,
    ends,
    opens,
    says,
    start,
    streams,
)
from tests.test_own_key import KEY, field, keys, settings

JOIN = "**/gradio_api/queue/join?**"


def held(*words: str, then: str) -> tuple[Hold, Script]:
    hold = Hold()
    return hold, streams(start(), opens(), *map(delta, words), hold, delta(then), CLOSES, ends())


@pytest.fixture(scope="module")
def keyed_claude() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def takes_keys(keyed_claude: ScriptedClaude) -> Iterator[Application]:
    environment = {"ANTHROPIC_API_KEY": "sk-owner", "ANTHROPIC_BASE_URL": keyed_claude.url}
    with Application(
        cwd=ROOT, STREAMCHAT_OWN_KEYS="on", STREAMCHAT_KEEP_SECONDS="0", **environment
    ) as app:
        yield app


@pytest.fixture
def visitors_claude(keyed_claude: ScriptedClaude) -> ScriptedClaude:
    keyed_claude.exchanges.clear()
    keyed_claude.play(says("Hello", " there"))
    return keyed_claude


def asked_with_own_key(page: Page) -> None:
    settings(page)
    field(page).fill(KEY)
    settings(page)
    page.ask("one")
    page.shows("on your key")
    page.ready()


@pytest.fixture
def came_back(
    visitors_claude: ScriptedClaude, takes_keys: Application, emptied: BrowserContext
) -> Page:
    """A page that asked with the visitor's key, and was reloaded."""
    page = Page(emptied, takes_keys.url)
    asked_with_own_key(page)
    page.browser.reload()
    page.shows("Hello there")
    page.ready()
    return page


def gone(page: Page) -> Locator:
    return page.browser.get_by_role("alert").filter(has_text="Your API key is gone")


WAYS = {
    "box": lambda page: page.ask("two"),
    "example": lambda page: page.example("rivers"),
    "retry": lambda page: page.press("Retry"),
}


@pytest.mark.parametrize("way", WAYS)
def test_without_their_key_a_visitor_is_asked_before_the_owner_pays(
    came_back: Page, visitors_claude: ScriptedClaude, way: str
) -> None:
    """The page says that the key is gone, and sends nothing until the visitor chooses to go on
    without it."""
    page = came_back
    expect(gone(page)).to_be_visible()
    if way == "example":
        page.new_chat()
        page.shows_not("Hello there")
    WAYS[way](page)
    choice = page.browser.get_by_role("button", name="Go on without it")
    expect(page.browser.get_by_role("button", name="Enter the key again")).to_be_focused()
    assert keys(visitors_claude) == [KEY]
    choice.click()
    visitors_claude.exchange(1)
    assert keys(visitors_claude) == [KEY, "sk-owner"]
    expect(gone(page)).to_have_count(0)
    page.ready()
    page.browser.reload()
    page.ready()
    expect(gone(page)).to_have_count(0)


def test_a_key_that_is_entered_again_pays(came_back: Page, visitors_claude: ScriptedClaude) -> None:
    """The waiting question is sent with the key."""
    page = came_back
    page.ask("two")
    page.browser.get_by_role("button", name="Enter the key again").click()
    expect(field(page)).to_be_focused()
    field(page).fill(KEY + "-again")
    field(page).press("Enter")
    visitors_claude.exchange(1)
    assert keys(visitors_claude) == [KEY, KEY + "-again"]
    expect(gone(page)).to_have_count(0)


def test_a_question_that_waits_for_the_key_can_be_stopped(
    came_back: Page, visitors_claude: ScriptedClaude
) -> None:
    """A stopped question is not sent after the choice; the next one is."""
    page = came_back
    page.ask("two")
    expect(page.browser.get_by_role("button", name="Enter the key again")).to_be_focused()
    page.stop()
    page.ready()
    page.browser.get_by_role("button", name="Go on without it").click()
    page.ask("three")
    expect(page.questions).to_have_count(3)
    assert visitors_claude.exchange(1).said[-1] == ("user", "three")


def test_a_key_that_was_taken_out_is_not_missed(
    visitors_claude: ScriptedClaude, takes_keys: Application, emptied: BrowserContext
) -> None:
    """A visitor who emptied the field is not asked again."""
    page = Page(emptied, takes_keys.url)
    settings(page)
    field(page).fill(KEY)
    field(page).fill("")
    page.browser.reload()
    page.ask("one")
    page.shows("Hello there")
    expect(gone(page)).to_have_count(0)
    assert keys(visitors_claude) == ["sk-owner"]


def test_a_page_that_lost_its_connection_by_itself_asks_too(
    visitors_claude: ScriptedClaude, takes_keys: Application, emptied: BrowserContext
) -> None:
    """A page that reloads itself after a lost network asks, too."""
    with Proxy(int(takes_keys.url.rpartition(":")[2])) as way:
        page = Page(emptied, way.url)
        asked_with_own_key(page)
        way.cut()
        with page.comes_back():
            way.restore()
        expect(gone(page)).to_be_visible()
        assert keys(visitors_claude) == [KEY]


class Lost:
    """A proxy that loses the responses to the first `count` messages."""

    def __init__(self, page: Page, count: int) -> None:
        self.left = count
        page.browser.route(JOIN, self._lose)

    def _lose(self, route: Route) -> None:
        if self.left and "idempotency-key" in route.request.headers:
            self.left -= 1
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()


@pytest.mark.parametrize("count", [1, 2])
def test_a_message_whose_response_is_lost_is_one_reply(
    page: Page, page_claude: ScriptedClaude, count: int
) -> None:
    """The page repeats the message with the same key, and it is paid once; the next message is a
    new one."""
    hold, script = held("Half", then=" and whole.")
    page_claude.play(script, says("Again."), says("Third."))
    lost = Lost(page, count)
    page.ask("hi")
    page.shows("Half")
    assert lost.left == 0
    hold.release()
    page.shows("Half and whole.")
    page.ready()
    assert len(page_claude.exchanges) == 1
    page.ask("hi")
    page.shows("Again.")
    page.ready()
    page.press("Retry")
    page.shows("Third.")
    said = [("user", "hi"), ("assistant", "Half and whole."), ("user", "hi")]
    assert [page_claude.exchange(number).said for number in (1, 2)] == [said, said]


def test_a_message_that_is_sent_again_by_hand_is_one_reply(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """The same holds if the network is away for longer than the page tries."""
    hold, script = held("Half", then=" and whole.")
    page_claude.play(script, says("Another."))
    lost = Lost(page, 4)
    page.ask("hi")
    expect(page.browser.get_by_text("Connection to the server was lost").first).to_be_visible(
        timeout=20_000
    )
    assert lost.left == 0
    expect(page.box).to_have_value("hi")
    page.box.press("Enter")
    hold.release()
    page.shows("Half and whole.")
    page.ready()
    assert len(page_claude.exchanges) == 1
    page.ask("next")
    page.shows("Another.")
    assert page_claude.exchange(1).said == [
        ("user", "hi"),
        ("assistant", "Half and whole."),
        ("user", "next"),
    ]


def test_the_same_word_typed_again_is_a_draft(page: Page, page_claude: ScriptedClaude) -> None:
    """Unsent words are in the box after a reload, even if the same words were sent before."""
    page.ask("yes")
    page.shows("Hello there")
    page.ready()
    page.box.fill("yes")
    with page.finds_again():
        page.browser.reload()
    expect(page.box).to_have_value("yes")
    page.box.press("Enter")
    expect(page.questions).to_have_count(2)
    page.ready()
    with page.finds_again():
        page.browser.reload()
    expect(page.questions).to_have_count(2)
    expect(page.box).to_have_value("")


def test_a_draft_outlasts_everything_but_its_sending(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """Retry, edit, undo, New chat and reloads leave the draft in the box."""
    page_claude.play(says("One."), says("Two."), says("Three."))
    page.ask("a")
    page.shows("One.")
    page.ready()
    page.box.fill("my draft")
    page.press("Retry")
    page.shows("Two.")
    page.ready()
    expect(page.box).to_have_value("my draft")
    page.press("Edit")
    page.browser.locator(".user textarea").fill("b")
    page.press("Submit")
    page.shows("Three.")
    page.ready()
    expect(page.box).to_have_value("my draft")
    with page.finds_again():
        page.browser.reload()
    expect(page.box).to_have_value("my draft")
    page.new_chat()
    page.shows_not("Three.")
    expect(page.box).to_have_value("my draft")
    with page.finds_again():
        page.browser.reload()
    expect(page.box).to_have_value("my draft")


def test_each_tab_has_a_draft_of_its_own(
    page: Page, page_claude: ScriptedClaude, app: Application, emptied: BrowserContext
) -> None:
    """A draft in one tab neither appears in the other nor replaces its draft."""
    other = Page(emptied, app.url)
    page.box.fill("for one")
    other.box.fill("for two")
    for tab in (page, other):
        with tab.finds_again():
            tab.browser.reload()
    expect(page.box).to_have_value("for one")
    expect(other.box).to_have_value("for two")


def duplicate(page: Page, context: BrowserContext) -> Page:
    """A second page with the first one's storage, as browsers make it for a duplicated tab."""
    remembered = page.browser.evaluate("JSON.stringify(sessionStorage)")
    context.add_init_script(
        f"if (!sessionStorage.length) Object.assign(sessionStorage, {remembered})"
    )
    return Page(context, page.browser.url, ready=False)


def test_a_duplicate_stops_the_answer_that_both_show(
    page: Page, page_claude: ScriptedClaude, context: BrowserContext
) -> None:
    """Both tabs show one conversation, so a stop in either ends the reply."""
    _, script = held("Begun", then=" and ended.")
    page_claude.play(script)
    page.ask("hi")
    page.shows("Begun")
    other = duplicate(page, context)
    other.shows("Begun")
    other.stop()
    other.shows("Stopped.")
    page.shows("Stopped.")


def test_a_duplicate_reads_on_when_the_first_is_closed(
    page: Page, page_claude: ScriptedClaude, context: BrowserContext
) -> None:
    """The duplicate's answer goes on without the first tab."""
    hold, script = held("Begun", then=" and ended.")
    page_claude.play(script)
    page.ask("hi")
    page.shows("Begun")
    other = duplicate(page, context)
    other.shows("Begun")
    page.browser.close()
    hold.release()
    other.shows("Begun and ended.")
    other.browser.reload()
    other.shows("Begun and ended.")


def test_earlier_messages_are_never_changed(page: Page, page_claude: ScriptedClaude) -> None:
    """Messages that differ only in indentation reach Claude as typed, in every request."""
    typed = ["x = 1", "    x = 1", "\tx = 1", "x = 1"]
    page_claude.play(*[says(f"Answer {number}.") for number in range(4)])
    for number, message in enumerate(typed):
        page.ask(message)
        page.shows(f"Answer {number}.")
        page.ready()
    questions = [text for role, text in page_claude.exchange(3).said if role == "user"]
    assert questions == typed
