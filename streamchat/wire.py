"""Claude's stream on the wire: read when somebody wants more of it, and what its events say."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

import anthropic
import httpx2

from streamchat.demand import wanted
from streamchat.errors import Unreadable
from streamchat.events import Event, Text, Thinking, Usage

Sent = dict[str, Any]  # an event's data
READ = (b"message_start", b"content_block_delta", b"message_delta", b"message_stop")


class Wanted(httpx2.AsyncByteStream):
    """A response's body; what comes while nobody wants it is then read in one go."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async for part in self._stream:
            yield part
            await wanted()

    async def aclose(self) -> None:
        await self._stream.aclose()


async def read_as_wanted(response: httpx2.Response) -> None:
    """A hook for responses."""
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = Wanted(response.stream)


async def sent(response: httpx2.Response) -> AsyncGenerator[Sent]:
    """The data of the events that `read` knows; raises what the SDK raises for an `error`.

    The SDK's own iteration, line by line and with a model for each event, takes most of the time of a reply.
    """
    rest = b""
    async with aclosing(response.aiter_bytes()) as parts:
        async for part in parts:
            *events, rest = (rest + part).replace(b"\r\n", b"\n").split(b"\n\n")
            for event in events:
                name, data = _fields(event)
                if name == b"error":
                    raise _error(data, response)
                if data and name in READ:
                    yield json.loads(data)


def _fields(event: bytes) -> tuple[bytes, bytes]:
    """Name and data of one Server-Sent Event; comments and other fields do not matter."""
    name, data = b"", []
    for line in event.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.strip()
    return name, b"\n".join(data)


def _error(data: bytes, response: httpx2.Response) -> anthropic.APIStatusError:
    body: object = data.decode(errors="replace")
    with suppress(ValueError):
        body = json.loads(data)
    return anthropic.APIStatusError(str(body), response=response, body=body)


def read(raw: Sent, reason: str, usage: Usage) -> tuple[Event | None, str, Usage]:
    """What one event says, and the stop reason and usage after it."""
    try:
        match raw["type"]:
            case "content_block_delta":
                return _delta(raw["delta"]), reason, usage
            case "message_start":
                usage = _count(raw["message"], usage)
                return usage, reason, usage
            case "message_delta":
                usage = _count(raw, usage)
                return usage, raw["delta"].get("stop_reason") or reason, usage
    except (AttributeError, KeyError, TypeError) as error:
        raise Unreadable from error
    return None, reason, usage


def _delta(delta: Sent) -> Event | None:
    match delta["type"]:
        case "text_delta" if text := delta["text"]:
            return Text(text)
        case "thinking_delta" if thought := delta["thinking"]:
            return Thinking(thought)
    return None


def _count(counted: Sent, usage: Usage) -> Usage:
    """Fields that are missing keep their value: later counts replace earlier ones."""
    now = counted.get("usage") or {}

    def latest(name: str, before: int) -> int:
        value = now.get(name)
        return before if value is None else value

    return Usage(
        latest("input_tokens", usage.input_tokens),
        latest("output_tokens", usage.output_tokens),
        latest("cache_creation_input_tokens", usage.cache_write_tokens),
        latest("cache_read_input_tokens", usage.cache_read_tokens),
    )
