"""A file as a visitor sends it, and as it is once it has been checked."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

PDF, PLAIN = "application/pdf", "text/plain"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that nobody has checked yet. `data` is base64, or for a text as it is. `media_type` is
    what its sender takes it for, and may be empty."""

    name: str
    data: str = field(repr=False)
    media_type: str = ""
    form: Literal["base64", "text"] = "base64"

    @property
    def size(self) -> int:
        """Bytes, as far as they can be told without reading them; never too few."""
        if self.form == "base64":
            return len(self.data) * 3 // 4
        return len(self.data.encode(errors="surrogatepass"))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in the form in which Claude gets it: `data` is base64, or for a text as it is.

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


def digest_of(attachment: Attachment) -> str:
    """The same for the same name and content, and for no other."""
    told = f"{attachment.name}\n{attachment.media_type}\n{attachment.data}"
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()
