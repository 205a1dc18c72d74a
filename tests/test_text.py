"""The text of people and Claude, as it is seen, typed, edited and copied in a real Chromium."""

import pytest
from playwright.sync_api import expect

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

CODE = (
    "```python\n"
    + "".join(f"river_{number} = {number}  # $$ in code\n" for number in range(400))
    + "```"
)
TYPED = "<script>\n    let a = 1\n</script>\n\nWhy is __name__ printed? $$x$$ **bold**\n\tand a tab"


def written(text: str) -> str:
    return text.replace("\u2064", "").strip()


def clipboard(page: Page) -> str:
    return str(page.browser.evaluate("navigator.clipboard.readText()")).replace("\r\n", "\n")


@pytest.fixture
def page(page: Page) -> Page:
    page.browser.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


def test_finished_parts_of_a_long_answer_are_not_drawn_again(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """The items of a long list stay the same elements while more of them come."""
    items = [f"- River {number} flows into the sea.\n" for number in range(600)]
    more = [hold := Hold(), delta("".join(items[300:]) + "\nThe end."), CLOSES, ends()]
    page_claude.play(streams(start(), opens(), delta("".join(items[:300])), *more))
    page.ask("hi")
    page.shows("River 299")
    page.browser.evaluate("document.querySelector('.bot.message li').drawn = true")
    hold.release()
    page.shows("The end.")
    page.ready()
    assert page.browser.evaluate("document.querySelector('.bot.message li').drawn") is True
    assert page.browser.locator(".bot.message li").all_inner_texts() == [
        item[2:-1] for item in items
    ]
    page.press("Copy message")
    page.browser.wait_for_function(
        "async () => (await navigator.clipboard.readText()).endsWith('The end.')"
    )
    assert clipboard(page) == "".join(items) + "\nThe end."


@pytest.mark.parametrize("code", [CODE, "```js\n" + "let_a=1;" * 2_500 + "\n```"])
def test_a_long_code_block_is_copied_whole(
    page: Page, page_claude: ScriptedClaude, code: str
) -> None:
    """However many pieces it is drawn in, each piece's button copies all of it; a long line is
    parted, too."""
    page_claude.play(says(f"Look:\n\n{code}\n\nThe end."))
    page.ask("hi")
    page.shows("The end.")
    page.ready()
    buttons = page.browser.locator(".bot.message .copy_code_button")
    assert buttons.count() > 1
    for button in (buttons.first, buttons.last):
        page.browser.evaluate("navigator.clipboard.writeText('')")
        button.click()
        page.browser.wait_for_function("async () => (await navigator.clipboard.readText()) !== ''")
        assert clipboard(page).strip() == code.partition("\n")[2].removesuffix("```").strip()


def test_a_question_is_shown_edited_and_asked_again_as_it_was_typed(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """Its HTML, its Markdown and its indentation are characters like others."""
    page.ask(TYPED)
    page.shows("Hello there")
    page.ready()
    shown = page.questions.last
    assert written(str(shown.locator("code").text_content())) == TYPED.expandtabs(4)
    page.press("Edit")
    expect(page.browser.locator(".edit-textarea")).to_have_value(TYPED)
    page.browser.locator(".edit-textarea").press("Escape")
    page.press("Retry")
    assert page_claude.exchange(1).said == [("user", TYPED)]
    page.shows("Hello there")
    page.ready()
    assert written(str(shown.locator("code").text_content())) == TYPED.expandtabs(4)
    page.press("Undo")
    expect(page.box).to_have_value(TYPED)


def test_a_long_paste_is_sent_exactly(page: Page, page_claude: ScriptedClaude) -> None:
    """It goes into the box at the cursor and to Claude in whole."""
    text = "The quick brown fox jumps over the lazy dog.\n" * 2_000
    page.box.fill("Before: . After.")
    page.box.press("End")
    for _ in range(8):
        page.box.press("ArrowLeft")
    page.browser.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.box.press("Control+v")
    expect(page.box).to_have_value(f"Before: {text}. After.")
    page.box.press("Enter")
    assert page_claude.exchange(0).said == [("user", f"Before: {text}. After.")]
    page.shows("Hello there")


def test_a_paste_that_is_too_long_is_refused(page: Page) -> None:
    """The page says at once how long a message may be, and keeps what was in the box."""
    page.box.fill("Before")
    page.browser.evaluate("navigator.clipboard.writeText('x'.repeat(300_000))")
    page.box.press("Control+v")
    alert = page.browser.get_by_role("alert").filter(has_text="A message may have")
    expect(alert).to_have_text(
        "A message may have 300,000 characters. This one would have 300,006."
    )
    expect(page.box).to_have_value("Before")
    page.box.press("x")
    expect(alert).to_have_count(0)


def test_a_formula_is_copied_as_it_was_written(page: Page, page_claude: ScriptedClaude) -> None:
    """Once, with the signs around it, also where the selection ends inside of it."""
    page_claude.play(says("The area is \\(\\pi r^2\\) and\n\n$$\\pi r^3$$\n\nno more."))
    page.ask("hi")
    page.shows("no more.")
    page.ready()
    expect(page.browser.locator(".bot.message .katex")).to_have_count(2)
    select = """end => {
      const prose = document.querySelector('.bot.message .prose');
      getSelection().setBaseAndExtent(prose, 0, prose.querySelector(end), 1);
    }"""
    for end, copied in (
        ("p:last-of-type", "no more."),
        (".katex .mord", "The area is \\(\\pi r^2\\)"),
    ):
        page.browser.evaluate(select, end)
        page.browser.keyboard.press("Control+c")
        assert clipboard(page).strip().startswith("The area is \\(\\pi r^2\\)")
        assert clipboard(page).strip().endswith(copied)
    page.browser.evaluate(select, "p:last-of-type")
    page.browser.keyboard.press("Control+c")
    assert clipboard(page).split() == [
        "The",
        "area",
        "is",
        "\\(\\pi",
        "r^2\\)",
        "and",
        "$$\\pi",
        "r^3$$",
        "no",
        "more.",
    ]


RIGHT_TO_LEFT = (
    "- البند\n\n> اقتباس\n\n| العمود | ب |\n|---|---|\n| أ | ب |\n\n1. واحد\n\nEnd\n\n- English"
)


def test_lists_quotations_and_tables_stand_on_the_side_of_their_text(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """Bullets, bars and first columns of Arabic are on the right, those of English on the left."""
    page_claude.play(says(RIGHT_TO_LEFT))
    page.ask("hi")
    page.shows("English")
    page.ready()
    directions = """() => [...document.querySelectorAll('.bot.message .prose :is(ul, ol, blockquote, table)')]
      .map(one => [one.localName, getComputedStyle(one).direction])"""
    assert page.browser.evaluate(directions) == [
        ["ul", "rtl"], ["blockquote", "rtl"], ["table", "rtl"], ["ol", "rtl"], ["ul", "ltr"],
    ]  # fmt: skip
    expect(page.browser.locator(".bot.message blockquote")).to_have_css("border-left-width", "0px")


def test_code_and_bold_type_are_what_they_should_be(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """In code nothing is a formula; next to Chinese punctuation bold type is bold; an address ends
    before it."""
    text = (
        "`$$` and `$$`; **注意：**这是**“你好”**然后"
        " https://example.com/docs（中文）了\n\n```sh\necho $$ $$\n"
    )
    page_claude.play(says(*text))
    page.ask("hi")
    page.shows("echo $")
    page.ready()
    assert page.browser.locator(".bot.message .katex").count() == 0
    bold = page.browser.locator(".bot.message strong").all_inner_texts()
    assert list(map(written, bold)) == ["注意：", "“你好”"]
    expect(page.browser.locator(".bot.message .prose a")).to_have_attribute(
        "href", "https://example.com/docs"
    )
    assert (
        written(str(page.browser.locator(".bot.message pre code").text_content())) == "echo $$ $$"
    )


def test_a_long_answer_of_code_can_be_stopped(page: Page, page_claude: ScriptedClaude) -> None:
    """Stop ends Claude's connection also after 70 kB in one block, and what was written stays."""
    lines = [f"value_{number} = compute({number}, scale=2.5)\n" for number in range(1_800)]
    pieces = [delta("".join(lines[at : at + 20])) for at in range(0, len(lines), 20)]
    page_claude.play(streams(start(), opens(), delta("```python\n"), *pieces, Hold()))
    page.ask("hi")
    page.shows("value_1799")
    page.press("Stop")
    assert page_claude.exchange(0).gone.wait(30)
    page.ready()
    page.shows("value_1799")
