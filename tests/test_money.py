"""A public link in the hands of strangers: its spending, its rates, and its refusals."""

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from streamchat.events import Usage
from streamchat.money.prices import Prices
from tests.application import ROOT, Application, free_port
from tests.page import Page
from tests.scripted_claude import (
    CLOSES,
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

pytestmark = pytest.mark.process

MAX_TOKENS = 1_000
# dollars: what is set aside for the question of these tests, rounded down
ONE_REPLY = 0.0126
MONEY_FOR_TEN = ONE_REPLY * 10.5
HI = {"message": "hi"}


@pytest.fixture
def port() -> str:
    return free_port()


def an_app(claude: ScriptedClaude, port: str, data: Path, **environment: str) -> Application:
    knobs = {f"STREAMCHAT_{name}": value for name, value in environment.items()}
    knobs |= {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": claude.url}
    knobs |= {"STREAMCHAT_MAX_TOKENS": str(MAX_TOKENS), "STREAMCHAT_SYSTEM_PROMPT": "Be brief."}
    arguments = ("--port", port, "--host", "0.0.0.0")
    return Application(*arguments, cwd=ROOT, STREAMCHAT_DATA_DIR=str(data), **knobs)


def held() -> tuple[Hold, Script]:
    hold = Hold()
    return hold, streams(start(), opens(), delta("A word"), hold, ends())


async def ask_all(url: str, visitors: int) -> list[httpx.Response | None]:
    """So many visitors ask at once: a refusal for each, or None if the answer has begun."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:

        async def ask(number: int) -> httpx.Response | None:
            forwarded, question = (
                {"x-forwarded-for": f"203.0.113.{number}"},
                {"message": f"{number:03}"},
            )
            async with client.stream(
                "POST", "/api/streaming-chat", json=question, headers=forwarded
            ) as answer:
                if answer.status_code == 200:
                    return None
                await answer.aread()
                return answer

        return await asyncio.gather(*map(ask, range(visitors)))


def test_two_hundred_askers_and_money_for_ten(
    claude: ScriptedClaude, port: str, tmp_path: Path
) -> None:
    """No crowd reserves more than the budget, even after kill -9, and the refused read the
    reason."""
    _, script = held()
    claude.play(script)
    money = str(MONEY_FOR_TEN)
    with an_app(claude, port, tmp_path, DAILY_BUDGET_USD=money, MAX_REPLIES="400") as app:
        answers = asyncio.run(ask_all(app.url.replace("0.0.0.0", "127.0.0.1"), 200))
        refused = [answer for answer in answers if answer is not None]
        assert len(refused) == 190
        assert {answer.json()["code"] for answer in refused} == {"day_is_spent"}
        assert all("renews at 00:00 UTC" in answer.json()["message"] for answer in refused)
        assert all(0 < int(answer.headers["retry-after"]) <= 86_400 for answer in refused)
        assert len(claude.exchanges) == 10
        app.interrupt(signal.SIGKILL)
    with an_app(claude, port, tmp_path, DAILY_BUDGET_USD=money) as app:
        answers = asyncio.run(ask_all(app.url.replace("0.0.0.0", "127.0.0.1"), 20))
        assert [answer is not None for answer in answers] == [True] * 20
    assert len(claude.exchanges) == 10


def test_ended_replies_count_their_true_cost(
    claude: ScriptedClaude, port: str, tmp_path: Path
) -> None:
    """Ended replies count with their cost, so that the money lasts longer than the worst case."""
    cost = Prices("claude-sonnet-5-5").cost(Usage(25, 42))
    with an_app(
        claude, port, tmp_path, DAILY_BUDGET_USD=str(ONE_REPLY * 2), RATE_LIMIT="off"
    ) as app:
        url = app.url.replace("0.0.0.0", "127.0.0.1")
        with httpx.Client(base_url=url, timeout=30) as client:
            answered = 0
            while client.post("/api/streaming-chat", json=HI).status_code == 200:
                answered += 1
    assert answered * cost <= ONE_REPLY * 2
    assert answered > 5


def visitor_from(address: str, url: str) -> httpx.Client:
    return httpx.Client(
        base_url=url, transport=httpx.HTTPTransport(local_address=address), timeout=30
    )


def made_up(number: int) -> dict[str, str]:
    """Headers with which a visitor pretends to be someone else."""
    address = f"198.51.100.{number}"
    return {
        "x-forwarded-for": address,
        "x-real-ip": address,
        "forwarded": f"for={address}",
        "true-client-ip": address,
    }


def test_a_forged_header_makes_no_second_visitor(
    claude: ScriptedClaude, port: str, tmp_path: Path
) -> None:
    """A direct visitor is known by the connection; behind a local proxy two visitors are told
    apart."""
    with an_app(claude, port, tmp_path, RATE_LIMIT="2/minute") as app:
        url = app.url.replace("0.0.0.0", "127.0.0.1")
        with visitor_from("127.0.0.2", url) as direct:
            forged = [
                direct.post("/api/streaming-chat", json=HI, headers=made_up(n)) for n in range(3)
            ]
        assert [answer.status_code for answer in forged] == [200, 200, 429]
        assert forged[-1].json()["code"] == "too_often"
        with visitor_from("127.0.0.1", url) as proxy:
            hops = ["203.0.113.7", "6.6.6.6, 203.0.113.7", "7.7.7.7, 203.0.113.7", "203.0.113.8"]
            headers = [made_up(n) | {"x-forwarded-for": hop} for n, hop in enumerate(hops)]
            behind = [
                proxy.post("/api/streaming-chat", json=HI, headers=header) for header in headers
            ]
        assert [answer.status_code for answer in behind] == [200, 200, 429, 200]


def test_on_a_page_of_the_owners_own_nobody_is_held_up(claude: ScriptedClaude, port: str) -> None:
    """On a chat that only this machine can reach, the default limits per visitor are off; the day's
    budget still applies."""
    key = {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": claude.url}
    with (
        Application("--port", port, cwd=ROOT, **key) as app,
        httpx.Client(base_url=app.url, timeout=30) as client,
    ):
        statuses = {client.post("/api/streaming-chat", json=HI).status_code for _ in range(25)}
    assert statuses == {200}


def test_a_visitor_who_asks_too_often_reads_when_to_come_back(
    claude: ScriptedClaude, port: str, tmp_path: Path, chromium: Browser
) -> None:
    """The refused message stays with the time to come back, and is answered when it is asked again
    then."""
    claude.play(says("First."), says("Second."))
    with (
        an_app(claude, port, tmp_path, RATE_LIMIT="1/4second") as app,
        chromium.new_context() as context,
    ):
        page = Page(context, app.url.replace("0.0.0.0", "127.0.0.1"))
        page.ask("one")
        page.shows("First.")
        page.ask("two")
        page.shows("You are sending messages too quickly. Try again in")
        expect(page.questions.last).to_have_text("two")
        page.ready()
        page.browser.wait_for_timeout(4_000)
        page.press("Retry")
        page.shows("Second.")
        page.shows_not("too quickly")
    assert claude.exchange(1).said == [("user", "one"), ("assistant", "First."), ("user", "two")]


def test_many_people_click_the_same_example(
    claude: ScriptedClaude, port: str, tmp_path: Path, chromium: Browser
) -> None:
    """Claude gets one request, and every page shows the answer as shared; Retry asks anew."""
    hold = Hold()
    claude.play(
        streams(start(), opens(), delta("Rivers "), hold, delta("flow."), ends()),
        says("Another one."),
    )
    with an_app(claude, port, tmp_path) as app, ExitStack() as open_pages:
        people = [{"x-forwarded-for": f"203.0.113.{number}"} for number in range(6)]
        contexts = [
            open_pages.enter_context(chromium.new_context(extra_http_headers=person))
            for person in people
        ]
        pages = [Page(context, app.url.replace("0.0.0.0", "127.0.0.1")) for context in contexts]
        for page in pages:
            page.example("rivers")
        for page in pages:
            page.shows("Rivers")
        hold.release()
        for page in pages:
            page.shows("Rivers flow.")
        for page in pages[1:]:
            page.shows("Sonnet 5.5 · free")
        assert len(claude.exchanges) == 1
        pages[1].ready()
        pages[1].press("Retry")
        pages[1].shows("Another one.")
    assert len(claude.exchanges) == 2


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({"VISITOR_REPLIES": "1"}, "You have an answer running."),
        ({"MAX_REPLIES": "1"}, "The chat is full right now."),
    ],
    ids=["too many at once", "crowded"],
)
def test_a_message_refused_for_want_of_a_place_can_be_retried(  # noqa: PLR0917
    claude: ScriptedClaude,
    port: str,
    tmp_path: Path,
    chromium: Browser,
    knobs: dict[str, str],
    sentence: str,
) -> None:
    """The message stays in the conversation, and is answered once a place is free."""
    hold, script = held()
    claude.play(script, says("Now there is room."))
    with an_app(claude, port, tmp_path, **knobs) as app, chromium.new_context() as context:
        url = app.url.replace("0.0.0.0", "127.0.0.1")
        first, second = Page(context, url), Page(context, url)
        first.ask("one")
        first.shows("A word")
        second.ask("two")
        second.shows(sentence)
        second.ready()
        expect(second.questions.last).to_have_text("two")
        hold.release()
        first.ready()
        second.press("Retry")
        second.shows("Now there is room.")
        second.shows_not(sentence)
    assert claude.exchange(1).said == [("user", "two")]


def test_limits_are_told_when_they_begin_to_matter(
    claude: ScriptedClaude, port: str, tmp_path: Path, chromium: Browser
) -> None:
    """Limits appear once less than a fifth of the day's money is left; below each answer is its
    cost."""
    dear = streams(start(), opens(), delta("Dear."), CLOSES, ends(output_tokens=8_300))
    claude.play(says("Cheap."), dear)
    knobs = {"RATE_LIMIT": "7/hour", "VISITOR_BUDGET_USD": "0.10"}
    with an_app(claude, port, tmp_path, **knobs) as app, chromium.new_context() as context:
        page = Page(context, app.url.replace("0.0.0.0", "127.0.0.1"))
        allowance = page.browser.locator("#allowance")
        expect(allowance).to_have_text("")
        page.ask("hi")
        page.shows("Sonnet 5.5 · $0.000")
        page.ready()
        expect(allowance).to_have_text("")
        page.ask("more")
        page.shows("Dear.")
        expect(allowance).to_contain_text("$0.01")
