"""A process that serves one chat until SIGINT or SIGTERM."""

import ctypes
import gc
import logging
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path

from streamchat.errors import ChatError
from streamchat.owner import routes as owner
from streamchat.server import Running, StreamChat
from streamchat.settings import Settings
from streamchat.store import NAME as FILE
from streamchat.store import TooNew
from streamchat.system import qrcode
from streamchat.system.console import fail, say
from streamchat.system.environment import on_spaces
from streamchat.system.listener import Listener, StartFailed
from streamchat.system.logs import guard_output


class Stopped(BaseException):
    """A signal came while the program was still starting."""


# seconds after a signal at which a start ends that has lost the exception, as in a callback of the
# interpreter
LATEST = 5.0
M_MMAP_THRESHOLD = -3  # in glibc's malloc.h
# bytes, as glibc has it until it has seen larger ones
LARGE = 128 * 1024
# looks at the server
RETURN_EVERY = 10


class Process:
    """Serves a chat, and checks its server every `pause` seconds."""

    def __init__(self, *, pause: float = 1) -> None:
        self._pause = pause
        self._stopping = threading.Event()
        self._running: Running | None = None
        self._waiting = False

    def run(self, app: StreamChat, listener: Listener, *, share: bool) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        try:
            warn_of_data_elsewhere(app.settings)
            self._running = running = launched(app, listener)
            tune_garbage_collection()
            return_large_buffers()
            guard_output()
            announce(app, listener)
            if share:
                announce_share(running, listener)
            running.when_source_known(partial(announce_source, app.chat.source.name))
            self.wait(running)
        except Stopped:
            pass
        say("\nStopping.")
        self._close()

    def _stop(self, *_: object) -> None:
        self._stopping.set()
        if not self._waiting:
            end_in(LATEST)
            raise Stopped

    def wait(self, running: Running) -> None:
        """Waits for a signal; exits the program if the server ends before one."""
        self._waiting = True
        for look in count(1):
            if self._stopping.wait(self._pause):
                break
            if not running.is_alive:
                raise fail("the server has ended by itself.")
            if look % RETURN_EVERY == 0:
                return_free_memory()

    def _close(self) -> None:
        """Ends the replies and then the process. Gradio's own close would wait 5 s and show an
        error."""
        if self._running:
            self._running.farewell()
        logging.shutdown()
        sys.stdout.flush()
        # Gradio ends the tunnel of a share link as the interpreter exits
        if not (self._running and self._running.share_url):
            # which takes a second to tidy up what the system tidies up anyway
            os._exit(0)


def end_in(seconds: float) -> None:
    timer = threading.Timer(seconds, os._exit, [0])
    timer.daemon = True
    timer.start()


def launched(app: StreamChat, listener: Listener) -> Running:
    try:
        return app.launch(listener)
    except StartFailed as error:
        raise fail(f"{explained(error.__cause__)}.") from None


def explained(error: BaseException | None) -> str:
    """The error's sentence; for an unforeseen error, its place in the program."""
    if error is None:
        return "the server ended before it had started"
    if isinstance(error, TooNew):
        return (
            f"{error.path} was written by a later release of StreamChat; "
            "start that release, or choose another folder with STREAMCHAT_DATA_DIR"
        )
    if isinstance(error, OSError):
        return f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: {error}"


def tune_garbage_collection() -> None:
    """Excludes the objects of the start from garbage collection, and makes collections rarer,
    because frames make many values and hardly any cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def return_large_buffers() -> None:
    """Makes glibc return every freed large buffer to the system. Otherwise it keeps ever larger
    ones, with everything sent in a rush. Other C libraries have no such setting."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)


def return_free_memory() -> None:
    """Makes glibc return the free pages between its small buffers, which it otherwise does only at
    the end of its heap. Takes less than a millisecond. Other C libraries have no such function."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)


def warn_of_data_elsewhere(settings: Settings) -> None:
    """Warns if there are conversations in the folder where an earlier release kept them."""
    folder, earlier = Path(settings.data_folder), Path.cwd() / settings.data_dir
    if settings.data_dir and not is_file(folder / FILE) and is_file(earlier / FILE):
        say(
            f"There are conversations in {earlier}, but they are kept in {folder} now. Move that"
            " folder there."
        )


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def announce(app: StreamChat, listener: Listener) -> None:
    say(f"StreamChat is at {listener.url}")
    if not on_spaces():
        urls = listener.network_urls
        for url in urls:
            say(f"In your network it is at {url}")
        if urls:
            show_code(urls[0])
    if app.settings.owner_password:
        say(f"Its owner's page is at {listener.url}{owner.PATH.lstrip('/')}")


def announce_share(running: Running, listener: Listener) -> None:
    try:
        running.share()
    except Exception:  # noqa: BLE001 (whatever it is, the chat goes on without a link)
        where = (
            "on this machine only" if listener.is_private else "on this machine and in its network"
        )
        say(
            "No public link: Gradio's server for links cannot be reached. The chat is open"
            f" {where}."
        )
    else:
        say(f"For everybody it is at {running.share_url}")
        show_code(running.share_url or "")


def show_code(url: str) -> None:
    """Prints the address as a QR code if the terminal has room for it."""
    if code := qrcode.for_terminal(url):
        say(code)


def announce_source(name: str, error: ChatError | None) -> None:
    """Prints who answers; an error is in the log already."""
    say("Stop with Ctrl-C." if error else f"{name} answers. Stop with Ctrl-C.")
