"""The demo's answer about files: facts that need no model."""

import re
from collections.abc import Iterator, Sequence

from streamchat.attachments import Attachment
from streamchat.errors import AttachmentRejected
from streamchat.sources.demo.markdown import quoted
from streamchat.sources.demo.prepared import REJECT, Answer, plain_words, read

# characters of the beginning of a document
QUOTE = 160


def looked(files: Sequence[Attachment], asked: str, advice: str) -> Answer:
    """A line for each file. Fails like Claude if the visitor asks for that."""
    if re.fullmatch(REJECT, plain_words(asked)):
        return Answer(ending=AttachmentRejected)
    lines = "\n".join(f"- {_told(file)}" for file in files)
    question = f"\n\nYou asked: “{quoted(asked, 280)}”" if asked.strip() else ""
    return Answer(read("files").format(lines=lines, question=question, advice=advice))


def _told(file: Attachment) -> str:
    return f"**{quoted(file.name, 60)}** is " + ". ".join(_facts(file)) + "."


def _facts(file: Attachment) -> Iterator[str]:
    size = _size(file.size)
    if file.is_picture:
        colours = f", mostly {' and '.join(file.colours)}" if file.colours else ""
        yield f"a picture of {file.width:,} × {file.height:,} pixels{colours} ({size})"
        return
    if file.pages:
        yield f"a PDF of {file.pages:,} page{'' if file.pages == 1 else 's'} ({size})"
    else:
        lines = file.data.count("\n") + 1
        yield f"a text of {lines:,} line{'' if lines == 1 else 's'} ({size})"
    if file.opening:
        yield f"It begins “{quoted(file.opening, QUOTE)}”"


def _size(size: int) -> str:
    if size < 1_000:
        return f"{size} byte{'' if size == 1 else 's'}"
    return f"{size / 1_000:,.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"
