"""Text files, including code."""

import codecs

from streamchat.attachments.attachment import PLAIN, Attachment, Upload
from streamchat.errors import FileRefused

BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# control characters that a text does not have
CONTROLS = "".join(map(chr, range(32))).translate(str.maketrans("", "", "\t\n\r\f\x1b"))
# per hundred characters of a text
FEW = 1
OPENING = 300


def text_of(data: bytes) -> str:
    """The text. Raises `FileRefused` unless it is UTF-8, or UTF-16 with a byte order mark, and
    readable."""
    coding = next((coding for mark, coding in BOMS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(coding)
    except UnicodeDecodeError:
        code = _undecodable(data) if coding == "utf-8" else "file_coding"
        raise FileRefused(code) from None
    checked(text)
    return text


def checked(text: str) -> None:
    """Raises `FileRefused` for a text that is blank or mostly control characters."""
    if not text.strip():
        raise FileRefused("file_blank")
    controls = sum(map(text.count, CONTROLS))
    if "\0" in text or controls * 100 > FEW * len(text):
        raise FileRefused("file_kind")


def attached(upload: Upload, text: str) -> Attachment:
    """The text without its byte order mark."""
    size = len(text.encode(errors="surrogatepass"))
    opening = " ".join(text[: 4 * OPENING].split())[:OPENING]
    # a token is at least a byte
    return Attachment(upload.name, PLAIN, text, size, size, opening=opening)


def _undecodable(data: bytes) -> str:
    """The code for bytes that are no UTF-8: a text in an old encoding has few control
    characters."""
    strange = sum(data.count(bytes([each])) for each in (*range(9), *range(14, 27), *range(28, 32)))
    return "file_kind" if strange * 100 > FEW * len(data) else "file_coding"
