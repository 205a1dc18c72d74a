"""Sentences for the person who starts the program, who may not be there to read them."""

import os
import sys
from io import TextIOWrapper
from typing import TextIO

STANDARD = (0, 1, 2)


def say(line: str) -> None:
    print(line, flush=True)


def fail(sentence: str) -> SystemExit:
    """Says why the program ends; raise what it returns."""
    print(f"StreamChat cannot start: {sentence}", file=sys.stderr, flush=True)
    return SystemExit(2)


class Stream(TextIOWrapper):
    """A stream whose reader may leave and whose disk may be full: what is written then is lost."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            self._discard()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            self._discard()

    def _discard(self) -> None:
        """Sends what is still buffered, and all that follows, nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def open_streams() -> None:
    """Makes stdout and stderr safe to write to, whether they are closed, broken or full.

    A closed one is opened first, or the next file or socket would get its number and what is
    printed.
    """
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            # takes the lowest number that is free, which is this one
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = stream(sys.stdout, 1)
    sys.stderr = stream(sys.stderr, 2)


def stream(found: TextIO | None, number: int) -> Stream:
    if isinstance(found, Stream):
        return found
    binary = found.buffer if found else os.fdopen(number, "wb", closefd=False)
    encoding = found.encoding if found else "utf-8"
    line_by_line = number == 2 or bool(found and found.isatty())
    return Stream(binary, encoding, "backslashreplace", line_buffering=line_by_line)
