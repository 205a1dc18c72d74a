"""The whole chat, served in the process of the test."""

import asyncio

import httpx
import pytest

from streamchat.server import create
from streamchat.settings import Settings

QUESTION = {"message": "hi"}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    return Settings(data_dir="")


def ask(url: str) -> httpx.Response:
    return httpx.post(f"{url}api/streaming-chat", json=QUESTION, timeout=20)


def test_two_chats_run_side_by_side(settings: Settings) -> None:
    """Two chats in one process have a port and replies each, and one goes on when the other ends."""
    with create(settings).launch(port=0) as first:
        with create(settings).launch(port=0) as second:
            assert first.url != second.url
            answer = ask(second.url)
            assert httpx.get(f"{first.url}{answer.headers['location'][1:]}").status_code == 404
        assert "demo" in ask(first.url).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(first.url)


def test_nothing_runs_before_the_launch(settings: Settings) -> None:
    """A chat that has been put together has started no event loop and opened no port."""
    app = create(settings)
    assert not app.page.is_running
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
