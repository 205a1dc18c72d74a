"""How large the body of each route's requests may be."""

from collections.abc import Mapping
from dataclasses import dataclass

from streamchat.attachments import Bounds

# bytes that a question may have beside its files
WORDS = 4_000_000


@dataclass(frozen=True)
class Bound:
    """The most bytes of a body, and the most brackets, commas and colons of its JSON. A body of
    `bytes` is no JSON, and of any kind."""

    size: int
    marks: int = 0
    bytes: bool = False


NO_BODY = Bound(0)
QUESTION = "POST /api/streaming-chat"
FILE = "POST /files"
IMPORT = "POST /conversations/import"
# by method and beginning of the path; other routes take no body
BOUNDS = {
    QUESTION: Bound(16_000_000, 60_000),
    "POST /gradio_api/": Bound(8_000_000, 50_000),
    "PUT /feedback": Bound(20_000, 100),
    "PUT /owner/settings": Bound(10_000, 100),
    IMPORT: Bound(16_000_000, 200_000),
    "PATCH /conversations/": Bound(4_000, 20),
    "PUT /conversations/": Bound(1_000, 20),
    "POST /login": Bound(10_000, 10_000),
    "POST /logout": Bound(10_000, 10_000),
}


def with_files(files: Bounds) -> Mapping[str, Bound]:
    """The bounds with room for these files, which are a third larger in the base64 of a
    question."""
    bound = BOUNDS[QUESTION]
    in_base64 = files.conversation * 4 // 3
    size = max(bound.size, in_base64 + WORDS)
    words = BOUNDS[IMPORT]
    return {
        **BOUNDS,
        QUESTION: Bound(size, bound.marks),
        IMPORT: Bound(words.size + in_base64, words.marks),
        FILE: Bound(files.file, bytes=True),
    }
