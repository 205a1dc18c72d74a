"""Failures that only the owner can mend: the owner is told, and visitors read one sentence without
a word of it."""

import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from streamchat import errors
from streamchat.texts import for_owner
from tests.application import ROOT, Application
from tests.page import Page
from tests.scripted_claude import (
    Script,
    ScriptedClaude,
    breaks,
    delta,
    opens,
    refuses,
    says,
    start,
    streams,
)

pytestmark = pytest.mark.process

ASK = "/api/streaming-chat"
HI = {"message": "hi"}
PASSWORD = "open, sesame"
SENTENCE = "This chat cannot reach Claude at the moment."
NO_CREDIT = refuses(
    400,
    "invalid_request_error",
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to"
    " upgrade or purchase credits.",
)
LIMIT = refuses(
    400,
    "invalid_request_error",
    "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
)
REVOKED = refuses(401, "authentication_error", "invalid x-api-key")
FORBIDDEN = refuses(
    403, "permission_error", "Your API key does not have permission to use the specified resource."
)
NO_MODEL = refuses(404, "not_found_error", "model: claude-sonnet-5-5")
AFFAIRS: dict[str, tuple[Script, type[errors.OwnersAffair]]] = {
    "no credit": (NO_CREDIT, errors.NoCredit),
    "a spend limit": (LIMIT, errors.NoCredit),
    "a billing error": (refuses(402, "billing_error"), errors.NoCredit),
    "a revoked key": (REVOKED, errors.KeyRejected),
    "no permission": (FORBIDDEN, errors.NotPermitted),
    "no such model": (NO_MODEL, errors.UnknownModel),
}
OWNERS_WORDS = (
    "credit",
    "billing",
    "limit",
    "key",
    "permi",
    "model",
    "anthropic",
    "console",
    "owner",
    "whoever",
)


def an_app(
    claude: ScriptedClaude, *arguments: str, data: Path | str = "", **environment: str
) -> Application:
    knobs = {
        "ANTHROPIC_API_KEY": "sk-owner",
        "ANTHROPIC_BASE_URL": claude.url,
        "STREAMCHAT_DATA_DIR": str(data),
    }
    knobs |= {"STREAMCHAT_OWNER_PASSWORD": PASSWORD}
    return Application(*arguments, cwd=ROOT, **knobs | environment)


def trouble(app: Application) -> str:
    """The failure that the owner's page names."""
    state = httpx.get(f"{app.url}/owner/state", auth=("eva", PASSWORD), timeout=20).json()
    return state["trouble"]["sentence"] if state["trouble"] else ""


@pytest.mark.parametrize("affair", AFFAIRS)
def test_programs_read_nothing_of_the_owners_affairs(claude: ScriptedClaude, affair: str) -> None:
    """Any fault of the owner's account is a 503 and one sentence; the log and the owner's page say
    why."""
    script, kind = AFFAIRS[affair]
    claude.play(script)
    with an_app(claude) as app:
        app.wait_for("Claude .* answers")
        answer = httpx.post(f"{app.url}{ASK}", json=HI, timeout=20)
        assert (answer.status_code, answer.json()["message"]) == (503, SENTENCE)
        events = httpx.post(
            f"{app.url}{ASK}", json=HI, headers={"accept": "text/event-stream"}, timeout=20
        ).text
        told = json.loads(events.rpartition("event: error\ndata: ")[2])
        assert told["message"] == SENTENCE
        for heard in (answer.text, events.removeprefix("retry")):
            assert not [word for word in OWNERS_WORDS if word in heard.lower()]
        assert trouble(app) == for_owner(kind.cause)
        app.wait_for(for_owner(kind.cause))
        reasons = [
            json.loads(line[line.index("{") :])["reason"] for line in app.lines if '"reply"' in line
        ]
        assert set(reasons) <= {kind.cause}


def test_credit_that_ends_in_the_middle_of_the_day(
    claude: ScriptedClaude, chromium: Browser
) -> None:
    """Visitors read the sentence, the owner sees why and since when, and it is gone once Claude
    answers again."""
    claude.play(says("Good morning."), NO_CREDIT, says("Good evening."))
    with an_app(claude) as app, chromium.new_context() as visitor:
        tab = chromium.new_page(http_credentials={"username": "eva", "password": PASSWORD})
        tab.goto(f"{app.url}/owner")
        expect(tab.get_by_role("heading", name="Claude answers")).to_be_visible()
        page = Page(visitor, app.url)
        page.ask("one")
        page.shows("Good morning.")
        page.ask("two")
        page.shows(SENTENCE)
        page.shows_not("credit")
        expect(tab.get_by_role("heading", name="Claude does not answer")).to_be_visible()
        expect(tab.locator("#meaning")).to_contain_text("The account behind the key has no credit.")
        expect(tab.locator("#errors tbody tr").filter(has_text="no credit")).to_have_count(1)
        page.ask("three")
        page.shows("Good evening.")
        expect(tab.get_by_role("heading", name="Claude answers")).to_be_visible()


def test_credit_that_ends_in_the_middle_of_an_answer(claude: ScriptedClaude) -> None:
    """The text so far stays, and the owner is told as well."""
    claude.play(streams(start(), opens(), delta("Half"), breaks("billing_error", "credit balance")))
    with an_app(claude, STREAMCHAT_CONTINUATIONS="0") as app:
        events = httpx.post(
            f"{app.url}{ASK}", json=HI, headers={"accept": "text/event-stream"}, timeout=20
        ).text
        assert '"text": "Half"' in events
        assert SENTENCE in events
        assert "credit" not in events
        assert trouble(app) == for_owner(errors.NoCredit.cause)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, errors.KeyRejected), (403, errors.NotPermitted)]
)
def test_the_start_says_what_is_wrong(
    claude: ScriptedClaude, status: int, kind: type[errors.OwnersAffair]
) -> None:
    """A key that Claude refuses is named before anybody asks, in the log and on the owner's
    page."""
    claude.models_status = status
    with an_app(claude) as app:
        app.wait_for(for_owner(kind.cause))
        assert trouble(app) == for_owner(kind.cause)


def test_the_next_start_says_that_there_was_no_credit(
    claude: ScriptedClaude, tmp_path: Path
) -> None:
    """Claude tells only those who ask for an answer; how the last one went is known after a
    restart."""
    claude.play(NO_CREDIT, says("Paid."))
    with an_app(claude, data=tmp_path) as app:
        assert httpx.post(f"{app.url}{ASK}", json=HI, timeout=20).status_code == 503
        app.interrupt()
    with an_app(claude, data=tmp_path) as app:
        app.wait_for(
            "When Claude was last asked, it did not answer. The account behind the key has no"
            " credit."
        )
        assert trouble(app) == for_owner(errors.NoCredit.cause)
        assert httpx.post(f"{app.url}{ASK}", json=HI, timeout=20).text == "Paid."
        assert trouble(app) == ""
        app.interrupt()
        assert "answers. Stop" not in app.output()
    with an_app(claude, data=tmp_path) as app:
        app.wait_for("answers. Stop with Ctrl-C.")


def test_a_visitors_bad_key_is_not_the_owners_trouble(
    claude: ScriptedClaude,
) -> None:
    """The visitor reads that their key is at fault, and the owner's page has no error."""
    claude.play(FORBIDDEN, NO_MODEL, NO_CREDIT)
    with an_app(claude, STREAMCHAT_OWN_KEYS="on") as app:
        answers = [
            httpx.post(f"{app.url}{ASK}", json=HI, headers={"x-api-key": "sk-own"}, timeout=20)
            for _ in range(3)
        ]
        assert [answer.status_code for answer in answers] == [403, 403, 402]
        assert all("your api key" in answer.text.lower() for answer in answers)
        assert trouble(app) == ""
