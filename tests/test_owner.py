"""The owner's page: for its owner in a real Chromium, and for everybody else."""

import signal
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab

from streamchat.events import Usage
from streamchat.money.prices import Prices
from tests.application import ROOT, Application, free_port
from tests.page import Page
from tests.scripted_claude import (
    Hold,
    ScriptedClaude,
    breaks,
    delta,
    ends,
    opens,
    refuses,
    says,
    start,
    streams,
    thought,
)

pytestmark = pytest.mark.process

PASSWORD = "open, sesame: gehéim"
ASK = "/api/streaming-chat"
SECRET = {"message": "the visitor's question"}


def an_app(
    claude: ScriptedClaude, data: Path | str = "", *arguments: str, **environment: str
) -> Application:
    knobs = {"ANTHROPIC_API_KEY": "sk-test-key", "ANTHROPIC_BASE_URL": claude.url}
    knobs |= {"STREAMCHAT_OWNER_PASSWORD": PASSWORD, "STREAMCHAT_DATA_DIR": str(data)}
    return Application(*arguments, cwd=ROOT, **{**knobs, **environment})


@pytest.fixture(scope="module")
def owned_claude() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def owned(owned_claude: ScriptedClaude) -> Iterator[Application]:
    """An app with an owner's page, for all tests that leave it as they found it."""
    with an_app(owned_claude) as application:
        yield application


@pytest.fixture
def told(owned_claude: ScriptedClaude) -> ScriptedClaude:
    """The scripted Claude behind `owned`, without the requests of earlier tests."""
    owned_claude.exchanges.clear()
    owned_claude.play(says("The answer", " to it"))
    return owned_claude


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser in which the owner has logged in, under any name."""
    with chromium.new_context(
        http_credentials={"username": "whoever", "password": PASSWORD}
    ) as context:
        yield context


def a_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def owner(app: Application, **more: str) -> httpx.Client:
    """A program that knows the password."""
    return httpx.Client(
        base_url=app.url, timeout=20, headers={"authorization": basic(PASSWORD), **more}
    )


def basic(password: str) -> str:
    return f"Basic {b64encode(f'eva:{password}'.encode()).decode()}"


def opened(context: BrowserContext, app: Application) -> Tab:
    tab = context.new_page()
    tab.goto(f"{app.url}/owner")
    expect(tab.locator("#all")).to_be_visible()
    return tab


def ask(app: Application) -> httpx.Response:
    return httpx.post(f"{app.url}{ASK}", json=SECRET, timeout=20)


def test_spending_appears_by_itself(claude: ScriptedClaude, context: BrowserContext) -> None:
    """The open page shows a reply's cost as soon as it has ended, in figures and in today's bar."""
    cost = f"${Prices('claude-sonnet-5-5').cost(Usage(25, 42)):.4f}"
    with an_app(claude) as app:
        tab = opened(context, app)
        expect(tab.locator("#spent")).to_have_text("$0.00")
        expect(tab.get_by_text("Nothing was spent today.")).to_be_visible()
        assert ask(app).status_code == 200
        expect(tab.locator("#spent")).to_have_text(cost)
        for chart in ("today", "month"):
            expect(tab.locator(f"#{chart} .bar")).to_have_count(1)
            expect(tab.locator(f"#{chart} svg")).to_have_attribute("aria-label", f"{cost} in all")
        expect(tab.locator("#first-word .dot")).to_have_count(1)
        expect(tab.locator("#ends")).to_contain_text("came to their end")


def test_assumed_cost_is_told_apart(claude: ScriptedClaude, context: BrowserContext) -> None:
    """The page says how much of a stopped reply's cost is assumed."""
    claude.play(
        streams(
            start(), opens("thinking"), thought("Hm."), opens(), delta("Half an answer"), Hold()
        )
    )
    with an_app(claude) as app, owner(app) as program:
        tab = opened(context, app)
        with (
            httpx.Client(base_url=app.url, timeout=20) as client,
            client.stream("POST", ASK, json=SECRET) as answer,
        ):
            next(answer.iter_text())
            client.delete(answer.headers["Location"])
        expect(tab.locator("#assumed")).to_have_text(
            "Of the money spent, $0.16 is assumed: Claude was stopped, or failed, before it"
            " counted."
        )
        expect(tab.locator("#spent")).to_have_text("$0.16")
        money = program.get("/owner/state").json()["money"]
    assert (money["spent"], money["assumed"]) == pytest.approx(
        (0.16005, 0.16005 - 0.00006), abs=1e-6
    )


def test_a_value_can_be_read_where_it_is_touched(
    owned: Application, told: ScriptedClaude, context: BrowserContext
) -> None:
    """A day's value appears under the pointer or a finger."""
    ask(owned)
    tab = opened(context, owned)
    plot = tab.locator("#month .plot")
    width = plot.bounding_box()
    assert width
    plot.hover(position={"x": width["width"] - 12, "y": 50})
    expect(tab.locator("#month figcaption")).to_contain_text(": $0.0")
    tab.mouse.move(0, 0)
    expect(tab.locator("#month figcaption")).to_contain_text("in all")


def test_a_running_reply_is_listed_and_its_stop_reaches_claude(
    owned: Application, told: ScriptedClaude, context: BrowserContext
) -> None:
    """A press on stop closes the connection to Claude; the visitor keeps the text so far."""
    told.play(streams(start(), opens(), delta("Half an answer"), Hold()))
    with (
        httpx.Client(base_url=owned.url, timeout=20) as client,
        client.stream("POST", ASK, json=SECRET) as answer,
    ):
        tab = opened(context, owned)
        row = tab.locator("#running li")
        expect(row).to_contain_text("3 words")
        expect(row).to_contain_text("claude-sonnet-5-5")
        expect(tab.locator("#reserved")).not_to_have_text("$0.00")
        row.get_by_role("button", name="Stop").click()
        assert told.exchange(0).gone.wait(10)
        assert answer.read() == b"Half an answer"
        expect(tab.get_by_text("No reply is running.")).to_be_visible()
        expect(tab.locator("#reserved")).to_have_text("$0.00")


def test_a_press_is_for_the_reply_that_was_pressed(
    owned: Application, told: ScriptedClaude
) -> None:
    """With two running replies one is stopped and the other goes on; a second press does
    nothing."""
    told.play(streams(start(), opens(), delta("Half"), Hold()))
    with httpx.Client(base_url=owned.url, timeout=20) as client, owner(owned) as program:
        with client.stream("POST", ASK, json=SECRET), client.stream("POST", ASK, json=SECRET):
            first, second = program.get("/owner/state").json()["running"]
            assert program.delete(f"/owner/replies/{first['name']}").status_code == 204
            assert told.exchange(0).gone.wait(10)
            assert not told.exchange(1).gone.is_set()
            assert program.delete(f"/owner/replies/{second['name']}").status_code == 204
            assert told.exchange(1).gone.wait(10)
        assert program.delete("/owner/replies/guessed").status_code == 404


def test_an_error_is_counted_by_its_kind(
    owned: Application, told: ScriptedClaude, context: BrowserContext
) -> None:
    """An error is listed under its own name, and not among the other endings."""
    told.play(refuses(401, "authentication_error"))
    assert ask(owned).json()["code"] == "unavailable"
    tab = opened(context, owned)
    row = tab.locator("#errors tbody tr").filter(has_text="does not accept the API key")
    expect(row).to_have_count(1)
    expect(tab.locator("#ends")).not_to_contain_text("key rejected")


def test_paused_everybody_is_refused(
    claude: ScriptedClaude, tmp_path: Path, context: BrowserContext
) -> None:
    """The pause refuses all questions, also after a restart, until it is ended."""
    port = a_port()
    with an_app(claude, tmp_path, "--port", port) as app:
        tab = opened(context, app)
        switch = tab.get_by_role("switch", name="Claude answers")
        expect(switch).to_be_checked()
        switch.click()
        expect(tab.get_by_role("heading", name="Claude is paused")).to_be_visible()
        expect(switch).not_to_be_checked()
        page = Page(context, app.url)
        page.ask("hi")
        page.shows("The owner of this chat has paused Claude until further notice.")
        page.ready()
        with owner(app) as program:
            assert program.get("/owner/state").json()["endings"] == []
        refused = ask(app)
        assert (refused.status_code, refused.json()["code"]) == (503, "paused")
        page.browser.close()
        app.interrupt(signal.SIGKILL)
    expect(tab.get_by_text("The server does not answer. Trying again.")).to_be_visible()
    with an_app(claude, tmp_path, "--port", port) as app:
        assert app.url
        expect(tab.get_by_role("alert")).to_be_hidden()
        expect(switch).not_to_be_checked()
        assert ask(app).status_code == 503
        assert claude.exchanges == []
        switch.click()
        expect(switch).to_be_checked()
        assert ask(app).text == "Hello there"


def test_a_running_reply_survives_the_pause(owned: Application, told: ScriptedClaude) -> None:
    """A pause ends no answer that is already being written."""
    hold = Hold()
    told.play(streams(start(), opens(), delta("Half"), hold, delta(" and whole"), ends()))
    with httpx.Client(base_url=owned.url, timeout=20) as client, owner(owned) as program:
        with client.stream("POST", ASK, json=SECRET) as answer:
            assert program.put("/owner/pause").status_code == 204
            hold.release()
            assert answer.read() == b"Half and whole"
        assert program.delete("/owner/pause").status_code == 204


def test_the_past_is_there_after_a_restart(claude: ScriptedClaude, tmp_path: Path) -> None:
    """Money, errors and times come from the disk."""
    claude.play(
        says("Hello", " there"),
        streams(start(), opens(), delta("Half"), breaks("invalid_request_error")),
    )
    with an_app(claude, tmp_path) as app, owner(app) as program:
        assert ask(app).status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            ask(app)
        before = program.get("/owner/state").json()
        app.interrupt()
    with an_app(claude, tmp_path) as app, owner(app) as program:
        after = program.get("/owner/state").json()
    assert [end["reason"] for end in after["endings"]] == ["end_turn", "request_rejected"]
    for figures in ("money", "endings", "hours", "days"):
        assert after[figures] == before[figures]


def test_throttled_visitors_are_listed_without_an_address(claude: ScriptedClaude) -> None:
    """The page has the visitor's hash from the log, and the seconds to wait."""
    with an_app(
        claude, "", "--host", "0.0.0.0", "--port", free_port(), STREAMCHAT_RATE_LIMIT="1/minute"
    ) as app:
        url = app.url.replace("0.0.0.0", "127.0.0.1")
        headers = {"x-forwarded-for": "203.0.113.7"}
        answers = [
            httpx.post(f"{url}{ASK}", json=SECRET, headers=headers, timeout=20) for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [200, 429]
        state = httpx.get(f"{url}/owner/state", headers={"authorization": basic(PASSWORD)})
        named = app.wait_for('"visitor": "(\\w+)"')
    (throttled,) = state.json()["throttled"]
    assert throttled["visitor"] == named
    assert 0 < throttled["seconds"] <= 60
    assert "203.0.113.7" not in state.text


def test_the_page_has_no_words_and_no_ids_of_replies(
    owned: Application, told: ScriptedClaude
) -> None:
    """The page shows how much is asked, but no text and no id that opens an answer."""
    told.play(streams(start(), opens(), delta("The answer"), Hold()))
    with owner(owned) as program, program.stream("POST", ASK, json=SECRET) as answer:
        reply_id = answer.headers["location"].rpartition("/")[2]
        paths = ("", "/state", "/page.js", "/page.css")
        shown = "".join(program.get(f"/owner{path}").raise_for_status().text for path in paths)
        assert program.delete(f"/owner/replies/{reply_id}").status_code == 404
        program.delete(answer.headers["location"])
    for secret in (reply_id, "visitor's question", "The answer", "sk-test", PASSWORD, "127.0.0.1"):
        assert secret not in shown


CALLS = [
    ("GET", "/owner"), ("GET", "/owner/page.js"), ("GET", "/owner/state"),
    ("PUT", "/owner/pause"), ("DELETE", "/owner/pause"), ("DELETE", "/owner/replies/x"),
    ("PUT", "/owner/settings"),
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_without_the_password_there_is_nothing_to_see_or_do(
    owned: Application, call: tuple[str, str]
) -> None:
    """Every address asks for HTTP Basic."""
    answer = httpx.request(call[0], f"{owned.url}{call[1]}")
    assert (answer.status_code, answer.json()["code"]) == (401, "login_required")
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [200, 401])
def test_no_response_is_cached_framed_or_sniffed(
    owned: Application, call: tuple[str, str], status: int
) -> None:
    """Proxies and browsers keep no response, and no other page can frame one."""
    with owner(owned) as program:
        answer = program.request(*call, headers={} if status == 200 else {"authorization": ""})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_password_guesses_are_limited(claude: ScriptedClaude) -> None:
    """After ten wrong passwords in a minute none is checked, not even the right one; other visitors
    are not affected."""
    with an_app(claude, "", "--host", "0.0.0.0", "--port", free_port()) as app:
        url = f"{app.url.replace('0.0.0.0', '127.0.0.1')}/owner/state"
        guesses = [basic(f"open {number}") for number in range(10)]
        headers = [
            {"authorization": guess, "x-forwarded-for": "203.0.113.7"}
            for guess in [*guesses, basic(PASSWORD)]
        ]
        answers = [httpx.get(url, headers=each) for each in headers]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60
        assert httpx.get(url, headers={"authorization": basic(PASSWORD)}).status_code == 200


def test_another_sites_page_does_not_lock_the_owner_out(claude: ScriptedClaude) -> None:
    """Guesses that another site makes through the owner's browser are counted apart: they get a 429
    soon, and the owner still gets in."""
    elsewhere = {"sec-fetch-site": "cross-site"}
    with an_app(claude) as app, owner(app) as program:
        for _ in range(10):
            assert (
                program.get(
                    "/owner", headers={"authorization": basic("a guess"), **elsewhere}
                ).status_code
                == 401
            )
        assert program.get("/owner/state", headers=elsewhere).status_code == 403
        assert program.get("/owner", headers=elsewhere).status_code == 429
        assert program.get("/owner/state").status_code == 200


def test_a_request_without_a_password_is_no_guess(owned: Application) -> None:
    """A browser's first request has no password, and costs no attempt."""
    for _ in range(15):
        assert httpx.get(f"{owned.url}/owner").status_code == 401
    with owner(owned) as program:
        assert program.get("/owner").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://elsewhere.example"}]
)
@pytest.mark.parametrize("call", CALLS[2:])
def test_no_other_sites_page_uses_the_owners_login(
    owned: Application, call: tuple[str, str], headers: dict[str, str]
) -> None:
    """Credentials that a browser sends along by itself do not let other sites' pages in."""
    with owner(owned, **headers) as program:
        answer = program.request(*call)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")


def test_a_link_from_elsewhere_opens_the_page(owned: Application) -> None:
    """Other sites may link to the page, which shows nothing without the password."""
    with owner(owned, **{"sec-fetch-site": "cross-site"}) as program:
        assert program.get("/owner").headers["content-type"].startswith("text/html")


def test_the_page_fits_on_a_phone(
    owned: Application, told: ScriptedClaude, chromium: Browser
) -> None:
    """Nothing overflows a small screen, and no script or style fails."""
    ask(owned)
    size, login = {"width": 390, "height": 844}, {"username": "x", "password": PASSWORD}
    with chromium.new_context(viewport=size, http_credentials=login) as context:  # type: ignore[arg-type]
        complaints: list[str] = []
        context.on("console", lambda message: complaints.append(message.text))
        tab = opened(context, owned)
        expect(tab.locator("#month svg")).to_be_visible()
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        assert complaints == []


def test_in_the_demo_there_is_nothing_to_pause(context: BrowserContext) -> None:
    """Without a key the page says that the demo answers, and has no pause."""
    with Application(cwd=ROOT, STREAMCHAT_OWNER_PASSWORD=PASSWORD) as app:
        tab = opened(context, app)
        expect(tab.get_by_role("heading", name="The demo answers")).to_be_visible()
        expect(tab.get_by_role("switch")).to_have_count(0)
        expect(tab.get_by_text("Spend today")).to_be_hidden()
        with owner(app) as program:
            assert program.put("/owner/pause").json()["code"] == "nothing_to_pause"


def test_without_the_setting_there_is_no_such_page(app: Application) -> None:
    """Without an owner's password the owner's routes do not exist."""
    for method, path in CALLS:
        assert httpx.request(method, f"{app.url}{path}").status_code in (404, 405)


def test_the_start_says_where_the_page_is(owned: Application) -> None:
    """The start prints the address, and never the password."""
    assert owned.wait_for(r"owner's page is at (http\S+)") == f"{owned.url}/owner"
    assert "sesame" not in "".join(owned.lines)


def settings(program: httpx.Client) -> dict[str, str]:
    """The current values by name."""
    found = program.get("/owner/state").json()["settings"]
    return {each["name"]: each["value"] for each in found}


def test_a_budget_changes_without_a_restart(
    owned: Application, told: ScriptedClaude, context: BrowserContext
) -> None:
    """A budget typed on the owner's page holds for the next question, and one button takes it
    back."""
    tab = opened(context, owned)
    field = tab.get_by_label("Dollars a day for all")
    expect(field).to_have_value("5")
    field.fill("0")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_text("Saved.")).to_be_visible()
    expect(tab.locator("#left")).to_have_text("$0.00")
    assert ask(owned).json()["code"] == "day_is_spent"
    tab.get_by_role("button", name="Back to 5").click()
    expect(field).to_have_value("5")
    assert ask(owned).status_code == 200


def test_a_refused_setting_changes_nothing(owned: Application, context: BrowserContext) -> None:
    """The page says what is wrong, and keeps the typed value."""
    tab = opened(context, owned)
    field = tab.get_by_label("How often one visitor may ask")
    field.fill("often")
    field.press("Enter")
    expect(tab.locator("#refused")).to_have_text(
        "The rate limit cannot be 'often': it should be like 20/minute;300/day, or off."
    )
    tab.wait_for_timeout(2_500)
    expect(field).to_have_value("often")
    with owner(owned) as program:
        assert settings(program)["rate_limit"] == "20/minute;300/day"


def test_settings_outlive_a_restart(claude: ScriptedClaude, tmp_path: Path) -> None:
    """A change and its removal survive a restart; a new limit counts earlier questions."""
    with an_app(claude, tmp_path) as app, owner(app) as program:
        changes = {"visitor_budget_usd": "0.25", "rate_limit": "1/day"}
        assert program.put("/owner/settings", json=changes).status_code == 204
        assert ask(app).status_code == 200
        assert ask(app).json()["code"] == "too_often"
    with an_app(claude, tmp_path) as app, owner(app) as program:
        now = settings(program)
        assert (now["visitor_budget_usd"], now["rate_limit"]) == ("0.25", "1/day")
        assert program.put("/owner/settings", json={"rate_limit": None}).status_code == 204
    with an_app(claude, tmp_path) as app, owner(app) as program:
        now = settings(program)
        assert (now["visitor_budget_usd"], now["rate_limit"]) == ("0.25", "20/minute;300/day")


HOSTILE = {
    "below zero": {"daily_budget_usd": "-1"},
    "no number": {"daily_budget_usd": "nan"},
    "without end": {"visitor_budget_usd": "inf"},
    "absurd": {"daily_budget_usd": "1e300"},
    "no text": {"daily_budget_usd": 3},
    "a truth": {"daily_budget_usd": True},
    "a list": {"rate_limit": ["1/day"]},
    "an object": {"rate_limit": {"$gt": ""}},
    "never": {"rate_limit": "0/day"},
    "for years": {"rate_limit": "1/year"},
    "long": {"rate_limit": "1/day;" * 100},
    "a key": {"api_key": "sk-ant-stolen"},
    "an address": {"base_url": "http://elsewhere.example"},
    "a password": {"owner_password": "my own password"},
    "two lines": {"welcome": "Good\nevening"},
    "a long greeting": {"welcome": "x" * 101},
    "a long sentence": {"tagline": "x" * 201},
    "no name": {"": "1"},
    "an attribute": {"__class__": "x"},
    "one wrong, one right": {"daily_budget_usd": "1", "rate_limit": "often"},
    "no object": ["daily_budget_usd"],
    "nothing": None,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_invalid_setting_is_refused(owned: Application, name: str) -> None:
    """An invalid value is refused with a sentence, and all settings stay as they are."""
    with owner(owned) as program:
        before = settings(program)
        answer = program.put("/owner/settings", json=HOSTILE[name])
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_settings")
        assert answer.json()["message"].endswith(".")
        assert settings(program) == before


@pytest.mark.parametrize(
    "body", [b"x" * 20_000, b'{"daily_budget_usd": "1"' + b" " * 20_000 + b"}", b"[" * 200]
)
def test_a_body_beyond_its_bound_is_refused(owned: Application, body: bytes) -> None:
    """The bound on a body holds with and without a login."""
    for headers in ({}, {"authorization": basic(PASSWORD)}):
        answer = httpx.put(f"{owned.url}/owner/settings", content=body, headers=headers)
        assert answer.status_code in (400, 413)


def test_errors_are_told_in_words(
    owned: Application, told: ScriptedClaude, context: BrowserContext
) -> None:
    """Each error has its meaning, its number and its last time."""
    told.play(refuses(402, "billing_error"))
    assert ask(owned).status_code == 503
    tab = opened(context, owned)
    row = tab.get_by_role("row").filter(has_text="no_credit, last")
    expect(row).to_contain_text("The account behind the key has no credit.")
    assert SECRET["message"] not in tab.content()


def test_the_welcome_changes_without_a_restart(owned: Application, context: BrowserContext) -> None:
    """The next page has the owner's words, as plain text."""
    tab = opened(context, owned)
    tab.get_by_label("Greeting of an empty chat").fill("Good *evening*")
    tab.get_by_label("Sentence below it").fill("<b>Ask</b> me")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_text("Saved.")).to_be_visible()
    chat = context.new_page()
    chat.goto(owned.url)
    expect(chat.get_by_role("heading", name="Good *evening*")).to_be_visible()
    expect(chat.get_by_text("<b>Ask</b> me")).to_be_visible()
    shown = chat.content()
    assert shown.count('content="&lt;b&gt;Ask&lt;/b&gt; me"') >= 2, "in previews of links, too"
    assert chat.evaluate("streamchat.about.tagline") == "<b>Ask</b> me"
    with owner(owned) as program:
        program.put("/owner/settings", json={"welcome": None, "tagline": None})
    chat.reload()
    expect(chat.get_by_role("heading", name="StreamChat").first).to_be_visible()
    expect(chat.get_by_text("Good *evening*")).to_have_count(0)
