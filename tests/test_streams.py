"""The program when nobody reads what it prints."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.application import OURS, install
from tests.scripted_claude import Hold, ScriptedClaude, delta, opens, start, streams

STREAMS = {
    "stdout closed": (">&-", ""),
    "all closed": ("<&- >&- 2>&-", "1"),
    "stdout full": (">/dev/full", "1"),
    "stdout and stderr full": (">/dev/full 2>&1", ""),
    "stdout broken": ("> >(exit)", "1"),
}


def program(
    claude: ScriptedClaude,
    installation: Path,
    *arguments: str,
    redirected: str = "",
    unbuffered: str = "1",
) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    environment |= {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": claude.url}
    app = (sys.executable, str(install(installation)))
    return subprocess.Popen(
        ["bash", "-c", f'exec "$@" {redirected}', "-", *app, *arguments],
        env=environment | {"PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("redirected", "unbuffered"), STREAMS.values(), ids=STREAMS)
@pytest.mark.process
def test_it_serves_and_says_farewell_to_nobody(
    claude: ScriptedClaude, tmp_path: Path, redirected: str, unbuffered: str
) -> None:
    """With stdout closed, full or broken the chat answers; SIGTERM ends a reply with its reason,
    and the exit code is 0 without a traceback."""
    claude.play(streams(start(), opens(), delta("A word"), Hold()))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    where = ("--port", str(port))
    with program(claude, tmp_path, *where, redirected=redirected, unbuffered=unbuffered) as process:
        answer = answer_until_the_end(f"http://127.0.0.1:{port}", process)
        _, errors = process.communicate(timeout=30)
    assert '"reason": "shutdown"' in answer
    assert process.returncode == 0
    assert "Traceback" not in errors


def answer_until_the_end(url: str, process: subprocess.Popen[str]) -> str:
    """All events of an answer in the middle of which the program gets SIGTERM."""
    transport = httpx.HTTPTransport(retries=8)
    with (
        httpx.Client(base_url=url, transport=transport, timeout=60) as client,
        client.stream(
            "POST",
            "/api/streaming-chat",
            json={"message": "hi"},
            headers={"accept": "text/event-stream"},
        ) as answer,
    ):
        heard = ""
        for text in answer.iter_text():
            if "A word" in text:
                process.send_signal(signal.SIGTERM)
            heard += text
        return heard


@pytest.mark.process
def test_a_reader_who_leaves_ends_nothing(claude: ScriptedClaude, tmp_path: Path) -> None:
    """As in `python app.py | head`: what is printed later is lost, and nothing else."""
    claude.play(streams(start(), opens(), delta("A word"), Hold()))
    with program(claude, tmp_path, "--host", "127.0.0.4") as process:
        assert process.stdout
        assert process.stderr
        url = next(
            line.split()[-1] for line in process.stdout if line.startswith("StreamChat is at")
        )
        process.stdout.close()
        answer = answer_until_the_end(url, process)
        errors = process.stderr.read()
    assert '"reason": "shutdown"' in answer
    assert process.returncode == 0
    assert "Traceback" not in errors
