"""StreamChat: `python app.py` opens the chat, `python app.py --help` says what else it can do."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

load_dotenv(Path(__file__).with_name(".env"))  # before Gradio and the SDK read their variables
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from streamchat.chat import Chat, Source  # noqa: E402
from streamchat.demo import EXAMPLES, Demo  # noqa: E402
from streamchat.settings import Settings, SettingsError  # noqa: E402
from streamchat.ui import CSS, MAX_CHATS, THEME, page  # noqa: E402


def fail(sentence: str) -> SystemExit:
    print(f"StreamChat cannot start: {sentence}", file=sys.stderr)
    return SystemExit(2)


def read_settings() -> Settings:
    try:
        return Settings.read()
    except SettingsError as error:
        raise fail(str(error)) from None


def source_of(settings: Settings) -> Source:
    if not settings.api_key.get_secret_value():
        return Demo()
    from streamchat.claude import Claude  # noqa: PLC0415 (the demo starts without loading the SDK)

    return Claude(settings)


settings = read_settings()
chat = Chat(source_of(settings), linger=settings.linger_seconds)
demo = page(chat, title="StreamChat", examples=EXAMPLES)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="app.py", description="A streaming chat with Claude.")
    parser.add_argument("--host", help="the address to listen on; 0.0.0.0 for the whole network (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to listen on (default: the first free one from 7860)")
    parser.add_argument(
        "--share", action="store_true", default=None, help="make a public link, with your key behind it"
    )
    return parser.parse_args()


class Server:
    """The page on its port until SIGINT or SIGTERM; then the replies end, and Claude's connections with them."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, options: argparse.Namespace) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        self._launch(options)
        while not self._stopping.wait(1):
            pass
        print("\nStopping.")
        self._close()

    def _launch(self, options: argparse.Namespace) -> None:
        try:
            demo.launch(
                server_name=options.host,
                server_port=options.port,
                share=options.share,
                app_kwargs={"lifespan": self._lifespan},
                ssr_mode=False,
                max_threads=MAX_CHATS,
                prevent_thread_lock=True,
                show_error=False,
                quiet=True,
                theme=THEME,
                css=CSS,
                footer_links=["settings"],
            )
        except OSError as error:
            raise fail(f"{error} Is another program using the port? Choose another one with --port.") from None
        print(f"StreamChat is at {demo.local_url}", flush=True)
        if demo.share_url:
            print(f"and for everybody at {demo.share_url}", flush=True)
        print(f"{chat.source.name} answers. Stop with Ctrl-C.", flush=True)

    @asynccontextmanager
    async def _lifespan(self, _: Any) -> AsyncGenerator[None]:
        self._loop = asyncio.get_running_loop()
        opening = asyncio.create_task(chat.source.open())
        yield
        opening.cancel()

    def _close(self) -> None:
        if self._loop:
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(chat.close(), self._loop).result(timeout=1)
        demo.close(verbose=False)


if __name__ == "__main__":
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    Server().run(arguments())
