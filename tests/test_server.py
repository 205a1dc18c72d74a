"""The whole chat, served in the process of the test."""

import asyncio
import errno
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio.flagging import CSVLogger

from streamchat.chat.asking import Chat
from streamchat.chat.parties import Sources
from streamchat.server import create
from streamchat.settings import Settings
from streamchat.sources.demo.source import Demo
from streamchat.store.database import NAME as FILE
from streamchat.store.database import Store
from streamchat.system.listener import Listener, StartFailed

QUESTION = {"message": "hi"}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    return Settings(data_dir="")


def ask(url: str) -> httpx.Response:
    return httpx.post(f"{url}api/streaming-chat", json=QUESTION, timeout=20)


def test_two_chats_run_side_by_side(settings: Settings) -> None:
    """Two chats in one process have their own ports and replies, and one survives the other."""
    with create(settings).launch() as first:
        with create(settings).launch() as second:
            assert first.url != second.url
            answer = ask(second.url)
            assert httpx.get(f"{first.url}{answer.headers['location'][1:]}").status_code == 404
        assert "demo" in ask(first.url).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(first.url)


def test_nothing_runs_before_the_launch(settings: Settings) -> None:
    """A chat that is not launched has no open port."""
    assert not create(settings).page.is_running


class SlowChat(Chat):
    """A chat whose start waits for the test."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(Sources(Demo()), Store(settings.data_dir), linger=60, keep=60)
        self.go = threading.Event()
        self.opened = 0

    async def open(self) -> None:
        self.opened += 1
        await asyncio.to_thread(self.go.wait)
        await super().open()


class BrokenChat(Chat):
    def __init__(self, error: Exception) -> None:
        super().__init__(Sources(Demo()), Store(""), linger=60, keep=60)
        self._error = error

    async def open(self) -> None:
        raise self._error


def test_a_slow_start_has_one_server_and_one_loop(settings: Settings) -> None:
    """A start of more than Gradio's 5 s opens the chat once, on its first port."""
    chat = SlowChat(settings)
    app = replace(create(settings), chat=chat)
    listener = Listener.open()
    with ThreadPoolExecutor(1) as threads:
        launch = threads.submit(app.launch, listener)
        with pytest.raises(TimeoutError):
            launch.result(timeout=6)
        chat.go.set()
        running = launch.result(timeout=20)
    with running:
        assert (running.url, chat.opened) == (listener.url, 1)
        assert "demo" in ask(running.url).text


@pytest.mark.parametrize(
    "error", [TypeError("a column too many"), OSError(errno.EROFS, "Read-only")]
)
def test_a_failed_start_is_not_repeated(
    settings: Settings, error: Exception, capfd: pytest.CaptureFixture[str]
) -> None:
    """The error reaches the caller, without another port and without a traceback."""
    app = replace(create(settings), chat=BrokenChat(error))
    with pytest.raises(StartFailed) as failed:
        app.launch()
    assert failed.value.__cause__ is error
    assert "".join(capfd.readouterr()) == ""


def hosts() -> list[str]:
    """The hosts of this machine, which may lack IPv6."""
    found = ["127.0.0.2", "localhost", "::1"]
    for host in list(found):
        try:
            Listener.open(host).close()
        except OSError:
            found.remove(host)
    return found


@pytest.mark.parametrize("host", hosts())
def test_any_host_is_served(settings: Settings, host: str) -> None:
    """The chat listens on each address of its host's name, and Gradio's own check succeeds."""
    with create(settings).launch(Listener.open(host)) as running:
        assert httpx.get(f"{running.url}api/health").status_code == 200


def test_a_port_that_another_host_has_is_free(settings: Settings) -> None:
    """A port counts as taken only on the same host."""
    other = Listener.open("127.0.0.1")
    with create(settings).launch(Listener.open("127.0.0.2", other.port)) as running:
        assert running.url == f"http://127.0.0.2:{other.port}/"
    with pytest.raises(OSError, match="in use"):
        Listener.open("127.0.0.1", other.port)


@pytest.mark.parametrize("how", ["BEGIN EXCLUSIVE", "PRAGMA locking_mode = EXCLUSIVE"])
def test_a_locked_file_does_not_hold_up_the_start(
    settings: Settings, tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With a locked data file the chat answers, and warns that nothing is kept."""
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute(how)
        other.execute("CREATE TABLE IF NOT EXISTS held (x)")
        with create(settings.model_copy(update={"data_dir": str(tmp_path)})).launch() as running:
            assert "demo" in ask(running.url).text
    assert "Conversations will not survive a restart: database is locked" in caplog.text


def test_gradio_makes_nothing_in_shared_memory() -> None:
    """Gradio's examples need no semaphore, which a container may forbid."""
    assert isinstance(CSVLogger().lock, type(threading.Lock()))


def test_gradio_itself_is_as_it_was() -> None:
    """Other Gradio apps in this process are served as usual."""
    with gr.Blocks() as other:
        gr.Markdown("Hello")
    _, url, _ = other.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        assert httpx.get(url).status_code == 200
    finally:
        other.close(verbose=False)
