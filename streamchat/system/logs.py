"""Logs other people's messages as the place where something went wrong, without their words.

Messages and tracebacks of Gradio, its server and other libraries may repeat what a visitor sent.
"""

import io
import logging
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TextIO

OURS = ("streamchat", "__main__")
# modules that write for whoever calls them
WRITERS = {"logging", "traceback", "warnings", "contextlib"}
EVERY = 60.0  # seconds
CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")

# the logger of the lines about replies
REPLIES = "streamchat.replies.ended"

logger = logging.getLogger(__name__)


def log_to_stderr() -> None:
    """Sends the log to stderr: sentences, and bare lines of JSON for replies."""
    handler = logging.StreamHandler()
    handler.setFormatter(Escaping("%(levelname)s: %(message)s"))
    handler.addFilter(Discreet())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    replies = logging.getLogger(REPLIES)
    replies.setLevel(logging.INFO)
    lines = logging.StreamHandler()
    lines.setFormatter(Escaping("%(message)s"))
    replies.addHandler(lines)
    replies.propagate = False


def guard_output() -> None:
    """Logs what libraries print, or log by handlers of their own. Call it once all are loaded."""
    for name in list(logging.root.manager.loggerDict):
        if not is_ours(name):
            other = logging.getLogger(name)
            other.handlers.clear()
            other.propagate = True
    places = Places()
    sys.stdout = Guarded(sys.stdout, places)
    sys.stderr = Guarded(sys.stderr, places)


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in OURS


class Places:
    """A filter that passes each place in the code once in so many seconds."""

    def __init__(
        self, *, every: float = EVERY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every = every
        self._clock = clock
        self._next: dict[str, float] = {}

    def are_due(self, place: str) -> bool:
        now = self._clock()
        if now < self._next.get(place, now):
            return False
        self._next[place] = now + self._every
        return True


class Discreet(logging.Filter):
    """Reduces libraries' records to the place, the logger and the error's type."""

    def __init__(self, places: Places | None = None) -> None:
        super().__init__()
        self._places = places or Places()

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        record.exc_info = record.exc_text = record.stack_info = None
        if is_ours(record.name):
            if error:
                record.msg, record.args = "%s: %s", (record.getMessage(), described(error))
            return True
        place = (
            located(error.__traceback__)
            if error
            else f"{shortened(record.pathname)}, line {record.lineno}"
        )
        what = type(error).__name__ if error else "A message"
        record.msg, record.args = "%s of %s at %s", (what, record.name, place)
        return self._places.are_due(f"{record.name} {place}")


class Escaping(logging.Formatter):
    """Formats each record as one line, so that nobody can forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        return CONTROL.sub(
            lambda sign: sign[0].encode("unicode_escape").decode(), super().format(record)
        )


class Guarded(io.TextIOBase):
    """A stream that passes on our own text, and logs only the place of other code that writes."""

    def __init__(self, stream: TextIO, places: Places) -> None:
        self._stream = stream
        self._places = places

    def write(self, text: str) -> int:
        frame = writer()
        if frame is None or is_ours(frame.f_globals.get("__name__", "")):
            return self._stream.write(text)
        self._report(frame)
        return len(text)

    def _report(self, frame: FrameType) -> None:
        place = f"{shortened(frame.f_code.co_filename)}, line {frame.f_lineno}"
        if self._places.are_due(place):
            logger.warning(
                "%s, which is not shown, was printed at %s", described(sys.exception()), place
            )

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def writer() -> FrameType | None:
    """The frame that writes; None for the interpreter itself, which says why the program ends."""
    frame: FrameType | None = sys._getframe(1)
    while frame and _writes_for_others(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame


def _writes_for_others(module: str) -> bool:
    return module == __name__ or module.partition(".")[0] in WRITERS


def described(error: BaseException | None) -> str:
    return f"{type(error).__name__} at {located(error.__traceback__)}" if error else "A text"


def located(traceback: TracebackType | None) -> str:
    """The innermost place of a traceback."""
    if traceback is None:
        return "an unknown place"
    while traceback.tb_next:
        traceback = traceback.tb_next
    return f"{shortened(traceback.tb_frame.f_code.co_filename)}, line {traceback.tb_lineno}"


def shortened(path: str) -> str:
    """The path reduced to the file and its folder."""
    return "/".join(Path(path).parts[-2:])
