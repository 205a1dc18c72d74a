"""The files of a reader that are kept for the conversations on the page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from typing import Any

from streamchat.attachments import Attachment, Upload
from streamchat.chat.files import Draft, Files
from streamchat.errors import FileRefused, FilesNotKept, UnknownFile
from streamchat.events import Message
from streamchat.store import Store, files, filing
from streamchat.texts import text

Fields = dict[str, Any]
NAMES = {field.name for field in fields(Attachment)} - {"data"}


class KeptFiles:
    """Each file belongs to the reader who sent it. Other readers' are as unknown as ones that do
    not exist."""

    def __init__(self, store: Store, checks: Files) -> None:
        self._store = store
        self._checks = checks

    @property
    def are_taken(self) -> bool:
        """Whether the page offers to send files: they are on, and there is a disk to keep them."""
        return self._store.is_kept and self._checks.bounds.per_message > 0

    def check_taken(self, name: str) -> None:
        """Raises `FileRefused` for the file of that name where none are taken."""
        if not self.are_taken:
            raise FileRefused("files_off").of(name)

    async def add(self, upload: Upload, reader: str, visitor: str | None) -> Attachment:
        """Checks a file and keeps it; raises as `check` and `put` do."""
        file = await self.check(upload, visitor)
        await self.put(file, reader, visitor)
        return file

    async def check(self, upload: Upload, visitor: str | None) -> Attachment:
        """The checked file; raises as `Files.checked` does."""
        self.check_taken(upload.name)
        (message,) = await self._checks.checked([Draft("user", "", (upload,))], visitor)
        return message.files[0]

    async def put(self, file: Attachment, reader: str, visitor: str | None) -> None:
        """Keeps a checked file; raises `FilesNotKept`."""
        work = partial(filing.put, reader=reader, fields=light(file), data=file.data)
        bounded = partial(work, visitor=visitor, bounds=self._store.bounds, now=self._store.now())
        if not await self._store.run(bounded):
            raise FilesNotKept

    async def read(self, digests: Iterable[str], reader: str) -> dict[str, Attachment]:
        """The reader's files among these, by their digests."""
        work = partial(files.read, reader=reader, digests=digests)
        found = (await self._store.run(work) or {}) if reader else {}
        return {digest: restored(*each) for digest, each in found.items()}

    async def named(self, digests: Sequence[str], reader: str) -> list[Fields]:
        """The fields of the reader's files with these digests, in their order. Raises
        `UnknownFile`."""
        work = partial(files.fields_of, reader=reader, digests=digests)
        found = (await self._store.run(work) or {}) if reader and digests else {}
        if set(digests) - found.keys():
            raise UnknownFile
        return [found[digest] for digest in digests]

    async def loaded(self, messages: Sequence[Message], reader: str) -> list[Message]:
        """The messages with the data of their files, and a note in place of one that is no longer
        kept. Raises `FileRefused` for more than a conversation may have."""
        wanted = {file.digest for message in messages for file in message.files}
        if not wanted:
            return list(messages)
        self._checks.bound(messages)
        found = await self.read(wanted, reader)
        return [_with(message, found) for message in messages]


def light(file: Attachment) -> Fields:
    """The fields of a file without its data, as JSON."""
    found = asdict(replace(file, data=""))
    return {name: value for name, value in found.items() if name in NAMES}


def restored(kept: Mapping[str, Any], data: str = "") -> Attachment:
    """A file from its fields; what only a later release knows is left out."""
    known = {name: value for name, value in kept.items() if name in NAMES}
    return Attachment(**known | {"data": data, "colours": tuple(known.get("colours", ()))})


def _with(message: Message, found: Mapping[str, Attachment]) -> Message:
    there = tuple(found[file.digest] for file in message.files if file.digest in found)
    gone = [text("file_gone", name=file.name) for file in message.files if file.digest not in found]
    return Message(message.role, "\n\n".join([*gone, message.text]), there)
