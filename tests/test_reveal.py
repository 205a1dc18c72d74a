"""New words appear smoothly, and nothing else changes by it."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.application import Application
from tests.page import Page
from tests.scripted_claude import CLOSES, Hold, ScriptedClaude, delta, ends, opens, start, streams

NEW = " The river is wide here, and the bridge above it is red."
# A veil that stays until the next words come, with the place of what it hides.
KEEP = """() => {
  const style = document.createElement("style");
  style.textContent = ".sc-veil > div { animation-play-state: paused !important; }";
  document.head.append(style);
}"""
VEILED = """() => [...document.querySelectorAll(".sc-veil")].map((veil) => {
  const { left, top, bottom, width } = veil.getBoundingClientRect();
  const caret = document.caretPositionFromPoint(left + 2, (top + bottom) / 2);
  return [caret.offsetNode.textContent.slice(caret.offset).trim(), width > 100];
})"""


def test_new_words_lie_under_a_veil_for_a_moment(page: Page, page_claude: ScriptedClaude) -> None:
    """Only the new ones; they are there at once, what a reader has selected stays selected, and
    the veil takes no click. The end leaves none."""
    more, last = Hold(), Hold()
    steps = [delta("Lisbon has hills."), more, delta(NEW), last, CLOSES, ends()]
    page_claude.play(streams(start(), opens(), *steps))
    page.browser.evaluate(KEEP)
    page.ask("hi")
    page.shows("Lisbon has hills.")
    page.answers.first.locator("p").evaluate("p => getSelection().selectAllChildren(p)")
    more.release()
    page.shows(NEW.strip())
    expect(page.browser.locator(".sc-veil")).to_have_count(1)
    assert page.browser.evaluate(VEILED) == [[NEW.strip(), True]]
    assert page.browser.evaluate("() => getSelection().toString()") == "Lisbon has hills."
    last.release()
    page.ready()
    expect(page.browser.locator(".sc-veil")).to_have_count(0)
    expect(page.answers.first).to_have_text(f"Lisbon has hills.{NEW}")


@pytest.fixture
def calm(app: Application, context: BrowserContext, page_claude: ScriptedClaude) -> Page:
    page = Page(context, app.url)
    page.browser.emulate_media(reduced_motion="reduce")
    return page


def test_with_less_motion_words_are_just_there(calm: Page, page_claude: ScriptedClaude) -> None:
    """A reader whose system asks for less motion sees no veil."""
    last = Hold()
    page_claude.play(streams(start(), opens(), delta("Lisbon."), last, CLOSES, ends()))
    calm.ask("hi")
    calm.shows("Lisbon.")
    expect(calm.browser.locator(".sc-veil")).to_have_count(0)
    last.release()
    calm.ready()
