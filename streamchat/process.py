"""A process that serves one chat until SIGINT or SIGTERM."""

import gc
import logging
import os
import signal
import sys
import threading

from streamchat import owner
from streamchat.command import check_address
from streamchat.console import fail, say
from streamchat.server import Running, StreamChat


class Process:
    def __init__(self) -> None:
        self._stopping = threading.Event()

    def run(self, app: StreamChat, host: str, port: int | None, *, share: bool | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        check_address(host, port or 0)
        try:
            running = app.launch(host, port, share=share)
        except OSError as error:
            raise fail(str(error)) from None
        tune_garbage_collection()
        announce(app, running)
        while not self._stopping.wait(1):
            pass
        say("\nStopping.")
        self._close(running)

    @staticmethod
    def _close(running: Running) -> None:
        """The server's thread ends with the process; Gradio's close waits 5 s and shows an error."""
        running.farewell()
        logging.shutdown()
        sys.stdout.flush()
        # Gradio ends the tunnel of a share link as the interpreter exits
        if not running.share_url:
            # which takes a second to tidy up what the system tidies up anyway
            os._exit(0)


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
