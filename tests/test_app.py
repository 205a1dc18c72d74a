import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext

from tests.application import OURS, ROOT, Application, free_port, install, usual
from tests.page import Page
from tests.scripted_claude import Hold, ScriptedClaude, delta, opens, start, streams

pytestmark = pytest.mark.process


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_without_a_key_the_demo_answers(context: BrowserContext) -> None:
    """`python app.py` without a key serves the page, says that the demo answers, and answers."""
    with Application(command=usual()) as app:
        page = Page(context, app.url)
        assert app.wait_for("(.*) answers") == "The demo"
        page.ask("Hello")
        page.shows("demo")


def test_with_a_key_claude_answers(claude: ScriptedClaude) -> None:
    """A key in the environment is enough, and is not printed."""
    with Application(ANTHROPIC_API_KEY=" sk-secret\n", ANTHROPIC_BASE_URL=claude.url) as app:
        assert app.wait_for("(.*) answers") == "Claude (claude-sonnet-5-5)"
        assert "sk-secret" not in "".join(app.lines)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "does not accept the API key"),
        (404, "STREAMCHAT_MODEL"),
        (None, "Claude cannot be reached."),
    ],
)
def test_a_claude_that_does_not_answer_is_said_at_the_start(
    claude: ScriptedClaude, status: int | None, sentence: str
) -> None:
    """A wrong key, an unknown model or a missing network is printed in place of "Claude answers",
    and the page is served."""
    claude.models_status = status or 200
    url = claude.url if status else "http://127.0.0.1:9"
    with Application(ANTHROPIC_API_KEY="sk-wrong", ANTHROPIC_BASE_URL=url) as app:
        assert app.wait_for("Stop with Ctrl-C.") == "Stop with Ctrl-C."
        printed = "".join(app.lines)
        assert httpx.get(app.url).status_code == 200
    assert sentence in printed
    assert "answers" not in printed


def test_odd_variables_do_not_disturb_the_start() -> None:
    """The chat starts with unreachable proxies, exceptions that httpx cannot read, and any variable
    of Gradio's; it prints its address for others, and why there is no public link."""
    nowhere = "http://127.0.0.1:9"
    environment = {
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "ALL_PROXY": "socks5://127.0.0.1:9",
    }
    environment |= {"NO_PROXY": "fd00::/8,[::1],example.com", "no_proxy": ""}
    environment |= {
        f"GRADIO_{name}": "True" for name in ("ANALYTICS_ENABLED", "MCP_SERVER", "SHARE")
    }
    environment |= {
        "GRADIO_DEBUG": "1",
        "GRADIO_NUM_WORKERS": "1",
        "GRADIO_SERVER_NAME": "no.such.host.invalid",
    }
    with Application("--host", "0.0.0.0", "--port", free_port(), cwd=ROOT, **environment) as app:
        assert app.wait_for(
            "No public link: .* The chat is open on this machine and in its network.$"
        )
        assert app.wait_for("answers. Stop with Ctrl-C.")
        assert app.url.startswith("http://localhost:")
        network = re.findall(r"^In your network it is at (\S+)", "".join(app.lines), re.MULTILINE)
        assert all(httpx.get(url, trust_env=False).status_code == 200 for url in network)
        app.interrupt()
        assert not re.search("Traceback|WARNING|frpc|[Cc]ould not", app.output())


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"VISITOR_BUDGET_USD": "0.1"}, "STREAMCHAT_VISITOR_BUDGET_USD is 0.1"),
        ({"DAILY_BUDGET_USD": "0.1"}, "STREAMCHAT_DAILY_BUDGET_USD is 0.1"),
        (
            {"MODEL": "claude-new-6", "MAX_TOKENS": "64000", "VISITOR_BUDGET_USD": "0.5"},
            "STREAMCHAT_MAX_TOKENS",
        ),
    ],
)
def test_a_budget_that_no_answer_fits_into_is_said_at_the_start(
    claude: ScriptedClaude, knobs: dict[str, str], said: str
) -> None:
    """The log names the settings that conflict, and programs get the reason."""
    settings = {f"STREAMCHAT_{name}": value for name, value in knobs.items()}
    with Application(
        cwd=ROOT, ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=claude.url, **settings
    ) as app:
        assert said in app.wait_for("(The budget is too small for one answer.*)")
        call = httpx.post(f"{app.url}/api/streaming-chat", json={"message": "hi"})
    assert (call.status_code, call.json()["code"], call.headers.get("retry-after")) == (
        413,
        "too_dear",
        None,
    )
    assert claude.exchanges == []


@pytest.mark.parametrize("knobs", [{}, {"STREAMCHAT_DAILY_BUDGET_USD": "0"}])
def test_an_intended_budget_needs_no_warning(claude: ScriptedClaude, knobs: dict[str, str]) -> None:
    """Neither the default budget nor a budget of 0 causes a warning."""
    with Application(
        cwd=ROOT, ANTHROPIC_API_KEY="sk-test", ANTHROPIC_BASE_URL=claude.url, **knobs
    ) as app:
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
    """A setting that cannot be used is named, in a sentence and not a traceback, with exit code
    2."""
    with Application(cwd=ROOT, **{name: BAD[name]}) as app:
        output = app.output()
        assert app.process.returncode == 2
    assert name in output
    assert "Traceback" not in output
    assert "schlüssel" not in output


@pytest.mark.parametrize("port", ["99999", "0", ""])
def test_a_port_of_gradios_that_is_none_is_named(port: str) -> None:
    """A bad value of Gradio's own variable is named before Gradio reads it."""
    with Application(cwd=ROOT, GRADIO_SERVER_PORT=port) as app:
        assert (
            app.output()
            == f"StreamChat cannot start: GRADIO_SERVER_PORT is {port!r}, but ports are numbers"
            " from 1 to 65535.\n"
        )
        assert app.process.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_two_seconds_and_lets_claude_go(
    claude: ScriptedClaude, context: BrowserContext, number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM end running replies with a reason that the page shows, and close the
    connections to Claude."""
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
    """Sixty people ask at once while no answer ends, and each sees the first word."""
    claude.play(streams(start(), opens(), delta("First word"), Hold()))
    with (
        Application(
            ANTHROPIC_API_KEY="sk-test",
            ANTHROPIC_BASE_URL=claude.url,
            STREAMCHAT_DAILY_BUDGET_USD="100",
        ) as app,
        ThreadPoolExecutor(60) as people,
    ):
        url = app.url
        assert all(
            people.map(lambda number: first_word(url, f"question {number}"), range(60), timeout=60)
        )
        assert len(claude.exchanges) == 60


def first_word(url: str, question: str) -> bool:
    """Asks over the page's own protocol and reads until the first word is there."""
    asked = json.dumps({"data": [question]}).encode()
    call = urllib.request.Request(
        f"{url}/gradio_api/call/chat", asked, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(call, timeout=60) as response:
        event = response.read().decode().split('"')[3]
    with urllib.request.urlopen(f"{url}/gradio_api/call/chat/{event}", timeout=60) as stream:
        return any(b"First word" in line for line in stream)


def test_gradio_reloads_it(tmp_path: Path) -> None:
    """`gradio app.py` runs the app from the name `demo`, whose signal handlers do no harm there."""
    command = (sys.executable, "-c", "from gradio.cli import cli; cli()", "app.py")
    with Application(command=command, cwd=install(tmp_path).parent) as app:
        assert app.wait_for("(.*) answers") == "The demo"
        app.interrupt()
        output = app.output()
    assert "StreamChat is at http" in output
    assert "Traceback" not in output


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A folder with the app, in which a test notices an import of Gradio."""
    (tmp_path / "gradio.py").write_text("raise SystemExit('Gradio was imported')")
    return install(tmp_path).parent


def python(installation: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """The exit code and the output of `python` with these arguments in that folder."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not OURS.match(name) and name not in UNUSABLE
    }
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=installation,
        env={**clean, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return run.returncode, run.stdout


@pytest.mark.parametrize("version", [(3, 10, 12), (3, 9, 0)])
def test_an_older_python_is_said(installation: Path, version: tuple[int, int, int]) -> None:
    """An older Python can read the file, and prints which version is needed."""
    ast.parse((installation / "app.py").read_text("utf-8"), feature_version=(3, 7))
    older = (
        f"import sys, runpy; sys.version_info = {version}; runpy.run_path('app.py',"
        " run_name='__main__')"
    )
    assert python(installation, "-c", older) == (2, "StreamChat needs Python 3.11 or later.\n")


def test_missing_packages_are_said(installation: Path) -> None:
    """Without the packages, the app says how to run it in the virtual environment."""
    code, output = python(installation, "-S", "app.py")
    assert (code, output) == (
        2,
        (
            "StreamChat cannot start: the package fastapi is missing. "
            "Run .venv/bin/python app.py; the README says how to install.\n"
        ),
    )


def test_help_comes_at_once(installation: Path) -> None:
    """`--help` needs no package and no slow import."""
    code, output = python(installation, "-S", "app.py", "--help")
    assert code == 0
    assert {"--host", "--port", "--share"} <= set(re.findall(r"--\w+", output))


@pytest.mark.parametrize("port", ["x", "99999", "0", "-1", "7860.5"])
def test_an_impossible_port_is_said_at_once(installation: Path, port: str) -> None:
    """An impossible port ends the start before any slow import."""
    code, output = python(installation, "app.py", f"--port={port}")
    assert code == 2
    assert output.endswith(f"argument --port: {port} is not a port: these go from 1 to 65535\n")


def test_a_taken_port_is_said_at_once(installation: Path, taken_port: int) -> None:
    """The sentence names the taken port, from an option or from Gradio's variable."""
    taken = (
        f"StreamChat cannot start: port {taken_port} is in use by another program. Choose another"
        " one with --port.\n"
    )
    assert python(installation, "app.py", "--port", str(taken_port)) == (2, taken)
    assert python(installation, "app.py", GRADIO_SERVER_PORT=str(taken_port)) == (2, taken)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "2001:db8::1"])
def test_a_foreign_host_is_said_at_once(installation: Path, host: str) -> None:
    """The sentence names a host that this machine does not have, without a port that nobody
    chose."""
    sentence = f"StreamChat cannot start: {host!r} is no address of this machine.\n"
    assert python(installation, "app.py", "--host", host) == (2, sentence)


UNUSABLE = {
    "SSL_CERT_FILE": "/nowhere/ca.pem",
    "SSL_CERT_DIR": "/nowhere",
    "SSLKEYLOGFILE": "/nowhere/keys",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "all_proxy": "socks4a://eva:secret@127.0.0.1:9",
    "HTTPS_PROXY": "socks5h://127.0.0.1:9",
    "http_proxy": "http://[eva:secret",
    "GRADIO_NUM_PORTS": "many",
    "GRADIO_ANALYTICS_MAX_EVENTS": "",
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_breaking_variable_is_named_at_once(installation: Path, name: str) -> None:
    """A variable that would break Gradio or the SDK is named before either is imported."""
    code, output = python(installation, "app.py", **{name: UNUSABLE[name]})
    assert code == 2
    assert re.fullmatch(f"StreamChat cannot start: {name} is [^\\n]+\\.\\n", output)
    assert "secret" not in output


def test_certificates_in_the_wrong_file_are_said(installation: Path) -> None:
    """A file without certificates is named too."""
    code, output = python(installation, "app.py", SSL_CERT_FILE=str(installation / "app.py"))
    assert (code, output.count("\n")) == (2, 1)
    assert f"SSL_CERT_FILE is '{installation / 'app.py'}', which cannot be used" in output


def test_a_file_of_settings_that_is_no_text_is_said(installation: Path) -> None:
    """The file is named before any slow import."""
    (installation / ".env").write_bytes(b"\xff")
    code, output = python(installation, "app.py")
    assert (code, output) == (
        2,
        (
            f"StreamChat cannot start: {installation / '.env'} is not text in UTF-8. Save it as"
            " UTF-8.\n"
        ),
    )


def test_a_machine_without_temporary_folders_is_said(installation: Path) -> None:
    """The sentence says which folder has to be writable."""
    unwritable = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    start = "import runpy; runpy.run_path('app.py', run_name='__main__')"
    code, output = python(installation, "-c", f"{unwritable}; {start}")
    assert code == 2
    assert (
        "there is no folder for temporary files. Make /tmp writable, or name a folder in TMPDIR."
        in output
    )


def test_the_next_port_is_said(installation: Path) -> None:
    """A second chat on the default port says that there is another one, and which port it takes."""
    with socket.create_server(("127.0.0.3", 7860)):
        _, output = python(installation, "app.py", "--host", "127.0.0.3")
    assert output.splitlines()[:2] == [
        "Port 7860 is taken (another StreamChat?). Using 7861.",
        "Starting...",
    ]
