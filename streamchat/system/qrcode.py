"""An address as a QR code in a terminal, for phones."""

import os
import shutil
import sys
from io import StringIO

# modules of light around the code; less than the standard's four is enough for a phone
BORDER = 2
# bright white on black, whatever colours the terminal has
COLOURED = "\x1b[97;40m{}\x1b[0m"


def for_terminal(url: str) -> str:
    """The code's lines; empty if stdout is no terminal, or too narrow."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return ""
    return drawn(url, shutil.get_terminal_size().columns, sys.stdout.encoding)


def drawn(url: str, columns: int, encoding: str) -> str:
    """The code with two rows a line, if the encoding has block characters; otherwise with two
    coloured spaces for each module."""
    # hardly any start needs it
    import segno  # noqa: PLC0415

    code = segno.make(url, micro=False, error="l")
    width, _ = code.symbol_size(border=BORDER)
    picture = StringIO()
    if has_blocks(encoding) and columns >= width:
        code.terminal(picture, border=BORDER, compact=True)
        return "\n".join(COLOURED.format(line) for line in picture.getvalue().splitlines())
    if columns >= 2 * width:
        code.terminal(picture, border=BORDER)
    return picture.getvalue().rstrip("\n")


def has_blocks(encoding: str) -> bool:
    try:
        "█▀▄".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
