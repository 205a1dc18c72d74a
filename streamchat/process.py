"""A process that serves one chat until SIGINT or SIGTERM."""

import gc
import logging
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

from streamchat import owner
from streamchat.console import fail, say
from streamchat.listener import Listener, StartFailed
from streamchat.server import Running, StreamChat


class Stopped(BaseException):
    """A signal came before the chat was served."""


class Process:
    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._running: Running | None = None

    def run(self, app: StreamChat, listener: Listener, *, share: bool | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        try:
            self._running = launched(app, listener, share=share)
            tune_garbage_collection()
            announce(app, self._running)
            self._wait(self._running)
        except Stopped:
            pass
        say("\nStopping.")
        self._close()

    def _stop(self, *_: object) -> None:
        self._stopping.set()
        if self._running is None:
            raise Stopped

    def _wait(self, running: Running) -> None:
        while not self._stopping.wait(1):
            if not running.is_alive:
                raise fail("the server has ended by itself.")

    def _close(self) -> None:
        """The server's thread ends with the process; Gradio's close waits 5 s and shows an error."""
        if self._running:
            self._running.farewell()
        logging.shutdown()
        sys.stdout.flush()
        # Gradio ends the tunnel of a share link as the interpreter exits
        if not (self._running and self._running.share_url):
            # which takes a second to tidy up what the system tidies up anyway
            os._exit(0)


def launched(app: StreamChat, listener: Listener, *, share: bool | None) -> Running:
    try:
        return app.launch(listener, share=share)
    except StartFailed as error:
        raise fail(f"{explained(error.__cause__)}.") from None


def explained(error: BaseException | None) -> str:
    """The cause in a sentence; for an unforeseen error, its place in the program."""
    if error is None:
        return "the server ended before it had started"
    if isinstance(error, OSError):
        return f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: {error}"


def tune_garbage_collection() -> None:
    """What exists after the start stays; a frame makes thousands of values and hardly any cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def announce(app: StreamChat, running: Running) -> None:
    say(f"StreamChat is at {running.url}")
    if running.share_url:
        say(f"and for everybody at {running.share_url}")
    if app.settings.owner_password:
        say(f"Its owner's page is at {running.url}{owner.PATH.lstrip('/')}")
    say(f"{app.chat.source.name} answers. Stop with Ctrl-C.")


def log_to_stderr() -> None:
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    replies = logging.getLogger("streamchat.telemetry")
    replies.setLevel(logging.INFO)
    # bare lines of JSON
    replies.addHandler(logging.StreamHandler())
    replies.propagate = False
