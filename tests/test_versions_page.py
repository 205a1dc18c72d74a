"""Versions in the page: a person who asks again, changes a question, and goes back and forth."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from tests.application import Application, keeping
from tests.page import Page
from tests.scripted_claude import ScriptedClaude, says
from tests.test_conversations import current
from tests.test_sending import held

WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}


@pytest.fixture(scope="module")
def app(
    asked_claude: ScriptedClaude, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    """The app with the scripted Claude behind it, and a folder in which it keeps conversations."""
    with keeping(asked_claude.url, tmp_path_factory.mktemp("kept")) as application:
        yield application


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    with chromium.new_context(**request.param) as context:
        yield context


def version(page: Page, number: int, of: int) -> Locator:
    return page.browser.get_by_role("group", name=f"Version {number} of {of}", exact=True)


def edit(page: Page, question: str, instead: str) -> None:
    page.ready()
    row = page.browser.locator(".user-row").filter(has_text=question)
    row.hover()
    row.get_by_title("Edit").click()
    page.browser.get_by_label("Edit the question").fill(instead)
    page.browser.keyboard.press("Enter")


@pytest.mark.usefixtures("context")
def test_a_person_goes_back_and_forth(page: Page, page_claude: ScriptedClaude) -> None:
    """An earlier version comes back with all that followed it, by pointer and by keys, stays after
    a reload, and is all that Claude gets; nothing moves under the pointer."""
    answers = ("First.", "Second.", "Third.", "Changed.", "Fourth.")
    page_claude.play(*map(says, answers))
    duplicates: list[str] = []
    page.browser.on(
        "request", lambda it: duplicates.append(it.url) if "x-tab-open" in it.headers else None
    )
    page.ask("One")
    page.shows("First.")
    page.ask("Two")
    page.shows("Second.")
    expect(page.browser.locator(".versions")).to_have_count(0)
    page.ready()
    page.press("Retry")
    page.shows("Third.")
    page.shows_not("Second.")
    arrows = version(page, 2, 2)
    expect(arrows.get_by_label("Next version")).to_be_disabled()
    before = arrows.bounding_box()
    arrows.get_by_label("Previous version").click()
    page.shows("Second.")
    page.shows_not("Third.")
    expect(version(page, 1, 2)).to_be_visible()
    assert version(page, 1, 2).bounding_box() == before
    edit(page, "One", "Uno")
    page.shows("Changed.")
    page.shows_not("First.")
    expect(page.questions).to_have_count(1)
    version(page, 2, 2).get_by_label("Previous version").click()
    expect(page.questions).to_have_count(2)
    expect(version(page, 1, 2)).to_have_count(2)
    expect(page.browser.locator(":focus")).to_have_attribute("aria-label", "Next version")
    # a page that took itself for another one would wait for it
    assert duplicates == []
    page.browser.reload()
    page.shows("Second.")
    expect(version(page, 1, 2)).to_have_count(2)
    page.ask("Three")
    page.shows("Fourth.")
    assert page_claude.exchange(4).said == [
        ("user", "One"),
        ("assistant", "First."),
        ("user", "Two"),
        ("assistant", "Second."),
        ("user", "Three"),
    ]
    same = ("model", "system", "cache_control", "thinking")
    for name in same:
        assert page_claude.exchange(4).body.get(name) == page_claude.exchange(1).body.get(name)
    page.ready()
    version(page, 1, 2).first.get_by_label("Next version").focus()
    page.browser.keyboard.press("Enter")
    page.shows("Changed.")
    expect(page.browser.locator(":focus")).to_have_attribute("aria-label", "Previous version")
    page.browser.keyboard.press("Enter")
    page.shows("Fourth.")
    assert page.errors == []


def test_nothing_changes_under_an_answer_that_is_written(
    page: Page, page_claude: ScriptedClaude, context: BrowserContext
) -> None:
    """The arrows wait for its end, in this window and in another one, which then shows the same."""
    hold, script = held("Begun", then=" and ended.")
    page_claude.play(says("First."), says("Second."), script)
    page.ask("One")
    page.shows("First.")
    page.ready()
    page.press("Retry")
    page.shows("Second.")
    arrows = version(page, 2, 2).get_by_label("Previous version")
    expect(arrows).to_be_enabled()
    current(page)
    other = Page(context, page.browser.url)
    page.ask("Two")
    for window in (page, other):
        window.shows("Begun")
        expect(version(window, 2, 2).get_by_label("Previous version")).to_be_disabled()
    hold.release()
    page.shows("Begun and ended.")
    other.ready()
    arrows.click()
    for window in (page, other):
        window.shows("First.")
        window.shows_not("Begun and ended.")
        expect(version(window, 1, 2)).to_be_visible()
    version(other, 1, 2).get_by_label("Next version").click()
    page.shows("Begun and ended.")


def test_a_message_that_waits_goes_to_the_answer_it_waited_for(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """Also where the page does not hear in time that this answer is another version."""
    hold, script = held("Begun", then=" and ended.")
    page_claude.play(says("First."), says("Second."), script, says("Last."))
    page.ask("One")
    page.shows("First.")
    page.ready()
    page.press("Retry")
    expect(version(page, 2, 2)).to_be_visible()
    page.ready()
    page.press("Retry")
    page.shows("Begun")
    page.box.fill("And?")
    page.box.press("Enter")
    page.browser.route("**/versions", lambda _: None)
    hold.release()
    page.shows("Last.")
    assert page_claude.exchange(3).said[1:] == [
        ("assistant", "Begun and ended."),
        ("user", "And?"),
    ]
