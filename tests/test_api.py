import asyncio
import json
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator

import httpx
import pytest
from gradio_client import Client  # type: ignore[import-untyped]
from gradio_client.exceptions import AppError, ValidationError  # type: ignore[import-untyped]

from streamchat.api.routes import PATH
from streamchat.errors import BrokenOff, RateLimited
from streamchat.events import Done, Event, Text, Thinking, Usage
from streamchat.texts import worded
from tests.application import Application
from tests.scripted_claude import (
    Hold,
    ScriptedClaude,
    breaks,
    delta,
    opens,
    refuses,
    says,
    start,
    streams,
)
from tests.served import EVENTS, HI, Served, served

END = Done("end_turn")


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served() as api:
        yield api


async def test_a_reply_can_be_read_again_from_any_position(api: Served) -> None:
    """Events before the position are not sent again. Positions count all events, also when the
    reply is read as text."""
    location = await api.ask(Usage(25, 1), Text("The"), Thinking("hm"), Text(" Loire."), END)
    assert (await api.client.get(location)).text == "The Loire."
    assert (await api.client.get(f"{location}?after=2")).text == " Loire."
    assert (await api.client.get(location, headers={"last-event-id": "3"})).text == " Loire."
    assert (await api.client.get(location, headers={"last-event-id": "5"})).text == ""
    assert (await api.client.get(location)).headers["location"] == location


async def test_last_event_id_wins_over_the_address(api: Served) -> None:
    """A browser that reconnects to an address with a position goes on after the last event it
    got."""
    location = await api.ask(Text("a"), Text("b"), END)
    assert (await api.client.get(f"{location}?after=0", headers={"last-event-id": "1"})).text == "b"


async def test_a_running_reply_can_be_read_again_too(api: Served) -> None:
    """A client that comes back during an answer gets the rest as it is written."""
    location = await api.ask(Text("The"))
    api.source.say(Text(" Loire"))
    async with api.client.stream("GET", f"{location}?after=1") as answer:
        words = answer.aiter_text()
        assert await anext(words) == " Loire"
        api.source.say(Text("."), END)
        assert [word async for word in words] == ["."]


async def test_a_failed_reply_stays_one(api: Served) -> None:
    """Read again as text, its transfer breaks off again; after the last word it is an error
    status."""
    location = await api.ask(Text("Half"), Text(" an"), BrokenOff())
    async with api.client.stream("GET", f"{location}?after=1") as answer:
        words = answer.aiter_text()
        assert await anext(words) == " an"
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(words)
    for position in (2, 3):
        answer = await api.client.get(f"{location}?after={position}")
        assert (answer.status_code, answer.json()["code"]) == (502, "broken_off")


@pytest.mark.parametrize(
    "position", ["-1", "x", "", "1.0", "1e0", "+1", " 1", "１", "3", "9" * 5000]
)
@pytest.mark.parametrize("running", [True, False])
async def test_an_invalid_position_is_refused(api: Served, position: str, running: bool) -> None:
    """A position must be a number within the log."""
    rest: list[Event | Exception] = [Text("b")] if running else [END]
    location = await api.ask(Text("a"), *rest)
    for headers in ({}, EVENTS):
        answer = await api.client.get(location, params={"after": position}, headers=headers)
        assert (answer.status_code, answer.json().keys()) == (400, {"code", "message"})


async def test_a_forgotten_reply_looks_like_an_unknown_one() -> None:
    """A guessed id and an expired one get the same answer, for reading and for stopping."""
    async with served(keep=0) as api:
        expired = await api.ask(Text("a"), END)
        answers = [
            await api.client.request(method, location)
            for method in ("GET", "DELETE")
            for location in (expired, f"{PATH}/guessed")
        ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].json()["code"] == "unknown_reply"


async def test_stop_ends_a_reply_and_a_second_one_does_nothing(api: Served) -> None:
    """Stop is idempotent: the text so far can still be read, and the source is closed."""
    location = await api.ask(Text("Half an"))
    assert [(await api.client.delete(location)).status_code for _ in range(2)] == [204, 204]
    assert (await api.client.get(location)).text == "Half an"
    assert '"reason": "stopped"' in await api.again(location)
    assert api.source.closed


async def test_a_refusal_has_its_reason_and_a_time(api: Served) -> None:
    """A refusal comes before anything is spent: a status, a code and a sentence, in both forms."""
    api.source.refusal = RateLimited(retry_after=12.1)
    for headers in ({}, EVENTS):
        answer = await api.client.post(PATH, json=HI, headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "13")
        assert answer.json() == {"code": "rate_limited", "message": worded(RateLimited())}


async def test_a_bug_is_logged_without_what_people_wrote(
    api: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a sentence, and the log a trace without anybody's words."""
    api.source.refusal = ValueError("the visitor's secret")
    answer = await api.client.post(PATH, json=HI)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text + answer.text


async def test_health_says_who_answers_and_how_many_replies_run(api: Served) -> None:
    """One address is enough for a monitor."""
    location = await api.ask(Text("a"))
    assert (await api.client.get("/api/health")).json() == {"source": "the hand", "running": 1}
    await api.client.delete(location)
    await (await api.reply(location)).closed()
    assert (await api.client.get("/api/health")).json() == {"source": "the hand", "running": 0}


CALLS = [
    ("POST", PATH),
    ("GET", f"{PATH}/x"),
    ("DELETE", f"{PATH}/x"),
    ("GET", "/api/health"),
    ("GET", "/api/options"),
]


def basic(login: str) -> str:
    return f"Basic {b64encode(login.encode()).decode()}"


@pytest.mark.parametrize(
    "given",
    [None, "", "Basic", "Basic ?", "Bearer x", basic("eva:secret"), basic("eva:"), "Basic é"],
)
async def test_with_a_login_nothing_is_answered_without_it(given: str | None) -> None:
    """Every route asks for user and password first."""
    async with served(("eva", "gehéim:x")) as api:
        headers = {} if given is None else {b"authorization": given.encode()}
        for method, path in CALLS:
            answer = await api.client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "login_required")
            assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_with_the_login_all_is_as_without_one() -> None:
    """HTTP Basic, as `curl -u` sends it, opens every route."""
    async with served(("eva", "gehéim:x")) as api:
        answers = [
            await api.client.request(*call, headers={"authorization": basic("eva:gehéim:x")})
            for call in CALLS
        ]
        assert [answer.status_code for answer in answers] == [415, 404, 404, 200, 200]


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "https://other.hf.space"},
    {"origin": "http://elsewhere.example"},
    {"origin": "null"},
    {"origin": "http://["},
]
OWN = [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_no_other_sites_page_spends_the_owners_money(
    api: Served, headers: dict[str, str]
) -> None:
    """A cross-site request from a browser is refused, although Gradio's CORS would allow it."""
    answer = await api.client.post(PATH, json=HI, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")
    assert api.source.asked == []


@pytest.mark.parametrize("headers", OWN)
async def test_the_own_page_and_programs_may_ask(api: Served, headers: dict[str, str]) -> None:
    """Requests without Sec-Fetch-Site, and those of the chat's own origin, are let in."""
    api.source.say(END)
    assert (await api.client.post(PATH, json=HI, headers=headers)).status_code == 200


async def test_the_own_page_may_ask_without_https(api: Served) -> None:
    """In a local network without https a browser sends only the page's origin, which is enough."""
    api.source.say(END)
    headers = {"origin": f"http://127.0.0.1:{api.port}"}
    assert (await api.client.post(PATH, json=HI, headers=headers)).status_code == 200


async def test_a_prefix_before_all_paths_is_before_the_replys_too(api: Served) -> None:
    """A reply's address includes the prefix under which a proxy serves the chat."""
    api.source.say(END)
    api.app.root_path = "/chat"
    assert (await api.client.post(PATH, json=HI)).headers["location"].startswith(f"/chat{PATH}/")


async def test_the_docs_describe_every_route(api: Served) -> None:
    """Each route has a sentence, its errors, and its body with examples."""
    paths = (await api.client.get("/openapi.json")).json()["paths"]
    assert sorted((method.upper(), path) for path in paths for method in paths[path]) == sorted(
        (method, path.replace("/x", "/{reply_id}")) for method, path in CALLS
    )
    assert all(operation["description"] for path in paths.values() for operation in path.values())
    ask = paths[PATH]["post"]
    assert ask["requestBody"]["content"]["application/json"]["examples"]["message"]
    assert {"text/plain", "text/event-stream"} <= ask["responses"]["200"]["content"].keys()
    assert {"400", "403", "413", "415", "422", "429", "503"} <= ask["responses"].keys()


@pytest.fixture
def curl() -> str:
    path = shutil.which("curl")
    assert path, "There is no curl: install the package curl."
    return path


async def run(*command: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.process
async def test_curl_reads_along(api: Served, curl: str) -> None:
    """`curl -N` shows each word as it comes and exits after the answer."""
    arguments = ["-sN", api.url, "-H", "content-type: application/json", "-d", json.dumps(HI)]
    api.source.say(Text("The"))
    process = await asyncio.create_subprocess_exec(curl, *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    assert await process.stdout.read(3) == b"The"
    api.source.say(Text(" Loire."), END)
    assert await process.stdout.read() == b" Loire."
    assert await process.wait() == 0


@pytest.mark.process
async def test_curl_sees_that_an_answer_is_not_whole(api: Served, curl: str) -> None:
    """An answer that broke off is curl's exit code 18, partial file; an error status is 22."""
    half = await api.ask(Text("Half an"), BrokenOff())
    assert await run(curl, "-sf", f"http://127.0.0.1:{api.port}{half}") == (18, "Half an")
    assert await run(curl, "-sf", f"http://127.0.0.1:{api.port}{half}?after=1") == (22, "")


def test_stop_reaches_claude(app: Application, page_claude: ScriptedClaude) -> None:
    """DELETE closes the connection to Claude."""
    page_claude.play(streams(start(), opens(), delta("Half an answer"), Hold()))
    with (
        httpx.Client(base_url=app.url, timeout=20) as client,
        client.stream("POST", PATH, json=HI) as answer,
    ):
        words = answer.iter_text()
        assert next(words) == "Half an answer"
        assert client.delete(answer.headers["location"]).status_code == 204
        assert page_claude.exchange(0).gone.wait(10)
        assert list(words) == []


@pytest.mark.process
def test_the_whole_app_answers_as_the_routes_do(claude: ScriptedClaude) -> None:
    """Behind the page's port too, words are not held back, a broken transfer stays broken, and no
    traceback is printed."""
    hold = Hold()
    claude.play(streams(start(), opens(), delta("Half"), hold, breaks("invalid_request_error")))
    with Application(ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=claude.url) as app:
        with httpx.Client(
            base_url=app.url, timeout=20, headers={"accept-encoding": "br, gzip"}
        ) as client:
            with client.stream("POST", PATH, json=HI) as answer:
                words = answer.iter_text()
                assert next(words) == "Half"
                hold.release()
                with pytest.raises(httpx.RemoteProtocolError):
                    next(words)
            claude.play(refuses(401, "authentication_error"))
            assert client.post(PATH, json=HI).json()["code"] == "unavailable"
        app.interrupt()
        assert "Traceback" not in app.output()


def test_the_docs_of_the_whole_app_list_the_routes(app: Application) -> None:
    """/docs is a page, and the description behind it has every route."""
    assert httpx.get(f"{app.url}/docs").headers["content-type"].startswith("text/html")
    assert httpx.get(f"{app.url}/openapi.json").json()["paths"].keys() >= {
        PATH,
        PATH + "/{reply_id}",
        "/api/health",
    }


@pytest.mark.parametrize(
    "call", [("GET", PATH), ("PUT", f"{PATH}/x"), ("GET", f"{PATH}/a/b"), ("POST", "/api/nothing")]
)
def test_no_program_is_answered_with_a_page(app: Application, call: tuple[str, str]) -> None:
    """A wrong method or address under /api gets a status with JSON."""
    answer = httpx.request(*call[:1], f"{app.url}{call[1]}")
    assert answer.status_code in (404, 405)
    assert answer.json()


@pytest.mark.process
def test_a_login_guards_page_and_routes(claude: ScriptedClaude) -> None:
    """One setting protects both: the page has a form, the routes use HTTP Basic."""
    setting = "eva:gehéim, ja"
    with Application(
        ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=claude.url, STREAMCHAT_AUTH=setting
    ) as app:
        assert httpx.get(f"{app.url}/config").status_code == 401
        assert httpx.post(f"{app.url}{PATH}", json=HI).status_code == 401
        assert (
            httpx.post(f"{app.url}{PATH}", json=HI, auth=("eva", "gehéim, ja")).text
            == "Hello there"
        )


def test_gradios_own_client_streams_and_cancels(
    app: Application, page_claude: ScriptedClaude
) -> None:
    """gradio_client reads the stream, and its cancel closes the connection to Claude."""
    page_claude.play(
        says("Hello", " there"), streams(start(), opens(), delta("Half an answer"), Hold())
    )
    client = Client(app.url, verbose=False)
    assert client.predict("hi", api_name="/chat") == "Hello there"
    job = client.submit("hi", api_name="/chat")
    assert next(filter(None, job)) == "Half an answer"
    assert job.cancel()
    assert page_claude.exchange(1).gone.wait(10)


ENDS_EARLY = {
    "at its longest length": says("Half", reason="max_tokens"),
    "for a reason of a later Claude": says("Half", reason="a_new_one"),
    "with a refusal": says("Half", reason="refusal"),
    "without a word": says(),
    "with an error": streams(start(), opens(), delta("Half"), breaks("invalid_request_error")),
}


@pytest.mark.parametrize("end", ENDS_EARLY)
def test_gradios_own_client_is_told_of_an_answer_that_is_not_whole(
    app: Application, page_claude: ScriptedClaude, end: str
) -> None:
    """A partial answer is followed by an error, and its text can still be read."""
    page_claude.play(ENDS_EARLY[end])
    job = Client(app.url, verbose=False).submit("hi", api_name="/chat")
    with pytest.raises(AppError):
        job.result(timeout=30)
    assert set(filter(None, job.outputs())) <= {"Half"}


def test_gradios_own_client_asks_a_refused_question_once(
    app: Application, page_claude: ScriptedClaude
) -> None:
    """A refused question is no part of the conversation; a message that is no text is refused and
    breaks nothing."""
    page_claude.play(refuses(401, "authentication_error"), says("Hello"), says("Again"))
    client = Client(app.url, verbose=False)
    with pytest.raises(AppError):
        client.predict("hi", api_name="/chat")
    with pytest.raises(ValidationError, match="has to be a text"):
        client.predict({"no": "text"}, api_name="/chat")
    assert [client.predict(question, api_name="/chat") for question in ("hi", "and?")] == [
        "Hello",
        "Again",
    ]
    assert page_claude.exchange(2).said == [
        ("user", "hi"),
        ("assistant", "Hello"),
        ("user", "and?"),
    ]
    assert not [line for line in app.lines if "Traceback" in line]
