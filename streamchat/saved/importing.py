"""Adds the conversations of an export to a reader's, with their files, each of which is checked as
an upload is."""

import asyncio
from collections.abc import Mapping
from typing import Any

from streamchat.attachments import Attachment, Upload
from streamchat.chat import KeptFiles
from streamchat.errors import ChatError, FileRefused, TooManyFiles
from streamchat.saved import carried, file
from streamchat.saved.shelf import Saved
from streamchat.system.pieces import parsed
from streamchat.texts import text, worded
from streamchat.web.problem import Unfit

# of files that are left out
MOST_SENTENCES = 20

Fields = dict[str, Any]


async def imported(body: bytes, saved: Saved, kept: KeptFiles, reader: str, visitor: str) -> Fields:
    """The number of conversations, and a sentence for each file that is left out. Raises `Unfit`
    for what is no export, and `TooLong`."""
    given = await asyncio.to_thread(_object, body)
    found = await asyncio.to_thread(file.read, given)
    uploads = await asyncio.to_thread(carried.uploads, given)
    names = {each.digest: each.name for conversation in found for each in conversation.files}
    taken, left_out = await _checked(names, uploads, kept, visitor)
    number = await saved.add(reader, visitor, found, taken)
    for each in taken.values():
        await kept.put(each, reader, visitor)
    return {"imported": number} | ({"left_out": left_out[:MOST_SENTENCES]} if left_out else {})


def _object(body: bytes) -> Fields:
    try:
        given = parsed(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Unfit(400, "not_json", wording="not_an_object")
    return given


async def _checked(
    names: Mapping[str, str], uploads: Mapping[str, Upload], kept: KeptFiles, visitor: str
) -> tuple[dict[str, Attachment], list[str]]:
    """The files that pass, by their ids in the export, and sentences about the others."""
    taken: dict[str, Attachment] = {}
    left_out: list[str] = []
    refusal: ChatError | None = None
    for id_, name in names.items():
        try:
            # who has sent too many may send no further one
            if refusal:
                raise refusal
            if id_ not in uploads:
                raise FileRefused("file_not_exported").of(name)
            taken[id_] = await kept.check(uploads[id_], visitor)
        except ChatError as error:
            refusal = error if isinstance(error, TooManyFiles) else None
            left_out.append(_sentence(name, error))
    return taken, left_out


def _sentence(name: str, error: ChatError) -> str:
    """Says by name what is wrong with the file."""
    why = worded(error)
    return why if isinstance(error, FileRefused) else text("file_left_out", name=name, why=why)
