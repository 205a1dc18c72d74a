"""The files of a conversation: counted, bounded and checked before a source is asked."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamchat.attachments import Bounds, Upload
from streamchat.attachments.workshop import Workshop
from streamchat.errors import Crowded, FileRefused, TooManyFiles
from streamchat.events import Conversation, Message, Role
from streamchat.visitors import Flow, Local

HOUR = 3_600  # seconds
# bytes of files in memory, of all replies that are being written, and of those of one visitor
MOST_HELD = 256_000_000
MOST_OF_VISITOR = 64_000_000
RETRY_AFTER = 10.0
# bytes that a file counts of a visitor's hour: the smallest may take long to check
LEAST = 250_000
# bytes that a second of checking counts
SECOND = 2_500_000
ALL = "*"
USUAL = Bounds()


@dataclass(frozen=True, slots=True)
class Draft:
    """A message with unchecked files."""

    role: Role
    text: str
    uploads: tuple[Upload, ...] = ()


class Files:
    """Keeps files in memory only while a reply to them is written."""

    def __init__(self, bounds: Bounds = USUAL, workshop: Workshop | None = None) -> None:
        self.bounds = bounds
        self._workshop = workshop or Workshop(bounds, spent=self._charge)
        self._flow = Flow(bounds.hour, bounds.hour / HOUR)
        self._held: Counter[str] = Counter()

    async def checked(self, drafts: Sequence[Draft], visitor: str | None) -> list[Message]:
        """The messages with checked files. Raises `FileRefused`, `TooManyFiles` or `Crowded`."""
        uploads = [upload for draft in drafts for upload in draft.uploads]
        if not uploads:
            return [Message(draft.role, draft.text) for draft in drafts]
        self._count(drafts, uploads)
        self._admit(sum(max(LEAST, upload.size) for upload in uploads), visitor)
        files = iter(await self._workshop.check(uploads, visitor))
        return [
            Message(draft.role, draft.text, tuple(next(files) for _ in draft.uploads))
            for draft in drafts
        ]

    def bound(self, messages: Iterable[Message]) -> None:
        """Raises `FileRefused` where a conversation of checked files has too many."""
        size = pages = number = 0
        for message in messages:
            if len(message.files) > (most := self.bounds.per_message):
                raise FileRefused("files_in_message", most=most).of(message.files[most].name)
            for file in message.files:
                number, size, pages = number + 1, size + file.size, pages + file.pages
                if number > self.bounds.per_conversation:
                    most = self.bounds.per_conversation
                    raise FileRefused("files_in_conversation", most=most).of(file.name)
                if size > self.bounds.conversation:
                    most = self.bounds.conversation
                    raise FileRefused("files_too_large", most=most).of(file.name)
                if pages > self.bounds.pages:
                    most = self.bounds.pages
                    raise FileRefused("pdf_pages_of_all", pages=pages, most=most).of(file.name)

    def close(self) -> None:
        self._workshop.close()

    def hold(self, conversation: Conversation, visitor: str | None) -> "Held":
        """Takes the memory for a reply's files, or raises `Crowded`."""
        size = sum(len(file.data) for message in conversation for file in message.files)
        held = Held(self._held, visitor or "", size)
        if size and (
            self._held[ALL] + size > MOST_HELD or self._held[visitor or ""] + size > MOST_OF_VISITOR
        ):
            raise Crowded(retry_after=RETRY_AFTER)
        held.take()
        return held

    def _count(self, drafts: Iterable[Draft], uploads: Sequence[Upload]) -> None:
        bounds = self.bounds
        if not bounds.per_message:
            raise FileRefused("files_off").of(uploads[0].name)
        for draft in drafts:
            if draft.uploads and draft.role != "user":
                raise FileRefused("files_of_assistant").of(draft.uploads[0].name)
            _few("files_in_message", draft.uploads, bounds.per_message)
        _few("files_in_conversation", uploads, bounds.per_conversation)
        size = 0
        for upload in uploads:
            size += upload.size
            if upload.size > bounds.file:
                values = {"size": upload.size, "most": bounds.file}
                raise FileRefused("file_too_large", **values).of(upload.name)
            if size > bounds.conversation:
                raise FileRefused("files_too_large", most=bounds.conversation).of(upload.name)

    def _charge(self, seconds: float, visitor: str | None) -> None:
        if visitor is not None and not isinstance(visitor, Local):
            self._flow.take(visitor, round(seconds * SECOND))

    def _admit(self, size: int, visitor: str | None) -> None:
        if visitor is None or isinstance(visitor, Local):
            return
        if wait := self._flow.wait(visitor, size):
            raise TooManyFiles(retry_after=wait)
        self._flow.take(visitor, size)


class Held:
    """The memory of one reply's files."""

    def __init__(self, held: Counter[str], visitor: str, size: int) -> None:
        self._held = held
        self._visitor = visitor
        self._size = size

    def take(self) -> None:
        self._change(self._size)

    def leave(self) -> None:
        """Idempotent."""
        self._change(-self._size)
        self._size = 0

    def _change(self, size: int) -> None:
        for name in (self._visitor, ALL):
            self._held[name] += size
            if not self._held[name]:
                del self._held[name]


def _few(code: str, uploads: Sequence[Upload], most: int) -> None:
    if len(uploads) > most:
        raise FileRefused(code, most=most).of(uploads[most].name)
