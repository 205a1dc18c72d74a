"""The QR code of an address, read back module by module."""

import re
import sys
from io import StringIO, TextIOWrapper
from pathlib import Path

import pytest
import segno

from streamchat.system import qrcode

URL = "https://0123456789abcdef01.gradio.live"
# of a module above and one below: whether each is dark
BLOCKS = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}


def modules(url: str) -> list[list[int]]:
    code = segno.make(url, micro=False, error="l")
    return [list(row) for row in code.matrix_iter(border=qrcode.BORDER)]


def from_blocks(picture: str) -> list[list[int]]:
    lines = re.sub(r"\x1b\[[0-9;]*m", "", picture).split("\n")
    return [[BLOCKS[sign][half] for sign in line] for line in lines for half in (0, 1)]


def from_colours(picture: str) -> list[list[int]]:
    """The runs of spaces in each line; those that are not in reverse are dark."""
    rows = []
    for line in picture.split("\n"):
        runs = re.findall(r"\x1b\[(\d+)m( *)", line)
        rows.append([int(how != "7") for how, spaces in runs for _ in range(len(spaces) // 2)])
    return rows


def test_a_phone_reads_the_address_in_blocks() -> None:
    """With room and block characters each line has two rows, in colours that no terminal theme
    inverts."""
    picture = qrcode.drawn(URL, 80, "utf-8")
    rows = modules(URL)
    assert from_blocks(picture)[: len(rows)] == rows
    assert all(line.startswith("\x1b[97;40m") for line in picture.split("\n"))
    assert max(len(line) for line in re.sub(r"\x1b\[[0-9;]*m", "", picture).split("\n")) <= 40


def test_a_phone_reads_the_address_in_ascii() -> None:
    """Without block characters the code is spaces with a background."""
    picture = qrcode.drawn(URL, 80, "ascii")
    assert picture.isascii()
    assert from_colours(picture) == modules(URL)


@pytest.mark.parametrize(("columns", "encoding"), [(30, "utf-8"), (60, "ascii"), (60, "latin-1")])
def test_a_narrow_terminal_gets_no_code(columns: int, encoding: str) -> None:
    """A code that would be wrapped is not printed."""
    assert qrcode.drawn(URL, columns, encoding) == ""


@pytest.mark.parametrize("terminal", ["a file", "a pipe", "dumb"])
def test_other_outputs_get_no_code(
    terminal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log, a pipe and a dumb terminal get no code."""
    if terminal == "dumb":
        monkeypatch.setenv("TERM", "dumb")
        stdout = StringIO()
        monkeypatch.setattr(stdout, "isatty", lambda: True, raising=False)
    else:
        stdout = TextIOWrapper((tmp_path / "log").open("wb"))  # type: ignore[assignment]
    monkeypatch.setattr(sys, "stdout", stdout)
    assert qrcode.for_terminal(URL) == ""
