"""Callouts in place of an answer: the reason, the time to come back, and another way if there is
one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.application import ROOT, Application
from tests.page import Page
from tests.scripted_claude import CLOSES, ScriptedClaude, delta, ends, opens, says, start, streams

ASK = "/api/streaming-chat"
DEAR = streams(start(), opens(), delta("Dear."), CLOSES, ends(output_tokens=1_000))  # costs a cent
DAY = "Today's budget for this chat is used up. It renews at 00:00 UTC. Try again in"
SHARE = "You have used today's free allowance. It renews at 00:00 UTC. Try again in"
LINK = "Use your own key"
PREVENTED = """addEventListener("click", ({ defaultPrevented }) => {
  window.prevented = defaultPrevented;
})"""
OWNERS_WORDS = re.compile(r"\.env|ANTHROPIC_API_KEY|app\.py|demo", re.IGNORECASE)


@contextmanager
def opened(claude: ScriptedClaude, chromium: Browser, **environment: str) -> Iterator[Page]:
    """A visitor's page in an app whose answers set aside 1.3 cents each."""
    knobs = {f"STREAMCHAT_{name}": value for name, value in environment.items()}
    knobs |= {
        "ANTHROPIC_API_KEY": "sk-owner",
        "ANTHROPIC_BASE_URL": claude.url,
        "STREAMCHAT_MAX_TOKENS": "1000",
    }
    with (
        Application("--host", "127.0.0.2", cwd=ROOT, **knobs) as app,
        chromium.new_context() as context,
    ):
        yield Page(context, app.url)


def callouts(page: Page) -> Locator:
    return page.browser.locator('[data-testid="bot"][aria-label*=": \u2063\u2063"]')


def top(message: Locator) -> float:
    box = message.bounding_box()
    assert box
    return box["y"]


def allowance(page: Page) -> Locator:
    return page.browser.locator("#allowance")


def test_a_spent_share_has_one_callout_and_the_own_key_leads_on(
    claude: ScriptedClaude, chromium: Browser
) -> None:
    """Reason and time stand once, without a demo or an amount that is left; the link opens the
    field for a key."""
    claude.play(DEAR, says("Yours."))
    with opened(claude, chromium, VISITOR_BUDGET_USD="0.02", OWN_KEYS="on") as page:
        page.ask("one")
        page.shows("Dear.")
        page.ask("two")
        page.shows(SHARE)
        page.ready()
        expect(callouts(page)).to_have_count(1)
        expect(callouts(page)).to_be_in_viewport()
        expect(page.browser.get_by_text("free allowance")).to_have_count(1)
        expect(page.browser.get_by_role("log")).not_to_contain_text(OWNERS_WORDS)
        expect(allowance(page)).to_have_text("Not enough left today for another answer.")
        page.browser.get_by_role("button", name=LINK).click()
        field = page.browser.get_by_label("API key", exact=True)
        expect(field).to_be_focused()
        field.fill("sk-ant-visitor")
        field.press("Enter")
        page.press("Retry")
        page.shows("Yours.")
        expect(callouts(page)).to_have_count(0)
        expect(allowance(page)).not_to_contain_text("Not enough")
    assert claude.exchange(1).headers["authorization"] == "Bearer sk-ant-visitor"
    assert claude.exchange(1).said == [("user", "one"), ("assistant", "Dear."), ("user", "two")]


def test_a_spent_day_without_own_keys_has_no_way_on(
    claude: ScriptedClaude, chromium: Browser
) -> None:
    """If visitors cannot bring a key, no key is mentioned; programs get the same as JSON with a
    status."""
    with opened(claude, chromium, DAILY_BUDGET_USD="0", OWN_KEYS="off") as page:
        page.ask("How do I connect Claude?")
        page.shows(DAY)
        expect(callouts(page)).to_have_count(1)
        expect(page.browser.get_by_text(LINK)).to_have_count(0)
        expect(page.browser.get_by_role("log")).not_to_contain_text(
            re.compile(r"\.env|demo|app\.py")
        )
        refused = httpx.post(page.browser.url.rstrip("/") + ASK, json={"message": "hi"}, timeout=20)
    assert (refused.status_code, refused.json()["code"]) == (429, "day_is_spent")
    assert int(refused.headers["retry-after"]) > 0
    assert claude.exchanges == []


def test_the_demo_answers_in_claudes_place_if_the_owner_says_so(
    claude: ScriptedClaude, chromium: Browser
) -> None:
    """The callout stands above the demo's answer, which does not explain the set-up of the owner's
    server."""
    with opened(
        claude, chromium, DAILY_BUDGET_USD="0", DEMO_WHEN_SPENT="on", OWN_KEYS="off"
    ) as page:
        page.ask("How do I connect Claude?")
        page.shows("Only the owner of this chat can do that.")
        page.ready()
        expect(callouts(page)).to_have_count(1)
        expect(callouts(page)).to_contain_text("Today's budget for this chat is used up.")
        assert top(callouts(page)) < top(page.answers.filter(has_text="Only the owner"))
        expect(page.browser.get_by_title("Retry").locator("visible=true")).to_have_count(1)
        page.ask("Where is Ulm?")
        page.shows("That is a question")
        page.ready()
        expect(page.browser.get_by_role("log")).not_to_contain_text(
            re.compile(r"\.env|ANTHROPIC_API_KEY|app\.py")
        )


@pytest.mark.parametrize(
    "text",
    [
        "[Use your own key](#own_key)",
        "[Use your own key](#key)",
        "\u2063\u2063Pay.\u2063\n\n[Use your own key](#own_key)",
        "&#x2063;&#x2063;Pay.&#x2063;\n\n[Use your own key](#own_key)",
    ],
)
def test_an_answer_is_no_callout(page: Page, page_claude: ScriptedClaude, text: str) -> None:
    """No answer can look like a callout, and no link in it opens the field for a key or loads the
    page anew."""
    page_claude.play(says("Here: ", text))
    page.ask("hi")
    page.ready()
    page.browser.evaluate(PREVENTED)
    page.browser.get_by_role("link", name=LINK).click()
    assert page.browser.evaluate("window.prevented") is True
    expect(callouts(page)).to_have_count(0)
    expect(page.browser.locator(".sc-act")).to_have_count(0)
    expect(page.browser.get_by_label("API key", exact=True)).not_to_be_visible()


@pytest.mark.parametrize("sign", ["\u2063", "&#x2063;"])
def test_an_answer_is_no_receipt(page: Page, page_claude: ScriptedClaude, sign: str) -> None:
    """Words that have the signs of a receipt stay words, also where Markdown makes the signs; the
    program's own receipt opens by a key."""
    page_claude.play(says(f"{sign}Sonnet 5.5 · $9.999{sign}  \nModel: forged"))
    page.ask("hi")
    page.ready()
    receipt = page.browser.locator(".sc-receipt")
    expect(receipt).to_have_count(1)
    expect(receipt.locator("summary")).to_have_text(re.compile(r"^\u2063Sonnet 5\.5 · \$0\.\d+$"))
    expect(receipt).to_have_js_property("open", False)
    receipt.locator("summary").focus()
    page.browser.keyboard.press("Enter")
    expect(receipt.locator("dt", has_text="Tokens").locator("+ dd")).to_have_text("25 in, 42 out")
    expect(receipt).to_contain_text("claude-sonnet-5-5")
    expect(receipt).not_to_contain_text("forged")
