"""One call to Claude: its events, its usage, and errors after its end that do not matter."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import anthropic
import httpx2

from streamchat import errors
from streamchat.errors import ClaudeError
from streamchat.events import Done, Event, Request
from streamchat.meter import Meter
from streamchat.sources.claude.blocks import Blocks
from streamchat.sources.claude.deadlines import Deadlines
from streamchat.sources.claude.faults import is_free, translated
from streamchat.sources.claude.measuring import Sent
from streamchat.sources.claude.posting import begun
from streamchat.sources.claude.wire import Accumulator, sent


async def attempt(  # noqa: PLR0913 (one call, and all that watches it)
    client: anthropic.AsyncAnthropic,
    parameters: dict[str, Any],
    meter: Meter,
    deadlines: Deadlines,
    request: Request,
    *,
    blocks: Blocks | None = None,
) -> AsyncGenerator[Event]:
    """The events of one call to Claude, ended by a `Done`; raises `ClaudeError`, or what refuses
    money for results of searches beyond those that were reserved. Searches and citations are only
    in it with `blocks`, which it fills."""
    heard = Accumulator(blocks)
    with translated(), _metered(meter):
        deadlines.check(heard=True)
        async with await begun(client, parameters) as stream:
            if (
                not stream.response.headers.get("content-type", "")
                .lower()
                .startswith("text/event-stream")
            ):
                raise errors.NotAStream(request_id=stream.response.headers.get("request-id"))
            with _complete_once(lambda: bool(heard.reason)):
                async with aclosing(
                    sent(stream.response, meter, deadlines, request.wanted)
                ) as events:
                    async for raw in events:
                        event = heard.add(raw)
                        for told in heard.take() if heard.closed else ():
                            yield told
                        if event:
                            yield event
                        if raw["type"] == "content_block_start" and meter.is_over:
                            await request.extend(meter)
                        if raw["type"] == "message_stop":
                            heard.reason = heard.reason or "end_turn"
                            await _drain(events)
                            break
            if not heard.reason:
                raise errors.BrokenOff(request_id=stream.response.headers.get("request-id"))
    if rest := heard.end():
        yield rest
    yield Done(heard.reason, heard.usage)


@contextmanager
def _metered(meter: Meter) -> Iterator[None]:
    """Tells the meter when the call has ended, and whether it was free."""
    try:
        yield
    except anthropic.APIError as error:
        if is_free(error):
            meter.waive()
        raise
    finally:
        meter.close()


async def _drain(events: AsyncGenerator[Sent]) -> None:
    """Reads to the end of the body, so that the connection can be used again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            async for _ in events:
                pass


@contextmanager
def _complete_once(complete: Callable[[], bool]) -> Iterator[None]:
    """Ignores errors once the answer is complete: after its stop reason nothing is missing."""
    try:
        yield
    except (ClaudeError, anthropic.AnthropicError, httpx2.HTTPError, ValueError):
        if not complete():
            raise
