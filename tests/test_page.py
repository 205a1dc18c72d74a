import re
import time

import pytest
from playwright.sync_api import BrowserContext, expect
from playwright.sync_api import Error as PlaywrightError

from streamchat import errors
from streamchat.examples import USUAL
from streamchat.texts import worded
from tests.application import Application
from tests.page import Page
from tests.scripted_claude import (
    CLOSES,
    CUT,
    RESET,
    Hold,
    Script,
    ScriptedClaude,
    breaks,
    delta,
    ends,
    opening,
    opens,
    refuses,
    says,
    start,
    streams,
    thought,
)


def halves(first: str, second: str, *, thinks: str = "") -> tuple[Hold, Script]:
    """An answer that waits in its middle, or after its thoughts, until it is released."""
    hold = Hold()
    thinking = [opens("thinking"), thought(thinks)] if thinks else []
    text = [delta(first)] if first else []
    return hold, streams(start(), *thinking, opens(), *text, hold, delta(second), CLOSES, ends())


def test_text_grows_while_claude_writes(page: Page, page_claude: ScriptedClaude) -> None:
    """The first half is on the page before Claude has written the second."""
    hold, script = halves("The first half", " and the second.")
    page_claude.play(script)
    page.ask("hi")
    page.shows("The first half")
    page.shows_not("second")
    hold.release()
    page.shows("The first half and the second.")
    page.ready()


def test_thinking_is_open_while_it_runs_and_closed_with_its_duration(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """Thoughts are open while Claude thinks, and then fold with their duration."""
    hold, script = halves("", "The answer.", thinks="Let me see.")
    page_claude.play(script)
    page.ask("hi")
    page.shows("Let me see.")
    hold.release()
    page.shows("The answer.")
    page.shows_not("Let me see.")
    expect(page.browser.locator(".thought-group .duration")).to_contain_text("s)")


RESTS = """async () => {
  const request = () => requestAnimationFrame(() => {}); // returns the number of all requests so far
  for (let tries = 0; tries < 10; tries++) {
    const before = request();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    if (request() === before + 1) return true;
  }
  return false;
}"""


def test_a_page_lets_the_browser_rest(page: Page, page_claude: ScriptedClaude) -> None:
    """The page draws nothing at rest, or while it waits for Claude's next word."""
    assert page.browser.evaluate(RESTS)
    hold, script = halves("The first half", " and the second.")
    page_claude.play(script)
    page.ask("hi")
    page.shows("The first half")
    assert page.browser.evaluate(RESTS)
    hold.release()
    page.shows("The first half and the second.")


def test_only_texts_are_not_cloned(page: Page) -> None:
    """The page prevents the cloning of texts, and of nothing else."""
    assert page.browser.evaluate("structuredClone('text')") == "text"
    assert (
        page.browser.evaluate(
            "(it => structuredClone(it)[0] !== it[0] && structuredClone(it)[0].x)([{x: 1}])"
        )
        == 1
    )
    with pytest.raises(PlaywrightError, match="could not be cloned"):
        page.browser.evaluate("structuredClone(() => 1)")


def test_three_dots_until_the_first_word_and_no_clock(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """A waiting reader sees three dots and no seconds."""
    hold, script = halves("", "Here it is.")
    page_claude.play(script)
    page.ask("hi")
    expect(page.browser.locator(".dots")).to_be_visible()
    expect(page.browser.locator(".progress-text:visible")).to_have_count(0)
    hold.release()
    page.shows("Here it is.")


FIRST_WORDS = {"writing": ("Half an answer", ""), "thinking": ("", "Hm."), "silent": ("", "")}


@pytest.mark.parametrize("moment", FIRST_WORDS)
def test_stop_closes_claudes_connection(
    page: Page, page_claude: ScriptedClaude, moment: str
) -> None:
    """Stop works at any moment, even before the first word, and the page goes on."""
    text, thinks = FIRST_WORDS[moment]
    hold, script = halves(text, " never said", thinks=thinks)
    page_claude.play(script, says("Going on."))
    page.ask("hi")
    assert hold.reached.wait(10)
    if shown := text or thinks:
        page.shows(shown)
    page.stop()
    assert page_claude.exchange(0).gone.wait(10)
    page.shows("Stopped.")
    page.ask("and now?")
    page.shows("Going on.")
    answered = [("user", "hi"), ("assistant", text), ("user", "and now?")]
    assert page_claude.exchange(1).said == (answered if text else [("user", "hi\n\nand now?")])


def test_a_stop_during_a_retry_ends_the_retrying(page: Page, page_claude: ScriptedClaude) -> None:
    """The page shows the time of the next attempt, and a stop prevents it."""
    page_claude.play(refuses(529, "overloaded_error", retry_after="25"), says("Later."))
    page.ask("hi")
    page.shows("Claude is busy. Trying again in 25 s")
    page.stop()
    page.shows("Stopped.")
    page.ask("again")
    page.shows("Later.")
    assert len(page_claude.exchanges) == 2


def test_a_retry_that_succeeds_leaves_no_trace(page: Page, page_claude: ScriptedClaude) -> None:
    """The notice about the failed attempt disappears and never reaches Claude."""
    page_claude.play(refuses(529, "overloaded_error", retry_after="1"), says("Here I am."))
    page.ask("hi")
    page.shows("Trying again")
    page.shows("Here I am.")
    page.shows_not("Trying again")
    page.ask("next")
    assert page_claude.exchange(2).said == [
        ("user", "hi"),
        ("assistant", "Here I am."),
        ("user", "next"),
    ]


def test_retry_asks_the_same_again(page: Page, page_claude: ScriptedClaude) -> None:
    """Retry replaces the answer: Claude gets the question without the first answer."""
    _, script = halves("Second", " never said")
    page_claude.play(says("First"), script, says("Third"))
    page.ask("hi")
    page.shows("First")
    page.ready()
    page.press("Retry")
    page.shows("Second")
    page.shows_not("First")
    assert page_claude.exchange(1).said == [("user", "hi")]
    page.stop()
    assert page_claude.exchange(1).gone.wait(10)
    page.ask("go on")
    page.shows("Third")
    assert page_claude.exchange(2).said == [
        ("user", "hi"),
        ("assistant", "Second"),
        ("user", "go on"),
    ]


def test_an_edited_message_is_asked_anew_and_can_be_stopped(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """Editing an earlier message drops what came after it, and its answer has a stop button like
    any other."""
    _, script = halves("New", " never said")
    page_claude.play(says("Old"), script, says("Fine"))
    page.ask("helo")
    page.shows("Old")
    page.ready()
    page.press("Edit")
    page.browser.locator(".user textarea").fill("hello")
    page.press("Submit")
    page.shows("New")
    assert page_claude.exchange(1).said == [("user", "hello")]
    page.stop()
    assert page_claude.exchange(1).gone.wait(10)
    page.shows("Stopped.")
    page.ask("next")
    page.shows("Fine")
    assert page_claude.exchange(2).said == [
        ("user", "hello"),
        ("assistant", "New"),
        ("user", "next"),
    ]


def test_undo_gives_the_message_back(page: Page, page_claude: ScriptedClaude) -> None:
    """Undo takes the last question and its answer away and puts the question into the box."""
    page_claude.play(says("One"), says("Two"), says("Three"))
    page.ask("first")
    page.shows("One")
    page.ask("second")
    page.shows("Two")
    page.ready()
    page.press("Undo")
    expect(page.box).to_have_value("second")
    page.shows_not("Two")
    page.ask("other")
    page.shows("Three")
    assert page_claude.exchange(2).said == [
        ("user", "first"),
        ("assistant", "One"),
        ("user", "other"),
    ]


def test_other_actions_wait_for_the_end_of_an_answer(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """During an answer nothing can be edited or asked; an entered message waits in the
    box."""
    hold = Hold()
    page_claude.play(streams(start(), opens(), delta("Half"), hold, CLOSES, ends()))
    page.browser.get_by_role("button", name=re.compile("Lisbon")).click()
    page.shows("Half")
    page.box.fill("next")
    page.box.press("Enter")
    expect(page.box).to_have_value("next")
    page.box.fill("")
    edit = page.browser.get_by_title("Edit", exact=True)
    expect(edit).to_have_css("pointer-events", "none")
    hold.release()
    page.ready()
    expect(edit).to_have_css("pointer-events", "auto")


def test_half_a_character_locks_nobody_out(page: Page, page_claude: ScriptedClaude) -> None:
    """A message or an answer that ends inside an emoji does not lock the page."""
    halves = [delta("Hi X").replace(b"X", rb"\ud83d"), delta("X there").replace(b"X", rb"\ude00")]
    page_claude.play(streams(start(), opens(), *halves, CLOSES, ends()))
    page.box.evaluate(
        "box => { box.value = 'a \\ud83d b'; box.dispatchEvent(new Event('input', { bubbles: true"
        " })); }"
    )
    page.box.press("Enter")
    page.shows("Hi 😀 there")
    page.ready()
    assert page_claude.exchange(0).said == [("user", "a \ufffd b")]


def test_a_new_chat_begins_anew_and_can_be_taken_back(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """No earlier message reaches Claude. There is no button that ends one for good:
    where nothing is kept, the way back is offered for a while."""
    page.ask("first")
    page.shows("Hello there")
    page.ready()
    expect(page.browser.get_by_title("Clear", exact=True)).to_be_hidden()
    page.new_chat()
    page.shows_not("Hello there")
    page.ask("second")
    assert page_claude.exchange(1).said == [("user", "second")]
    page.shows("Hello there")
    page.ready()
    page.new_chat()
    page.shows_not("Hello there")
    page.browser.get_by_role("button", name="Go back").click()
    expect(page.questions).to_have_text(["second"])


def test_an_example_is_asked_with_a_click_and_never_by_itself(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """An example is asked only after a click, and then can be stopped like any message."""
    assert not page_claude.exchanges
    _, script = halves("Begun", " never said")
    page_claude.play(script)
    page.example(USUAL[0])
    page.shows("Begun")
    assert page_claude.exchange(0).said == [("user", USUAL[0])]
    page.stop()
    assert page_claude.exchange(0).gone.wait(10)
    page.ready()


FAULTS: dict[str, tuple[Script, type[errors.ChatError]]] = {
    "400": (refuses(400, "invalid_request_error"), errors.RequestRejected),
    "401": (refuses(401, "authentication_error"), errors.KeyRejected),
    "402": (refuses(402, "billing_error"), errors.NoCredit),
    "403": (refuses(403, "permission_error"), errors.NotPermitted),
    "404": (refuses(404, "not_found_error"), errors.UnknownModel),
    "413": (refuses(413, "request_too_large"), errors.ConversationTooLarge),
    "429 with a long retry-after": (refuses(429, "rate_limit_error", retry_after="90"), errors.RateLimited),
    "429 without retry-after": (refuses(429, "rate_limit_error"), errors.RateLimited),
    "500": (refuses(500, "api_error"), errors.ClaudeFault),
    "529": (refuses(529, "overloaded_error"), errors.Busy),
    "HTML": ([opening("text/html"), b"<html>"], errors.NotAStream),
}  # fmt: skip


def test_each_fault_shows_its_sentence_and_the_next_message_works(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """For every fault of Claude's the page says what is wrong, and the next message is answered."""
    for fault, (script, place) in FAULTS.items():
        attempts = [script] * (4 if place.retryable and "long" not in fault else 1)
        page_claude.play(*attempts, says("Fine again."))
        page.ask(f"hi, {fault}")
        page.shows(worded(place()))
        page.ask("again")
        page.shows("Fine again.")
        assert page_claude.exchanges[-1].said == [("user", f"hi, {fault}\n\nagain")]
        begin_anew(page)


def begin_anew(page: Page) -> None:
    """Opens a new chat in place of the one that is shown."""
    page.ready()
    page.new_chat()
    expect(page.questions).to_have_count(0)


# Moves the clock of countdowns, in ms. The others stay: by them a silent stream would be taken for dead.
LATER = """(later) => {
  const now = performance.now.bind(performance);
  performance.now = () => now() + later;
}"""


def test_a_callouts_button_counts_down_asks_again_and_begins_a_new_chat(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """ "Try again" opens when its time has passed, and asks the same question. Where no second try
    helps, the button begins a new chat, from which Claude gets nothing of the old one."""
    page_claude.play(
        refuses(429, "rate_limit_error", retry_after="90"),
        says("Begun", reason="model_context_window_exceeded"),
        says("Fresh."),
    )
    page.ask("hi")
    button = page.browser.locator(".sc-act")
    expect(button).to_have_text(re.compile(r"Try again in \d\d s"))
    expect(button).to_be_disabled()
    page.browser.evaluate(LATER, 95_000)
    expect(button).to_have_text("Try again")
    button.click()
    page.shows("Begun")
    page.ready()
    button.click()
    expect(page.questions).to_have_count(0)
    page.ask("next")
    page.shows("Fresh.")
    assert [exchange.said for exchange in page_claude.exchanges] == [
        [("user", "hi")],
        [("user", "hi")],
        [("user", "next")],
    ]


BREAKS: dict[str, tuple[object, type[errors.ChatError]]] = {
    "error event": (breaks(), errors.Busy),
    "reset": (RESET, errors.BrokenOff),
    "cut": (CUT, errors.BrokenOff),
    "silent end": (b": nothing more\n\n", errors.BrokenOff),
    "malformed event": (b"event: content_block_delta\ndata: {\n\n", errors.Unreadable),
}


def test_a_break_in_the_middle_is_mended(page: Page, page_claude: ScriptedClaude) -> None:
    """Claude continues after the break, a note says so, and the next request has one whole
    answer."""
    whole = ("assistant", "Half an answer and the other half.")
    for fault, (step, place) in BREAKS.items():
        hold = Hold()
        broken = streams(start(), opens(), delta("Half an answer"), hold, step)
        page_claude.play(broken, says(" and the other half."), says("Fine again."))
        page.ask(fault)
        page.shows("Half an answer")
        hold.release()
        page.shows("Half an answer and the other half.")
        page.shows(f"interrupted in the middle: {worded(place())}")
        page.ask("again")
        page.shows("Fine again.")
        assert page_claude.exchanges[-1].said == [("user", fault), whole, ("user", "again")]
        begin_anew(page)


def test_a_lasting_break_keeps_the_text(page: Page, page_claude: ScriptedClaude) -> None:
    """The text so far stays with the reason under it, also in the next request."""
    hold = Hold()
    broken = streams(start(), opens(), delta("Half an answer"), hold, breaks("billing_error"))
    page_claude.play(broken, says("Fine again."))
    page.ask("hi")
    page.shows("Half an answer")
    hold.release()
    page.shows(worded(errors.NoCredit()))
    page.shows("Half an answer")
    page.ask("again")
    page.shows("Fine again.")
    assert page_claude.exchange(1).said == [
        ("user", "hi"),
        ("assistant", "Half an answer"),
        ("user", "again"),
    ]


ENDINGS = {
    "max_tokens": "longest allowed length",
    "refusal": "declined",
    "model_context_window_exceeded": "remember",
}


def test_an_answer_that_ended_early_says_why(page: Page, page_claude: ScriptedClaude) -> None:
    """A refusal and an answer at its maximum length have a note."""
    for reason, note in ENDINGS.items():
        page_claude.play(says("So far", reason=reason))
        page.ask(reason)
        page.shows(note)
        page.shows("So far")
        begin_anew(page)


def test_an_answer_without_a_word_says_so(page: Page, page_claude: ScriptedClaude) -> None:
    """An empty answer has a note in place of an empty bubble."""
    page_claude.play(says(thinks=["Hm."]))
    page.ask("hi")
    page.shows("without a word")


def test_two_tabs_do_not_mix(
    page: Page, page_claude: ScriptedClaude, app: Application, emptied: BrowserContext
) -> None:
    """Two tabs have two conversations, and a stop in one leaves the other alone."""
    one, first = halves("For the first", " tab.")
    _, second = halves("For the second", " tab.")
    page_claude.play(first, second)
    page.ask("one")
    page.shows("For the first")
    other = Page(emptied, app.url)
    other.ask("two")
    other.shows("For the second")
    page.shows_not("second")
    other.stop()
    assert page_claude.exchange(1).gone.wait(10)
    one.release()
    page.shows("For the first tab.")


def test_code_keeps_its_tabs(
    page: Page, page_claude: ScriptedClaude, emptied: BrowserContext
) -> None:
    """A Makefile copied from an answer has tabs in the clipboard and in the history."""
    makefile = "    indented\n\n```make\nall:\n\techo hi\n```"
    page_claude.play(says(*makefile))
    page.ask("hi")
    page.shows("echo hi")
    page.ready()
    assert page.browser.locator("pre code").last.inner_text() == "all:\n    echo hi\n"
    emptied.grant_permissions(["clipboard-read", "clipboard-write"])
    page.press("Copy message")
    page.browser.wait_for_function(
        "async () => (await navigator.clipboard.readText()).includes('echo')"
    )
    assert page.browser.evaluate("navigator.clipboard.readText()") == makefile
    page.ask("next")
    assert page_claude.exchange(1).said[1] == ("assistant", makefile)


def test_copying_copies_the_answer_alone(
    page: Page, page_claude: ScriptedClaude, emptied: BrowserContext
) -> None:
    """The clipboard gets the answer without Claude's thoughts, the note below it and the
    receipt."""
    page_claude.play(says("So", " far", thinks=["Let me ", "see."], reason="max_tokens"))
    page.ask("hi")
    page.shows("longest allowed length")
    page.ready()
    emptied.grant_permissions(["clipboard-read", "clipboard-write"])
    page.press("Copy message")
    page.browser.wait_for_function(
        "async () => (await navigator.clipboard.readText()).includes('far')"
    )
    assert page.browser.evaluate("navigator.clipboard.readText()") == "So far"


def test_typed_tabs_stay_in_the_history(page: Page, page_claude: ScriptedClaude) -> None:
    """Pasted code reaches Claude unchanged, in this request and the next one."""
    code = "\tdef f():\n\t\treturn 1"
    page.ask(code)
    page.shows("Hello there")
    page.ask("next")
    assert page_claude.exchange(1).said[0] == ("user", code)


def test_formulas_and_prices(page: Page, page_claude: ScriptedClaude) -> None:
    """Formulas are typeset; two prices in a sentence are not taken for one."""
    page_claude.play(says(r"\(x^2\) costs $5 or $6"))
    page.ask("hi")
    page.shows("costs $5 or $6")
    expect(page.browser.locator(".katex")).to_have_count(1)


def test_a_closed_tab_lets_claude_go_after_linger(
    page_claude: ScriptedClaude, emptied: BrowserContext
) -> None:
    """The request to Claude ends soon after its only reader has left, even before the first
    word."""
    with Application(
        ANTHROPIC_API_KEY="sk-test",
        ANTHROPIC_BASE_URL=page_claude.url,
        STREAMCHAT_LINGER_SECONDS="1",
    ) as app:
        page_claude.play(streams(start(), Hold()))
        page = Page(emptied, app.url)
        page.ask("hi")
        exchange = page_claude.exchange(0)
        time.sleep(3)
        assert not exchange.gone.is_set(), "The reply ended although it was being read"
        page.browser.close()
        assert exchange.gone.wait(10)


def test_no_javascript_error_and_no_foreign_request(
    app: Application, context: BrowserContext, page_claude: ScriptedClaude
) -> None:
    """The page contacts only its own server."""
    foreign: list[str] = []
    context.on(
        "request",
        lambda request: (
            foreign.append(request.url) if not request.url.startswith(app.url) else None
        ),
    )
    page = Page(context, app.url)
    page.ask("hi")
    page.shows("Hello there")
    page.ready()
    assert page.errors == []
    assert [url for url in foreign if not url.startswith(("data:", "blob:"))] == []


def test_the_page_fits_a_phone(page: Page, page_claude: ScriptedClaude) -> None:
    """At 360 px nothing overflows, however wide an answer's code or table is."""
    wide = (
        "```\n"
        + "x" * 300
        + "\n```\n\n|"
        + " column |" * 20
        + "\n|"
        + "-|" * 20
        + "\n|"
        + " cell |" * 20
        + "\n\n"
        + "y" * 300
    )
    page_claude.play(says(wide))
    page.browser.set_viewport_size({"width": 360, "height": 740})
    page.ask("hi")
    page.shows("cell")
    page.ready()
    assert page.browser.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_stylesheet_still_matches_gradios_page(page: Page, page_claude: ScriptedClaude) -> None:
    """Notes are small and beside the text; the test fails when Gradio changes its page."""
    page_claude.play(says("So far", reason="max_tokens"))
    page.ask("hi")
    page.shows("longest allowed length")
    page.ready()
    size = "element => parseFloat(getComputedStyle(element.querySelector('.prose')).fontSize)"
    text, note = (page.answers.nth(number).evaluate(size) for number in (0, 1))
    assert note < text
    expect(page.browser.locator(".bot-row .message-buttons:visible")).to_have_count(1)
