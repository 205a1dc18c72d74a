"""Content blocks as in Anthropic's Messages API: text, and files that are sent with it.

https://platform.claude.com/docs/en/api/messages
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, Discriminator, Field, Tag

from streamchat.attachments import Upload, shown

# of one message
MOST = 100
LONGEST_TITLE = 10_000


class Strict(BaseModel, extra="forbid"):
    pass


class TextBlock(Strict):
    type: Literal["text"]
    text: str


class Base64(Strict):
    type: Literal["base64"]
    media_type: str
    data: str


class Plain(Strict):
    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class ImageBlock(Strict):
    type: Literal["image"]
    source: Base64


class DocumentBlock(Strict):
    type: Literal["document"]
    source: Annotated[Base64 | Plain, Field(discriminator="type")]
    title: str | None = Field(None, max_length=LONGEST_TITLE)


Block = Annotated[TextBlock | ImageBlock | DocumentBlock, Field(discriminator="type")]
Blocks = Annotated[list[Block], Field(min_length=1, max_length=MOST, fail_fast=True)]
# in the place of a mistake; they are not in the body
TAGS = WORDS, LISTED = "(text)", "(blocks)"
Content = Annotated[
    Annotated[str, Tag(WORDS)] | Annotated[Blocks, Tag(LISTED)],
    Discriminator(lambda content: LISTED if isinstance(content, list) else WORDS),
]


def text_of(content: str | list[Block]) -> str:
    """The texts, one paragraph each."""
    if isinstance(content, str):
        return content
    return "\n\n".join(block.text for block in content if isinstance(block, TextBlock))


def uploads_of(content: str | list[Block], numbers: Iterator[int]) -> tuple[Upload, ...]:
    """The files in order. One without a title is named by the next number."""
    blocks = [] if isinstance(content, str) else content
    files = [block for block in blocks if not isinstance(block, TextBlock)]
    return tuple(_upload(block, next(numbers)) for block in files)


def _upload(block: ImageBlock | DocumentBlock, number: int) -> Upload:
    # a conversation with more files is refused for their number, and cleaning names takes time
    title = block.title if isinstance(block, DocumentBlock) and number <= MOST else None
    source = block.source
    return Upload(
        shown(title or "", f"File {number}"),
        source.data,
        source.media_type.strip().lower(),
        "text" if isinstance(source, Plain) else "base64",
    )
