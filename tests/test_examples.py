"""The questions that the page offers: those of the source, or the owner's."""

import httpx
import pytest
from playwright.sync_api import Browser, Locator, expect

from streamchat import examples
from streamchat.server.parts import examples_of
from streamchat.settings import Settings
from tests.application import ROOT, Application
from tests.page import Page
from tests.scripted_claude import ScriptedClaude, says

PASSWORD = "open, sesame"


def offered(page: Page) -> Locator:
    return page.browser.locator(".example")


def test_with_a_key_everyday_questions_are_offered(page: Page, page_claude: ScriptedClaude) -> None:
    """The examples are a letter, code, a comparison and a plan; neither they nor the welcome speak
    of a demo."""
    expect(offered(page)).to_have_count(4)
    expect(page.browser.get_by_text("demo")).to_have_count(0)
    page_claude.play(says("Dear neighbour"))
    page.example("letter")
    page.shows("Dear neighbour")
    assert page_claude.exchange(0).said == [("user", examples.USUAL[0])]


def test_the_demo_is_offered_the_same_and_says_so(chromium: Browser) -> None:
    """Without the owner's key the page says that it is a demo and links to the field for a
    visitor's key; the demo's own examples are in the menu."""
    with Application(cwd=ROOT, STREAMCHAT_OWN_KEYS="on") as app, chromium.new_context() as context:
        page = Page(context, app.url)
        expect(offered(page)).to_have_text([*examples.USUAL])
        expect(page.browser.get_by_text("Demo mode: no API key yet")).to_be_visible()
        page.browser.get_by_role("link", name="Use your own key").click()
        expect(page.browser.get_by_label("API key", exact=True)).to_be_focused()
        page.browser.keyboard.press("Escape")
        page.browser.get_by_role("button", name="Menu").click()
        page.browser.get_by_role("button", name="See every state").click()
        page.shows("Fail before the first word")


def test_the_owner_sets_them_and_a_pause_changes_nothing(
    claude: ScriptedClaude, chromium: Browser
) -> None:
    """The owner's examples, one a line, stay while Claude is paused, and none is answered then."""
    knobs = {
        "ANTHROPIC_API_KEY": "sk-test",
        "ANTHROPIC_BASE_URL": claude.url,
        "STREAMCHAT_OWNER_PASSWORD": PASSWORD,
    }
    knobs |= {"STREAMCHAT_EXAMPLES": "Which bus goes to the pool?\nWhen is the library open?\n"}
    with Application(cwd=ROOT, **knobs) as app, chromium.new_context() as context:
        assert httpx.put(f"{app.url}/owner/pause", auth=("eva", PASSWORD)).status_code == 204
        page = Page(context, app.url)
        expect(offered(page)).to_have_text(
            ["Which bus goes to the pool?", "When is the library open?"]
        )
        expect(page.browser.get_by_text("demo")).to_have_count(0)
        page.example("library")
        page.shows("The owner of this chat has paused Claude until further notice.")
        expect(page.browser.locator("#allowance")).to_have_text("")
    assert claude.exchanges == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One?|Two?", ("One?", "Two?")),
        ("One?\r\n\r\n  Two?  \n", ("One?", "Two?")),
        ("One? | One? |", ("One?",)),
        ("Off", ()),
    ],
)
def test_examples_are_read_from_lines_or_bars(text: str, found: tuple[str, ...]) -> None:
    """Each example counts once, without the blanks around it; `off` means none."""
    assert examples.split(examples.checked(text)) == found


def test_an_example_is_what_it_looks_like() -> None:
    """Invisible characters and ones that reverse the text are refused."""
    with pytest.raises(ValueError, match="no control characters"):
        examples.checked("One?|\u202eowT")


def test_there_are_usual_examples_until_the_owner_sets_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The owner's, or none, take the place of the usual ones."""
    monkeypatch.setenv("STREAMCHAT_EXAMPLES", "")
    assert examples_of(Settings.read()) == examples.USUAL
    monkeypatch.setenv("STREAMCHAT_EXAMPLES", "One?|Two?")
    assert examples_of(Settings.read()) == ("One?", "Two?")
    monkeypatch.setenv("STREAMCHAT_EXAMPLES", "off")
    assert examples_of(Settings.read()) == ()
