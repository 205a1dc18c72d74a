"""The kind of a file by its first bytes, whatever its name."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["picture", "pdf", "text", "other"]


@dataclass(frozen=True)
class FileKind:
    """A kind of file. `refusal` is the code of the sentence for a kind that is not accepted."""

    family: Family
    media_type: str = ""
    refusal: str = ""


PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
OTHERS = {
    b"PK\x05\x06": "file_archive",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "file_office",
    b"\x1f\x8b": "file_archive",
    b"7z\xbc\xaf\x27\x1c": "file_archive",
    b"Rar!": "file_archive",
    b"BZh": "file_archive",
    b"\xfd7zXZ": "file_archive",
    b"BM": "file_picture_kind",
    b"II*\x00": "file_picture_kind",
    b"MM\x00*": "file_picture_kind",
    b"8BPS": "file_picture_kind",
    b"\x00\x00\x01\x00": "file_picture_kind",
    b"\x7fELF": "file_program",
    b"MZ": "file_program",
    b"RIFF": "file_sound",
    b"OggS": "file_sound",
    b"fLaC": "file_sound",
    b"ID3": "file_sound",
}
# the parts by which a package of Office or OpenDocument is known
OFFICE = (b"[Content_Types].xml", b"word/", b"xl/", b"ppt/", b"opendocument")
# of the ISO format for media: those of a still picture
STILLS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif")
HEAD = 4_096
BLANKS = b"\xef\xbb\xbf \t\r\n"


def kind_of(data: bytes) -> FileKind:
    """The kind of a file that is not empty. A file without known first bytes may be a text."""
    for begin, media_type in PICTURES.items():
        if data.startswith(begin):
            return FileKind("picture", media_type)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return FileKind("picture", "image/webp")
    if data[:1_024].lstrip(BLANKS).startswith(b"%PDF-"):
        return FileKind("pdf", "application/pdf")
    refusal = _refusal(data)
    return FileKind("other", refusal=refusal) if refusal else FileKind("text", "text/plain")


def _refusal(data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        is_office = any(part in data[:HEAD] for part in OFFICE)
        return "file_office" if is_office else "file_archive"
    if data[4:8] == b"ftyp":
        return "file_picture_kind" if data[8:12] in STILLS else "file_sound"
    # letters may begin a text, which has no zeros
    is_binary = b"\0" in data[:HEAD]
    found = (code for begin, code in OTHERS.items() if data.startswith(begin))
    return next(found, "") if is_binary else ""
