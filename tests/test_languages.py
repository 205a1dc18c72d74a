"""A conversation in browsers of other languages, in which Gradio translates its buttons' titles."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.application import Application
from tests.page import Page
from tests.scripted_claude import (
    CLOSES,
    Hold,
    ScriptedClaude,
    delta,
    ends,
    opens,
    says,
    start,
    streams,
)


class Translated(Page):
    """A page whose buttons are found by their position."""

    @property
    def edit(self) -> Locator:
        return self.browser.locator(".user-row .message-buttons .icon-button").last

    @property
    def copy(self) -> Locator:
        return self.browser.locator(".bot-row .message-buttons:visible .icon-button").first


@pytest.fixture(params=["de-DE", "ja-JP"])
def translated(
    request: pytest.FixtureRequest, chromium: Browser, app: Application, page_claude: ScriptedClaude
) -> Iterator[Translated]:
    with chromium.new_context(
        locale=request.param, permissions=["clipboard-read", "clipboard-write"]
    ) as context:
        yield Translated(context, app.url)


def test_an_answer_looks_and_is_copied_as_everywhere(
    translated: Translated, page_claude: ScriptedClaude
) -> None:
    """Thoughts and the note stand beside the text, and the one copy button copies the text
    alone."""
    page_claude.play(says("So far", thinks=["Let me see."], reason="max_tokens"))
    translated.ask("hi")
    translated.shows("longest allowed length")
    translated.ready()
    expect(translated.edit).not_to_have_attribute("title", "Edit")
    expect(translated.browser.locator(".bot-row .message-buttons:visible")).to_have_count(1)
    size = "element => parseFloat(getComputedStyle(element.querySelector('.prose')).fontSize)"
    assert translated.answers.last.evaluate(size) < translated.answers.filter(
        has_text="So far"
    ).evaluate(size)
    translated.copy.click()
    translated.browser.wait_for_function(
        "async () => (await navigator.clipboard.readText()) === 'So far'"
    )


def test_an_answer_is_stopped_and_edited(
    translated: Translated, page_claude: ScriptedClaude
) -> None:
    """Edit is locked during an answer and works after it."""
    half = streams(start(), opens(), delta("Half"), Hold(), CLOSES, ends())
    page_claude.play(half, says("Edited."), says("Anew."))
    translated.ask("helo")
    translated.shows("Half")
    expect(translated.edit).to_have_css("pointer-events", "none")
    translated.box.press("Escape")
    translated.shows("Stopped.")
    translated.ready()
    expect(translated.edit).to_have_css("pointer-events", "auto")
    translated.edit.click()
    translated.browser.locator(".edit-textarea").fill("hello")
    translated.browser.locator(".edit-textarea").press("Enter")
    translated.shows("Edited.")
    assert page_claude.exchange(1).said == [("user", "hello")]
    translated.ready()
    translated.new_chat()
    expect(translated.answers).to_have_count(0)
    translated.ask("again")
    translated.shows("Anew.")
    assert page_claude.exchange(2).said == [("user", "again")]
