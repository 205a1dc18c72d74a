"""Conversations that a page finds again: after a reload, a lost network, a dead connection or a
killed server."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from streamchat.ui.content import NOTE as MARK
from tests.application import ROOT, Application
from tests.page import Page
from tests.proxy import Proxy
from tests.scripted_claude import (
    CLOSES,
    CUT,
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

WORDS = [f"word{number} " for number in range(60)]
WHOLE = "".join(WORDS).strip()


def held(*words: str, then: tuple[str, ...] = ()) -> tuple[Hold, Script]:
    """Words, a hold, and further words."""
    hold = Hold()
    return hold, streams(
        start(), opens(), *map(delta, words), hold, *map(delta, then), CLOSES, ends()
    )


@pytest.fixture
def way(app: Application) -> Iterator[Proxy]:
    with Proxy(int(app.url.rpartition(":")[2])) as proxy:
        yield proxy


def says_exactly(page: Page, text: str) -> None:
    """Waits until the page's last answer is exactly this text."""
    expect(page.answers.filter(has_not_text=MARK).last).to_have_text(text)


def test_a_reload_loses_nothing_and_stop_still_works(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """After a reload the text is there and grows, stop works, and the history is right."""
    hold, script = held(*WORDS[:30], then=tuple(WORDS[30:]))
    _, endless = held("Endless")
    page_claude.play(script, endless, says("Fine."))
    page.ask("hi")
    page.shows("word29")
    page.browser.reload()
    page.shows("word29")
    hold.release()
    says_exactly(page, WHOLE)
    page.ask("more")
    page.shows("Endless")
    page.browser.reload()
    page.shows("Endless")
    page.stop()
    assert page_claude.exchange(1).gone.wait(10)
    page.shows("Stopped.")
    page.ask("last")
    page.shows("Fine.")
    said = [
        ("user", "hi"),
        ("assistant", "".join(WORDS)),
        ("user", "more"),
        ("assistant", "Endless"),
        ("user", "last"),
    ]
    assert page_claude.exchange(2).said == said


def test_a_page_at_rest_that_loses_its_network_keeps_its_conversation(
    emptied: BrowserContext, page_claude: ScriptedClaude, way: Proxy
) -> None:
    """Gradio forgets such a page after an hour, so the page reloads itself once its network is
    back."""
    page = Page(emptied, way.url)
    page.ask("a")
    page.shows("Hello there")
    page.ready()
    way.cut()
    with page.comes_back():
        way.restore()
    page.shows("Hello there")
    page.ask("b")
    assert page_claude.exchange(1).said == [
        ("user", "a"),
        ("assistant", "Hello there"),
        ("user", "b"),
    ]


def test_a_reply_that_ended_meanwhile_is_there_in_full(
    page: Page, page_claude: ScriptedClaude, app: Application
) -> None:
    """After the end the whole answer is shown."""
    hold, script = held("Half", then=(" and whole.",))
    page_claude.play(script)
    page.ask("hi")
    page.shows("Half")
    page.browser.goto("about:blank")
    hold.release()
    page.browser.goto(app.url)
    says_exactly(page, "Half and whole.")
    page.ready()


BREAKS = {"in the middle": WORDS[:30], "before the first word": []}


@pytest.mark.parametrize("moment", BREAKS)
def test_a_lost_network_loses_nothing(
    way: Proxy, emptied: BrowserContext, page_claude: ScriptedClaude, moment: str
) -> None:
    """After three seconds without a network each word is there, once."""
    before = BREAKS[moment]
    hold, script = held(*before, then=tuple(WORDS[len(before) :]))
    page_claude.play(script, says("Fine."))
    page = Page(emptied, way.url)
    page.ask("hi")
    assert hold.reached.wait(10)
    if before:
        page.shows("word29")
    way.cut()
    time.sleep(1.5)
    hold.release()
    time.sleep(1.5)
    way.restore()
    says_exactly(page, WHOLE)
    page.ask("next")
    page.shows("Fine.")
    assert page_claude.exchange(1).said == [
        ("user", "hi"),
        ("assistant", "".join(WORDS)),
        ("user", "next"),
    ]


def test_a_dead_connection_does_not_freeze_the_page(
    way: Proxy, emptied: BrowserContext, page_claude: ScriptedClaude
) -> None:
    """The page notices a silent connection and reloads itself."""
    hold, script = held(*WORDS[:30], then=tuple(WORDS[30:]))
    page_claude.play(script, says("Fine."))
    page = Page(emptied, way.url)
    page.ask("hi")
    page.shows("word29")
    way.deaden()
    hold.release()
    expect(page.answers.filter(has_not_text=MARK).last).to_have_text(WHOLE, timeout=45_000)
    page.ask("next")
    page.shows("Fine.")


def test_a_page_at_rest_is_left_alone(
    context: BrowserContext, page_claude: ScriptedClaude, app: Application
) -> None:
    """A page without a running reply is never reloaded, however long it is open."""
    context.clock.install()
    page = Page(context, app.url)
    _, endless = held("Endless")
    page_claude.play(says("Whole."), endless)
    page.ask("hi")
    page.shows("Whole.")
    page.ask("and")
    page.shows("Endless")
    page.stop()
    page.shows("Stopped.")
    page.ready()
    page.browser.evaluate("window.untouched = true")
    for _ in range(10):
        page.browser.clock.run_for(6_000)
    page.ready()
    assert page.browser.evaluate("window.untouched") is True


def test_a_message_typed_while_the_server_is_away_is_not_lost(
    way: Proxy, emptied: BrowserContext, page_claude: ScriptedClaude
) -> None:
    """A message sent without a server is back in the box when the server is, and is sent only when
    its reader presses Enter again."""
    page_claude.play(says("First answer."), says("Second answer."))
    page = Page(emptied, way.url)
    page.ask("first")
    page.shows("First answer.")
    page.ready()
    way.cut()
    page.box.fill("second")
    page.box.press("Enter")
    expect(page.browser.get_by_text("Connection to the server was lost").first).to_be_visible()
    with page.comes_back():
        way.restore()
    expect(page.box).to_have_value("second", timeout=20_000)
    page.shows("First answer.")
    page.ready()
    page.box.press("Enter")
    page.shows("Second answer.")
    page.browser.reload()
    page.shows("Second answer.")
    expect(page.box).to_have_value("")


def test_two_tabs_come_back_as_two(
    page: Page, page_claude: ScriptedClaude, app: Application, emptied: BrowserContext
) -> None:
    """Each tab finds its own conversation again."""
    page_claude.play(says("For one."), says("For two."))
    page.ask("one")
    page.shows("For one.")
    other = Page(emptied, app.url)
    other.ask("two")
    other.shows("For two.")
    page.browser.reload()
    other.browser.reload()
    page.shows("For one.")
    other.shows("For two.")
    page.shows_not("For two.")
    other.shows_not("For one.")


def test_a_duplicated_tab_shows_the_same_conversation(
    page: Page, page_claude: ScriptedClaude, app: Application, context: BrowserContext
) -> None:
    """Both tabs show the running reply, and a question of one is found in the other."""
    hold, script = held("Begun", then=(" and ended.",))
    page_claude.play(script, says("For the first."), says("For the duplicate."))
    page.ask("hi")
    page.shows("Begun")
    remembered = page.browser.evaluate("JSON.stringify(sessionStorage)")
    context.add_init_script(
        f"if (!sessionStorage.length) Object.assign(sessionStorage, {remembered})"
    )
    duplicate = Page(context, app.url, ready=False)
    duplicate.shows("Begun")
    hold.release()
    for tab in (page, duplicate):
        tab.shows("Begun and ended.")
    page.ask("first")
    page.shows("For the first.")
    duplicate.browser.reload()
    duplicate.shows("For the first.")
    duplicate.ask("second")
    duplicate.shows("For the duplicate.")
    assert [text for role, text in page_claude.exchange(2).said if role == "user"] == [
        "hi",
        "first",
        "second",
    ]


def test_undo_edit_and_retry_change_what_comes_back(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """A reload restores nothing that was removed."""
    page_claude.play(says("One."), says("Two."), says("Three."), says("Four."))
    page.ask("a")
    page.shows("One.")
    page.ready()
    page.press("Retry")
    page.shows("Two.")
    page.ready()
    page.browser.reload()
    page.shows("Two.")
    page.shows_not("One.")
    page.ask("b")
    page.shows("Three.")
    page.ready()
    page.press("Undo")
    page.shows_not("Three.")
    page.browser.reload()
    page.shows("Two.")
    page.shows_not("Three.")
    page.press("Edit")
    page.browser.locator(".user textarea").fill("c")
    page.press("Submit")
    page.shows("Four.")
    page.ready()
    page.browser.reload()
    page.shows("Four.")
    page.shows_not("Two.")
    page.new_chat()
    page.shows_not("Four.")
    with page.finds_again():
        page.browser.reload()
    page.ready()
    expect(page.answers).to_have_count(0)


def test_a_sent_message_does_not_come_back_into_the_box(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """A message that arrived is no draft, even if it was edited or another chat begun since."""
    page.ask("a")
    page.shows("Hello there")
    page.ready()
    page.press("Edit")
    page.browser.locator(".user textarea").fill("b")
    page.press("Submit")
    expect(page.questions).to_have_text("b")
    page.shows("Hello there")
    page.ready()
    for shown in (1, 0):
        with page.finds_again():
            page.browser.reload()
        expect(page.questions).to_have_count(shown)
        expect(page.box).to_have_value("")
        if shown:
            page.new_chat()
            expect(page.questions).to_have_count(0)


@contextmanager
def asleep(app: Application) -> Iterator[None]:
    """Suspends the server; afterwards it gets all requests at once."""
    app.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        app.process.send_signal(signal.SIGCONT)


def test_a_reply_that_was_stopped_right_before_the_page_was_closed_ends(
    page: Page, page_claude: ScriptedClaude, app: Application
) -> None:
    """The connection to Claude is closed."""
    _, endless = held("Endless")
    page_claude.play(endless)
    page.ask("a")
    page.shows("Endless")
    with asleep(app):
        page.stop()
        page.browser.goto("about:blank")
    assert page_claude.exchange(0).gone.wait(10)


@contextmanager
def a_server(
    claude: ScriptedClaude, data: Path, port: str = "0", **environment: str
) -> Iterator[Application]:
    arguments = () if port == "0" else ("--port", port)
    environment |= {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": claude.url}
    with Application(*arguments, cwd=ROOT, STREAMCHAT_DATA_DIR=str(data), **environment) as app:
        app.wait_for("answers")
        yield app


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_was_killed_and_started_again(
    claude: ScriptedClaude, emptied: BrowserContext, tmp_path: Path, number: signal.Signals
) -> None:
    """The tab shows all words up to the last half second with a mark, and the answer can be
    continued."""
    _, script = held(*WORDS[:30])
    claude.play(says("Before."), script, says("".join(WORDS[30:])), says("Fine."))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with a_server(claude, tmp_path, port) as app:
        page = Page(emptied, app.url)
        page.ask("first")
        page.shows("Before.")
        page.ask("second")
        page.shows("word29")
        time.sleep(0.5)
        app.interrupt(number)
    with ExitStack() as again:
        with page.comes_back():
            again.enter_context(a_server(claude, tmp_path, port))
        page.shows("Interrupted: the server was stopped.")
        says_exactly(page, "".join(WORDS[:30]).strip())
        page.shows("Before.")
        page.browser.get_by_role("button", name="Continue the answer").click()
        says_exactly(page, WHOLE)
        page.ask("third")
        page.shows("Fine.")
        so_far = [("user", "first"), ("assistant", "Before."), ("user", "second")]
        assert claude.exchange(3).said == [
            *so_far,
            ("assistant", "".join(WORDS)),
            ("user", "third"),
        ]
        page.browser.reload()
        page.shows("Fine.")
        page.shows(WORDS[-1].strip())


def test_an_answer_that_ran_out_of_room_can_be_continued(
    page: Page, page_claude: ScriptedClaude
) -> None:
    """Continue extends the answer; a whole answer has no such button."""
    page_claude.play(
        says("The first part", reason="max_tokens"), says(" and the second."), says("Fine.")
    )
    page.ask("hi")
    page.shows("longest allowed length")
    go_on = page.browser.get_by_role("button", name="Continue the answer")
    go_on.click()
    says_exactly(page, "The first part and the second.")
    page.shows_not("longest allowed length")
    page.ready()
    expect(go_on).to_be_hidden()
    page.ask("next")
    page.shows("Fine.")
    assert page_claude.exchange(2).said[1] == ("assistant", "The first part and the second.")


def test_continuing_can_be_stopped_and_fail(page: Page, page_claude: ScriptedClaude) -> None:
    """The rest of an answer can be stopped, and asked for again."""
    _, endless = held(" goes on")
    page_claude.play(says("It", reason="max_tokens"), endless, says(" and ends."))
    page.ask("hi")
    go_on = page.browser.get_by_role("button", name="Continue the answer")
    go_on.click()
    page.shows("It goes on")
    page.stop()
    assert page_claude.exchange(1).gone.wait(10)
    page.shows("Stopped.")
    page.ready()
    go_on.click()
    says_exactly(page, "It goes on and ends.")
    page.ready()


def test_an_answer_that_broke_off_for_good_can_be_continued(
    claude: ScriptedClaude, emptied: BrowserContext, tmp_path: Path
) -> None:
    """With continuations off, the text stays with a button to continue."""
    hold = Hold()
    claude.play(
        streams(start(), opens(), delta("Half an answer"), hold, CUT), says(" is now whole.")
    )
    with a_server(claude, tmp_path, STREAMCHAT_CONTINUATIONS="0") as app:
        page = Page(emptied, app.url)
        page.ask("hi")
        page.shows("Half an answer")
        hold.release()
        page.shows("broke off")
        page.browser.get_by_role("button", name="Continue the answer").click()
        says_exactly(page, "Half an answer is now whole.")


def test_a_tab_that_is_gone_for_good_lets_claude_go_at_linger(
    claude: ScriptedClaude, emptied: BrowserContext, tmp_path: Path
) -> None:
    """The connection to Claude closes after `linger`, not before."""
    _, endless = held("Endless")
    claude.play(endless)
    with a_server(claude, tmp_path, STREAMCHAT_LINGER_SECONDS="4") as app:
        page = Page(emptied, app.url)
        page.ask("hi")
        page.shows("Endless")
        left = time.monotonic()
        page.browser.close()
        exchange = claude.exchange(0)
        assert exchange.gone.wait(15)
        assert exchange.gone_at - left >= 4


def test_a_disk_that_takes_nothing_costs_durability_only(
    emptied: BrowserContext, tmp_path: Path
) -> None:
    """With a failing disk there is a warning, and a chat without costs works, reloads included."""
    (tmp_path / "file").write_text("in the way")
    with Application(cwd=ROOT, STREAMCHAT_DATA_DIR=str(tmp_path / "file")) as app:
        page = Page(emptied, app.url)
        page.ask("hi")
        page.shows("demo")
        page.ready()
        page.browser.reload()
        page.shows("demo")
        app.wait_for("will not survive a restart")


def test_nothing_is_written_where_nothing_is_wanted(
    claude: ScriptedClaude, emptied: BrowserContext, tmp_path: Path
) -> None:
    """With `STREAMCHAT_DATA_DIR=` no file is made, and a reload still works."""
    with Application(
        cwd=tmp_path, ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=claude.url
    ) as app:
        page = Page(emptied, app.url)
        page.ask("hi")
        page.shows("Hello there")
        page.browser.reload()
        page.shows("Hello there")
    assert not list(tmp_path.rglob("*.sqlite3"))


# The end of a stream of answers reaches the page only after the response to the next call.
LATE_END = """(() => {
  const fetched = window.fetch;
  const held = [];
  const pipe = async (reader, page) => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return page.close();
      if (new TextDecoder().decode(value).includes("close_stream")) {
        await new Promise((go) => { held.push(go); document.documentElement.dataset.held = "yes"; });
      }
      page.enqueue(value);
    }
  };
  window.fetch = async (resource, options) => {
    const url = String(resource?.url ?? resource);
    const response = await fetched(resource, options);
    if (url.includes("/queue/join")) setTimeout(() => held.splice(0).forEach((go) => go()), 200);
    if (!url.includes("/queue/data")) return response;
    return new Response(new ReadableStream({ start: (page) => { pipe(response.body.getReader(), page); } }), response);
  };
})()"""


def test_an_answer_comes_though_the_stream_before_it_ends_late(
    app: Application, page_claude: ScriptedClaude, context: BrowserContext
) -> None:
    """A question that the server gets after it closed the page's stream, and before the page knows
    that, is answered."""
    page_claude.play(says("First answer."), says("Second answer."))
    context.add_init_script(LATE_END)
    page = Page(context, app.url)
    page.ask("one")
    page.shows("First answer.")
    expect(page.browser.locator("html[data-held=yes]")).to_be_attached()
    page.ask("two")
    page.shows("Second answer.")
