"""Sentences for the person who starts the program, even if nobody reads the terminal."""

import os
import sys
from io import TextIOWrapper
from typing import TextIO

STANDARD = (0, 1, 2)


def say(line: str) -> None:
    print(line, flush=True)


def fail(sentence: str) -> SystemExit:
    """Prints why the program ends; raise its result."""
    print(f"StreamChat cannot start: {sentence}", file=sys.stderr, flush=True)
    return SystemExit(2)


class Stream(TextIOWrapper):
    """A stream that drops its text if its reader has left or its disk is full."""

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
        """Sends all buffered and further text to the null device."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def open_streams() -> None:
    """Makes stdout and stderr safe to write to if they are closed, broken or full. A closed one is
    opened first: otherwise the next file or socket would get its number, and the printed text."""
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
