"""A file before and after its check."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

PDF, PLAIN = "application/pdf", "text/plain"


@dataclass(frozen=True, slots=True)
class Upload:
    """An unchecked file. `data` is base64, or a text's own characters. `media_type` is the sender's
    claim, and may be empty."""

    name: str
    data: str = field(repr=False)
    media_type: str = ""
    form: Literal["base64", "text"] = "base64"

    @property
    def size(self) -> int:
        """The size in bytes, computed without decoding; about right for malformed base64."""
        if self.form == "base64":
            return len(self.data) * 3 // 4 - self.data[-2:].count("=")
        return len(self.data.encode(errors="surrogatepass"))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in the form in which Claude gets it. `data` is base64, or a text's own characters.

    Claude counts no more than so many `tokens` for it. `size` is that of the file as it was sent,
    in bytes. A picture has a `width` and a `height` in pixels and names of `colours`; a PDF has
    `pages`; a PDF or a text has the words of its `opening`. The `digest` is that of `digest_of`:
    over so many bytes it would hold the event loop.
    """

    name: str
    media_type: str
    data: str = field(repr=False)
    tokens: int
    size: int
    width: int = 0
    height: int = 0
    pages: int = 0
    opening: str = field(default="", repr=False)
    colours: tuple[str, ...] = ()
    digest: str = field(default="", repr=False)

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")

    @property
    def kind(self) -> Literal["picture", "pdf", "text"]:
        return "picture" if self.is_picture else "pdf" if self.pages else "text"


def digest_of(attachment: Attachment) -> str:
    """A digest of the name and the content. Different files have different digests."""
    told = f"{attachment.name}\n{attachment.media_type}\n{attachment.data}"
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()
