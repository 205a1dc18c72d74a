"""A visitor's own key: it pays for their replies, and nobody else sees it."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Response, expect

from streamchat.examples import USUAL
from tests.application import ROOT, Application
from tests.page import Page
from tests.scripted_claude import ScriptedClaude, delta, opens, refuses, says, start, streams

pytestmark = pytest.mark.process

KEY = "sk-ant-own-0123456789"
HI = {"message": "hi"}
ASK = "/api/streaming-chat"


def an_app(claude: ScriptedClaude, **environment: str) -> Application:
    knobs = {
        "ANTHROPIC_API_KEY": "sk-owner",
        "ANTHROPIC_BASE_URL": claude.url,
        "STREAMCHAT_OWN_KEYS": "on",
    }
    return Application(cwd=ROOT, **knobs | environment)


@pytest.fixture(scope="module")
def demo_claude() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def demo(demo_claude: ScriptedClaude) -> Iterator[httpx.Client]:
    """An app whose owner has no key."""
    knobs = {"STREAMCHAT_OWN_KEYS": "on", "ANTHROPIC_BASE_URL": demo_claude.url}
    with (
        Application(cwd=ROOT, **knobs) as app,
        httpx.Client(base_url=app.url, timeout=30) as client,
    ):
        yield client


def keys(claude: ScriptedClaude) -> list[str]:
    return [
        exchange.headers["authorization"].removeprefix("Bearer ") for exchange in claude.exchanges
    ]


def settings(page: Page) -> None:
    """Opens or closes the dialog for the key."""
    dialog = page.browser.locator("#own-key")
    if dialog.is_visible():
        dialog.get_by_role("button", name="Done").click()
        return
    page.browser.locator("#options-chip").click()
    page.browser.get_by_role("button", name="Your own API key").click()


def field(page: Page) -> Locator:
    return page.browser.locator("#own-key input[type=password]")


def test_an_own_key_spends_no_money_of_the_owners(claude: ScriptedClaude) -> None:
    """A visitor with a key is answered at their own expense even if the owner's money is spent."""
    with (
        an_app(claude, STREAMCHAT_DAILY_BUDGET_USD="0") as app,
        httpx.Client(base_url=app.url, timeout=30) as client,
    ):
        assert client.post(ASK, json=HI).json()["code"] == "day_is_spent"
        claude.play(says("Yours."))
        headers = {"x-api-key": f'"{KEY}"', "accept": "text/event-stream"}
        answer = client.post(ASK, json=HI, headers=headers).text
    receipt = json.loads(answer.rpartition("event: done\ndata: ")[2])["receipt"]
    assert keys(claude) == [KEY]
    assert receipt["own_key"] is True
    assert receipt["cost"] > 0


def test_the_same_question_with_own_keys_is_asked_for_each(claude: ScriptedClaude) -> None:
    """A reply on a visitor's own key is not shared, and its visitor gets no shared reply."""
    claude.play(says("a"), says("b"), says("c"))
    with an_app(claude) as app, httpx.Client(base_url=app.url, timeout=30) as client:
        asked = [
            {"x-api-key": key, "x-forwarded-for": f"203.0.113.{n}"}
            for n, key in enumerate(["", KEY, KEY + "x"])
        ]
        texts = [
            client.post(ASK, json={"message": USUAL[0]}, headers=headers).text for headers in asked
        ]
    assert texts == ["a", "b", "c"]
    assert keys(claude) == ["sk-owner", KEY, KEY + "x"]


def test_where_the_demo_answers_an_own_key_brings_claude(
    demo: httpx.Client, demo_claude: ScriptedClaude
) -> None:
    """Without an owner's key, Claude answers visitors with a key, and the demo everybody else."""
    demo_claude.play(says("I am Claude."))
    assert "demo" in demo.post(ASK, json=HI).text
    assert demo.post(ASK, json=HI, headers={"x-api-key": KEY}).text == "I am Claude."
    assert keys(demo_claude) == [KEY]


def test_an_impossible_key_is_refused(demo: httpx.Client) -> None:
    """The sentence does not repeat the key."""
    answer = demo.post(ASK, json=HI, headers=[(b"x-api-key", "sk-ünmöglich".encode())])
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_key")
    assert "nm" not in answer.json()["message"]


def test_quotation_marks_alone_are_no_key(claude: ScriptedClaude) -> None:
    """A key that is empty once it is cleaned is refused: it does not reach Claude at the owner's
    expense."""
    with (
        an_app(claude, STREAMCHAT_DAILY_BUDGET_USD="0") as app,
        httpx.Client(base_url=app.url, timeout=30) as client,
    ):
        for key in ('"', "''", '" \' "'):
            answer = client.post(ASK, json=HI, headers={"x-api-key": key})
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_key")
    assert keys(claude) == []


def test_a_key_that_claude_rejects_is_its_owners_concern(
    demo: httpx.Client, demo_claude: ScriptedClaude
) -> None:
    """The visitor is told to check the key that they brought, not the owner."""
    demo_claude.play(refuses(401, "authentication_error", f"invalid key {KEY}"))
    answer = demo.post(ASK, json=HI, headers={"x-api-key": KEY})
    assert (answer.status_code, answer.json()["code"]) == (401, "own_key_rejected")
    assert "your API key" in answer.json()["message"]
    assert KEY not in answer.text


def test_an_owner_can_do_without_keys_of_others(claude: ScriptedClaude, chromium: Browser) -> None:
    """With own keys off there is no field for one, and a request with one is refused and not
    charged."""
    with an_app(claude, STREAMCHAT_OWN_KEYS="off") as app, chromium.new_context() as context:
        answer = httpx.post(app.url + ASK, json=HI, headers={"x-api-key": KEY})
        assert (answer.status_code, answer.json()["code"]) == (403, "no_own_keys")
        page = Page(context, app.url)
        expect(page.browser.get_by_role("button", name="Your own API key")).to_have_count(0)
        claude.play(says("Still here."))
        page.ask("hi")
        page.shows("Still here.")
    assert keys(claude) == ["sk-owner"]


def test_an_own_key_is_nowhere_to_be_found(
    claude: ScriptedClaude, chromium: Browser, tmp_path: Path
) -> None:
    """The key is in no file, log line, error or answer to others, whatever becomes of its reply. A
    reload makes the page forget it, and keeps the conversation."""
    claude.play(
        says("Answer one."),
        refuses(401, "authentication_error", f"invalid key {KEY}"),
        streams(start(), opens(), delta("Half of it")),
        refuses(400, "invalid_request_error", f"what is {KEY}?"),
        says("For the other."),
    )
    heard: list[Response] = []
    knobs = {"STREAMCHAT_DATA_DIR": str(tmp_path), "STREAMCHAT_CONTINUATIONS": "1"}
    with (
        an_app(claude, **knobs) as app,
        chromium.new_context() as context,
        chromium.new_context() as others,
    ):
        page = Page(context, app.url)
        settings(page)
        field(page).fill(KEY)
        settings(page)
        page.ask("one")
        page.shows("Answer one.")
        page.shows("on your key")
        page.ask("two")
        page.shows("Claude does not accept your API key.")
        page.ask("three")
        page.shows("Claude did not accept this request.")
        page.ready()
        page.browser.reload()
        page.shows("Answer one.")
        settings(page)
        expect(field(page)).to_have_value("")
        # Playwright takes no builtins
        others.on("response", lambda response: heard.append(response))  # noqa: PLW0108
        other = Page(others, app.url)
        other.ask("one")
        other.shows("For the other.")
        other.ready()
        endless = ("/queue/data", "/heartbeat/")
        bodies = [r.body() for r in heard if r.ok and not any(part in r.url for part in endless)]
        other_page = other.browser.content()
        app.interrupt()
        printed = app.output()
    assert set(keys(claude)[:-1]) == {KEY}
    assert keys(claude)[-1] == "sk-owner"
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files
    assert not [path for path, content in files.items() if KEY.encode() in content]
    assert KEY not in printed + other_page
    assert not [body for body in bodies if KEY.encode() in body]
