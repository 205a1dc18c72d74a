"""Parses a `text/event-stream` that arrives in chunks, cut anywhere.

Standard: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

BOM = b"\xef\xbb\xbf"
MAX_EVENT = 16_000_000  # bytes

# an event's type, which is empty where the stream names none, and its data
Parsed = tuple[bytes, bytes]


class EventTooLong(ValueError):
    pass


class Parser:
    """Ignores ids and retry times. Raises `EventTooLong` rather than hold more than `max_event`
    bytes."""

    def __init__(self, *, max_event: int = MAX_EVENT) -> None:
        self._max_event = max_event
        self._rest = bytearray()
        self._begun = False
        self._after_cr = False

    def feed(self, piece: bytes) -> list[Parsed]:
        """The events that this chunk completes."""
        if not self._begun:
            piece = self._without_bom(piece)
        if self._after_cr or b"\r" in piece:
            piece = self._with_line_feeds(piece)
        if not self._rest:
            *blocks, rest = piece.split(b"\n\n")
            self._rest += rest
        else:
            blocks = self._closed_by(piece)
        return [event for block in blocks if (event := _event(block))]

    @property
    def rest(self) -> bytes:
        """The bytes so far of the incomplete event."""
        return bytes(self._rest)

    def _closed_by(self, piece: bytes) -> list[bytes]:
        """The blocks of lines that end in this chunk; the first may have begun before it."""
        seen = len(self._rest) - 1
        self._rest += piece
        if self._rest.find(b"\n\n", seen) < 0:
            if len(self._rest) > self._max_event:
                raise EventTooLong
            return []
        *blocks, rest = bytes(self._rest).split(b"\n\n")
        self._rest = bytearray(rest)
        return blocks

    def _without_bom(self, piece: bytes) -> bytes:
        """The chunk without a byte order mark; empty until it is known whether there is one."""
        self._rest += piece
        if len(self._rest) < len(BOM) and BOM.startswith(self._rest):
            return b""
        self._begun = True
        begun, self._rest = bytes(self._rest), bytearray()
        return begun.removeprefix(BOM)

    def _with_line_feeds(self, piece: bytes) -> bytes:
        """The chunk with LF as its only line end. A CR ends its line at once; an LF at the start of
        the next chunk belongs to it."""
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        if piece:
            self._after_cr = piece.endswith(b"\r")
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _event(block: bytes) -> Parsed | None:
    """The event of these lines; None for comments and other lines without data."""
    name, data = b"", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return (name, b"\n".join(data)) if data else None
