"""The page under its reader's hands: scrolling, typing, keys, editing, printing."""

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

LINES = "\n\n".join(f"Line {number} of the answer." for number in range(60))


@pytest.fixture
def growing(page: Page, page_claude: ScriptedClaude) -> Iterator[Hold]:
    """An answer longer than the view, which grows further when the hold is released."""
    hold = Hold()
    more = [hold, delta("\n\nThe second part.\n\n" + LINES), Hold(), CLOSES, ends()]
    page_claude.play(streams(start(), opens(), delta(LINES), *more))
    page.ask("hi")
    page.shows("Line 59 of the answer.")
    yield hold
    page.browser.evaluate("() => document.querySelector('.stop-button')?.click()")
    page.ready()


def log(page: Page) -> Locator:
    return page.browser.get_by_role("log")


def top(page: Page) -> float:
    return float(log(page).evaluate("log => log.scrollTop"))


def is_at_end(page: Page) -> None:
    page.browser.wait_for_function(
        "() => { const log = document.querySelector('[role=log]');"
        " return log.scrollTop > 0 && log.scrollHeight - log.clientHeight - log.scrollTop < 2 }"
    )


def grows(page: Page, hold: Hold) -> None:
    """Waits until the rest of the answer has been drawn for two frames."""
    hold.release()
    expect(page.answers.filter(has_text="The second part.").last).to_be_attached()
    page.browser.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def test_the_end_of_a_growing_answer_stays_in_view(page: Page, growing: Hold) -> None:
    """Without scrolling, the newest words stay in view."""
    is_at_end(page)
    before = top(page)
    grows(page, growing)
    is_at_end(page)
    assert top(page) > before


@pytest.mark.parametrize("pixels", [10, 100, 1_000])
def test_a_wheel_turned_up_lets_go(page: Page, growing: Hold, pixels: int) -> None:
    """A small turn of the wheel is enough to stay at that place."""
    is_at_end(page)
    end = top(page)
    log(page).hover()
    page.browser.mouse.wheel(0, -pixels)
    page.browser.wait_for_function(
        "end => document.querySelector('[role=log]').scrollTop < end", arg=end
    )
    before = log(page).evaluate(
        "log => new Promise(done => requestAnimationFrame(() => done(log.scrollTop)))"
    )
    grows(page, growing)
    assert top(page) <= before


@pytest.mark.parametrize("key", ["ArrowUp", "PageUp", "Home"])
def test_a_key_that_scrolls_up_lets_go(page: Page, growing: Hold, key: str) -> None:
    """A view scrolled by a key stays at that place."""
    is_at_end(page)
    end = top(page)
    log(page).focus()
    page.browser.keyboard.press(key)
    page.browser.wait_for_function(
        "end => document.querySelector('[role=log]').scrollTop < end", arg=end
    )
    grows(page, growing)
    assert top(page) < end


def test_the_scrollbar_lets_go(page: Page, growing: Hold) -> None:
    """A view moved by the scrollbar stays at that place."""
    is_at_end(page)
    log(page).evaluate("log => { log.scrollTop = 5 }")
    grows(page, growing)
    assert top(page) == 5


SHRINK = """box => {
  const log = document.querySelector("[role=log]");
  log.scrollTop -= 1;
  log.scrollTop += 1; // a scroll event is due
  box.style.height = "20px";
  return log.scrollTop; // which the browser corrects for the new layout before it sends the event
}"""


def test_a_box_that_shrinks_does_not_let_go(page: Page, growing: Hold) -> None:
    """When a long draft is gone, the conversation's end stays in view."""
    is_at_end(page)
    end = top(page)
    page.box.fill("one\ntwo\nthree\nfour")
    page.browser.wait_for_function(
        "end => document.querySelector('[role=log]').scrollTop > end", arg=end
    )
    is_at_end(page)
    before = top(page)
    assert page.box.evaluate(SHRINK) < before
    grows(page, growing)
    is_at_end(page)


def test_the_arrow_follows_again(page: Page, growing: Hold) -> None:
    """The arrow leads to the end, which then stays in view."""
    is_at_end(page)
    log(page).evaluate("log => { log.scrollTop = 5 }")
    page.browser.get_by_title("Scroll down").click()
    is_at_end(page)
    grows(page, growing)
    is_at_end(page)


def test_a_new_question_comes_into_view(
    page: Page, page_claude: ScriptedClaude, growing: Hold
) -> None:
    """After scrolling up, a new question is shown, and then its answer's end."""
    page_claude.play(
        streams(start(), opens(), answers := Hold(), delta(LINES), Hold(), CLOSES, ends())
    )
    log(page).evaluate("log => { log.scrollTop = 5 }")
    page.stop()
    page.ask("And now?")
    expect(page.questions.filter(has_text="And now?")).to_be_in_viewport()
    answers.release()
    expect(page.answers.filter(has_text="Line 59 of the answer.")).to_have_count(2)
    is_at_end(page)


def test_an_empty_chat_begins_at_its_top(page: Page, growing: Hold) -> None:
    """Also in a window that is lower than its welcome, at first and after a long conversation."""
    page.browser.set_viewport_size({"width": 360, "height": 420})
    growing.release()
    page.stop()
    for leave in (page.new_chat, page.browser.reload):
        leave()
        expect(page.browser.locator(".placeholder-content")).to_be_visible()
        page.ready()
        page.browser.evaluate("() => new Promise(done => setTimeout(done))")
        assert log(page).evaluate("log => log.scrollHeight > log.clientHeight")
        assert top(page) == 0


def test_a_message_typed_during_an_answer_is_sent_after_it(
    page: Page, page_claude: ScriptedClaude, growing: Hold
) -> None:
    """Enter during an answer keeps the message in the box and sends it afterwards."""
    expect(page.box).to_be_editable()
    page.box.fill("The next question")
    page.box.press("Enter")
    expect(page.box).to_have_value("The next question")
    assert len(page_claude.exchanges) == 1
    page.stop()
    expect(page.questions.filter(has_text="The next question")).to_be_visible()
    expect(page.box).to_have_value("")


@pytest.mark.parametrize(
    ("typed", "left"), [("second", "second"), ("first, and more", ", and more")]
)
def test_text_typed_while_a_message_is_sent_stays(
    page: Page, page_claude: ScriptedClaude, typed: str, left: str
) -> None:
    """The box is emptied once the server has the message; later text stays and can be sent next."""
    hold = Hold()
    page_claude.play(streams(start(), opens(), delta("One"), hold, CLOSES, ends()), says("Two"))
    # held until there is no such route
    page.browser.route("**/gradio_api/run/**", lambda _: None)
    with page.browser.expect_request("**/gradio_api/run/**"):
        page.ask("first")
    page.box.fill(typed)
    page.box.press("Enter")
    page.browser.unroute("**/gradio_api/run/**")
    page.shows("One")
    expect(page.box).to_have_value(left)
    hold.release()
    page.shows("Two")
    assert page_claude.exchange(1).said[-1] == ("user", left.strip())


def test_a_draft_outlasts_the_end_of_an_answer(
    page: Page, page_claude: ScriptedClaude, growing: Hold
) -> None:
    """Unsent text stays in the box when the answer ends."""
    page.box.press_sequentially("half a thought")
    page.stop()
    page.shows("Stopped.")
    page.ready()
    page.box.press_sequentially(" and its end")
    page.box.press("Enter")
    assert page_claude.exchange(1).said[-1] == ("user", "half a thought and its end")
    page.shows("Line 59 of the answer.")


def test_escape_stops_and_leaves_the_focus_in_the_box(
    page: Page, page_claude: ScriptedClaude, growing: Hold
) -> None:
    """Escape closes the connection to Claude, and the reader can type on."""
    expect(page.box).to_be_focused()
    page.browser.keyboard.press("Escape")
    page.shows("Stopped.")
    assert page_claude.exchanges[0].gone.wait(10)
    expect(page.box).to_be_focused()


def test_the_focus_stays_where_the_reader_put_it(page: Page, growing: Hold) -> None:
    """The box does not take the focus back from the conversation."""
    log(page).focus()
    page.browser.mouse.click(5, 5)
    page.stop()
    page.shows("Stopped.")
    page.ready()
    log(page).click(position={"x": 5, "y": 5})
    expect(page.box).not_to_be_focused()


def test_send_and_stop_have_names(page: Page, growing: Hold) -> None:
    """Screen readers get a name for each button."""
    expect(page.browser.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.stop()
    expect(page.browser.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_the_placeholder_comes_back(page: Page) -> None:
    """The placeholder is there after the first message, too."""
    page.ask("hi")
    page.shows("Hello there")
    page.ready()
    expect(page.box).to_have_attribute("placeholder", "Type a message...")


@pytest.mark.parametrize("locale", ["en-US", "de-DE", "ja-JP"])
def test_edit_is_locked_during_an_answer_in_every_language(
    chromium: Browser, app: Application, page_claude: ScriptedClaude, locale: str
) -> None:
    """Neither a click nor the keyboard edits a conversation whose answer is being written."""
    page_claude.play(
        streams(start(), opens(), delta("Half an answer"), hold := Hold(), CLOSES, ends())
    )
    with chromium.new_context(locale=locale) as context:
        page = Page(context, app.url)
        page.ask("hi")
        page.shows("Half an answer")
        edit = page.browser.locator(".user-row .message-buttons .icon-button:last-child")
        expect(edit).to_have_css("pointer-events", "none")
        edit.focus()
        page.browser.keyboard.press("Enter")
        expect(page.browser.locator(".edit-textarea")).to_have_count(0)
        page.shows("Half an answer")
        hold.release()
        page.ready()
        assert not page_claude.exchanges[0].gone_at or len(page_claude.exchanges) == 1


def test_the_keyboard_edits_a_question(page: Page, page_claude: ScriptedClaude) -> None:
    """ArrowUp in the empty box edits the last question; Escape cancels, and Enter asks it anew."""
    page.ask("first")
    page.shows("Hello there")
    page.ready()
    page.box.press("ArrowUp")
    editor = page.browser.get_by_label("Edit the question")
    expect(editor).to_be_focused()
    editor.fill("nonsense")
    editor.press("Escape")
    expect(page.questions).to_have_text(["first"])
    page.box.press("ArrowUp")
    editor.fill("second")
    editor.press("Enter")
    expect(page.questions).to_have_text(["second"])
    page.shows("Hello there")
    page.ready()
    assert page_claude.exchange(1).said == [("user", "second")]


def test_a_dropped_file_does_not_replace_the_page(page: Page) -> None:
    """A file dropped on the page does not open in its place."""
    prevented = page.browser.evaluate("""() => ["dragover", "drop"].map((kind) => {
          const data = new DataTransfer();
          data.items.add(new File(["x"], "x.txt"));
          const event = new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
          document.querySelector("[role=log]").dispatchEvent(event);
          return event.defaultPrevented;
        })""")
    assert prevented == [True, True]


def test_printing_prints_the_whole_conversation(page: Page, growing: Hold) -> None:
    """Printed pages show everything, without scrolling."""
    page.browser.emulate_media(media="print")
    heights = log(page).evaluate("log => [log.clientHeight, log.scrollHeight]")
    assert heights[0] == heights[1] > 1_000
    page.browser.emulate_media(media="screen")


MARKDOWN = """# One\n\n## Two\n\n### Three\n
- [x] done\n- a\n  - b\n    - c\n      - d\n
| River | Flows into | Country | Length | Fame |
|---|---|---|---|---|
| Danube | Mediterranean | Switzerland | 1 | 2 |
"""


def test_markdown_is_readable_on_a_phone(
    chromium: Browser, app: Application, page_claude: ScriptedClaude
) -> None:
    """Headings fall in size, nested lists do not, words in tables stay whole, and the page never
    scrolls sideways."""
    page_claude.play(streams(start(), opens(), delta(MARKDOWN), CLOSES, ends()))
    with chromium.new_context(viewport={"width": 360, "height": 640}) as context:
        page = Page(context, app.url)
        page.ask("hi")
        page.shows("Mediterranean")
        page.ready()
        sizes = page.browser.evaluate(
            "() => ['h1', 'h2', 'h3', 'li', 'li li', 'li li li', 'li li li li'].map(one =>"
            " parseFloat(getComputedStyle(document.querySelector(`.bot.message .prose"
            " ${one}`)).fontSize))"
        )
        assert sizes[0] > sizes[1] > sizes[2] > sizes[3]
        assert set(sizes[3:]) == {sizes[3]}
        cell = page.browser.get_by_role("cell", name="Mediterranean").bounding_box()
        assert cell
        assert cell["width"] > 90
        assert page.browser.evaluate("document.documentElement.scrollWidth") == 360
        expect(page.box).to_have_css("font-size", "16px")
