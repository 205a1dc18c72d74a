"""Settings in a file `.env`, as editors and shells write it."""

import codecs
import os
from io import StringIO
from pathlib import Path

from streamchat.system.console import fail, say

# the variable in which an empty value says more than none
DATA_DIR = "STREAMCHAT_DATA_DIR"


def read_file(path: Path) -> None:
    """Sets the variables of the file. A variable that has a value already keeps it."""
    # only now it is known that the packages are there
    from dotenv import dotenv_values  # noqa: PLC0415
    from dotenv.parser import parse_stream  # noqa: PLC0415

    bindings = list(parse_stream(StringIO(text_of(path))))
    for binding in bindings:
        if binding.error or (binding.key and binding.value is None):
            say(f"Line {binding.original.line} of {path} is not NAME=value, and is ignored.")
    lines = [each.original.string for each in bindings if each.value is not None]
    for name, value in dotenv_values(stream=StringIO("".join(lines))).items():
        current = os.environ.get(name)
        if value is not None and (current is None or (not current and name != DATA_DIR)):
            os.environ[name] = value


def text_of(path: Path) -> str:
    """The text of a file in UTF-8 or, as PowerShell writes it, UTF-16; empty for a missing file."""
    if path.is_dir():
        if not (path / "pyvenv.cfg").exists():
            say(f"{path} is a folder, so no settings are read from it.")
        return ""
    try:
        data = path.read_bytes()
        return decoded(data)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise fail(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeError:
        raise fail(f"{path} is not text in UTF-8. Save it as UTF-8.") from None


def decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in data:
        encoding = "utf-16-be" if data.startswith(b"\0") else "utf-16-le"
    else:
        encoding = "utf-8-sig"
    text = data.decode(encoding)
    if "\0" in text:
        raise UnicodeError
    return text
