"""The owner's own logo: a file that is read once, when the chat starts, and checked."""

import stat
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal
from xml.parsers import expat

from streamchat.system.environment import ROOT

PNG = b"\x89PNG\r\n\x1a\n"
SVG = "http://www.w3.org/2000/svg svg"
MOST_BYTES = 256 * 1024
# of a side
MOST_PIXELS = 2048
TOO_WIDE = f"it should have {MOST_PIXELS} pixels a side at most"


@dataclass(frozen=True)
class Logo:
    kind: Literal["image/svg+xml", "image/png"]
    content: bytes = field(repr=False)


def read_logo(path: object) -> object:
    """The logo in this file, or None for an empty path. Other values are returned unchanged. Raises
    `ValueError` for a file that is no SVG or PNG, or too large."""
    if not isinstance(path, str):
        return path
    return checked(_content(path)) if path else None


def checked(content: bytes) -> Logo:
    """Checks the content of a file; its name does not matter."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"its file should have {MOST_BYTES // 1024} kB at most")
    if content.startswith(PNG):
        _check_png(content)
        return Logo("image/png", content)
    _check_svg(content)
    return Logo("image/svg+xml", content)


def _content(path: str) -> bytes:
    try:
        # a value in ~ or relative to the folder of app.py
        file = ROOT / Path(path).expanduser()
        # a device or a pipe might never end
        if not stat.S_ISREG(file.stat().st_mode):
            raise ValueError("it should be a file")
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except (OSError, RuntimeError):
        raise ValueError("it should be a file that can be read") from None


def _check_png(content: bytes) -> None:
    # it takes a while to import
    from PIL import Image  # noqa: PLC0415

    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as picture:
            if max(picture.size) > MOST_PIXELS:
                raise ValueError(TOO_WIDE)
            picture.load()
    except Image.DecompressionBombError:
        raise ValueError(TOO_WIDE) from None
    except (OSError, SyntaxError):
        raise ValueError("it should be a whole PNG") from None


def _check_svg(content: bytes) -> None:
    """Accepts any SVG. The policy of the pages that show it stops its scripts and requests."""
    names: list[str] = []
    reader = expat.ParserCreate(namespace_separator=" ")
    reader.StartElementHandler = lambda name, _: names.append(name)
    reader.EntityDeclHandler = _refuse_entity
    try:
        reader.Parse(content, True)
    except expat.ExpatError:
        raise ValueError("it should be an SVG or a PNG") from None
    if names[0] != SVG:
        raise ValueError("it should be an SVG or a PNG")


def _refuse_entity(*_: object) -> None:
    raise ValueError("it should be an SVG without entities")
