"""The page's own look: its header, its colours, its column."""

import re
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import Browser, expect

import streamchat
from streamchat.chat.asking import Chat
from streamchat.chat.parties import Sources
from streamchat.look import DARK, LIGHT, SEEN, TOKENS, Look, contrast, seen_on
from streamchat.settings import Settings, SettingsError
from streamchat.sources.demo import Demo
from streamchat.store import Store
from streamchat.ui.content import as_text
from streamchat.ui.layout import page
from streamchat.ui.tabs import Tabs
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

PACKAGE = Path(streamchat.__file__).parent
LONG = "\n\n".join(f"Line {number} of the answer." for number in range(60))


def colours(theme: str) -> dict[str, str]:
    """The colours of a theme in tokens.css, as six hexadecimal digits."""
    block = TOKENS[TOKENS.index(theme) :].partition("}")[0]
    return dict(re.findall(r"--sc-([\w-]+): #(\w{6});", block))


def ratio(one: str, other: str) -> float:
    return contrast(bytes.fromhex(one), bytes.fromhex(other))  # type: ignore[arg-type]


@pytest.mark.parametrize("theme", [":root {", ".dark {"])
@pytest.mark.parametrize("surface", ["page", "side", "raised", "bubble", "code", "hover"])
def test_all_that_is_read_has_contrast(theme: str, surface: str) -> None:
    """Text has a contrast of 7:1 on every surface, and notes of 4.5:1."""
    of = colours(theme)
    assert ratio(of["text"], of[surface]) >= 7
    assert ratio(of["note"], of[surface]) >= 4.5


@pytest.mark.parametrize("theme", [":root {", ".dark {"])
def test_controls_have_contrast(theme: str) -> None:
    """Buttons, the signs on them, the edge of the box and callouts have enough contrast."""
    of = colours(theme)
    assert ratio(of["on-accent"], of["accent"]) >= 4.5
    assert ratio(of["accent"], of["page"]) >= 3
    assert ratio(of["edge"], of["raised"]) >= 3
    assert ratio(of["warn-text"], of["warn"]) >= 7
    assert ratio(of["bad"], of["page"]) >= 4.5


def test_other_styles_have_no_colours_of_their_own() -> None:
    """All colours are in tokens.css."""
    colour = re.compile(r"(?:: |[( ])#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(")
    files = [file for file in PACKAGE.rglob("*.css") if file.name != "tokens.css"]
    assert len(files) >= 6
    assert {file: colour.findall(file.read_text("utf-8")) for file in files} == {
        file: [] for file in files
    }


WIDTHS = [1280, 768, 390, 360, 320]


@pytest.mark.parametrize("width", WIDTHS)
def test_one_frame_scrolls_and_never_sideways(
    page: Page, page_claude: ScriptedClaude, width: int
) -> None:
    """The conversation scrolls at the window's edge, and the page never does, also at a zoom of 200
    %."""
    page_claude.play(says(LONG))
    page.browser.set_viewport_size({"width": width, "height": 640})
    page.ask("hi")
    page.shows("Line 59")
    page.ready()
    whole = page.browser.evaluate(
        "() => { const { scrollWidth, scrollHeight } = document.documentElement;"
        " return [scrollWidth, scrollHeight] }"
    )
    assert whole == [width, 640]
    frames = page.browser.evaluate(
        "() => [...document.querySelectorAll('body *')].filter((one) => one.scrollHeight >"
        " one.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(one).overflowY))"
        ".map((one) => [one.role, one.getBoundingClientRect().right])"
    )
    assert frames == [["log", width]]
    box = page.browser.locator("#message").bounding_box()
    assert box
    assert box["y"] + box["height"] <= 640


def test_text_has_one_column_of_readable_width(page: Page, page_claude: ScriptedClaude) -> None:
    """Questions, answers and the box share a column of 720 px in the middle of the page."""
    page_claude.play(says("word " * 200))
    page.browser.set_viewport_size({"width": 1280, "height": 800})
    page.ask("hi " * 200)
    page.shows("word")
    page.ready()
    places = page.browser.evaluate("""() => ["#message", ".bot.message p", ".user.message > *"]
      .map((name) => document.querySelector(name).getBoundingClientRect())
      .map(({ left, right }) => [left, right])""")
    assert places[0] == places[1] == [280, 1000]
    assert places[2][1] == 1000


def test_the_header_has_three_places_and_a_menu(page: Page) -> None:
    """Other parts fill the first two places; the menu opens by a click and closes by Escape."""
    places = page.browser.locator("#bar > *")
    ids = places.evaluate_all("all => all.map(({ id }) => id)")
    assert ids == ["bar-start", "bar-middle", "bar-end"]
    more = page.browser.get_by_role("button", name="Menu")
    more.click()
    expect(page.browser.locator("#menu")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.browser.keyboard.press("Escape")
    expect(page.browser.locator("#menu")).to_be_hidden()


def test_the_button_shows_what_it_does(page: Page, page_claude: ScriptedClaude) -> None:
    """The button is a stop square during an answer and a send arrow after it."""
    sign = "button => getComputedStyle(button, '::after').maskImage.slice(0, 4)"
    hold = Hold()
    page_claude.play(streams(start(), opens(), delta("Hello"), hold, CLOSES, ends()))
    page.ask("hi")
    page.shows("Hello")
    assert page.browser.locator("#message button").evaluate(sign) == "none"
    hold.release()
    page.ready()
    assert page.browser.locator("#message button").evaluate(sign) == "url("


@pytest.mark.parametrize(("system", "other"), [("light", "dark"), ("dark", "light")])
def test_a_chosen_theme_stays(
    chromium: Browser, app: Application, page_claude: ScriptedClaude, system: str, other: str
) -> None:
    """The page follows the system's theme until the reader chooses one, which a reload keeps."""
    with chromium.new_context(color_scheme=system) as context:  # type: ignore[arg-type]
        page = Page(context, app.url)
        dark = "() => document.body.classList.contains('dark')"
        assert page.browser.evaluate(dark) == (system == "dark")
        page.browser.get_by_role("button", name="Menu").click()
        page.browser.get_by_role("button", name=f"{other.capitalize()} theme").click()
        assert page.browser.evaluate(dark) == (other == "dark")
        page.browser.reload()
        page.ready()
        assert page.browser.evaluate(dark) == (other == "dark")
        page.browser.get_by_role("button", name="Menu").click()
        page.browser.get_by_role("button", name="System theme").click()
        assert page.browser.evaluate(dark) == (system == "dark")


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#ffe100", "#0f766e", "#7f7f7f"])
def test_any_accent_can_be_seen(colour: str) -> None:
    """An accent is made darker or lighter in a theme where it would have too little contrast."""
    css = Look(accent=colour).css.removeprefix(TOKENS)
    found = re.findall(r"--sc-accent: #(\w{6}); --sc-on-accent: #(\w{6});", css)
    assert [round(contrast(each, each), 1) for each in (LIGHT, DARK)] == [1, 1]
    for (accent, ink), surface in zip(found, (LIGHT, DARK), strict=True):
        assert ratio(accent, bytes(surface).hex()) >= SEEN
        assert ratio(accent, ink) >= 4.5
    assert seen_on(LIGHT, (15, 118, 110)) == (15, 118, 110)


def test_an_accent_is_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other value, such as a CSS rule, ends the start."""
    monkeypatch.setenv("STREAMCHAT_ACCENT", "red; } body { display: none")
    with pytest.raises(SettingsError, match=r"STREAMCHAT_ACCENT.*a colour as in #4f46e5"):
        Settings.read()


def test_the_owners_words_are_shown_as_they_are() -> None:
    """A name with Markdown or HTML is shown literally, on the page and in its scripts."""
    assert as_text("<b>*x*</b> [y](z)").count("&#") == 11
    chat = Chat(Sources(Demo()), Store(""), linger=60, keep=60)
    look = Look(title="<b>*x*</b>")
    shown = page(chat, Tabs(chat, Store("")), lambda *_: "", look=look, examples=[])
    header = next(each for each in shown.blocks.values() if isinstance(each, gr.Markdown))
    assert header.value
    assert header.value.count("<") == 2
    assert shown.title == "<b>*x*</b>"
    meta = Look(title='"><script>').meta(demo=True)
    assert meta.count("<") == 1
    assert "&quot;demo&quot;: true" in meta


def test_a_long_question_folds(page: Page) -> None:
    """A long question shows nine lines, and all of them on demand; a short one has no button."""
    page.ask("\n".join(f"Line {number} of the question." for number in range(30)))
    page.shows("Hello there")
    question = page.questions.locator("pre")
    expect(page.browser.get_by_role("button", name="Show all")).to_be_visible()
    height = "text => text.getBoundingClientRect().height"
    folded = question.evaluate(height)
    page.browser.get_by_role("button", name="Show all").click()
    assert question.evaluate(height) > 2.5 * folded
    page.browser.get_by_role("button", name="Show less").click()
    assert question.evaluate(height) == folded
    page.ask("short")
    page.ready()
    expect(page.browser.locator(".fold")).to_have_count(1)


SHIFTS = """() => {
  window.shifted = 0;
  const add = ({ value, hadRecentInput }) => { if (!hadRecentInput) window.shifted += value; };
  new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type: "layout-shift" });
}"""


def test_nothing_jumps_while_an_answer_is_written(page: Page, page_claude: ScriptedClaude) -> None:
    """From the question to the receipt the page's layout shifts by no more than 0.02 (CLS)."""
    hold, last = Hold(), Hold()
    more = [hold, delta(LONG), last, delta("\n\nThe end."), CLOSES, ends("max_tokens")]
    page_claude.play(streams(start(), opens(), delta("First words."), *more))
    page.browser.evaluate(SHIFTS)
    page.ask("hi")
    page.shows("First words.")
    hold.release()
    page.shows("Line 59")
    last.release()
    page.shows("longest allowed length")
    page.ready()
    page.browser.evaluate("() => new Promise((done) => setTimeout(done, 300))")
    assert page.browser.evaluate("window.shifted") <= 0.02


def test_stopping_shows_no_failure(page: Page, page_claude: ScriptedClaude) -> None:
    """A stop leaves the text with a note and no callout."""
    page_claude.play(streams(start(), opens(), delta("Half an answer"), Hold(), CLOSES, ends()))
    page.ask("hi")
    page.shows("Half an answer")
    page.stop()
    page.shows("Stopped.")
    page.shows_not("Something went wrong")
