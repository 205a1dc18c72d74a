import json
import signal
import socket
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import BrowserContext

from tests.application import ROOT, Application
from tests.page import Page
from tests.scripted_claude import Hold, ScriptedClaude, delta, opens, start, streams


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_without_a_key_the_demo_answers(context: BrowserContext) -> None:
    """One command, no key: the page is there, says who answers, and answers."""
    with Application() as app:
        page = Page(context, app.url)
        assert app.wait_for("(.*) answers") == "The demo"
        page.ask("Hello")
        page.shows("demo")


def test_with_a_key_claude_answers(claude: ScriptedClaude) -> None:
    """A key in the environment is all it takes, and it is not printed."""
    with Application(ANTHROPIC_API_KEY=" sk-secret\n", ANTHROPIC_BASE_URL=claude.url) as app:
        assert app.wait_for("(.*) answers") == "Claude (claude-sonnet-5-5)"
        assert "sk-secret" not in "".join(app.lines)


def test_a_key_that_claude_rejects_is_said_at_the_start(claude: ScriptedClaude) -> None:
    """Whoever starts the app with a wrong key need not wait for a visitor to find out."""
    claude.models_status = 401
    with Application(ANTHROPIC_API_KEY="sk-wrong", ANTHROPIC_BASE_URL=claude.url) as app:
        assert app.wait_for("does not accept the API key")


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"VISITOR_BUDGET_USD": "0.1"}, "STREAMCHAT_VISITOR_BUDGET_USD is 0.1"),
        ({"DAILY_BUDGET_USD": "0.1"}, "STREAMCHAT_DAILY_BUDGET_USD is 0.1"),
        ({"MODEL": "claude-new-6", "MAX_TOKENS": "64000", "VISITOR_BUDGET_USD": "0.5"}, "STREAMCHAT_MAX_TOKENS"),
    ],
)
def test_a_budget_that_no_answer_fits_into_is_said_at_the_start(
    claude: ScriptedClaude, knobs: dict[str, str], said: str
) -> None:
    """Whoever sets less money aside than one answer may cost reads which settings are at odds; programs read why."""
    settings = {f"STREAMCHAT_{name}": value for name, value in knobs.items()}
    with Application(cwd=ROOT, ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=claude.url, **settings) as app:
        assert said in app.wait_for("(Nobody can ask Claude.*)")
        call = httpx.post(f"{app.url}/api/streaming-chat", json={"message": "hi"})
    assert (call.status_code, call.json()["code"], call.headers.get("retry-after")) == (413, "too_dear", None)
    assert claude.exchanges == []


@pytest.mark.parametrize("knobs", [{}, {"STREAMCHAT_DAILY_BUDGET_USD": "0"}])
def test_a_budget_that_is_meant_is_no_mistake(claude: ScriptedClaude, knobs: dict[str, str]) -> None:
    """What is set by default needs no warning, nor does no money at all, with which the demo answers."""
    with Application(cwd=ROOT, ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=claude.url, **knobs) as app:
        assert app.wait_for("(.*) answers")
        assert "Nobody" not in "".join(app.lines)


BAD = {
    "STREAMCHAT_MAX_TOKENS": "many",
    "STREAMCHAT_EFFORT": "huge",
    "STREAMCHAT_MODLE": "claude-opus-5-5",
    "ANTHROPIC_API_KEY": "sk-schlüssel",
    "STREAMCHAT_DAILY_BUDGET_USD": "inf",
    "GRADIO_SERVER_PORT": "abc",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_setting_is_named_and_ends_the_start(name: str) -> None:
    """A setting that cannot be used is named, in a sentence and not a traceback, with exit code 2."""
    with Application(cwd=ROOT, **{name: BAD[name]}) as app:
        output = app.output()
        assert app.process.returncode == 2
    assert name in output
    assert "Traceback" not in output
    assert "schlüssel" not in output


@pytest.mark.parametrize("port", ["99999", "0", ""])
def test_a_port_of_gradios_that_is_none_is_named(port: str) -> None:
    """Gradio's own variable is read before Gradio trips over it."""
    with Application(cwd=ROOT, GRADIO_SERVER_PORT=port) as app:
        assert app.output() == (
            f"StreamChat cannot start: GRADIO_SERVER_PORT is {port!r}, but ports are numbers from 1 to 65535.\n"
        )
        assert app.process.returncode == 2


def test_a_taken_port_is_said_in_a_sentence(taken_port: int) -> None:
    """The person reads which port is taken and what to do."""
    with Application("--port", str(taken_port)) as app:
        assert f"port {taken_port} is in use by another program. Choose another one with --port." in app.output()
        assert app.process.returncode == 2


@pytest.mark.parametrize("arguments", [("--host", "no.such.host.invalid"), ("--port", "99999"), ("--port", "x")])
def test_an_impossible_address_is_said_in_a_sentence(arguments: tuple[str, str]) -> None:
    """An address that cannot be listened on ends the start with exit code 2 and without a traceback."""
    with Application(*arguments) as app:
        assert "Traceback" not in app.output()
        assert app.process.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_two_seconds_and_lets_claude_go(
    claude: ScriptedClaude, context: BrowserContext, number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM end running replies with a reason that the page shows, and close Claude's connections."""
    claude.play(streams(start(), opens(), delta("Half an answer"), Hold()))
    with Application(ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=claude.url) as app:
        pages = [Page(context, app.url) for _ in range(3)]
        for page in pages:
            page.ask("hi")
            page.shows("Half an answer")
        code, seconds = app.interrupt(number)
        assert (code, seconds < 2) == (0, True)
        assert all(exchange.gone.wait(1) for exchange in claude.exchanges)
        for page in pages:
            page.shows("Interrupted: the server was stopped.")
            page.shows("Half an answer")
        assert "Traceback" not in app.output()


def test_sixty_people_all_see_their_first_word(claude: ScriptedClaude) -> None:
    """Sixty people ask at once while no answer ends: each sees the first word, none waits for another's end."""
    claude.play(streams(start(), opens(), delta("First word"), Hold()))
    with (
        Application(
            ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=claude.url, STREAMCHAT_DAILY_BUDGET_USD="100"
        ) as app,
        ThreadPoolExecutor(60) as people,
    ):
        url = app.url
        assert all(people.map(lambda number: first_word(url, f"question {number}"), range(60), timeout=60))
        assert len(claude.exchanges) == 60


def first_word(url: str, question: str) -> bool:
    """Asks over the page's own protocol and reads until the first word is there."""
    asked = json.dumps({"data": [question]}).encode()
    call = urllib.request.Request(f"{url}/gradio_api/call/chat", asked, {"content-type": "application/json"})
    with urllib.request.urlopen(call, timeout=60) as response:
        event = response.read().decode().split('"')[3]
    with urllib.request.urlopen(f"{url}/gradio_api/call/chat/{event}", timeout=60) as stream:
        return any(b"First word" in line for line in stream)


def test_gradio_reloads_it() -> None:
    """`gradio app.py` runs the app from the name `demo`, and the signals it handles do no harm there."""
    with Application(command=(sys.executable, "-c", "from gradio.cli import cli; cli()", "app.py")) as app:
        assert app.wait_for("(.*) answers") == "The demo"
        app.interrupt()
        output = app.output()
    assert "StreamChat is at http" in output
    assert "Traceback" not in output
