"""The panel of the options, in a real browser."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from streamchat.options.choice import BESIDE
from streamchat.server import create
from streamchat.settings import Settings
from tests.page import Page
from tests.scripted_claude import CUT, ScriptedClaude, delta, opens, refuses, says, start, streams

MODELS = "claude-haiku-5-5,claude-fable-5-2"


@pytest.fixture(scope="module")
def answering() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def url(answering: ScriptedClaude) -> Iterator[str]:
    """A chat that offers three models, one of them beyond a visitor's share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "sk-test")
        patch.setenv("ANTHROPIC_BASE_URL", answering.url)
        settings = Settings(
            data_dir="", models=MODELS, own_keys="on", rate_limit="off", web_search="ask"
        )
        with create(settings).launch() as running:
            yield running.url


@pytest.fixture
def claude(answering: ScriptedClaude) -> ScriptedClaude:
    answering.exchanges.clear()
    answering.play(says("Hello", " there"))
    return answering


@pytest.fixture
def page(context: BrowserContext, url: str, claude: ScriptedClaude) -> Page:
    return Page(context, url)


def chip(page: Page) -> Locator:
    return page.browser.locator("#options-chip")


def panel(page: Page) -> Locator:
    return page.browser.get_by_role("dialog", name="Options")


def choose(page: Page, **choice: str) -> None:
    """Opens the panel, chooses there and closes it."""
    chip(page).click()
    for name in ("model", "effort"):
        if name in choice:
            panel(page).locator(f"[name=sc-{name}][value={choice[name]}]").check(force=True)
    if "system" in choice:
        panel(page).get_by_label("Your instructions").fill(choice["system"])
    page.browser.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()


def asked(claude: ScriptedClaude, number: int) -> tuple[Any, ...]:
    """The model, effort, instructions and display of thoughts that a question was asked with."""
    body = claude.exchange(number).body
    system = body["system"]
    own = system[1]["text"].removeprefix(BESIDE.format("")) if isinstance(system, list) else ""
    return body["model"], body["output_config"]["effort"], own, body["thinking"]["display"]


OWNERS = ("claude-sonnet-5-5", "low", "", "summarized")


def test_a_choice_goes_out_with_questions_and_is_remembered(
    page: Page, claude: ScriptedClaude, url: str, context: BrowserContext
) -> None:
    """The owner's settings apply until something is chosen; the choice survives a reload and
    appears in other tabs."""
    expect(chip(page)).to_have_text("Sonnet 5.5")
    page.ask("one")
    page.shows("Hello there")
    instructions = 'Réponds "brièvement" 😀\non two lines'
    choose(page, model="claude-haiku-5-5", effort="high", system=instructions)
    expect(chip(page)).to_have_text("Haiku 5.5 · More thorough")
    page.ask("two")
    claude.exchange(1)
    page.browser.reload()
    expect(chip(page)).to_have_text("Haiku 5.5 · More thorough")
    page.ask("three")
    claude.exchange(2)
    other = Page(context, url)
    chip(other).click()
    panel(other).get_by_label("Show thinking").uncheck()
    panel(other).get_by_label("Search the web").check()
    other.browser.keyboard.press("Escape")
    expect(chip(other)).to_have_text("Haiku 5.5 · More thorough · Web search")
    with other.browser.expect_request(lambda sent: "x-options" in sent.headers) as sending:
        other.ask("four")
    assert json.loads(sending.value.headers["x-options"])["search"] is True
    tools = [[tool["name"] for tool in claude.exchange(n).body.get("tools", [])] for n in (0, 3)]
    assert tools == [[], ["web_search"]]
    mine = ("claude-haiku-5-5", "high", instructions)
    assert [asked(claude, number) for number in range(4)] == [
        OWNERS,
        (*mine, "summarized"),
        (*mine, "summarized"),
        (*mine, "omitted"),
    ]


def test_the_panel_says_what_a_model_is_good_for_and_costs(page: Page) -> None:
    """A model beyond the visitor's share cannot be chosen without a key."""
    chip(page).click()
    sonnet = panel(page).locator("label", has_text="Claude Sonnet 5.5")
    expect(sonnet).to_contain_text("good for nearly everything")
    expect(sonnet).to_contain_text("about 1 cent an answer")
    fable = panel(page).get_by_role("radio", name="Claude Fable 5.2")
    expect(fable).to_be_disabled()
    expect(panel(page)).to_contain_text("May cost more than you can spend here in a day.")
    page.browser.keyboard.press("Escape")
    page.browser.evaluate("() => streamchat.enterKey()")
    page.browser.get_by_label("API key", exact=True).fill("sk-ant-visitor")
    page.browser.keyboard.press("Enter")
    chip(page).click()
    expect(fable).to_be_enabled()


def test_continue_goes_on_with_the_options_of_its_answer(
    page: Page, claude: ScriptedClaude
) -> None:
    """Continue keeps the answer's options, and Retry uses the present ones."""
    cut = streams(start(), opens(), delta("The first half"), CUT)
    claude.play(cut, refuses(400, "invalid_request_error"), says(" and the rest"))
    choose(page, model="claude-haiku-5-5", effort="medium")
    page.ask("one")
    expect(page.browser.get_by_role("button", name="Continue")).to_be_visible()
    choose(page, model="claude-sonnet-5-5", effort="high")
    page.browser.get_by_role("button", name="Continue").click()
    page.shows("The first half and the rest")
    page.press("Retry")
    claude.exchange(3)
    assert [asked(claude, number)[:2] for number in range(4)] == [
        *[("claude-haiku-5-5", "medium")] * 3,
        ("claude-sonnet-5-5", "high"),
    ]


@pytest.mark.parametrize(
    "kept",
    [
        "nonsense",
        "null",
        '"text"',
        "[1]",
        '{"model": "claude-gone-1", "effort": "max", "thinking": "no", "system": 5}',
        '{"__proto__": {"system": "x"}, "tools": []}',
    ],
)
def test_a_remembered_choice_may_be_withdrawn(
    context: BrowserContext, url: str, claude: ScriptedClaude, kept: str
) -> None:
    """Then the owner's settings apply, and the panel says so."""
    context.add_init_script(f"localStorage.setItem('streamchat.options', {json.dumps(kept)})")
    page = Page(context, url)
    expect(chip(page)).to_have_text("Sonnet 5.5")
    page.ask("one")
    assert asked(claude, 0) == OWNERS
    chip(page).click()
    note = panel(page).get_by_text("Claude Sonnet 5.5 answers in its place")
    expect(note).to_have_count(1 if "gone" in kept else 0)
    assert page.errors == []


def test_a_browser_may_keep_nothing(
    context: BrowserContext, url: str, claude: ScriptedClaude
) -> None:
    """With storage blocked, a choice lasts until the page is reloaded."""
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked'); } })"
    )
    page = Page(context, url)
    choose(page, model="claude-haiku-5-5")
    page.ask("one")
    assert asked(claude, 0)[0] == "claude-haiku-5-5"


def test_a_conversation_has_the_options_of_its_last_question(
    page: Page, claude: ScriptedClaude
) -> None:
    """A page that opens the conversation uses them; a new chat uses the last choice."""
    choose(page, model="claude-haiku-5-5", effort="high", system="Be brief.")
    page.ask("one")
    page.shows("Hello there")
    id_ = page.browser.evaluate("() => sessionStorage.getItem('streamchat.tab')")
    choose(page, model="claude-sonnet-5-5", effort="low")
    tell = """id => document.dispatchEvent(
        new CustomEvent("streamchat:conversation", { detail: { id, title: "", running: false } }))"""
    # it is saved a moment after its question, when something else may be chosen already
    page.browser.evaluate(tell, id_)
    page.browser.evaluate("() => fetch('api/options')")
    expect(chip(page)).to_have_text("Sonnet 5.5")
    page.browser.evaluate(tell, None)
    page.browser.evaluate(tell, id_)
    expect(chip(page)).to_have_text("Haiku 5.5 · More thorough")
    page.browser.evaluate(tell, None)
    expect(chip(page)).to_have_text("Sonnet 5.5")
    page.browser.evaluate(tell, "unknown")
    expect(chip(page)).to_have_text("Sonnet 5.5")


def test_escape_closes_the_panel_and_stops_no_answer(page: Page, claude: ScriptedClaude) -> None:
    """A running answer goes on behind the panel, and the focus returns to the chip."""
    claude.play(says("one ", "two ", "three", pause=0.7))
    page.ask("hi")
    page.shows("one")
    chip(page).focus()
    page.browser.keyboard.press("Enter")
    expect(panel(page)).to_be_visible()
    page.browser.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(chip(page)).to_be_focused()
    page.shows("one two three")


def test_there_is_no_panel_where_there_is_nothing_to_choose(
    chromium: Browser, claude: ScriptedClaude, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chat that leaves no choice has none; the demo's has the field for a key, and nothing more
    until there is one."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", claude.url)
    for key, locked in (
        ("sk-test", {"efforts": "off", "instructions": 0, "thinking": "hidden"}),
        ("", {}),
    ):
        monkeypatch.setenv("ANTHROPIC_API_KEY", key)
        settings = Settings(data_dir="", own_keys="off" if key else "on", **locked)  # type: ignore[arg-type]
        with create(settings).launch() as running, chromium.new_context() as context:
            page = Page(context, "about:blank", ready=False)
            with page.browser.expect_response("**/api/options"):
                page.browser.goto(running.url)
            page.ready()
            expect(chip(page)).to_have_text("" if key else "Demo")
            expect(chip(page)).to_be_visible(visible=not key)
            if not key:
                chip(page).click()
                expect(panel(page).locator("legend, textarea, input")).to_have_count(0)
                panel(page).get_by_role("button", name="Your own API key").click()
                page.browser.get_by_label("API key", exact=True).fill("sk-ant-visitor")
                page.browser.keyboard.press("Enter")
                expect(chip(page)).to_have_text("Sonnet 5.5")
