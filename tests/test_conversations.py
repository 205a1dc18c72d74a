"""Saved conversations on the page: their addresses, and ways from one to another."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.application import Application, keeping
from tests.page import Page
from tests.scripted_claude import ScriptedClaude, says
from tests.test_sending import held


@pytest.fixture(scope="module")
def app(
    asked_claude: ScriptedClaude, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    """The app with the scripted Claude behind it, and a folder in which it keeps conversations."""
    with keeping(asked_claude.url, tmp_path_factory.mktemp("kept")) as application:
        yield application


ADDRESS = re.compile(r"\?c=[A-Za-z0-9_-]{32}$")


def fresh(page: Page) -> None:
    page.browser.evaluate("window.streamchat.conversations.fresh()")
    expect(page.questions).to_have_count(0)


def opens(page: Page, id_: str) -> None:
    page.browser.evaluate("(id) => window.streamchat.conversations.open(id)", id_)


def current(page: Page) -> str:
    """The id of the conversation, once it is saved."""
    expect(page.browser).to_have_url(ADDRESS)
    return page.browser.url.partition("?c=")[2]


def test_a_new_chat_keeps_the_old_one_and_its_address(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """Back and forward switch between the chats, a reload stays in one, and each can be
    continued."""
    page_claude.play(says("For one."), says("For two."), says("Again."))
    page.ask("one")
    page.shows("For one.")
    one = current(page)
    fresh(page)
    page.ask("two")
    page.shows("For two.")
    page.shows_not("For one.")
    assert current(page) != one
    page.ready()
    page.browser.go_back()
    page.shows("For one.")
    page.shows_not("For two.")
    page.browser.go_forward()
    page.shows("For two.")
    page.browser.reload()
    page.shows("For two.")
    opens(page, one)
    page.shows("For one.")
    page.ask("more")
    page.shows("Again.")
    assert page_claude.exchange(2).said == [
        ("user", "one"),
        ("assistant", "For one."),
        ("user", "more"),
    ]


def test_a_new_chat_right_after_a_question_keeps_the_old_one(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """The sidebar lists it, although the page had not been told its title; no toast offers a way
    back."""
    page.browser.route("**/conversations?limit=1", lambda _: None)
    hold, script = held("Begun", then=" and ended.")
    page_claude.play(script)
    page.ask("first")
    page.shows("Begun")
    fresh(page)
    assert not page.browser.locator(".toast").all()
    expect(page.browser.locator("#chats li")).to_contain_text("first")
    hold.release()


def test_an_answer_goes_on_while_another_conversation_is_read(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """The answer is not stopped, no word of it reaches the other conversation, and it is there on
    return."""
    hold, script = held("Begun", then=" and ended.")
    page_claude.play(says("For one."), script, says("More."))
    page.ask("one")
    page.shows("For one.")
    one = current(page)
    fresh(page)
    page.ask("two")
    page.shows("Begun")
    two = current(page)
    opens(page, one)
    page.shows("For one.")
    page.shows_not("Begun")
    page.ask("three")
    page.shows("More.")
    page.shows_not("Begun")
    opens(page, two)
    page.shows("Begun")
    assert not page_claude.exchange(1).gone.is_set()
    hold.release()
    page.shows("Begun and ended.")
    page.ready()
    page.shows_not("More.")


def test_a_second_window_follows_the_same_answer(
    page: Page, page_claude: ScriptedClaude, emptied: BrowserContext
) -> None:
    """It follows the answer that runs when it opens, and one that the first window asks for
    later."""
    hold, script = held("Begun", then=" and ended.")
    then, later = held("Later", then=" as well.")
    page_claude.play(script, later)
    page.ask("hi")
    page.shows("Begun")
    current(page)
    other = Page(emptied, page.browser.url, ready=False)
    other.shows("Begun")
    hold.release()
    for window in (page, other):
        window.shows("Begun and ended.")
        window.ready()
    page.ask("and?")
    other.shows("Later")
    then.release()
    for window in (page, other):
        window.shows("Later as well.")
        window.ready()


def test_the_address_opens_nothing_in_another_browser(
    page: Page, page_claude: ScriptedClaude, app: Application, context: BrowserContext
) -> None:
    """Another browser gets a new chat at that address."""
    page_claude.play(says("Secret."), says("Mine."))
    page.ask("hi")
    page.shows("Secret.")
    current(page)
    browser = context.browser
    assert browser
    with browser.new_context() as elsewhere:
        other = Page(elsewhere, page.browser.url)
        expect(other.browser).not_to_have_url(ADDRESS)
        other.shows_not("Secret.")
        other.ask("hi")
        other.shows("Mine.")


def test_a_message_that_was_sent_does_not_come_back_in_another(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """A new chat's box is empty after a message was sent, also after a reload; an unsent draft
    moves along."""
    page_claude.play(says("For one."))
    page.ask("one")
    page.shows("For one.")
    one = current(page)
    page.ready()
    fresh(page)
    expect(page.box).to_have_value("")
    opens(page, one)
    page.shows("For one.")
    page.box.fill("not yet")
    fresh(page)
    expect(page.box).to_have_value("not yet")


def test_a_message_sent_at_once_belongs_to_the_new_chat(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """It waits until the new chat is shown, even while the old one's answer is being written."""
    hold, script = held("Begun", then=" and ended.")
    page_claude.play(script, says("For two."))
    page.ask("one")
    page.shows("Begun")
    current(page)
    page.browser.evaluate("void window.streamchat.conversations.fresh()")
    page.ask("two")
    page.shows("For two.")
    page.shows_not("Begun")
    expect(page.questions).to_have_text(["two"])
    assert page_claude.exchange(1).said == [("user", "two")]
    hold.release()
