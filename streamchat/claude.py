"""Claude as a source: one client, a real event stream, failures in words a person understands."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import anthropic
import httpx2

from streamchat import errors
from streamchat.errors import ClaudeError
from streamchat.events import Conversation, Done, Event, Request, well_formed
from streamchat.faults import translated
from streamchat.progress import Progress
from streamchat.settings import Settings
from streamchat.wire import Accumulator, Sent, read_as_wanted, sent

logger = logging.getLogger(__name__)

TIMEOUT = httpx2.Timeout(connect=5, read=90, write=30, pool=5)
NO_KEY = "none"  # for with an empty one, the SDK would look for a key of its own
LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60)


class Claude:
    """Answers with `settings.model`; with no key in the settings, only requests that have one.

    Make one for a process and use it in one event loop.
    """

    def __init__(self, settings: Settings, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._knows_model = False
        self._adaptive_thinking = self._effort = True
        self._client = anthropic.AsyncAnthropic(
            api_key=settings.api_key.get_secret_value() or NO_KEY,
            max_retries=0,
            timeout=TIMEOUT,
            http_client=anthropic.DefaultAioHttpClient(
                timeout=TIMEOUT, limits=LIMITS, event_hooks={"response": [read_as_wanted]}
            ),
        )

    async def open(self) -> None:
        """Connects, and asks what the model can do; a failure is a warning, for Claude may come back."""
        try:
            await self._ask_of_model(self._client)
        except ClaudeError as error:
            logger.warning("%s", error.message)

    async def _ask_of_model(self, client: anthropic.AsyncAnthropic) -> None:
        with translated(), suppress(AttributeError):  # a gateway may know less of it, or answer with a page
            try:
                model = await client.models.retrieve(self._settings.model, timeout=5)
            except anthropic.NotFoundError:
                self._knows_model = True  # as much as there is to know
                raise
            can, self._knows_model = model.capabilities, True
            if can:
                self._adaptive_thinking = can.thinking.types.adaptive.supported
                self._effort = can.effort.supported

    async def close(self) -> None:
        await self._client.close()

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        """Claude's answer, over as many attempts as it takes: a failure that may pass is not the end of it."""
        progress = Progress(request.conversation, continuations=self._settings.continuations)
        client = self._client.with_options(api_key=request.key) if request.key else self._client
        conversation = progress.begin()
        if not self._knows_model:
            with suppress(ClaudeError):
                await self._ask_of_model(client)
        while True:
            try:
                async with aclosing(self._attempt(client, conversation)) as events:
                    async for event in events:
                        for told in progress.told(event):
                            yield told
            except ClaudeError as failure:
                error = _without_key(failure, client.api_key or "", own=bool(request.key))
                again = progress.fail(error)
                if again is None:
                    raise error from failure.__cause__
                pause, notices = again
                for notice in notices:
                    yield notice
                await self._sleep(pause)
            else:
                if not progress.paused:
                    return
            conversation = progress.begin()
            await request.again(conversation)

    async def _attempt(self, client: anthropic.AsyncAnthropic, conversation: Conversation) -> AsyncGenerator[Event]:
        heard = Accumulator()
        with translated():
            async with await client.messages.create(**self._parameters(conversation)) as stream:
                if not stream.response.headers.get("content-type", "").lower().startswith("text/event-stream"):
                    raise errors.NotAStream(request_id=stream.response.headers.get("request-id"))
                with _complete_once(lambda: bool(heard.reason)):
                    async with aclosing(sent(stream.response)) as events:
                        async for raw in events:
                            if event := heard.add(raw):
                                yield event
                            if raw["type"] == "message_stop":
                                heard.reason = heard.reason or "end_turn"
                                await _drain(events)
                                break
                if not heard.reason:
                    raise errors.BrokenOff(request_id=stream.response.headers.get("request-id"))
        if rest := heard.end():
            yield rest
        yield Done(heard.reason, heard.usage)

    def _parameters(self, conversation: Conversation) -> dict[str, Any]:
        parameters: dict[str, Any] = {
            "model": self._settings.model,
            "max_tokens": self._settings.max_tokens,
            "messages": [{"role": message.role, "content": well_formed(message.text)} for message in conversation],
            "cache_control": {"type": "ephemeral"},
            "stream": True,
        }
        if self._settings.system_prompt:
            parameters["system"] = self._settings.system_prompt
        if self._adaptive_thinking:
            parameters["thinking"] = {"type": "adaptive", "display": "summarized"}
        if self._effort:
            parameters["output_config"] = {"effort": self._settings.effort}
        return parameters


def _without_key(error: ClaudeError, key: str, *, own: bool) -> ClaudeError:
    """The error as anybody may read it, whatever Claude repeated of the request."""
    if own and isinstance(error, errors.KeyRejected):
        return errors.OwnKeyRejected(request_id=error.request_id)
    if len(key) >= 8:  # a shorter one opens nothing, but may be a part of any word
        error.message = error.message.replace(key, "...")
    return error


async def _drain(events: AsyncGenerator[Sent]) -> None:
    """Reads to the end of the body, so that the connection can be used again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            async for _ in events:
                pass


@contextmanager
def _complete_once(complete: Callable[[], bool]) -> Iterator[None]:
    """After the stop reason the answer is whole: what breaks then breaks nothing."""
    try:
        yield
    except (anthropic.AnthropicError, httpx2.HTTPError, ValueError):
        if not complete():
            raise
