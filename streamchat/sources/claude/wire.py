"""Claude's stream on the wire: read at the pace of its readers, and measured event by event."""

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from itertools import starmap
from typing import Any

import anthropic
import httpx2

from streamchat.errors import Unreadable
from streamchat.events import OURS, Event, Text, Thinking, Usage, well_formed
from streamchat.meter import Meter
from streamchat.sources.claude.blocks import Blocks, Told
from streamchat.sources.claude.deadlines import Deadlines
from streamchat.sources.claude.eventstream import Parsed, Parser
from streamchat.sources.claude.measuring import (
    NAMES,
    READ,
    UNNAMED,
    Sent,
    latest_usage,
    measure,
    measure_unread,
)

CONTENT = b"content_block_"


async def sent(
    response: httpx2.Response,
    meter: Meter,
    deadlines: Deadlines,
    wanted: Callable[[], Awaitable[None]],
) -> AsyncGenerator[Sent]:
    """The data of the events that `Accumulator` knows. Raises the SDK's exception for an `error`
    event.

    The meter counts each event before it is yielded, and at the end everything that arrived unread.
    Pings do not end a silence. Before it reads more it awaits `wanted`, and then reads everything
    that gathered meanwhile at once.

    The SDK's own iteration, line by line and with a model for each event, would take most of a
    reply's time.
    """
    parser, events = Parser(), list[Parsed]()
    try:
        async with aclosing(response.aiter_bytes()) as parts:
            async for part in parts:
                events = parser.feed(part)
                deadlines.check(heard=any(starmap(_is_content, events)))
                while events:
                    known = _known(*events[0], response)
                    if known:
                        measure(known, meter)
                    del events[0]
                    if known:
                        yield known
                await wanted()
    finally:
        for unread in (*events, (b"", parser.rest)):
            measure_unread(*unread, meter)


def _is_content(name: bytes, data: bytes) -> bool:
    """Whether the event has a word or a thought, or begins one."""
    return name.startswith(CONTENT) or (name in UNNAMED and CONTENT in data)


def _known(name: bytes, data: bytes, response: httpx2.Response) -> Sent | None:
    if name in NAMES:
        return _named(name, data)
    if name in UNNAMED:
        return _unnamed(data, response)
    if name == b"error":
        raise _error(data, response)
    return None


def _named(name: bytes, data: bytes) -> Sent | None:
    if not data:
        return None
    raw = json.loads(data.decode())
    if not isinstance(raw, dict):
        raise Unreadable
    raw.setdefault("type", name.decode())
    return raw


def _unnamed(data: bytes, response: httpx2.Response) -> Sent | None:
    """An event whose type is only in its data. Data that is no object, such as `[DONE]`, comes from
    a gateway and is ignored."""
    if not data.lstrip().startswith(b"{"):
        return None
    raw = json.loads(data.decode())
    kind = raw.get("type")
    if kind == "error" or (kind is None and "error" in raw):
        raise _error(data, response)
    return raw if kind in READ else None


def _error(data: bytes, response: httpx2.Response) -> anthropic.APIStatusError:
    body: object = data.decode(errors="replace")
    with suppress(ValueError):
        body = json.loads(data)
    return anthropic.APIStatusError(str(body), response=response, body=body)


class Accumulator:
    """The state of one stream: the latest `usage`, the stop `reason`, empty until it comes, and
    events of the `blocks` that have `closed` since they were taken."""

    def __init__(self, blocks: Blocks | None = None) -> None:
        self.usage = Usage()
        self.reason = ""
        self.closed: list[Told] = []
        self._blocks = blocks
        self._text = Surrogates()
        self._thinking = Surrogates()

    def add(self, raw: Sent) -> Event | None:
        """The event for a reader, or None. Raises `Unreadable` for an event of another shape."""
        try:
            match raw["type"]:
                case "content_block_delta":
                    if self._blocks:
                        self._blocks.add(raw["delta"])
                    return self._block(raw["delta"])
                case "content_block_start":
                    return self._begin(raw.get("content_block") or {"type": None})
                case "content_block_stop" if self._blocks:
                    self.closed += self._blocks.end()
                case "message_start":
                    return self._count(raw["message"])
                case "message_delta":
                    self.reason = _reason(raw["delta"].get("stop_reason")) or self.reason
                    return self._count(raw)
        except (AttributeError, KeyError, TypeError) as error:
            raise Unreadable from error
        return None

    def take(self) -> list[Told]:
        """The events of closed blocks."""
        told, self.closed = self.closed, []
        return told

    def _begin(self, block: Sent) -> Event | None:
        if self._blocks:
            self.closed += self._blocks.begin(block)
        return self._block(block)

    def end(self) -> Text | None:
        """The rest of the text that waited for more."""
        return Text(rest) if (rest := self._text.end()) else None

    def _block(self, block: Sent) -> Event | None:
        """The text of a delta, or of the beginning of a block."""
        match block["type"]:
            case "text_delta" | "text" if text := self._text.joined(block["text"]):
                return Text(text)
            case "thinking_delta" | "thinking" if thought := self._thinking.joined(
                block["thinking"]
            ):
                return Thinking(thought)
        return None

    def _count(self, counted: Sent) -> Usage:
        self.usage = latest_usage(counted.get("usage") or {}, self.usage)
        return self.usage


class Surrogates:
    """Joins characters whose two UTF-16 surrogates arrive in two pieces."""

    def __init__(self) -> None:
        self._half = ""

    def joined(self, piece: str) -> str:
        """The piece, with the surrogate held from before and without one at its end."""
        if piece.isascii() and not self._half:
            return piece
        text = self._half + piece
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return well_formed(text.removesuffix(self._half))

    def end(self) -> str:
        """A replacement character for a surrogate that stayed alone."""
        return well_formed(self._half)


def _reason(reason: Any) -> str:
    """A stop reason in the form of Claude's. One of another form, or with a name of ours, becomes
    "unknown"."""
    if reason is None or reason == "":
        return ""
    is_name = isinstance(reason, str) and re.fullmatch("[a-z_]{1,40}", reason)
    return reason if is_name and reason not in OURS else "unknown"
