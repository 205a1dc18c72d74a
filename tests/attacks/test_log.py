"""Attacks on the log: words, keys or forged lines in it, and floods of lines."""

import io
import json
import logging
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamchat.errors import trace
from streamchat.system.logs import Discreet, Escaping, Guarded, Places
from tests.application import ROOT, Application
from tests.hand import Ticking
from tests.scripted_claude import ScriptedClaude, breaks, event, refuses, start, streams

CANARY = "canary4711"
KEY = f"sk-ant-{CANARY}-0123456789"
FORGED = '{"event": "reply", "visitor": "forged", "cost": 999.0}'
RUN, JOIN, ASK = "/gradio_api/run/x", "/gradio_api/queue/join", "/api/streaming-chat"
SESSION = "abcdefghij"


@pytest.fixture(scope="module")
def app() -> Iterator[Application]:
    with Application(
        cwd=ROOT, STREAMCHAT_RATE_LIMIT="off", STREAMCHAT_OWNER_PASSWORD="sesame-open"
    ) as application:
        application.wait_for("Stop with Ctrl-C")
        yield application


def events(data: list[Any], **fields: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same values for each event, queued and not."""
    for number in [*range(60), -1, 999]:
        event = {"fn_index": number, "session_hash": SESSION, "data": data, **fields}
        yield from ((RUN, event), (JOIN, event))


def requests() -> Iterator[tuple[str, Any]]:
    yield from events([KEY])
    yield from events([[{"role": "user", "content": CANARY}]])
    yield from events(
        [{"text": CANARY, "files": [CANARY]}], event_data={"index": CANARY, "value": CANARY}
    )
    yield from events([CANARY] * 9, trigger_id=CANARY)
    for body in (CANARY, [CANARY], {"message": [CANARY]}, {"message": CANARY, CANARY: CANARY}):
        yield from ((ASK, body), (RUN, body), (JOIN, body))


def odd_lines() -> Iterator[bytes]:
    """Requests that a well-behaved client cannot send."""
    word = CANARY.encode()
    yield b"GET /" + word + b"\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield b"GET /%0A" + word + b"%0D%0A HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield word + b"\r\n\r\n"
    yield b"GET / HTTP/9.9 " + word + b"\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: localhost\r\n" + word + b"\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: " + word + b"\r\nX-Api-Key: \x00" + word + b"\r\n\r\n"
    yield (
        b"POST /api/streaming-chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
        + word
        + b"\r\n\r\n"
    )
    yield (
        b"POST /api/streaming-chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:"
        b" chunked\r\n\r\n" + word
    )


def send_all(url: str) -> int:
    number = 0
    # what goes wrong closes the connection
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=url, timeout=30, limits=limits) as client:
        for path, body in requests():
            client.post(path, json=body, headers=[(b"x-api-key", f"{KEY} ü".encode())])
            number += 1
        for path in (
            f"/{CANARY}",
            f"/gradio_api/custom_component/x%0A{FORGED}%0A/client/component/f",
            f"/owner/{CANARY}",
        ):
            client.get(path)
            client.get(
                path,
                params={"deep_link": f"{CANARY}\n{FORGED}", "session_hash": f"{CANARY}\n{FORGED}"},
            )
            number += 2
    host, port = httpx.URL(url).host, httpx.URL(url).port
    assert port
    for line in odd_lines():
        with socket.create_connection((host, port), timeout=10) as connection:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError):
                connection.recv(1_000)
        number += 1
    return number


def test_nothing_that_a_visitor_sends_is_in_the_log(app: Application) -> None:
    """Hundreds of bad requests leave no word, key or line of a visitor in the log."""
    assert send_all(app.url) > 500
    httpx.post(f"{app.url}{ASK}", json={"message": CANARY}, timeout=60)
    app.interrupt()
    printed = app.output()
    assert CANARY not in printed
    assert "forged" not in printed
    assert "Traceback" not in printed
    lines = [line for line in printed.splitlines() if not line.startswith("{")]
    assert len(lines) < 40
    replies = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert {reply["event"] for reply in replies} == {"reply"}
    assert replies[-1]["words"] > 0


@pytest.mark.process
def test_claudes_repetition_of_a_visitors_words_is_not_logged(claude: ScriptedClaude) -> None:
    """Claude's refusals and broken events do not bring a visitor's words or key into the log."""
    claude.play(
        refuses(400, "invalid_request_error", f"messages.0: {CANARY}, key {KEY}"),
        streams(
            start(),
            event("content_block_delta", index=0, delta={"type": "text_delta", "text": [CANARY]}),
        ),
        streams(start(), f"event: content_block_delta\ndata: {{{CANARY}\n\n".encode()),
        streams(breaks("invalid_request_error", CANARY)),
    )
    knobs = {
        "ANTHROPIC_API_KEY": "sk-owner",
        "ANTHROPIC_BASE_URL": claude.url,
        "STREAMCHAT_OWN_KEYS": "on",
    }
    with Application(cwd=ROOT, **knobs) as app:
        for key in (KEY, ""):
            httpx.post(
                f"{app.url}{ASK}", json={"message": CANARY}, headers={"x-api-key": key}, timeout=60
            )
        app.interrupt()
        printed = app.output()
    assert len(claude.exchanges) == 4
    assert CANARY not in printed


def failing() -> ValueError:
    try:
        int(CANARY)
    except ValueError as error:
        return error
    raise AssertionError


def formatted(
    name: str,
    message: str,
    *args: Any,
    error: Exception | None = None,
    clock: Ticking | None = None,
) -> str:
    """The line of the log; empty if there is none."""
    record = logging.LogRecord(name, logging.ERROR, "/x/server/http.py", 7, message, args, None)
    if error:
        record.exc_info = (type(error), error, error.__traceback__)
    shown = Discreet(Places(clock=clock or Ticking())).filter(record)
    return Escaping("%(levelname)s: %(message)s").format(record) if shown else ""


@pytest.mark.parametrize(
    "name", ["uvicorn.error", "asyncio", "py.warnings", "root", "gradio", "of_the_future"]
)
@pytest.mark.parametrize("error", [None, failing()], ids=["message", "traceback"])
def test_other_peoples_records_have_their_place_only(name: str, error: Exception | None) -> None:
    """A library's record is logged as its file and line, without its message."""
    line = formatted(name, f"Invalid request: {CANARY} %s", CANARY, error=error)
    assert CANARY not in line
    assert name in line
    assert ("test_log.py, line" if error else "server/http.py, line 7") in line
    assert ("ValueError" in line) == bool(error)


def test_our_own_records_keep_their_sentence() -> None:
    """The chat's own records keep their message, without the messages of exceptions."""
    assert formatted("streamchat.store", "The disk is %s.", "full") == "ERROR: The disk is full."
    line = formatted("streamchat", "It failed", error=failing())
    assert line.startswith("ERROR: It failed: ValueError at attacks/test_log.py, line ")
    assert CANARY not in line


@pytest.mark.parametrize(
    "sign", ["\n", "\r", "\r\n", "\x1b[2J", "\x00", "\x85", "\u2028", "\u2029", "\v", "\f"]
)
def test_no_sign_begins_a_new_line(sign: str) -> None:
    """Control characters in a record neither begin a line nor colour the terminal."""
    line = formatted("streamchat", "A name: %s", f"a{sign}{FORGED}")
    assert len(line.splitlines()) == 1
    assert sign not in line


def test_each_place_is_told_once_a_minute() -> None:
    """Repeated records from one line of code are logged once a minute."""
    clock = Ticking()
    places = Places(clock=clock)
    told = []
    for clock.now in range(600):
        told += [place for place in ("a", "b") if places.are_due(place)]
    assert told == ["a", "b"] * 10


def foreign(code: str, **names: Any) -> Callable[[], None]:
    """A function in a module that is not the chat's."""
    module = {"__name__": "gradio.queueing", "traceback": traceback, "sys": sys, **names}
    exec(compile(code, "/site-packages/gradio/queueing.py", "exec"), module)
    return module["printing"]  # type: ignore[no-any-return]


PRINTS = {
    "print": "def printing():\n print(word)",
    "print to stderr": "def printing():\n print(word, file=sys.stderr)",
    "write": "def printing():\n sys.stderr.write(word)",
    "print_exc": (
        "def printing():\n try:\n  raise ValueError(word)\n except ValueError:\n "
        " traceback.print_exc()"
    ),
    "print_stack": "def printing():\n traceback.print_stack()",
}


@pytest.mark.parametrize("code", PRINTS.values(), ids=PRINTS)
def test_libraries_output_is_logged_as_its_place(
    code: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A traceback that Gradio prints is logged once, as its file and line."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", Guarded(out, Places()))
    monkeypatch.setattr(sys, "stderr", Guarded(err, Places()))
    for _ in range(3):
        foreign(code, word=CANARY)()
    (line,) = caplog.messages
    assert out.getvalue() + err.getvalue() == ""
    assert CANARY not in line
    assert "gradio/queueing.py, line" in line
    assert ("ValueError" in line) == ("ValueError" in code)


def test_our_own_output_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chat's address reaches the owner's terminal."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", Guarded(out, Places()))
    exec("print('StreamChat is at')", {"__name__": "streamchat.console", "print": print})
    assert out.getvalue() == "StreamChat is at\n"


def test_a_trace_is_one_line_without_a_message() -> None:
    """An unexpected exception is logged in one line: its type and its places, the innermost first."""
    line = trace(failing())
    assert line.startswith(f"ValueError at {Path(__file__).name}:")
    assert len(line.splitlines()) == 1
    assert CANARY not in line


@pytest.mark.process
def test_a_link_that_is_slow_to_come_leaves_the_log_guarded() -> None:
    """While the chat waits for its public link, broken requests make one line of the log."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Application("--share", cwd=ROOT, HTTPS_PROXY=address(silent)) as app,
    ):
        url = httpx.URL(app.url)
        silent.settimeout(60)
        waiting, _ = silent.accept()
        for _ in range(50):
            with socket.create_connection((url.host, url.port or 0), timeout=10) as connection:
                connection.sendall(b"rubbish\r\n\r\n")
                assert b"400" in connection.recv(1_000)
        waiting.close()
        app.interrupt()
        assert app.output().count("WARNING") <= 1


def address(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"
